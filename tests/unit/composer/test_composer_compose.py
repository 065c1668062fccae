"""Parts to rows: formulas after aggregation, HAVING, ORDER BY, LIMIT, collected and streamed."""

from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from flightframe_server.algebra.types import INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.composer.compose import compose, compose_stream, derive
from flightframe_server.language import parse
from flightframe_server.planner.source import state_column, state_name
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection

TYPED = type_collection(
    read_collection("""
version: 1
name: small
schemas:
  - {name: tx, table: tx, grain: [txn],
     columns: {txn: txn, region: region, store: store, revenue: revenue, cost: cost, qty: qty}}
  - {name: stock, table: stock, grain: [region], columns: {region: region, units: units}}
dimension_families:
  - {name: places, levels: [region, store]}
metric_families:
  - {name: revenue, family_root: {schema: tx, column: revenue}, ip_reducers: [{operator: SUM}]}
  - {name: cost, family_root: {schema: tx, column: cost}, ip_reducers: [{operator: SUM}]}
  - {name: qty, family_root: {schema: tx, column: qty}, ip_reducers: [{operator: SUM}]}
  - {name: units, family_root: {schema: stock, column: units}, ip_reducers: [{operator: SUM}]}
  - {name: profit, derived: {formula: "revenue - cost", inputs: [revenue, cost]}}
  - {name: margin, derived: {formula: "profit / revenue", inputs: [profit, revenue]}}
"""),
    {
        "tx": {
            **{"txn": INTEGER, "region": TEXT, "store": TEXT, "qty": INTEGER},
            **{"revenue": decimal(10, 2), "cost": decimal(10, 2)},
        },
        "stock": {"region": TEXT, "units": INTEGER},
    },
)
MONEY = pa.decimal128(38, 2)
WHOLE = pa.int64()


def parts(text, *columns):
    """A question, its needs, and for each need the table of its states, made from columns."""
    question = resolve(parse(text), TYPED)
    tables = []
    for need, (members, *values) in zip(question.needs, columns, strict=True):
        rows = dict(zip(need.anchor, members, strict=True))
        made = {level: pa.array(values_, pa.string()) for level, values_ in rows.items()}
        for (name, _), (kind, numbers) in zip(need.metric.states, values, strict=True):
            made[state_column(name)] = pa.array(numbers, kind)
        tables.append(pa.table(made))
    return question, question.needs, tables


def rows(text, *columns):
    found = compose(*parts(text, *columns))
    return [tuple(row.values()) for row in found.to_pylist()]


def money(*values):
    return MONEY, [None if value is None else Decimal(value) for value in values]


REGIONS = (["East", "West", None],)
REVENUE = (REGIONS, money("61.70", "0.20", "21.00"))
COST = (REGIONS, money("42.55", "1.10", "18.00"))


def test_a_formula_is_of_sums_not_of_rows():
    assert rows("SELECT region, profit AT region", REVENUE, COST) == [
        ("East", Decimal("19.15")),
        ("West", Decimal("-0.90")),
        (None, Decimal("3.00")),
    ]


def test_a_ratio_keeps_its_digits_and_is_null_by_zero():
    found = rows("SELECT region, margin AT region", REVENUE, COST)
    assert found == [("East", 19.15 / 61.70), ("West", -0.90 / 0.20), (None, 3.0 / 21.0)]
    none = (REGIONS, money("0.00", None, "1.00"))
    assert [row[1] for row in rows("SELECT region, margin AT region", none, COST)] == [
        None,
        None,
        -17.0,
    ]


def test_a_missing_side_is_null_and_a_count_0():
    found = rows(
        "SELECT region, revenue, COUNT(revenue) AS n, units AT region",
        ((["East", None],), money("1.00", "2.00")),
        ((["East", None],), (WHOLE, [1, 2])),
        ((["West", None],), (WHOLE, [7, 8])),
    )
    assert found == [
        ("East", Decimal("1.00"), 1, None),
        ("West", None, 0, 7),
        (None, Decimal("2.00"), 2, 8),
    ]


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("", ["East", "West", None]),
        ("HAVING revenue > 1", ["East", None]),
        # Unknown is not true: NULL = 1 leaves the point out, and so does its denial.
        ("HAVING units = 1", []),
        ("HAVING NOT (units = 1)", []),
        ("ORDER BY revenue DESC", ["East", None, "West"]),
        ("ORDER BY region DESC", ["West", "East", None]),
        ("ORDER BY region NULLS FIRST", [None, "East", "West"]),
        ("ORDER BY revenue LIMIT 1 OFFSET 1", [None]),
        ("ORDER BY revenue DESC LIMIT 0", []),
    ],
)
def test_having_then_order_then_limit(clauses, expected):
    units = (([],), (WHOLE, []))
    columns = [REVENUE, *([units] if "units" in clauses else [])]
    found = rows(f"SELECT region, revenue AT region {clauses}", *columns)
    assert [row[0] for row in found] == expected


