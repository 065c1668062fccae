"""One DuckDB file, given to every back-end: the same tables, as each of them keeps them."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.decimals import DecimalForm

ORACLE = Path(__file__).parents[1] / "oracle"
LOADED_AT_ONCE = 50_000
DOUBLE_DIGITS = 15
_SQLITE = {
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "INTEGER",
    "DOUBLE": "REAL",
    "VARCHAR": "TEXT",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "BOOLEAN": "BOOLEAN",
}


@dataclass(frozen=True)
class Source:
    """The same tables in every form; `decimals` says how SQLite keeps them."""

    duckdb: Path
    sqlite: Path
    parquet: Path
    decimals: DecimalForm = DecimalForm.NUMBERS


def read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file as the back-end does, so that both may have it open at once."""
    locked = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
    }
    return duckdb.connect(str(path), read_only=True, config=locked)


def export(database: Path, folder: Path) -> Source:
    """Write the tables of a DuckDB file as a SQLite file and as a folder of Parquet files."""
    parquet = folder / f"{database.stem}_parquet"
    parquet.mkdir(parents=True)
    with duckdb.connect() as reader:
        reader.execute(f"ATTACH '{database}' AS source (READ_ONLY)")
        form = _form(reader)
        source = Source(database, folder / f"{database.stem}.sqlite", parquet, form)
        _export(reader, source)
    return source


def _form(reader: duckdb.DuckDBPyConnection) -> DecimalForm:
    """Return how SQLite can keep the decimals: no number of its holds more than 15 digits."""
    found = reader.execute(
        "SELECT max(numeric_precision) FROM duckdb_columns()"
        " WHERE database_name = 'source' AND data_type LIKE 'DECIMAL%'"
    ).fetchone()
    assert found is not None
    return DecimalForm.SCALED if (found[0] or 0) > DOUBLE_DIGITS else DecimalForm.NUMBERS


def _export(reader: duckdb.DuckDBPyConnection, source: Source) -> None:
    with sqlite3.connect(source.sqlite) as writer:
        for table in _tables(reader):
            target = source.parquet / f"{table}.parquet"
            reader.execute(f"COPY source.\"{table}\" TO '{target}' (FORMAT parquet)")
            _to_sqlite(reader, writer, table, source.decimals)
    writer.close()


def _tables(reader: duckdb.DuckDBPyConnection) -> list[str]:
    found = reader.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'source' ORDER BY 1"
    )
    return [name for (name,) in found.fetchall()]


def _to_sqlite(
    reader: duckdb.DuckDBPyConnection,
    writer: sqlite3.Connection,
    table: str,
    decimals: DecimalForm,
) -> None:
    columns = reader.execute(
        "SELECT column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'source' AND table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    declared = ", ".join(f'"{name}" {_SQLITE.get(kind, kind)}' for name, kind in columns)
    writer.execute(f'CREATE TABLE "{table}" ({declared})')
    values = ", ".join(_as_sqlite(name, kind, decimals) for name, kind in columns)
    rows = reader.execute(f'SELECT {values} FROM source."{table}"')
    places = ", ".join("?" * len(columns))
    while batch := rows.fetchmany(LOADED_AT_ONCE):
        if any(kind == "DOUBLE" for _, kind in columns):
            # SQLite would keep a NaN as NULL.
            batch = [["NaN" if value != value else value for value in row] for row in batch]
        writer.executemany(f'INSERT INTO "{table}" VALUES ({places})', batch)


def _as_sqlite(name: str, kind: str, decimals: DecimalForm) -> str:
    column = f'"{name}"'
    if kind.startswith("DECIMAL(") and decimals is DecimalForm.NUMBERS:
        # Through text: the double nearest to the decimal, as any program would write it.
        return f"CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
    if kind.startswith("DECIMAL("):
        scale = int(kind[:-1].partition(",")[2])
        return f"CAST({column} * 1{'0' * scale} AS BIGINT)"
    if kind in ("DATE", "TIMESTAMP"):
        return f"CAST({column} AS VARCHAR)"
    return column


def open_backends(source: Source) -> dict[str, Backend]:
    """Open every back-end on the same tables."""
    return {
        "duckdb": DuckDBBackend(source.duckdb, backend_id="duckdb:conformance"),
        "sqlite": SQLiteBackend(
            source.sqlite, backend_id="sqlite:conformance", form=source.decimals
        ),
        "polars": PolarsBackend(source.parquet),
    }


def pairs(names: list[str]) -> Iterator[tuple[str, str]]:
    """Return every pair of back-ends."""
    return combinations(names, 2)


def assert_same(one: pa.Table, other: pa.Table, what: str) -> None:
    """Hold two frames equal: schema, rows, order; doubles within 1e-9, the rest bit for bit."""
    assert plain(one.schema) == plain(other.schema), what
    assert one.num_rows == other.num_rows, what
    for name in one.column_names:
        mine, theirs = one[name].combine_chunks(), other[name].combine_chunks()
        if pa.types.is_floating(mine.type):
            assert_close(mine, theirs, f"{what}: {name}")
        else:
            assert mine.equals(theirs), (what, name, mine.to_pylist(), theirs.to_pylist())


def plain(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """Return names and types: where an answer came from stands in the metadata, and differs."""
    return [(field.name, field.type) for field in schema]


def assert_close(mine: pa.Array, theirs: pa.Array, what: str) -> None:
    """Hold two columns of doubles equal within 1e-9 of their size; NULL equals NULL alone."""
    assert pc.is_null(mine).equals(pc.is_null(theirs)), what
    for one, other in zip(mine.to_pylist(), theirs.to_pylist(), strict=True):
        if one is not None:
            bound = max(1e-9 * max(abs(one), abs(other)), 1e-12)
            both_nan = math.isnan(one) and math.isnan(other)
            assert one == other or both_nan or abs(one - other) <= bound, (what, one, other)
