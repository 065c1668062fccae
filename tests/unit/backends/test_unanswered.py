"""Columns of types that are not answered: every back-end names them in its database's words."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.registry import open_backend
from flightframe_server.catalog.installation import BackendSettings

DUCKDB = (
    "CREATE TABLE facts AS SELECT 1 AS id, '{}'::JSON AS doc, [1] AS list, TIME '10:00' AS at,"
    " 'x'::BLOB AS bytes, {'a': 1} AS pair, INTERVAL 1 DAY AS span",
    "CREATE TABLE plain (id INTEGER)",
    "CREATE SCHEMA more",
    "CREATE TABLE more.facts AS SELECT '{}'::JSON AS doc",
)


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    kind: str = request.param
    path = tmp_path / kind
    if kind == "duckdb":
        with duckdb.connect(str(path)) as connection:
            for sql in DUCKDB:
                connection.execute(sql)
    elif kind == "sqlite":
        with sqlite3.connect(path) as database:
            database.execute(
                "CREATE TABLE facts (id INTEGER, doc JSON, at TIMESTAMP WITH TIME ZONE,"
                " bytes BLOB, bare)"
            )
            database.execute("CREATE TABLE plain (id INTEGER)")
        database.close()
    else:
        path.mkdir()
        with duckdb.connect() as connection:
            connection.execute(
                "COPY (SELECT 1 AS id, [1] AS list, TIME '10:00' AS at, 'x'::BLOB AS bytes)"
                f" TO '{path}/facts.parquet' (FORMAT parquet)"
            )
            connection.execute(f"COPY (SELECT 1 AS id) TO '{path}/plain.parquet' (FORMAT parquet)")
    backend = open_backend(BackendSettings(kind, str(path)), tmp_path)
    yield backend
    backend.close()


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (
            "duckdb",
            {
                "doc": "JSON",
                "list": "INTEGER[]",
                "at": "TIME",
                "bytes": "BLOB",
                "pair": "STRUCT(a INTEGER)",
                "span": "INTERVAL",
            },
        ),
        (
            "sqlite",
            {"doc": "JSON", "at": "TIMESTAMP WITH TIME ZONE", "bytes": "BLOB", "bare": "none"},
        ),
        ("polars", {"list": "list<element: int32>", "at": "time64[us]", "bytes": "binary"}),
    ],
    indirect=["opened"],
)
def test_what_is_left_out_of_the_tables_is_named(opened: Backend, expected: dict[str, str]) -> None:
    assert opened.unanswered(["facts", "plain", "nowhere"]) == {"facts": expected}
    assert list(opened.tables()["facts"]) == ["id"]


@pytest.mark.parametrize("opened", ["duckdb"], indirect=True)
def test_a_table_of_another_schema(opened: Backend) -> None:
    assert opened.unanswered(["more.facts"]) == {"more.facts": {"doc": "JSON"}}
