"""States: how each reducer's combine at a coarser anchor, and what value they mean."""

import math
import statistics
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.algebra.reducers import REDUCERS, Operator
from flightframe_server.algebra.types import DOUBLE, INTEGER, TEXT, decimal
from flightframe_server.catalog.collection import Snapshot
from flightframe_server.composer.states import combine_states, finish
from flightframe_server.errors import ArithmeticOverflow, InternalError
from flightframe_server.resolver.terms import ColumnTerm, LevelTerm, Metric

NAN = math.nan
WHOLE = pa.int64()


def metric(name, argument=INTEGER, order=(), **given):
    type_ = REDUCERS[name].type_of(argument)
    column = ColumnTerm(argument, "t", "x")
    keys = tuple(LevelTerm(INTEGER, level) for level in order)
    return Metric("x", Operator(name), "t", column, type_, order=keys, **given)


def states(rows, *columns, kinds=(WHOLE,)):
    """A table of a level `g`, a level `fine` that goes, and states."""
    made = {"g": pa.array([row[0] for row in rows], pa.string())}
    made["fine"] = pa.array(list(range(len(rows))), pa.int64())
    for at, (name, kind) in enumerate(zip(columns, kinds, strict=True), 1):
        made[f" {name}"] = pa.array([row[at] for row in rows], kind)
    return pa.table(made)


def by_group(table, *columns):
    """The rows as a dict; a group that came twice would be lost, so they are counted."""
    values = zip(*(table[name].to_pylist() for name in columns), strict=True)
    found = dict(zip(table["g"].to_pylist(), values, strict=True))
    assert len(found) == table.num_rows
    return {key: one[0] if len(one) == 1 else one for key, one in found.items()}


ROWS = [("a", 3), (None, 5), ("a", None), ("b", None), (None, -7), ("a", 4)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # A sum of nothing is NULL in every step.
        ("SUM", {"a": 7, None: -2, "b": None}),
        # Counts are added up, not counted.
        ("COUNT", {"a": 7, None: -2, "b": None}),
        ("MIN", {"a": 3, None: -7, "b": None}),
        ("MAX", {"a": 4, None: 5, "b": None}),
    ],
)
def test_values_combine_and_null_is_a_group(name, expected):
    found = combine_states(states(ROWS, "value"), ("g",), metric(name))
    assert by_group(found, " value") == expected
    assert found.schema.field(" value").type == pa.int64()


@pytest.mark.parametrize("name", ["SUM", "COUNT", "MIN", "MAX"])
def test_the_grand_total_is_one_row_also_of_nothing(name):
    found = combine_states(states([], "value"), (), metric(name))
    assert found.to_pylist() == [{" value": None}]


def test_sums_pass_64_bits_on_the_way_and_must_fit_at_the_end():
    rows = [("a", 2**62), ("a", 2**62), ("a", 2**62), ("a", -(2**62)), ("a", -(2**62))]
    found = combine_states(states(rows, "value"), ("g",), metric("SUM"))
    assert by_group(found, " value") == {"a": 2**62}
    with pytest.raises(ArithmeticOverflow):
        combine_states(states(rows[:3], "value"), ("g",), metric("SUM"))


def test_decimal_sums_pass_38_digits_on_the_way_and_must_fit_at_the_end():
    big, kind = Decimal("9" * 36 + ".99"), pa.decimal128(38, 2)
    rows = [("a", big), ("a", big), ("a", big.copy_negate())]
    found = combine_states(states(rows, "value", kinds=(kind,)), (), metric("SUM", decimal(38, 2)))
    assert found[" value"].to_pylist() == [big]
    with pytest.raises(ArithmeticOverflow):
        combine_states(states(rows[:2], "value", kinds=(kind,)), (), metric("SUM", decimal(38, 2)))


@pytest.mark.parametrize(
    ("values", "greatest", "least"),
    [([1.0, NAN], "nan", "1.0"), ([NAN, NAN], "nan", "nan"), ([None, -1.5], "-1.5", "-1.5")],
)
def test_nan_is_the_greatest(values, greatest, least):
    table = states([("a", value) for value in values], "value", kinds=(pa.float64(),))
    found = combine_states(table, ("g",), metric("MAX", DOUBLE))
    assert str(found[" value"].to_pylist()[0]) == greatest
    if least != "nan":
        found = combine_states(table, ("g",), metric("MIN", DOUBLE))
        assert str(found[" value"].to_pylist()[0]) == least


ORDERED = [
    ("a", 10, 2),
    ("a", 20, 1),
    ("b", 30, 5),
    ("b", None, 6),
    (None, 40, None),
    ("a", 50, None),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # At the last key a NULL value is the answer; a row without a key is passed by.
        ("LAST", {"a": (10, 2), "b": (None, 6), None: (40, None)}),
        ("FIRST", {"a": (20, 1), "b": (30, 5), None: (40, None)}),
    ],
)
def test_the_first_or_last_key_decides(name, expected):
    table = states(ORDERED, "value", "key0", kinds=(pa.int64(), pa.int64()))
    found = combine_states(table, ("g",), metric(name, order=("k",)))
    assert by_group(found, " value", " key0") == expected


