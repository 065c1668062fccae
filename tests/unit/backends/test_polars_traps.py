"""What Polars gets wrong by itself, and the Polars back-end must not. Values reckoned by hand."""

import datetime
import math
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from calendar_oracle import truncate
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    decimal,
)
from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.polars.rows import truncated
from flightframe_server.backends.polars.terms import compile_term
from flightframe_server.backends.polars.values import Value, constant
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.calendar import FUNCTIONS
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import ArithmeticOverflow
from flightframe_server.resolver.terms import Apply, ColumnTerm, Constant

DAY = datetime.date


def ask(folder, query, columns, *, computed="", families="", **tables):
    """Answer a query over the table `t`, whose every column is a metric family summed by default.

    Returns the rows as tuples.
    """
    for name, rows in {"t": columns, **tables}.items():
        pq.write_table(pa.table(rows), folder / f"{name}.parquet")
    own = {name: array for name, array in columns.items() if name != "k"}
    sums = "".join(
        f"  - {{name: s_{name}, family_root: {{schema: t, column: {name}}},"
        f" ip_reducers: [{{operator: SUM, a_block: []}}]}}\n"
        for name, array in own.items()
        if pa.types.is_integer(array.type)
        or pa.types.is_decimal(array.type)
        or pa.types.is_floating(array.type)
    )
    names = "".join(f"      {name}: {name}\n" for name in columns)
    collection = read_collection(
        "version: 1\nname: traps\nschemas:\n  - name: t\n    table: t\n    grain: [k]\n"
        f"    columns:\n{names}{computed}"
        f"dimension_families:\n  - {{name: keys, levels: [k]}}\nmetric_families:\n{sums}{families}"
    )
    backend = PolarsBackend(folder)
    engine = MetricEngine(collection, folder, backend, enabled=False)
    found = answer(Request(query), Runtime("test", {"traps": engine}))
    backend.close()
    return [tuple(row.values()) for row in found.table.to_pylist()]


def keyed(array):
    return {"k": pa.array(range(len(array)), pa.int32()), "v": array}


def test_small_integers_are_summed_in_128_bits(tmp_path):
    three = pa.array([2_000_000_000] * 3, pa.int32())
    assert ask(tmp_path, "SELECT s_v AT ()", keyed(three)) == [(6_000_000_000,)]
    back = pa.array([2**62, 2**62, -(2**62)], pa.int64())
    assert ask(tmp_path, "SELECT s_v AT ()", keyed(back)) == [(2**62,)]


def test_sums_past_64_bits_are_refused(tmp_path):
    with pytest.raises(ArithmeticOverflow):
        ask(tmp_path, "SELECT s_v AT ()", keyed(pa.array([2**62] * 3, pa.int64())))


def test_decimal_sums_past_38_digits_are_refused(tmp_path):
    wide = pa.decimal128(38, 2)
    large = Decimal(9 * 10**37).scaleb(-2)
    with pytest.raises(ArithmeticOverflow):
        ask(tmp_path, "SELECT s_v AT ()", keyed(pa.array([large] * 4, wide)))
    there = keyed(pa.array([large, large, -large], wide))
    assert ask(tmp_path, "SELECT s_v AT ()", there) == [(large,)]


def test_a_sum_over_nothing_is_null(tmp_path):
    for type_ in (pa.int64(), pa.decimal128(9, 2), pa.float64()):
        nothing = keyed(pa.array([None, None], type_))
        assert ask(tmp_path, "SELECT s_v, COUNT(s_v) AS n AT ()", nothing) == [(None, 0)]
        empty = keyed(pa.array([], type_))
        assert ask(tmp_path, "SELECT s_v, COUNT(*) AS n AT ()", empty) == [(None, 0)]
        assert ask(tmp_path, "SELECT k, s_v AT k", empty) == []


def test_nothing_is_no_distinct_value(tmp_path):
    names = keyed(pa.array(["a", None, "b", "a", None]))
    family = "  - {name: f, family_root: {schema: t, column: v}, ip_reducers: []}\n"
    query = "SELECT COUNT_DISTINCT(f) AS d, MIN(f) AS a, MAX(f) AS b AT ()"
    assert ask(tmp_path, query, names, families=family) == [(2, "a", "b")]


def test_text_is_ordered_by_code_point(tmp_path):
    names = keyed(pa.array(["b", "B", "é", "z", "\U0001f600"]))
    family = "  - {name: f, family_root: {schema: t, column: v}, ip_reducers: []}\n"
    query = "SELECT MIN(f) AS a, MAX(f) AS b AT ()"
    assert ask(tmp_path, query, names, families=family) == [("B", "\U0001f600")]


