"""A small retail house with everything that careless SQL trips over, and its flat table of facts.

The collection is the demonstration's own; the rows are few, and have NULL stores and products,
orphans, a store without a region, revenue that is NULL, returns, days without sales, and a stock
count that starts late. The flat table is what the reference meaning is over: transactions left
joined along the declared edges, with the calendar as columns.
"""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from conformance_tables import export, open_backends

from flightframe_server.answer import Request, Runtime
from flightframe_server.backends.protocol import Backend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.request import STRICT_SQL, SqlOptions
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import answer_text

RETAIL = Path(__file__).parents[2] / "fixtures" / "retail" / "retail.coframe" / "ac.yaml"
NAME = "retail_full"
ROUTES = ("cold", "warm", "rolled")

TABLES = """
CREATE TABLE stores (store_id VARCHAR, region VARCHAR);
INSERT INTO stores VALUES ('S01', 'East'), ('S02', 'West'), ('S03', 'Central'), ('S04', NULL),
    ('S05', 'East'), ('S06', 'eastern');
CREATE TABLE products (sku VARCHAR, category VARCHAR);
INSERT INTO products VALUES ('A', 'Toys'), ('B', 'Kitchen'), ('C', 'Tools'), ('D', NULL),
    ('E', 'toys'), ('F', 'Clothing');
CREATE TABLE transactions (transaction_id BIGINT, store_id VARCHAR, sku VARCHAR, day DATE,
    quantity BIGINT, revenue DECIMAL(10, 2), cost DECIMAL(10, 2));
INSERT INTO transactions
SELECT i,
    CASE WHEN i % 23 = 0 THEN NULL WHEN i % 17 = 0 THEN 'S99' ELSE 'S0' || (i % 7) END,
    CASE WHEN i % 29 = 0 THEN NULL WHEN i % 19 = 0 THEN 'Z' ELSE chr(65 + (i * 7 % 6)::INT) END,
    CASE WHEN i % 97 = 0 THEN NULL ELSE DATE '2023-01-15' + ((i * i) % 440)::INT END,
    CASE WHEN i % 11 = 0 THEN -1 WHEN i % 13 = 0 THEN NULL ELSE i % 9 END,
    CASE WHEN i % 7 = 3 THEN NULL ELSE ((i * 37) % 2311) / 100.0 - 3 END,
    CASE WHEN i % 8 = 5 THEN NULL ELSE ((i * 31) % 1709) / 100.0 + 1 END
FROM range(1, 900) t(i);
-- A month whose only Toys row has no revenue, and no other row lacks it.
INSERT INTO transactions VALUES (2001, 'S01', 'A', '2024-05-02', 3, NULL, 1),
    (2002, 'S01', 'B', '2024-05-03', 3, 5.25, NULL), (2003, 'S02', 'A', '2024-06-03', 3, NULL, 1),
    (2004, NULL, NULL, '2024-06-03', NULL, NULL, NULL);
CREATE TABLE store_monthly_inventory (store_id VARCHAR, month DATE, on_hand BIGINT);
INSERT INTO store_monthly_inventory
SELECT 'S0' || s, m, CASE WHEN s = 4 THEN NULL ELSE s * 10 + month(m) END
FROM range(1, 6) a(s), (SELECT unnest([DATE '2024-01-01', DATE '2024-02-01', DATE '2024-03-01',
    DATE '2024-07-01']) AS m);
CREATE TABLE region_daily_summary AS
SELECT s.region, t.day, sum(t.revenue)::DECIMAL(12, 2) AS revenue,
    sum(t.cost)::DECIMAL(12, 2) AS cost
FROM transactions t LEFT JOIN stores s ON t.store_id = s.store_id GROUP BY 1, 2;
"""

FLAT = """
CREATE SCHEMA retail_full;
CREATE VIEW retail_full.metrics AS
SELECT t.transaction_id AS transaction, t.store_id AS store, s.region, t.sku AS product, p.category,
    t.day, date_trunc('week', t.day)::DATE AS week, date_trunc('month', t.day)::DATE AS month,
    date_trunc('quarter', t.day)::DATE AS quarter, date_trunc('year', t.day)::DATE AS year,
    t.quantity AS units, t.revenue, t.cost
FROM world.transactions t LEFT JOIN world.stores s ON t.store_id = s.store_id
    LEFT JOIN world.products p ON t.sku = p.sku;
CREATE VIEW retail_full.transactions AS
SELECT transaction, store, product, day, units AS quantity, revenue, cost, region, category,
    week, month, quarter, year, units FROM retail_full.metrics;
CREATE VIEW retail_full.stores AS SELECT store_id AS store, region FROM world.stores;
CREATE VIEW retail_full.products AS SELECT sku AS product, category FROM world.products;
CREATE VIEW retail_full.store_monthly_inventory AS
SELECT i.store_id AS store, i.month, i.on_hand, s.region
FROM world.store_monthly_inventory i LEFT JOIN world.stores s ON i.store_id = s.store_id;
CREATE VIEW retail_full.region_daily_summary AS SELECT * FROM world.region_daily_summary;
SET search_path = 'retail_full';
"""