def test_the_second_part_of_a_key_decides_within_the_first():
    rows = [("a", 1, 7, 1), ("a", 2, 7, 3), ("a", 3, 6, 9), ("a", 4, 7, 2)]
    table = states(rows, "value", "key0", "key1", kinds=(pa.int64(),) * 3)
    last = combine_states(table, (), metric("LAST", order=("k", "l")))
    first = combine_states(table, (), metric("FIRST", order=("k", "l")))
    assert (last[" value"].to_pylist(), first[" value"].to_pylist()) == ([2], [3])
    none = combine_states(table.slice(0, 0), (), metric("LAST", order=("k", "l")))
    assert none.num_rows == 1
    assert none[" value"].to_pylist() == [None]


def moments(values):
    """The state of some values, by the definitions."""
    if not values:
        return 0, None, None
    mean = statistics.fmean(values)
    return len(values), mean, math.fsum((value - mean) ** 2 for value in values)


numbers = st.lists(st.integers(-(10**6), 10**6).map(float), max_size=5)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), numbers), max_size=6))
def test_variances_merge_to_that_of_all_the_values(shares):
    kinds = (pa.int64(), pa.float64(), pa.float64())
    rows = [(group, *moments(values)) for group, values in shares]
    table = states(rows, "count", "mean", "m2", kinds=kinds)
    for anchor in (("g",), ()):
        found = combine_states(table, anchor, metric("VAR"))
        names = {name: f" {name}" for name in ("count", "mean", "m2")}
        variances = finish(found, names, metric("VAR")).to_pylist()
        groups = found["g"].to_pylist() if anchor else [...]
        assert len(groups) == len(variances) == found.num_rows
        for group, variance in zip(groups, variances, strict=True):
            values = [value for its, some in shares if group in (..., its) for value in some]
            if len(values) < 2:
                assert variance is None
            else:
                assert variance == pytest.approx(statistics.variance(values), rel=1e-9, abs=1e-6)


def test_the_variance_of_close_large_numbers_survives():
    kinds = (pa.int64(), pa.float64(), pa.float64())
    rows = [("a", 1, 1e9 + more, 0.0) for more in (0, 1, 2)]
    table = states(rows, "count", "mean", "m2", kinds=kinds)
    found = combine_states(table, (), metric("STDDEV"))
    names = {name: f" {name}" for name in ("count", "mean", "m2")}
    assert finish(found, names, metric("VAR")).to_pylist() == [pytest.approx(1.0, rel=1e-12)]
    assert finish(found, names, metric("STDDEV")).to_pylist() == [pytest.approx(1.0, rel=1e-12)]


@pytest.mark.parametrize("name", ["COUNT_DISTINCT", "MEDIAN", "QUANTILE"])
def test_what_never_combines_is_kept_apart_row_by_row(name):
    kind = pa.int64() if name == "COUNT_DISTINCT" else pa.float64()
    apart = states([("a", 1), (None, 2)], "value", kinds=(kind,))
    found = combine_states(apart, ("g",), metric(name))
    assert by_group(found, " value") == {"a": 1, None: 2}
    for anchor, rows in ((("g",), [("a", 1), ("a", 2)]), ((), [("a", 1), ("b", 2)])):
        with pytest.raises(InternalError):
            combine_states(states(rows, "value", kinds=(kind,)), anchor, metric(name))
    total = combine_states(states([], "value", kinds=(kind,)), (), metric(name))
    assert total[" value"].to_pylist() == [None]


def test_stock_of_one_moment_is_kept_apart_though_it_is_a_sum():
    stock = metric("SUM", snapshot=Snapshot("month", "LAST", ()))
    with pytest.raises(InternalError):
        combine_states(states([("a", 1), ("a", 2)], "value"), ("g",), stock)


def test_members_are_listed_once():
    members = Metric("members(t)", Operator("MEMBERS"), "t", None, INTEGER)
    table = states([("a",), (None,), ("a",)], kinds=())
    assert sorted(map(str, combine_states(table, ("g",), members)["g"].to_pylist())) == [
        "None",
        "a",
    ]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (metric("SUM"), [3, None]),
        (metric("MAX"), [3, None]),
        # Nothing to reduce: a count is 0, a declared `fill` is what it says.
        (metric("COUNT"), [3, 0]),
        (metric("COUNT_DISTINCT"), [3, 0]),
        (metric("SUM", fill=9), [3, 9]),
    ],
)
def test_a_missing_cell_is_finished(made, expected):
    table = pa.table({"m": pa.array([3, None], pa.int64())})
    assert finish(table, {"value": "m"}, made).to_pylist() == expected


def test_text_states_combine_by_code_point():
    table = states([("a", "b"), ("a", "B"), ("a", "é")], "value", kinds=(pa.string(),))
    found = [
        combine_states(table, (), metric(name, TEXT))[" value"].to_pylist()
        for name in ("MIN", "MAX")
    ]
    assert found == [["B"], ["é"]]
