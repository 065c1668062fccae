"""`make test` and `make test-all` run every test, each exactly once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from suite_parts import LONG, QUICK, part_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("nodeid", "slow", "expected"),
    [
        ("tests/unit/test_row_values.py::test_one", False, "test"),
        ("tests/unit/test_row_values.py::test_one", True, "test-all"),
        ("tests/clients/test_adbc.py::test_one", False, "test-all"),
        ("tests/clients/test_adbc.py::test_one", True, "test-all"),
        ("tests/a_folder_of_tomorrow/test_it.py::test_one", False, "test-all"),
        ("server/flightframe_server/remembered.py::doctest", False, "test"),
        ("client/flightframe/result.py::doctest", False, "test"),
    ],
)
def test_a_test_belongs_to_one_verb(nodeid, slow, expected):
    assert part_of(nodeid, slow=slow) == expected


def collected(**environment: str) -> tuple[set[str], str]:
    """What a run would run, and what it says of the rest."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    *_, told = (line for line in done.stdout.splitlines() if "collected" in line)
    return {line for line in done.stdout.splitlines() if "::" in line}, told


@pytest.mark.slow
def test_the_two_verbs_share_no_test_and_leave_none_out():
    quick, told = collected(TEST_PART="test")
    rest, told_of_rest = collected(TEST_PART="test-all")
    assert not quick & rest
    assert min(len(quick), len(rest)) > 1000
    # The whole suite is what was found before anything was left out.
    for found, left, line in ((quick, rest, told), (rest, quick, told_of_rest)):
        numbers = re.match(r"(\d+)/(\d+) tests collected \((\d+) deselected\)", line)
        assert numbers is not None, line
        assert [int(number) for number in numbers.groups()] == [
            len(found),
            len(quick | rest),
            len(left),
        ]


def test_what_is_listed_is_there():
    assert [path for path in LONG if not (ROOT / path).is_file()] == []
    assert [folder for folder in QUICK if not (ROOT / "tests" / folder).is_dir()] == []


def test_the_verbs_ask_for_the_parts():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"TEST_PART=([a-z-]+) ", makefile) == ["test", "test-all"]