def test_ties_go_by_the_anchor_in_the_order_asked():
    members = (["e", "e", "w"], ["1", "2", "1"])
    part = (members, money("1.00", "1.00", "1.00"))
    by_store = rows("SELECT store, region, revenue AT (store, region) ORDER BY revenue", part)
    assert [row[:2] for row in by_store] == [("1", "e"), ("1", "w"), ("2", "e")]
    by_region = rows("SELECT region, store, revenue AT (region, store) ORDER BY revenue", part)
    assert [row[:2] for row in by_region] == [("e", "1"), ("e", "2"), ("w", "1")]


def test_cells_of_an_inner_frame_are_reduced_and_null_cells_are_not_counted():
    inner = ((["East", "East", "West", None], ["a", "b", "c", None]), money("1", "4", None, "3"))
    text = "SELECT region, AVG(revenue @ store) AS m, COUNT(revenue @ store) AS n AT region"
    found = rows(text, inner)
    assert found == [("East", 2.5, 2), ("West", None, 0), (None, 3.0, 1)]


def test_an_answer_has_its_declared_types_also_without_rows():
    empty = ((([],), money()), (([],), (WHOLE, [])))
    found = compose(*parts("SELECT region, revenue, COUNT(revenue) AS n AT region", *empty))
    assert found.num_rows == 0
    assert [str(kind) for kind in found.schema.types] == ["string", "decimal128(38, 2)", "int64"]


STREAMED = [
    ("", ["a", "b", "c", "d", None]),
    ("LIMIT 3", ["a", "b", "c"]),
    ("LIMIT 2 OFFSET 2", ["c", "d"]),
    ("LIMIT 9 OFFSET 4", [None]),
    ("LIMIT 0", []),
    ("LIMIT 1 PER region", ["a", "b", "c", "d", None]),
    ("HAVING revenue > 2", ["c", "d", None]),
    ("HAVING revenue > 2 LIMIT 1 OFFSET 1", ["d"]),
]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(("clauses", "expected"), STREAMED)
def test_a_stream_is_cut_as_a_whole_frame_is_wherever_its_batches_end(clauses, expected, size):
    text = f"SELECT region, revenue AT region {clauses}"
    members, values = ["a", "b", "c", "d", None], money("1", "2", "3", "4", "5")
    assert [row[0] for row in rows(text, ((members,), values))] == expected
    question = resolve(parse(text), TYPED)
    (need,) = question.needs
    merged = pa.table({"region": members, state_name(0, "value"): pa.array(values[1], values[0])})
    batches = merged.to_batches(max_chunksize=size)
    found = list(compose_stream(question, [need.metric], batches))
    assert [member for batch in found for member in batch["region"].to_pylist()] == expected


def test_a_stream_stops_reading_when_it_has_enough():
    text = "SELECT region, revenue AT region LIMIT 1"
    question = resolve(parse(text), TYPED)
    (need,) = question.needs
    read = []

    def batches():
        for member in "abc":
            read.append(member)
            yield pa.record_batch(
                {"region": [member], state_name(0, "value"): pa.array([Decimal(1)], MONEY)}
            )

    assert len(list(compose_stream(question, [need.metric], batches()))) == 1
    assert read == ["a"]


def test_frames_of_the_callers_are_merged_with_null_keys_and_derived_from():
    one = pl.LazyFrame({"region": ["East", None], "x": [1, 2]})
    other = pl.LazyFrame({"region": [None, "West"], "y": [3, 4]})
    found = derive([one, other], ("region",), lambda frame: frame.with_columns(z=pl.col("x") * 2))
    assert found.rows() == [("East", 1, None, 2), ("West", None, 4, None), (None, 2, 3, 4)]
    totals = derive([pl.LazyFrame({"x": [1]}), pl.LazyFrame({"y": [2]})], ())
    assert totals.rows() == [(1, 2)]
