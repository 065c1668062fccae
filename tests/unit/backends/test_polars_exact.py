"""Are decimals exact in Polars expressions? Beside Python's own integers and decimals."""

from decimal import Context, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.backends.polars import exact

LIMIT = 10**38
PYTHON = Context(prec=200)
DIGITS = st.one_of(
    st.integers(-LIMIT + 1, LIMIT - 1),
    st.integers(-(2**64), 2**64),
    st.sampled_from([0, 1, -1, LIMIT - 1, 1 - LIMIT, 5 * 10**37, 2**63, -(2**63), 2**53 + 1]),
)
FAILED = "failed"


def run(expr, **columns):
    frame = pl.LazyFrame(
        {name: pl.Series([value], dtype=pl.Int128) for name, value in columns.items()}
    )
    try:
        return frame.select(expr).collect(engine="streaming").item()
    except pl.exceptions.InvalidOperationError:
        return FAILED


def fitting(value):
    return value if abs(value) < LIMIT else FAILED


A, B = pl.col("a"), pl.col("b")


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(DIGITS, DIGITS)
def test_sums_differences_and_products(a, b):
    assert run(exact.add(A, B), a=a, b=b) == fitting(a + b)
    assert run(exact.subtract(A, B), a=a, b=b) == fitting(a - b)
    assert run(exact.multiply(A, B), a=a, b=b) == fitting(a * b)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(DIGITS, DIGITS, st.integers(0, 38), st.integers(0, 38))
def test_comparisons_of_two_scales(a, b, have, other):
    left, right = (PYTHON.scaleb(Decimal(x), -s) for x, s in ((a, have), (b, other)))
    found = [run(exact.compare(name, A, B, have, other), a=a, b=b) for name in ("eq", "lt", "le")]
    assert found == [left == right, left < right, left <= right]


@settings(max_examples=200, deadline=None)
@given(DIGITS, st.integers(0, 38), st.integers(0, 38))
def test_rescaling_loses_no_digit(a, have, want):
    scaled = PYTHON.scaleb(Decimal(a), want - have)
    keeps = scaled == scaled.to_integral_value(context=PYTHON)
    wanted = fitting(int(scaled)) if keeps else FAILED
    assert run(exact.checked(exact.rescale(A, have, want)), a=a) == wanted


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(DIGITS, st.integers(0, 38), st.integers(15, 38))
def test_doubles_are_the_nearest(a, scale, precision):
    a %= 10**precision
    assert run(exact.double(A, scale, precision), a=a) == float(f"{a}e-{scale}")


@settings(max_examples=100, deadline=None)
@given(st.lists(DIGITS, min_size=1, max_size=9))
def test_totals_are_right_or_refused(values):
    frame = pl.LazyFrame({"a": pl.Series(values, dtype=pl.Int128)})
    try:
        found = frame.select(exact.total(A, 38)).collect(engine="streaming").item()
    except pl.exceptions.InvalidOperationError:
        found = FAILED
    assert found == fitting(sum(values))


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [(7, 3, 1), (-7, 3, -1), (7, -3, 1), (-7, -3, -1), (7, 0, None), (-(2**63), -1, 0)],
)
def test_remainders_take_the_sign_of_the_dividend(a, b, wanted):
    assert run(exact.remainder(A, B), a=a, b=b) == wanted


def test_nothing_stays_nothing():
    for expr in (exact.add(A, B), exact.multiply(A, B), exact.compare("le", A, B, 3, 5)):
        assert run(expr, a=None, b=5) is None
    assert run(exact.rescale(A, 0, 5), a=None) is None
    assert run(exact.double(A, 5, 38), a=None) is None


def test_a_narrow_decimal_keeps_its_digits():
    assert run(exact.checked(A, 5), a=99_999) == 99_999
    assert run(exact.checked(A, 5), a=-100_000) == FAILED
    assert run(exact.integer(A), a=2**63) == FAILED
