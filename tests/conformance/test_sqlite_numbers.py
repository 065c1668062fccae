"""A decimal of SQLite is the number that is stored: by every route, as on the other back-ends."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import BackendError, CatalogError, QueryError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve

COLLECTION = """
version: 1
name: plans
schemas:
  - name: plans
    table: plans
    grain: [plan]
    columns: {plan: plan, region: region, amount: amount}
dimension_families:
  - {name: what, levels: [plan, region]}
metric_families:
  - name: amount
    family_root: {schema: plans, column: amount}
    default_reducer: SUM
    ip_reducers:
      - {operator: SUM, a_block: []}
      - {operator: AVG, a_block: []}
      - {operator: MIN, a_block: []}
      - {operator: MAX, a_block: []}
      - {operator: COUNT, a_block: []}
"""
PLANS = [("basic", "West", 29.00), ("team", "West", 99.00), ("firm", "East", 499.00)]
BY_REGION = "SELECT region, amount AT region"
RIGHT = {"West": Decimal("128.00"), "East": Decimal("499.00")}


def written(path, rows, declared="DECIMAL(12,2)"):
    with closing(sqlite3.connect(path)) as writer:
        writer.execute(f"CREATE TABLE plans (plan TEXT, region TEXT, amount {declared})")
        writer.executemany("INSERT INTO plans VALUES (?, ?, ?)", rows)
        writer.commit()
    return path


@pytest.fixture
def engine(tmp_path):
    """Open engines over one file; they are closed with the test."""
    closing_ = []

    def make(rows=PLANS, store="store", **options):
        path = tmp_path / "plans.sqlite"
        if not path.exists():
            written(path, rows)
        backend = SQLiteBackend(path, **options)
        closing_.append(backend)
        made = MetricEngine(read_collection(COLLECTION), tmp_path / store, backend)
        closing_.append(made)
        return made

    yield make
    for one in reversed(closing_):
        one.close()


def asked(engine, text):
    served = engine.answer(lambda typed: resolve(parse(text), typed))
    return served.table.to_pylist(), {part.route.value for part in served.parts}


def by_region(rows):
    return {row["region"]: row["amount"] for row in rows}


def test_prices_are_what_is_stored_from_the_database_an_entry_and_a_rollup(engine, tmp_path):
    made = engine()
    assert by_region(asked(made, BY_REGION)[0]) == RIGHT
    rows, routes = asked(made, BY_REGION)
    assert (by_region(rows), routes) == (RIGHT, {"exact"})
    rows, routes = asked(made, "SELECT amount AT ()")
    assert (rows, routes) == ([{"amount": Decimal("627.00")}], {"rollup"})
    again = engine()
    rows, routes = asked(again, BY_REGION)
    assert (by_region(rows), routes) == (RIGHT, {"exact"})


def test_prices_are_what_is_stored_when_rows_are_streamed(engine):
    made = engine()
    made.stream_rows = 1
    served = made.answer(lambda typed: resolve(parse("SELECT plan, amount AT plan"), typed))
    assert served.table is None
    with closing(served.stream.open()) as batches:
        found = [row for batch in batches for row in batch.to_pylist()]
    assert {row["plan"]: row["amount"] for row in found} == {
        "basic": Decimal("29.00"),
        "team": Decimal("99.00"),
        "firm": Decimal("499.00"),
    }


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("SELECT MIN(amount) AS x AT ()", Decimal("29.00")),
        ("SELECT MAX(amount) AS x AT ()", Decimal("499.00")),
        ("SELECT AVG(amount) AS x AT ()", pytest.approx(209.0)),
        ("SELECT COUNT(amount) AS x AT ()", 3),
        ("SELECT SUM(amount) AS x AT () WHERE region = 'West'", Decimal("128.00")),
    ],
)
def test_every_reducer_reads_the_same_numbers(engine, text, right):
    assert asked(engine(), text)[0] == [{"x": right}]


def test_whole_fractional_and_negative_prices_stand_side_by_side(engine):
    rows = [("a", "West", 29), ("b", "West", 0.1), ("c", "West", 0.2), ("d", "East", -12.34)]
    found = by_region(asked(engine(rows), BY_REGION)[0])
    assert found == {"West": Decimal("29.30"), "East": Decimal("-12.34")}


def test_scaled_digits_are_read_where_the_manifest_says_so(engine):
    rows = [("basic", "West", 2900), ("team", "West", 9900), ("firm", "East", 49900)]
    made = engine(rows, form=DecimalForm.SCALED)
    assert by_region(asked(made, BY_REGION)[0]) == RIGHT


@pytest.mark.parametrize("price", [0.125, 29.005, "29.00x"])
def test_what_is_no_price_of_two_places_is_refused(engine, price):
    made = engine([*PLANS, ("odd", "West", price)])
    with pytest.raises((QueryError, BackendError, CatalogError), match="amount"):
        asked(made, BY_REGION)


@pytest.mark.parametrize(
    ("price", "rounds"),
    [(29.005, True), ("29,95", False), ("abc", False), (float("inf"), False), (b"29", False)],
)
def test_a_hint_to_round_stands_only_where_rounding_gives_the_price(engine, price, rounds):
    # ROUND('29,95', 2) is 29.0 in SQLite: another price, and no word of it.
    made = engine([*PLANS, ("odd", "West", price)])
    with pytest.raises(BackendError) as refused:
        asked(made, BY_REGION)
    assert ("ROUND" in (refused.value.hint or "")) is rounds
