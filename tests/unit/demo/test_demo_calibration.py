"""Apportioning: exact sums, and every row next to its exact share."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.demo.calibration import apportioned, calibrated
from flightframe_server.errors import InternalError

WEIGHTS = st.lists(st.integers(-1000, 100_000), min_size=1, max_size=40).filter(
    lambda weights: sum(weights) > 0
)
TOTALS = st.integers(-(10**9), 10**9)


def series(values):
    return pl.Series(values, dtype=pl.Int64)


@given(WEIGHTS, TOTALS)
def test_shares_add_up_and_stand_less_than_one_from_exact(weights, total):
    shares = apportioned(series(weights), total).to_list()
    assert sum(shares) == total
    for weight, share in zip(weights, shares, strict=True):
        assert abs(share - Fraction(weight * total, sum(weights))) < 1


def test_shares_by_hand():
    # Scaled running sums: 10/3, 20/3, 10 -> floors 3, 6, 10.
    assert apportioned(series([1, 1, 1]), 10).to_list() == [3, 3, 4]
    assert apportioned(series([100, -50, 150]), 400).to_list() == [200, -100, 300]


@given(WEIGHTS)
def test_the_sum_itself_as_total_changes_nothing(weights):
    assert apportioned(series(weights), sum(weights)).to_list() == weights


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-5]])
def test_weights_without_a_positive_sum_are_refused(weights):
    with pytest.raises(InternalError, match="more than 0"):
        apportioned(series(weights), 5)


@pytest.mark.parametrize("weights", [[2**40], [2**40, 1 - 2**40], [-(2**40), 2**40 + 1]])
def test_products_past_64_bits_are_refused_and_never_wrap(weights):
    with pytest.raises(InternalError, match="too large"):
        apportioned(series(weights), 2**23)


def test_the_largest_product_that_fits_is_exact():
    assert apportioned(series([2**40, 2**40]), 2**22 - 1).to_list() == [2**21 - 1, 2**21]


def test_calibration_leaves_rows_that_are_not_chosen():
    amounts, chosen = series([10, 999, 20, -5]), pl.Series([True, False, True, True])
    assert calibrated(amounts, chosen, 50).to_list() == [20, 999, 40, -10]
