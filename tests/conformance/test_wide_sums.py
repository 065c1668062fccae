"""Sums of decimals of many digits on DuckDB, beside the integers of Python: every size of value."""

from __future__ import annotations

from decimal import Decimal, localcontext

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.backends.duckdb.sql_sums import wide_sum

LARGEST = 10**38 - 1
SMALL = st.integers(-(10**12), 10**12)
EDGE = st.sampled_from(
    [sign * (10**27 + step) for sign in (-1, 1) for step in (-1, 0, 1)] + [LARGEST, -LARGEST, 0]
)
VALUES = st.lists(st.none() | SMALL | EDGE | st.integers(-LARGEST, LARGEST), max_size=12)


def summed(values: list[int | None], scale: int) -> Decimal | None:
    """Return what DuckDB says of the sum of values with so many digits behind the point."""
    type_ = DataType(Kind.DECIMAL, 38, scale)
    select = exp.select(exp.alias_(wide_sum(exp.column("x"), type_), "s")).from_("t")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t (x DECIMAL(38, {scale}))")
        for value in values:
            connection.execute("INSERT INTO t VALUES (?)", [text(value, scale)])
        return connection.sql(select.sql("duckdb")).fetchall()[0][0]


def text(value: int | None, scale: int) -> str | None:
    return None if value is None else f"{exact(value, scale):f}"


def exact(value: int, scale: int) -> Decimal:
    with localcontext(prec=80):
        return Decimal(value).scaleb(-scale)


@settings(max_examples=150)
@given(VALUES, st.sampled_from([0, 2, 10, 37]))
def test_a_sum_is_exact_or_fails_where_the_whole_does_not_fit(values, scale):
    present = [value for value in values if value is not None]
    if abs(sum(present)) > LARGEST:
        with pytest.raises(duckdb.Error):
            summed(values, scale)
    else:
        expected = exact(sum(present), scale) if present else None
        assert summed(values, scale) == expected


def test_a_part_of_a_sum_may_pass_what_the_whole_does_not():
    assert summed([LARGEST, LARGEST, -LARGEST], 2) == exact(LARGEST, 2)
    assert summed([LARGEST, 1, -1, 5, -LARGEST], 0) == Decimal(5)


def test_a_point_of_nulls_alone_has_no_sum():
    assert summed([None, None], 4) is None
    assert summed([None, 0], 4) == Decimal(0)
