"""A shop over a database in which one metric takes long: its column is computed row by row, and
nothing but a question about it reads that column."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.sqlite.backend import SQLiteBackend

QUICK = "SELECT kind, SUM(quick) AS total AT kind"
SLOW = "SELECT kind, SUM(slow) AS total AT kind"
ROWS, FEW = 1_000_000, 30_000

AC = """
version: 1
name: shop
schemas:
  - name: visits
    table: visits
    grain: [visit]
    columns: {visit: id, kind: kind, quick: quick, slow: slow}
dimension_families:
  - {name: kinds, levels: [kind]}
metric_families:
  - name: quick
    family_root: {schema: visits, column: quick}
    ip_reducers: [{operator: SUM, a_block: []}]
  - name: slow
    family_root: {schema: visits, column: slow}
    ip_reducers: [{operator: SUM, a_block: []}]
"""

DUCKDB = """
CREATE VIEW visits AS
  SELECT range AS id, range % 3 AS kind, range AS quick,
    CAST(list_sum(list_transform(range(1000), lambda x: x * range % 7)) AS BIGINT) AS slow
  FROM range({rows});
"""
SQLITE = f"""
CREATE TABLE visits (id INTEGER, kind INTEGER, quick INTEGER);
WITH RECURSIVE numbers(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM numbers WHERE id < {FEW - 1})
  INSERT INTO visits SELECT id, id % 3, id FROM numbers;
ALTER TABLE visits ADD COLUMN
  slow INTEGER GENERATED ALWAYS AS (length(hex(zeroblob(1000000 + quick)))) VIRTUAL;
"""


def write_source(folder: Path, kind: str, rows: int) -> str:
    """Write the visits into a folder, and return the source that an installation names."""
    if kind == "duckdb":
        with duckdb.connect(str(folder / "shop.duckdb")) as connection:
            connection.execute(DUCKDB.format(rows=rows))
        return "./shop.duckdb"
    if kind == "sqlite":
        file = sqlite3.connect(folder / "shop.sqlite")
        file.executescript(SQLITE)
        file.close()
        return "./shop.sqlite"
    # Small row groups: each is a batch that a query can be stopped at.
    ids = pl.select(id=pl.int_range(FEW)).with_columns(kind=pl.col("id") % 3, quick=pl.col("id"))
    (folder / "files").mkdir()
    ids.with_columns(slow=pl.col("id")).write_parquet(
        folder / "files" / "visits.parquet", row_group_size=FEW // 100
    )
    return "./files"


def running(opened: OpenInstallation) -> int:
    """Return how many statements the database works on, as its own connections count them."""
    backend = opened.backend
    if isinstance(backend, DuckDBBackend):
        return backend._source.lent
    if isinstance(backend, SQLiteBackend):
        return len(backend._source._in_use)
    return sum(thread.name == "polars" for thread in threading.enumerate())


def soon(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Return whether something comes true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def watching() -> int:
    """Return how many threads run or watch a statement."""
    return sum(thread.name.startswith("statement") for thread in threading.enumerate())


def settled(opened: OpenInstallation) -> bool:
    """Return whether soon nothing runs, waits, or watches."""
    statements = opened.runtime.statements
    limits = statements.limits
    return soon(
        lambda: (
            running(opened) == 0
            and watching() == 0
            and not statements.running()
            and statements.permits.free == limits.concurrent_statements
            and statements.stream_permits.free == limits.concurrent_streams
        )
    )


@contextmanager
def slow_shop(
    folder: Path,
    limits: str = "{}",
    *,
    kind: str = "duckdb",
    rows: int = ROWS,
    stream_rows: int = 1_000_000,
) -> Iterator[OpenInstallation]:
    """Write the shop into a folder and open it with some limits; `rows` is for DuckDB alone."""
    folder.mkdir(parents=True, exist_ok=True)
    source = write_source(folder, kind, rows)
    (folder / "ac.yaml").write_text(AC)
    (folder / "installation.yaml").write_text(
        f"id: slow-shop\ncollections: [ac.yaml]\nlimits: {limits}\n"
        f"backend: {{type: {kind}, source: {source}}}\n"
    )
    opened = open_installation(folder / "installation.yaml", stream_rows=stream_rows)
    try:
        yield opened
    finally:
        opened.close()
