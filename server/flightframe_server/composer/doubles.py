"""Doubles in one total order: NaN equals NaN and stands above every number.

What comes in: arrays of doubles. What goes out: comparisons and maxima in that order (law 7,
docs/laws.md), where pyarrow passes NaN by and IEEE calls it unequal to itself. It must never make
NULL comparable: NULL stays unknown.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def compare(function: str, left: pa.Array, right: pa.Array) -> pa.Array:
    """Return `one function other` for eq, ne, lt, le, gt, ge; NULL where either side is."""
    if function in ("gt", "ge"):
        return compare({"gt": "lt", "ge": "le"}[function], right, left)
    if function in ("ne", "le"):
        opposite = compare("eq", left, right) if function == "ne" else compare("lt", right, left)
        return pc.invert(opposite)
    here, there = pc.is_nan(left), pc.is_nan(right)
    if function == "eq":
        return pc.or_(pc.equal(left, right), pc.and_(here, there))
    return pc.or_(pc.less(left, right), pc.and_(pc.invert(here), there))


def nan_marks(values: pa.Array) -> pa.Array:
    """Return 1 for NaN, 0 for a number, NULL for NULL, as int8."""
    return pc.is_nan(values).cast(pa.int8())


def raised(greatest: pa.Array, marks: pa.Array) -> pa.Array:
    """Return maxima of numbers, NaN where the greatest mark of the group says there is one."""
    seen = pc.fill_null(pc.equal(marks, 1), False)
    return pc.if_else(seen, pa.scalar(float("nan"), pa.float64()), greatest)