def test_nan_is_above_every_number(tmp_path):
    query = "SELECT MIN(s_v) AS a, MAX(s_v) AS b, COUNT(s_v) AS n AT ()"
    [(low, high, count)] = ask(tmp_path, query, keyed(pa.array([math.nan, 1.0, None, math.inf])))
    assert (low, count) == (1.0, 3)
    assert math.isnan(high)
    [(low, high, _)] = ask(tmp_path, query, keyed(pa.array([math.nan, math.nan])))
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_spread_of_large_numbers_keeps_its_digits(tmp_path):
    query = "SELECT VAR(s_v) AS v, STDDEV(s_v) AS s AT ()"
    large = keyed(pa.array([1e9, 1e9 + 1, 1e9 + 2]))
    assert ask(tmp_path, query, large) == [(1.0, 1.0)]
    assert ask(tmp_path, query, keyed(pa.array([5.0, None]))) == [(None, None)]


def test_quantiles_are_continuous(tmp_path):
    query = "SELECT MEDIAN(s_v) AS m, QUANTILE(s_v, 0.25) AS q AT ()"
    assert ask(tmp_path, query, keyed(pa.array([2, None, 1], pa.int8()))) == [(1.5, 1.25)]


def test_decimals_keep_their_digits_row_by_row(tmp_path):
    cents = pa.decimal128(6, 2)
    columns = {
        "k": pa.array([1, 2, 3]),
        "v": pa.array([Decimal("19.15"), Decimal("1.25"), None], cents),
        "w": pa.array([Decimal("61.70"), Decimal("0.00"), Decimal("3.00")], cents),
    }
    computed = (
        '      rate: {expr: "v / w", type: double}\n'
        '      square: {expr: "v * v", type: "decimal(38,4)"}\n'
        '      gap: {expr: "ABS(-v - 0.125)", type: "decimal(38,3)"}\n'
    )
    families = "".join(
        f"  - {{name: {name}, family_root: {{schema: t, column: {name}}}, ip_reducers: []}}\n"
        for name in ("rate", "square", "gap")
    )
    query = "SELECT k, MAX(rate) AS r, MAX(square) AS s, MAX(gap) AS g AT k"
    assert ask(tmp_path, query, columns, computed=computed, families=families) == [
        (1, 19.15 / 61.70, Decimal("366.7225"), Decimal("19.275")),
        (2, None, Decimal("1.5625"), Decimal("1.375")),
        (3, None, None, None),
    ]


def test_a_computed_column_never_loses_a_digit(tmp_path):
    columns = {"k": pa.array([1]), "v": pa.array([Decimal("1.25")], pa.decimal128(6, 2))}
    family = "  - {name: f, family_root: {schema: t, column: c}, ip_reducers: []}\n"
    for shape in ("decimal(6,1)", "decimal(2,2)"):
        computed = f'      c: {{expr: "v + 0", type: "{shape}"}}\n'
        with pytest.raises(ArithmeticOverflow):
            ask(tmp_path, "SELECT MAX(f) AS m AT ()", columns, computed=computed, families=family)


def test_a_row_computed_past_its_type_is_refused(tmp_path):
    columns = keyed(pa.array([2**62], pa.int64()))
    family = "  - {name: f, family_root: {schema: t, column: c}, ip_reducers: []}\n"
    for expression in ("v + v", "v * 2", "0 - v - v - 1", "-(v * -2)"):
        computed = f'      c: {{expr: "{expression}", type: integer}}\n'
        with pytest.raises(ArithmeticOverflow):
            ask(tmp_path, "SELECT MAX(f) AS m AT ()", columns, computed=computed, families=family)


def test_finer_moments_than_microseconds_are_refused(tmp_path):
    family = "  - {name: f, family_root: {schema: t, column: v}, ip_reducers: []}\n"
    query = "SELECT MAX(f) AS m AT ()"
    whole = keyed(pa.array([1_000, None], pa.timestamp("ns")))
    moment = datetime.datetime(1970, 1, 1, 0, 0, 0, 1)
    assert ask(tmp_path, query, whole, families=family) == [(moment,)]
    with pytest.raises(ArithmeticOverflow):
        ask(tmp_path, query, keyed(pa.array([1_001], pa.timestamp("ns"))), families=family)


