"""FIRST, LAST and snapshots where a day is had from a moment by a checked cast."""

import sqlite3
from contextlib import closing, contextmanager
from datetime import date

import duckdb
import pytest

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FDViolation

COLLECTION = """
version: 1
name: stock
schemas:
  - {name: sales, table: sales, grain: [sale], columns: {sale: sale, day: day}}
  - {name: counts, table: counts, grain: [shop, day], columns: {shop: shop, day: day, held: held}}
  - {name: meters, table: meters, grain: [shop, hour], columns: {shop: shop, hour: hour, kwh: kwh}}
  - {name: days, table: days, grain: [day], columns: {day: day, season: season}}
dimension_families:
  - {name: place, levels: [shop]}
  - name: calendar
    levels: [hour, day, month, season]
    edges:
      - {from: hour, to: day, derived_by: DAY_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: day, to: season, via: days}
metric_families:
  - {name: n, family_root: {schema: sales}}
  - name: held
    family_root: {schema: counts, column: held}
    ip_reducers:
      - {operator: LAST, a_block: [place], order_by: [day], default: true}
      - {operator: FIRST, a_block: [place], order_by: [day]}
  - name: kept
    family_root: {schema: counts, column: held}
    ip_reducers: [{operator: SUM, a_block: [], snapshot: {level: day, pick: LAST, per: [shop]}}]
  - name: opening
    family_root: {schema: counts, column: held}
    ip_reducers: [{operator: SUM, a_block: [], snapshot: {level: day, pick: FIRST, per: []}}]
  - name: kwh
    family_root: {schema: meters, column: kwh}
    ip_reducers:
      - {operator: LAST, a_block: [place], order_by: [hour], default: true}
      - {operator: SUM, a_block: [place], snapshot: {level: day, pick: LAST, per: [shop]}}
"""
# The day of one table is a DATE and of the other a TIMESTAMP, so that the level is a DATE.
SHAPES = {
    "sales": "sale BIGINT, day DATE",
    "counts": "shop TEXT, day TIMESTAMP, held BIGINT",
    "meters": "shop TEXT, hour TIMESTAMP, kwh BIGINT",
    "days": "day DATE, season TEXT",
}
ROWS = {
    "sales": [(1, "2024-01-30")],
    "counts": [
        ("a", "2024-01-30 00:00:00", 5),
        ("a", "2024-02-01 00:00:00", 7),
        ("b", "2024-01-31 00:00:00", 3),
        ("b", None, 9),
    ],
    "meters": [
        ("a", "2024-01-30 22:00:00", 40),
        ("a", "2024-01-31 06:00:00", 50),
        ("a", "2024-01-31 07:00:00", 2),
        ("b", "2024-01-30 09:00:00", 600),
    ],
    "days": [("2024-01-30", "snow"), ("2024-01-31", "snow"), ("2024-02-01", "thaw")],
}
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
ANSWERS = {
    "SELECT held AT shop": [("a", 7), ("b", 3)],
    "SELECT FIRST(held) AS first AT shop": [("a", 5), ("b", 3)],
    "SELECT held AT (shop, month)": [
        ("a", JANUARY, 5),
        ("a", FEBRUARY, 7),
        ("b", JANUARY, 3),
        ("b", None, None),
    ],
    "SELECT held AT (shop, day) WHERE month = '2024-01-01'": [
        ("a", date(2024, 1, 30), 5),
        ("b", date(2024, 1, 31), 3),
    ],
    "SELECT LAST(held) FILTER (WHERE CAST(day AS text) < '2024-01-31') AS held AT shop": [
        ("a", 5),
        ("b", None),
    ],
    "SELECT held AT (shop, season)": [
        ("a", "snow", 5),
        ("a", "thaw", 7),
        ("b", "snow", 3),
        ("b", None, None),
    ],
    "SELECT kept AT season": [("snow", 8), ("thaw", 7), (None, None)],
    "SELECT kept AT ()": [(10,)],
    "SELECT kept AT month": [(JANUARY, 8), (FEBRUARY, 7), (None, None)],
    "SELECT opening AT ()": [(5,)],
    "SELECT opening AT shop": [("a", 5), ("b", 3)],
    "SELECT LAST(kwh) AS kwh AT (shop, day)": [
        ("a", date(2024, 1, 30), 40),
        ("a", date(2024, 1, 31), 2),
        ("b", date(2024, 1, 30), 600),
    ],
    "SELECT SUM(kwh) AS kwh AT shop": [("a", 52), ("b", 600)],
}


def opened(kind, folder, rows):
    """A back-end of a kind over the same rows, each written as it keeps them."""
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "stock.sqlite")) as connection:
            for table, shape in SHAPES.items():
                connection.execute(f"CREATE TABLE {table} ({shape})")
                places = ", ".join("?" * len(rows[table][0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows[table])
            connection.commit()
        return SQLiteBackend(folder / "stock.sqlite")
    with duckdb.connect(str(folder / "stock.duckdb")) as connection:
        for table, shape in SHAPES.items():
            connection.execute(f"CREATE TABLE {table} ({shape})")
            places = ", ".join("?" * len(rows[table][0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows[table])
            target = folder / f"{table}.parquet"
            connection.execute(f"COPY {table} TO '{target}' (FORMAT parquet)")
    if kind == "polars":
        return PolarsBackend(folder)
    return DuckDBBackend(folder / "stock.duckdb")


@pytest.fixture(scope="module", params=["duckdb", "sqlite", "polars"])
def kind(request):
    return request.param


@contextmanager
def serving(kind, folder, rows):
    """The collection over these rows, with nothing remembered."""
    with closing(opened(kind, folder, rows)) as backend:
        engine = MetricEngine(read_collection(COLLECTION), folder / "store", backend, enabled=False)
        with closing(Runtime("test", {"stock": engine})) as found:
            yield found


@pytest.fixture(scope="module")
def stock(kind, tmp_path_factory):
    with serving(kind, tmp_path_factory.mktemp(kind), ROWS) as found:
        yield found


@pytest.mark.parametrize("query", ANSWERS)
def test_windows_over_a_checked_day(stock, query):
    table = answer(Request(query), stock).table
    assert [tuple(row.values()) for row in table.to_pylist()] == ANSWERS[query]


def test_a_moment_that_is_no_day_is_refused(kind, tmp_path):
    rows = {**ROWS, "counts": [*ROWS["counts"], ("c", "2024-02-02 10:30:00", 1)]}
    with serving(kind, tmp_path, rows) as found:
        for query in ("SELECT held AT shop", "SELECT kept AT ()"):
            with pytest.raises(FDViolation, match=r"2024-02-02 10:30:00 in counts"):
                answer(Request(query), found)
