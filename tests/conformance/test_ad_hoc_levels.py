"""Is a metric at an ad-hoc level what its rows add up to, on every back-end and by every route?"""

import datetime
import random
from collections import defaultdict

import duckdb
import pytest
from conformance_tables import export, open_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from level_expressions import TEXTS, conditions, expressions

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

COLLECTION = """
version: 1
name: ad_hoc
schemas:
  - {name: stores, table: stores, grain: [store], columns: {store: store, region: region}}
  - name: tx
    table: tx
    grain: [txn]
    columns: {txn: txn, store: store, product: product, day: day, units: units}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: goods, levels: [product]}
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - name: units
    family_root: {schema: tx, column: units}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: sales, family_root: {schema: tx}}
"""
REGIONS = {"S1": "East", "S2": "west", "S3": "É", "S4": None, "a b": "a b"}
DAYS = [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29), datetime.date(1999, 12, 5), None]


def _rows():
    chance = random.Random(11)
    for number in range(120):
        yield {
            "txn": number,
            "store": chance.choice([*REGIONS, "S9", "", None]),
            "product": chance.choice([-3, 0, 1, 2, 7, None]),
            "day": chance.choice(DAYS),
            "units": chance.choice([None, None, -2, 0, 1, 5, 10]),
        }


ROWS = [{**row, "region": REGIONS.get(row["store"])} for row in _rows()]
WARM = [
    "SELECT units, sales AT (store, product, day)",
    "SELECT units, sales AT (region, product, day)",
    "SELECT units, sales AT (store, day, product % 2 AS even)",
    "SELECT units, COUNT(units) AS n, MAX(units) AS most AT (store, product, month)",
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ad_hoc")
    database = folder / "ad_hoc.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE stores (store VARCHAR, region VARCHAR)")
        connection.executemany("INSERT INTO stores VALUES (?, ?)", list(REGIONS.items()))
        connection.execute(
            "CREATE TABLE tx (txn BIGINT, store VARCHAR, product BIGINT, day DATE, units BIGINT)"
        )
        columns = ("txn", "store", "product", "day", "units")
        connection.executemany(
            "INSERT INTO tx VALUES (?, ?, ?, ?, ?)",
            [tuple(row[name] for name in columns) for row in ROWS],
        )
    collection = read_collection(COLLECTION)
    opened = open_backends(export(database, folder))
    yield {
        name: MetricEngine(collection, folder / f"store-{name}", backend)
        for name, backend in opened.items()
    }
    for backend in opened.values():
        backend.close()


def _expected(keys, condition):
    points = defaultdict(list)
    for row in ROWS:
        if condition is None or condition.of(row) is True:
            points[tuple(key.of(row) for key in keys)].append(row)
    return {point: _reduced(rows) for point, rows in points.items()}


def _reduced(rows):
    units = [row["units"] for row in rows if row["units"] is not None]
    mean = sum(units) / len(units) if units else None
    most = max(units) if units else None
    total = sum(units) if units else None
    return len(rows), total, mean, most, len(set(units)), len(units)


def _found(table, keys):
    rows = [tuple(row.values()) for row in table.to_pylist()]
    found = {row[:keys]: row[keys:] for row in rows}
    assert len(found) == len(rows), "a point came twice"
    return found


@settings(max_examples=40, deadline=None)
@given(
    keys=st.lists(expressions(), min_size=1, max_size=2),
    condition=st.none() | conditions(1),
    warm=st.sets(st.sampled_from(WARM)),
)
def test_a_metric_at_ad_hoc_levels_is_that_of_its_rows(engines, keys, condition, warm):
    anchor = ", ".join(f"{key.text} AS k{at}" for at, key in enumerate(keys))
    named = ", ".join(f"k{at}" for at in range(len(keys)))
    where = "" if condition is None else f" WHERE {condition.text}"
    query = (
        f"SELECT {named}, sales, units, AVG(units) AS mean, MAX(units) AS most,"
        f" COUNT(DISTINCT units) AS kinds, COUNT(units) AS n{where} AT ({anchor})"
    )
    expected = _expected(keys, condition)
    for name, engine in engines.items():
        engine.store.drop([record.entry_id for record in engine.store.records()])
        runtime = Runtime("test", {engine.collection.name: engine})
        for text in warm:
            answer(Request(text), runtime)
        for _ in range(2):
            table = answer(Request(query), runtime).table
            assert _found(table, len(keys)) == expected, (name, query)
        # What is kept of it answers the total, exactly as the rows do.
        total = answer(Request(f"SELECT sales, units{where} AT ()"), runtime).table
        assert _found(total, 0) == {(): _expected([], condition).get((), (0, None))[:2]}, query


def test_the_texts_of_the_test_hold_what_trips_a_back_end():
    assert {"", "É"} <= set(TEXTS)
    assert {row["region"] for row in ROWS} >= {None, "É"}