def test_a_fetched_value_is_outer_and_nothing_matches_nothing(tmp_path):
    columns = {"k": pa.array([1, 2, None]), "v": pa.array([10, 20, 40])}
    found = ask(
        tmp_path,
        "SELECT COUNT(f) AS n, MAX(f) AS m, s_v AT ()",
        columns,
        computed="      name: {lookup: name, via: {schema: names, on: [k]}}\n"
        "  - {name: names, table: names, grain: [k], columns: {k: k, name: name}}\n",
        families="  - {name: f, family_root: {schema: t, column: name}, ip_reducers: []}\n",
        names={"k": pa.array([1, None, 3]), "name": pa.array(["a", "n", "z"])},
    )
    assert found == [(1, "a", 70)]


DATES = st.dates(DAY(1900, 1, 1), DAY(2200, 1, 1))
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))


@settings(max_examples=60, deadline=None)
@given(DATES, MOMENTS)
def test_periods_begin_as_the_calendar_says(day, moment):
    for function in FUNCTIONS:
        wanted_type = TIMESTAMP if function in FUNCTIONS[:3] else DATE
        for given_, type_ in ((day, DATE), (moment, TIMESTAMP)):
            start = truncated(function, constant(given_, type_), wanted_type)
            assert pl.select(start.expr).item() == truncate(function, given_)
    assert pl.select(truncated("WEEK_OF", constant(None, DATE), DATE).expr).item() is None


def as_is(value):
    return value


def test_long_sums_are_as_quick_as_short_ones(tmp_path):
    price = pa.array([Decimal("0.10"), None], pa.decimal128(4, 2))
    expression = " + ".join(["v", "1"] * 60) + " - v * 0.5 * 0.5 * 0.5"
    computed = f'      c: {{expr: "{expression}", type: "decimal(38,5)"}}\n'
    family = "  - {name: f, family_root: {schema: t, column: c}, ip_reducers: []}\n"
    found = ask(
        tmp_path, "SELECT MAX(f) AS m AT ()", keyed(price), computed=computed, families=family
    )
    assert found == [(Decimal("65.98750"),)]


LIKES = [
    ("a.b", "a.b", True),
    ("axb", "a.b", False),
    ("a\nb", "a_b", True),
    ("East", "e%", False),
    ("x\\y", "x\\y", True),
    ("a[b]^$", "a[b]^$", True),
    ("a-b~c&d", "a-b~c&d", True),
    ("é", "_", True),
    ("ab", "b", False),
    ("", "%", True),
    (None, "%", None),
    ("a", None, None),
]


@pytest.mark.parametrize(("subject", "pattern", "wanted"), LIKES)
def test_like_is_no_regular_expression(subject, pattern, wanted):
    frame = pl.LazyFrame({"s": [subject]}, schema={"s": pl.String})
    term = Apply(BOOLEAN, "like", (ColumnTerm(TEXT, "t", "s"), Constant(TEXT, pattern)))
    value = compile_term(term, lambda leaf: Value(pl.col(leaf.column), leaf.type), as_is)
    assert frame.select(value.expr).collect(engine="streaming").item() is wanted


def truth(function, *values):
    term = Apply(BOOLEAN, function, tuple(Constant(BOOLEAN, value) for value in values))
    return pl.select(compile_term(term, lambda leaf: None, as_is).expr).item()


def test_three_valued_logic():
    assert truth("and", True, None) is None
    assert truth("and", False, None) is False
    assert truth("or", True, None) is True
    assert truth("or", False, None) is None
    assert truth("not", None) is None
    assert truth("eq", None, True) is None
    assert truth("distinct", None, True) is True
    assert truth("distinct", None, None) is False
    assert truth("is_null", None) is True
    assert truth("in", None, True, False) is None


def test_in_over_numbers_of_several_types():
    def among(subject, *members):
        term = Apply(BOOLEAN, "in", (subject, *members))
        return pl.select(compile_term(term, lambda leaf: None, as_is).expr).item()

    price = Constant(decimal(4, 2), Decimal("1.50"))
    assert among(price, Constant(decimal(2, 1), Decimal("1.5"))) is True
    assert among(price, Constant(INTEGER, 1), Constant(DOUBLE, 1.5)) is True
    assert among(price, Constant(decimal(4, 3), Decimal("1.501")), Constant(INTEGER, 2)) is False
    assert among(Constant(decimal(4, 2), None), Constant(INTEGER, 2)) is None
