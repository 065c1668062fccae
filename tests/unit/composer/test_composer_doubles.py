"""Doubles in one total order: NaN equals NaN, stands above every number, and NULL stays unknown."""

import itertools
import math

import pyarrow as pa
import pytest

from flightframe_server.composer.doubles import compare, nan_marks, raised

VALUES = [None, -math.inf, -1.0, 0.0, 2.5, math.inf, math.nan]
RANK = {"eq": {0}, "ne": {-1, 1}, "lt": {-1}, "le": {-1, 0}, "gt": {1}, "ge": {0, 1}}


@pytest.mark.parametrize("function", list(RANK))
def test_a_comparison_goes_by_place_in_the_order(function):
    pairs = list(itertools.product(range(len(VALUES)), repeat=2))
    one, other = (pa.array([VALUES[pair[side]] for pair in pairs], pa.float64()) for side in (0, 1))
    expected = [
        None if 0 in pair else ((pair[0] > pair[1]) - (pair[0] < pair[1])) in RANK[function]
        for pair in pairs
    ]
    assert compare(function, one, other).to_pylist() == expected


def test_the_two_zeros_are_one():
    assert compare("eq", pa.array([0.0]), pa.array([-0.0])).to_pylist() == [True]


def test_a_greatest_is_nan_where_there_is_one():
    marks = nan_marks(pa.array([1.0, math.nan, None]))
    assert marks.to_pylist() == [0, 1, None]
    found = raised(pa.array([1.0, None, None, 3.0]), pa.array([0, 1, None, 1], pa.int8()))
    assert [str(value) for value in found.to_pylist()] == ["1.0", "nan", "None", "nan"]
