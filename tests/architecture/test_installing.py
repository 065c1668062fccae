"""Setting up says in words what it does: pip's hundreds of lines, read for the few that tell."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
INSTALL = runpy.run_path(str(ROOT / ".ci" / "install.py"))


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("Collecting pyarrow>=26 (from flightframe==0.2.0)", "pyarrow is package 1"),
        ("Requirement already satisfied: lark>=1.3 in ./lib", "lark is package 1"),
        (
            "  Downloading pyarrow-26.0.1-cp311-cp311-manylinux_2_28_x86_64.whl (46.1 MB)",
            "fetching pyarrow (46.1 MB), package 0",
        ),
        (
            "  Using cached polars_runtime_32-2.1.0-cp310-abi3-manylinux_x86_64.whl (50 MB)",
            "fetching polars_runtime_32 (50 MB), package 0",
        ),
        ("  Downloading https://x/simple/idna-3.20-py3-none-any.whl", "fetching idna, package 0"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("Installing collected packages: pip", "unpacking pip"),
        ("  Installing build dependencies: started", "installing build dependencies"),
        (
            "  Building editable for flightframe (pyproject.toml): started",
            "building editable for flightframe (pyproject.toml)",
        ),
        ("  Installing build dependencies: finished with status 'done'", None),
        ("", None),
    ],
)
def test_a_line_of_pip_means(line, meaning):
    assert INSTALL["meaning"](line + "\n", set()) == meaning


def test_packages_are_counted_once():
    packages: set[str] = set()
    for name in ("a", "b", "a"):
        told = INSTALL["meaning"](f"Collecting {name}", packages)
    assert told == "a is package 2"


def test_a_failure_shows_all_that_was_written_and_is_one(capfd):
    assert INSTALL["run"](["install", "--no-index", "no-such-package-of-ours"]) != 0
    assert "no-such-package-of-ours" in capfd.readouterr().err


def test_a_silent_process_is_told_of_every_second():
    command = [sys.executable, "-c", "import time; print('a', flush=True); time.sleep(3)"]
    subprocess = INSTALL["subprocess"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [*INSTALL["lines_of"](process)]
    assert [line for line in lines if line] == ["a\n"]
    assert None in lines
