"""Exact arithmetic: integers and decimals fit or overflow, and decimals meet doubles correctly."""

from decimal import Decimal, localcontext

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.composer.exact import (
    combine,
    fitted,
    magnitude,
    summable,
    to_double,
    unscaled,
)
from flightframe_server.errors import ArithmeticOverflow

INT = pa.int64()
TOP = 2**63 - 1
DECIMAL = Decimal("9" * 36 + ".99")


def money(*values, precision=38, scale=2):
    found = [None if value is None else Decimal(value) for value in values]
    return pa.array(found, pa.decimal128(precision, scale))


@pytest.mark.parametrize(
    ("function", "left", "right", "expected"),
    [
        ("add", TOP - 1, 1, TOP),
        ("subtract", -TOP, 1, -TOP - 1),
        ("multiply", 2**31, -(2**31), -(2**62)),
        ("add", None, 1, None),
        ("multiply", 3, None, None),
    ],
)
def test_integers_to_the_last_one(function, left, right, expected):
    found = combine(function, pa.array([left], INT), pa.array([right], INT), INT)
    assert found.to_pylist() == [expected]
    assert found.type == INT


@pytest.mark.parametrize(
    ("function", "left", "right"),
    [("add", TOP, 1), ("subtract", -TOP - 1, 1), ("multiply", 2**32, 2**31)],
)
def test_one_more_overflows(function, left, right):
    with pytest.raises(ArithmeticOverflow):
        combine(function, pa.array([left], INT), pa.array([right], INT), INT)


@pytest.mark.parametrize(
    ("function", "scale", "left", "right", "expected"),
    [
        ("add", 3, money("1.10"), money("0.005", scale=3), "1.105"),
        ("subtract", 2, money("0.00"), pa.array([7], INT), "-7.00"),
        # The scale of a product is the sum of both: 1.2345 squared is not 1.5240.
        (
            "multiply",
            8,
            money("1.2345", precision=10, scale=4),
            money("1.2345", precision=10, scale=4),
            "1.52399025",
        ),
        ("add", 2, money(str(DECIMAL)), money("-0.99"), "9" * 36 + ".00"),
        ("multiply", 2, money(str(DECIMAL)), pa.array([1], INT), str(DECIMAL)),
        (
            "add",
            10,
            money("9e27", scale=10),
            money("0.01"),
            "9000000000000000000000000000.0100000000",
        ),
    ],
)
def test_decimals_keep_every_digit(function, scale, left, right, expected):
    found = combine(function, left, right, pa.decimal128(38, scale))
    assert [str(value) for value in found.to_pylist()] == [expected]


@pytest.mark.parametrize(
    ("function", "scale", "left", "right"),
    [
        ("add", 2, money(str(DECIMAL)), money("0.01")),
        ("multiply", 4, money(str(DECIMAL)), money("10.00")),
        ("subtract", 10, money(str(DECIMAL)), money("0.1", scale=10)),
    ],
)
def test_a_decimal_past_38_digits_overflows(function, scale, left, right):
    with pytest.raises(ArithmeticOverflow):
        combine(function, left, right, pa.decimal128(38, scale))


def test_any_double_makes_a_double():
    found = combine("add", money("0.10"), pa.array([0.5]), pa.float64())
    assert found.to_pylist() == [0.6]


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2, allow_nan=False))
def test_a_decimal_becomes_the_nearest_double(value):
    assert to_double(money(str(value))).to_pylist() == [float(value)]


@pytest.mark.parametrize(
    "text", ["19.15", "0.01", "-0.07", "90071992547409.93", str(DECIMAL), "-" + str(DECIMAL)]
)
def test_a_decimal_becomes_the_nearest_double_by_each_way(text):
    for found in (to_double(money(text)), to_double(money(text).cast(pa.decimal256(76, 2)))):
        assert found.to_pylist() == [float(Decimal(text))]


def test_whole_digits_and_their_size():
    array = money("1.25", None, "-300.00")
    assert unscaled(array).to_pylist() == [Decimal(125), None, Decimal(-30000)]
    assert unscaled(array.slice(1)).to_pylist() == [None, Decimal(-30000)]
    assert magnitude(pa.array([-7, None, 3])) == 7
    assert magnitude(pa.array([], INT)) == 0
    assert magnitude(pa.array([-TOP - 1], INT)) == TOP + 1


@pytest.mark.parametrize("values", [[2**62] * 3, [TOP, 1], [-TOP - 1] * 2, [TOP, TOP, -TOP, -TOP]])
def test_no_sum_of_summable_integers_wraps(values):
    total = pa.compute.sum(summable(pa.array(values, INT)))
    assert int(total.as_py()) == sum(values)


def test_no_sum_of_summable_decimals_loses_a_digit():
    values = [DECIMAL] * 3
    with localcontext() as context:
        context.prec = 60
        assert pa.compute.sum(summable(money(*map(str, values)))).as_py() == sum(values)


def test_what_is_safe_stays_as_it_is():
    for array in (pa.array([1, 2]), money("1.00"), pa.array([0.5])):
        assert summable(array).type == array.type


def test_a_sum_is_fitted_or_overflows():
    wide = pa.array([Decimal(TOP)], pa.decimal128(38, 0))
    assert fitted(wide, INT).to_pylist() == [TOP]
    with pytest.raises(ArithmeticOverflow):
        fitted(pa.array([Decimal(TOP + 1)], pa.decimal128(38, 0)), INT)
