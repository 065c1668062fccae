"""Which verb runs a test: `make test`, or `make test-all`, which runs all the others.

What comes in is where a test stands and whether it is marked `slow`; what goes out is one of two
names, so that each test is run by exactly one of the two. A folder that is not named here belongs
to `make test-all`. It must never look at what a machine has: a selection is the same everywhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

Part = Literal["test", "test-all"]

TESTS = Path(__file__).parent

QUICK = frozenset({"architecture", "fuzz", "golden", "unit"})
"""The folders of `make test`, which asks about an edit. Doctests belong to it as well."""

LONG = (
    "tests/mutation/test_mutations.py",
    "tests/docs/test_docs_run.py",
    "tests/hostile/test_hostile_mutations.py",
    "tests/hostile/test_hostile_connections.py",
    "tests/clients/foreign/test_foreign_jdbc.py",
    "tests/unit/cli/test_cli_streams.py",
    "tests/architecture/test_distributions.py",
    "tests/unit/backends/test_sqlite_moves.py",
    "tests/soak/test_soak_smoke.py",
    "tests/moving/test_moving_world.py",
    "tests/unit/backends/test_duckdb_moves.py",
    "tests/unit/backends/test_polars_moves.py",
)
"""The files that take longest, longest first: begun last, one would keep one core waiting."""

VARIABLE = "TEST_PART"
"""What make sets to the verb. Without it, and where tests are named, all that is named runs."""


def folder_of(nodeid: str) -> str:
    """Return the folder of tests that a test stands in, or `doctests`."""
    parts = nodeid.split("/")
    return parts[1] if parts[0] == "tests" else "doctests"


def part_of(nodeid: str, *, slow: bool) -> Part:
    """Return the verb that runs a test."""
    quick = folder_of(nodeid) in QUICK | {"doctests"}
    return "test" if quick and not slow else "test-all"


def is_of_other_part(path: Path, part: str | None) -> bool:
    """Return whether a file or folder can be left alone: none of its tests is of a part.

    What is not looked at costs nothing: `make test` imports no client of another language, and
    `make test-all` of the quick folders only the files that name what is slow.
    """
    inside = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    if part not in ("test", "test-all"):
        return False
    if part == "test":
        # Whether a file beside the folders holds tests, it says itself.
        return len(inside) > 0 and path.is_dir() and inside[0] not in QUICK
    quick = not path.is_relative_to(TESTS) or (len(inside) > 0 and inside[0] in QUICK)
    return quick and path.suffix == ".py" and "slow" not in path.read_text(encoding="utf-8")


def chosen_part(config: pytest.Config) -> str | None:
    """Return the verb that tests are selected for, None where the command line names tests."""
    named = (
        config.args_source is config.ArgsSource.ARGS
        or config.option.keyword
        or config.option.markexpr
        or getattr(config.option, "lf", False)
    )
    part = os.environ.get(VARIABLE)
    return None if named else part


def select(items: list[pytest.Item], part: str | None) -> list[pytest.Item]:
    """Leave in `items` those of a part, the longest files first; return those left out."""
    chosen, left = [], []
    for item in items:
        slow = item.get_closest_marker("slow") is not None
        (chosen if part in (None, part_of(item.nodeid, slow=slow)) else left).append(item)
    rank = {path: number for number, path in enumerate(LONG)}
    items[:] = sorted(chosen, key=lambda item: rank.get(item.nodeid.split("::")[0], len(LONG)))
    return left
