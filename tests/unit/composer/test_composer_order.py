"""Order: ties never left to chance, NULL where it is asked for, NaN above every number."""

import itertools
import math

import pyarrow as pa
import pytest

from flightframe_server.composer import order
from flightframe_server.composer.order import cut, sort_by, sort_points
from flightframe_server.resolver.question import Window

NAN = float("nan")


@pytest.mark.parametrize("small", [order._SMALL, 0], ids=["arrow", "polars"])
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["b", None, "a", "B", "é", ""], ["", "B", "a", "b", "é", None]),
        ([3, None, -1], [-1, 3, None]),
        ([True, None, False], [False, True, None]),
    ],
)
def test_points_ascend_by_code_point_null_last(monkeypatch, small, members, expected):
    monkeypatch.setattr(order, "_SMALL", small)
    for rows in itertools.islice(itertools.permutations(members), 24):
        found = sort_points(pa.table({"level": rows}), ["level"])
        assert found["level"].to_pylist() == expected


def keyed(values, levels, descending=False, nulls_first=False):
    table = pa.table({"level": levels, "row": list(range(len(levels)))})
    found = sort_by(table, [(pa.array(values), descending, nulls_first)], ["level"])
    return found["level"].to_pylist()


@pytest.mark.parametrize(
    ("descending", "nulls_first", "expected"),
    [
        (False, False, ["c", "a", "b", "d"]),
        (True, False, ["a", "b", "c", "d"]),
        (False, True, ["d", "c", "a", "b"]),
        (True, True, ["d", "a", "b", "c"]),
    ],
)
def test_null_stands_where_it_is_asked_for_and_levels_decide_ties(
    descending, nulls_first, expected
):
    values = dict(zip("abcd", [7, 7, 1, None], strict=True))
    for levels in itertools.permutations("abcd"):
        found = keyed([values[level] for level in levels], list(levels), descending, nulls_first)
        assert found == expected


@pytest.mark.parametrize(
    ("descending", "expected"),
    [(False, ["a", "b", "c", "d", "e"]), (True, ["d", "c", "b", "a", "e"])],
)
def test_nan_is_above_every_number_and_null_is_none(descending, expected):
    values = dict(zip("abcde", [-math.inf, 0.5, math.inf, NAN, None], strict=True))
    for levels in itertools.islice(itertools.permutations("abcde"), 40):
        assert keyed([values[level] for level in levels], list(levels), descending) == expected


def test_the_second_key_decides_within_the_first():
    table = pa.table({"level": ["a", "b", "c", "d"]})
    keys = [(pa.array([1, 1, 2, 2]), True, False), (pa.array([5, 4, 5, 4]), False, False)]
    assert sort_by(table, keys, ["level"])["level"].to_pylist() == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (None, [0, 1, 2, 3, 4]),
        (Window(2), [0, 1]),
        (Window(2, 4), [4]),
        (Window(2, 9), []),
        (Window(0), []),
        # Inside each member of PER, NULL among them.
        (Window(1, 0, ("group",)), [0, 1, 4]),
        (Window(1, 1, ("group",)), [2, 3]),
        (Window(0, 0, ("group",)), []),
        (Window(9, 0, ("group",)), [0, 1, 2, 3, 4]),
    ],
)
def test_rows_are_counted_in_the_whole_or_inside_each_member(window, expected):
    table = pa.table({"group": ["x", None, "x", None, "y"], "row": [0, 1, 2, 3, 4]})
    assert cut(table, window)["row"].to_pylist() == expected
