"""A promise broken under a running engine, and kept again: the same refusals on every back-end.

Each database is changed as its owner would change it: a new DuckDB file, an UPDATE of SQLite, a new
Parquet file.
"""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conformance_tables import ORACLE, Source, export, open_backends

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FDViolation

BACKENDS = ["duckdb", "sqlite", "polars"]
TABLES = (ORACLE / "shop" / "tables.sql").read_text()
TWO_REGIONS = "INSERT INTO stores VALUES ('S1', 'West')"
UNDONE = "DELETE FROM stores WHERE store = 'S1' AND region = 'West'"

# Reckoned by hand: what needs store -> region, and what does not.
NEEDS_THE_EDGE = {
    "SELECT region, revenue AT region": [
        ("East", "61.70"),
        ("West", "0.20"),
        (None, "21.00"),
    ],
    "SELECT revenue WHERE region = 'East' AT ()": [("61.70",)],
    "SELECT coast, COUNT(revenue) AS n AT coast": [
        ("Atlantic", "5"),
        ("Pacific", "1"),
        (None, "3"),
    ],
    "SELECT east_sales AT ()": [("5",)],
    "SELECT region, month, on_hand WHERE month = '2024-01-01' AT (region, month)": [
        ("East", "2024-01-01", "150"),
        ("West", "2024-01-01", "40"),
    ],
}
DOES_NOT = {
    "SELECT revenue AT ()": [("82.90",)],
    "SELECT store, revenue AT store": [
        ("S1", "31.30"),
        ("S2", "30.40"),
        ("S3", "0.20"),
        ("S4", "5.00"),
        ("S9", "7.00"),
        (None, "9.00"),
    ],
    "SELECT category, profit WHERE store = 'S1' AT category": [("A", "8.30"), ("B", "0.50")],
    "SELECT month, on_hand AT month": [("2024-01-01", "190"), ("2024-02-01", "150")],
    # Balances hold a region of their own, and need no edge to it.
    "SELECT region, balance AT region": [("East", "19.75"), ("West", None)],
}


@dataclass
class Shop:
    """The shop on one back-end, its data open to change."""

    name: str
    source: Source
    engine: MetricEngine
    serving: Runtime

    def rows(self, query):
        table = answer(Request(query), self.serving).table
        return [
            tuple(None if v is None else str(v) for v in row.values()) for row in table.to_pylist()
        ]

    def change(self, statement, table="stores"):
        """Run one statement on a table, as its owner would."""
        match self.name:
            case "duckdb":
                following = self.source.duckdb.with_name("next.duckdb")
                shutil.copyfile(self.source.duckdb, following)
                with duckdb.connect(str(following)) as connection:
                    connection.execute(statement)
                os.replace(following, self.source.duckdb)
            case "sqlite":
                with sqlite3.connect(self.source.sqlite) as connection:
                    connection.execute(statement)
                connection.close()
            case "polars":
                held = self.source.parquet / f"{table}.parquet"
                following = self.source.parquet.parent / "next.parquet"
                with duckdb.connect() as connection:
                    connection.execute(f"CREATE TABLE {table} AS FROM '{held}'")
                    connection.execute(statement)
                    connection.execute(f"COPY {table} TO '{following}' (FORMAT parquet)")
                os.replace(following, held)


@pytest.fixture(params=BACKENDS)
def shop(request, tmp_path):
    database = tmp_path / "shop.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(TABLES)
    source = export(database, tmp_path)
    opened = open_backends(source)
    collection = read_collection((ORACLE / "shop" / "ac.yaml").read_text())
    engine = MetricEngine(collection, tmp_path / "store", opened[request.param])
    yield Shop(request.param, source, engine, Runtime("test", {"shop": engine}))
    engine.close()
    for backend in opened.values():
        backend.close()


def held(shop, expected):
    for query, rows in expected.items():
        assert sorted(shop.rows(query), key=str) == sorted(rows, key=str), (shop.name, query)


