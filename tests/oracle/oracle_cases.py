"""The cases of `cases/*.yaml`, and how an answer is held against the expected rows.

A case has a `query` and one of `rows` (by hand), `sql` (over the raw tables) and `error` (a code).
It may have `parameters`, `warm` (queries asked before), `ordered`, `types`, `served_from` (of the
first answer), and beside `error` its `place` (line, column) and what its text `says`.
"""

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml

KEYS = {"name", "query", "rows", "sql", "error", "parameters", "warm", "ordered", "types"}
KEYS |= {"served_from", "place", "says", "semantics"}


@cache
def documents():
    """Return the cases of each collection, in the order written."""
    found = {}
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
        document = yaml.load(path.read_text(), yaml.CSafeLoader)
        found[document["collection"]] = [*map(bound, document["cases"])]
    return found


def bound(case):
    """Return a case whose bound lists are what a surface makes of them."""
    values = [tuple(one) if isinstance(one, list) else one for one in case.get("parameters", ())]
    return {**case, "parameters": values} if values else case


def answered(cases):
    """Return the cases with an answer, each query once: for routes that no warm-up changes."""
    found = {}
    for case in cases:
        if "error" not in case:
            found.setdefault((case["query"], str(case.get("parameters"))), case)
    return list(found.values())


def parametrized(some=lambda cases: cases):
    """Return the cases of each collection with its name, as pytest takes them."""
    return [
        pytest.param(name, case, id=f"{name}: {case['name']}")
        for name, cases in documents().items()
        for case in some(cases)
    ]


def plain(value):
    """A value as the cases write it: decimals as text, so that scale counts."""
    return str(value) if isinstance(value, Decimal) else value


def same(found, expected):
    if isinstance(expected, float) and isinstance(found, float):
        return found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    return type(found) is type(expected) and found == expected


def key(row):
    """Order rows the same way on both sides: doubles by the digits that must agree."""
    return [
        (value is None, f"{value:.6e}" if isinstance(value, float) else str(value)) for value in row
    ]


def check(table, expected, ordered=False):
    """Hold a table against rows; decimals by their digits, doubles within 1e-9."""
    got = [tuple(map(plain, row.values())) for row in table.to_pylist()]
    wanted = [tuple(map(plain, row)) for row in expected]
    if not ordered:
        got, wanted = sorted(got, key=key), sorted(wanted, key=key)
    assert len(got) == len(wanted), (got[:50], wanted[:50])
    for one, other in zip(got, wanted, strict=True):
        assert len(one) == len(other), (one, other)
        assert all(map(same, one, other)), (one, other)


def check_types(table, case):
    if "types" in case:
        assert [str(field.type) for field in table.schema] == case["types"]