class World:
    """The house on each back-end, and the flat table in a DuckDB of its own.

    `more` stands at the end of its collection's file; frames in it stand in place of its own.
    """

    def __init__(
        self, folder: Path, tables: str = TABLES, flat: str = FLAT, more: str = ""
    ) -> None:
        path = folder / "world.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(tables)
        text = RETAIL.read_text(encoding="utf-8")
        if "frames:" in more:
            text = text[: text.index("\nframes:")]
        self.collection = read_collection(text + more)
        source = export(path, folder)
        self.files = (source.sqlite,)
        self.oracle = duckdb.connect()
        self.oracle.execute(f"ATTACH '{source.sqlite.parent}/world.duckdb' AS source (READ_ONLY)")
        self.oracle.execute("CREATE SCHEMA world")
        for (name,) in self.oracle.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'source'"
        ).fetchall():
            self.oracle.execute(f'CREATE TABLE world."{name}" AS FROM source."{name}"')
        self.oracle.execute("DETACH source")
        self.oracle.execute(flat)
        self._backends = open_backends(source)
        self.served = {
            name: Served(name, backend, self.collection, folder)
            for name, backend in self._backends.items()
        }

    def expected(self, sql: str) -> pa.Table:
        """Return what a text gives over the flat table, with the differences of docs/sql.md."""
        return self.oracle.sql(reference_text(sql)).to_arrow_table()

    def close(self) -> None:
        for served in self.served.values():
            served.close()
        for backend in self._backends.values():
            backend.close()
        self.oracle.close()


def reference_text(sql: str) -> str:
    """Return a text as the oracle is asked, for the differences of docs/sql.md."""
    sql = re.sub(r"(?i)\bMEDIAN\((\"?\w+\"?)\)", r"MEDIAN(\1::DOUBLE)", sql)
    return re.sub(r"GROUP \(ORDER BY (\w+)\)", r"GROUP (ORDER BY \1::DOUBLE)", sql)


class Served:
    """One back-end behind two engines: one that remembers, one that never does."""

    def __init__(self, name: str, backend: Backend, collection: Any, folder: Path) -> None:
        store = folder / f"store-{name}"
        self.remembering = MetricEngine(collection, store, backend)
        self.forgetful = MetricEngine(collection, folder, backend, enabled=False)
        self._runtimes = {
            engine: Runtime("test", {NAME: engine}) for engine in (self.remembering, self.forgetful)
        }
        self._tables = {
            engine: PublishedTables(runtime) for engine, runtime in self._runtimes.items()
        }

    def table(
        self,
        sql: str,
        values: Iterable[Any] = (),
        *,
        cold: bool = True,
        options: SqlOptions = STRICT_SQL,
    ) -> pa.Table:
        """Answer a text, from an engine that never remembers or from one that does."""
        return self.answer(sql, values, cold=cold, options=options).table

    def answer(
        self,
        sql: str,
        values: Iterable[Any] = (),
        *,
        cold: bool = True,
        options: SqlOptions = STRICT_SQL,
    ) -> Any:
        """Answer a text with its provenance."""
        engine = self.forgetful if cold else self.remembering
        request = Request(sql, tuple(enumerate(values)), sql=options)
        return answer_text(request, self._runtimes[engine], self._tables[engine])

    def parts(self) -> tuple[Runtime, PublishedTables]:
        """Return the installation of the engine that never remembers."""
        return self._runtimes[self.forgetful], self._tables[self.forgetful]

    def forget(self) -> None:
        """Drop every entry, and every finished answer."""
        store = self.remembering.store
        store.drop([record.entry_id for record in store.records()])

    def close(self) -> None:
        for runtime in self._runtimes.values():
            runtime.close()


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return rows as values that compare: decimals without trailing zeros, whole ones as such."""
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return Decimal(value).normalize() + 0


def same_rows(mine: pa.Table, theirs: pa.Table, *, ordered: bool) -> str | None:
    """Return how two answers differ, or None: doubles within 1e-9, all else bit for bit."""
    if mine.num_columns != theirs.num_columns:
        return f"{mine.num_columns} columns, not {theirs.num_columns}"
    one, other = rows_of(mine), rows_of(theirs)
    if len(one) != len(other):
        return f"{len(one)} rows, not {len(other)}"
    if not ordered:
        one, other = sorted(one, key=_key), sorted(other, key=_key)
    for row, expected in zip(one, other, strict=True):
        if not all(_same(a, b) for a, b in zip(row, expected, strict=True)):
            return f"{row}, not {expected}"
    return None


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is not None, _rough(value)) for value in row)


def _rough(value: Any) -> str:
    if isinstance(value, float | Decimal):
        return f"{float(value):+.5e}"
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return f"{value} 00:00:00"
    return str(value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        if one is None or other is None:
            return one is other
        return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and one == other


def counted(ids: Iterable[str]) -> Mapping[str, int]:
    """Count ids."""
    return Counter(ids)