def test_a_store_with_two_regions_withdraws_exactly_what_needs_its_region(shop):
    held(shop, NEEDS_THE_EDGE | DOES_NOT)
    shop.change(TWO_REGIONS)
    for query in NEEDS_THE_EDGE:
        with pytest.raises(FDViolation, match=r"store -> region.*S1 has East and West"):
            shop.rows(query)
    held(shop, DOES_NOT)
    shop.change(UNDONE)
    held(shop, NEEDS_THE_EDGE | DOES_NOT)


def test_an_entry_from_before_is_not_climbed_along_the_broken_edge(shop):
    shop.rows("SELECT store, revenue AT store")
    shop.change(TWO_REGIONS)
    shop.rows("SELECT store, revenue AT store")
    with pytest.raises(FDViolation, match="S1 has East and West"):
        shop.rows("SELECT region, revenue AT region")


LOADED_TWICE = (
    "INSERT INTO tx SELECT txn, store, product, day, 'twice', revenue, cost"
    " FROM tx WHERE txn IN (4, 7)"
)
ONCE = "DELETE FROM tx WHERE cust = 'twice'"
READS_THE_ROWS = (
    "SELECT revenue AT ()",
    "SELECT store, profit AT store",
    "SELECT MIN(cost) AS m AT category",
    "SELECT sales AT ()",
    "SELECT COUNT(*) AS n FROM tx AT region",
    "SELECT COUNT(DISTINCT store) AS n FROM tx AT ()",
    "SELECT MAX(revenue @ day) AS m AT ()",
    "SELECT store, LAST(on_hand) AS l AT store ORDER BY revenue",
)
READS_OTHERS = {
    "SELECT month, on_hand AT month": [("2024-01-01", "190"), ("2024-02-01", "150")],
    "SELECT region, balance AT region": [("East", "19.75"), ("West", None)],
    "SELECT category FROM tx AT category": [("A",), ("B",)],
    "SELECT COUNT(*) AS n FROM stores AT ()": [("4",)],
}


def test_a_batch_loaded_twice_withdraws_what_is_reduced_from_its_rows(shop):
    """Two sums doubled: 88.00 for 82.90, and no row of the answer would show it."""
    assert shop.rows("SELECT revenue AT ()") == [("82.90",)]
    shop.change(LOADED_TWICE, "tx")
    for query in READS_THE_ROWS:
        with pytest.raises(FDViolation, match=r"the grain of tx.*\([47]\) stands on several rows"):
            shop.rows(query)
    held(shop, READS_OTHERS)
    shop.change(ONCE, "tx")
    assert shop.rows("SELECT revenue AT ()") == [("82.90",)]
    held(shop, NEEDS_THE_EDGE | DOES_NOT | READS_OTHERS)


def test_a_filter_between_two_members_is_never_read_from_the_coarser_entry(shop, tmp_path):
    """50 in January, 20 of it after the 20th, 40 in February: 60, where months would say 40."""
    database = tmp_path / "corner" / "corner.duckdb"
    database.parent.mkdir()
    with duckdb.connect(str(database)) as connection:
        connection.execute((ORACLE / "corner" / "tables.sql").read_text())
    opened = open_backends(export(database, database.parent))
    collection = read_collection((ORACLE / "corner" / "ac.yaml").read_text())
    engine = MetricEngine(collection, tmp_path / "months", opened[shop.name])
    serving = Runtime("test", {"corner": engine})
    answer(Request("SELECT month, amount AT month"), serving)
    found = answer(Request("SELECT amount WHERE day >= '2024-01-20' AT ()"), serving)
    assert found.table.to_pylist() == [{"amount": 60}]
    assert str(found.provenance.served_from) == "engine_backend"
    on_the_edge = answer(Request("SELECT amount WHERE month >= '2024-02-01' AT ()"), serving)
    assert on_the_edge.table.to_pylist() == [{"amount": 40}]
    assert str(on_the_edge.provenance.served_from) == "engine_cache"
    serving.close()
    for backend in opened.values():
        backend.close()


def test_the_list_of_back_ends_is_whole(tmp_path):
    database = tmp_path / "one.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1 AS one")
    opened = open_backends(export(Path(database), tmp_path))
    assert sorted(opened) == sorted(BACKENDS)
    for backend in opened.values():
        backend.close()
