"""`make test` and `make test-all` run every test, each exactly once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from suite_parts import LONG, QUICK, VARIABLE, is_of_other_part, part_of

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


def collected(part: str | None) -> set[str]:
    """What a run of a part would run; without one, of the whole suite."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**environment, **({} if part is None else {VARIABLE: part})},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


@pytest.mark.slow
def test_the_two_verbs_share_no_test_and_leave_none_out():
    quick, rest = collected("test"), collected("test-all")
    assert not quick & rest
    assert min(len(quick), len(rest)) > 1000
    assert quick | rest == collected(None)


@pytest.mark.parametrize(
    ("path", "left_alone_by"),
    [
        ("tests/clients", {"test"}),
        ("tests/unit", set()),
        ("tests/unit/test_answer.py", {"test-all"}),
        ("tests/unit/cli/test_cli_streams.py", set()),
        ("tests/workbench", {"test"}),
        ("server/flightframe_server/provenance.py", {"test-all"}),
    ],
)
def test_what_holds_no_test_of_a_part_is_left_alone(path, left_alone_by):
    left = {part for part in ("test", "test-all") if is_of_other_part(ROOT / path, part)}
    assert left == left_alone_by
    assert not is_of_other_part(ROOT / path, None)


def test_what_is_listed_is_there():
    assert [path for path in LONG if not (ROOT / path).is_file()] == []
    assert [folder for folder in QUICK if not (ROOT / "tests" / folder).is_dir()] == []


def test_the_verbs_ask_for_the_parts():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"TEST_PART=([a-z-]+) ", makefile) == ["test", "test-all"]
