"""Saved frames over the wire: what drivers are told of views is what they are given."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import adbc_driver_flightsql.dbapi as adbc
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from flight_calls import table_of
from pyarrow import flight
from secured_shop import AC, make_shop

import flightframe
from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer

FRAMES = """\
frames:
  - name: by_town
    description: What each town paid.
    query: SELECT town, amount AS total, COUNT(amount) AS n AT town
"""
ROWS = [("North", Decimal("0.30"), 2), ("South", Decimal("1.05"), 1)]
"""By hand: 0.10 + 0.20, and 1.05."""


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[FlightServer]:
    folder = tmp_path_factory.mktemp("shop")
    manifest = make_shop(folder)
    (folder / "ac.yaml").write_text(AC + FRAMES)
    opened = open_installation(manifest)
    with FlightServer(opened.runtime) as server:
        yield server
    opened.close()


@pytest.fixture
def wire(running) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(running.uri) as client:
        yield client


def test_tables_are_listed_by_their_types(wire):
    def names(*types: str) -> list[str]:
        rows = table_of(wire, sql.CommandGetTables(table_types=types)).to_pylist()
        return [row["table_name"] for row in rows]

    assert names() == ["by_town", "metrics", "sales", "shops"]
    assert names("VIEW") == names("view") == ["by_town"]
    assert names("TABLE") == names("BASE TABLE") == ["metrics", "sales", "shops"]
    assert names("TABLE", "VIEW") == names()
    types = table_of(wire, sql.CommandGetTableTypes())["table_type"].to_pylist()
    assert types == ["TABLE", "VIEW"]


def test_adbc_is_told_of_the_columns_that_it_is_given(running):
    with adbc.connect(running.uri, autocommit=True) as connection, connection.cursor() as cursor:
        told = connection.adbc_get_table_schema("by_town", db_schema_filter="shop")
        cursor.execute("SELECT * FROM shop.by_town LIMIT 1000")
        given = cursor.fetch_arrow_table()
        assert told.names == given.schema.names
        assert told.types == given.schema.types == [pa.string(), pa.decimal128(38, 2), pa.int64()]
        assert [tuple(row.values()) for row in given.to_pylist()] == ROWS
        for text in ("SELECT * FROM by_town", "SELECT town, total, n FROM by_town WHERE n > 0"):
            assert cursor.adbc_execute_schema(text).types == told.types
        cursor.execute("SELECT SUM(total) AS s FROM by_town WHERE n < ?", (2,))
        assert cursor.fetchall() == [(Decimal("1.05"),)]


def test_sqlalchemy_reflects_a_frame_as_a_view(running):
    engine = sa.create_engine(f"flightframe://127.0.0.1:{running.port}")
    inspector = sa.inspect(engine)
    assert inspector.get_view_names() == inspector.get_view_names("shop") == ["by_town"]
    assert inspector.get_table_names() == ["metrics", "sales", "shops"]
    assert inspector.get_table_comment("by_town") == {"text": "What each town paid."}
    for schema in (None, "shop"):
        table = sa.Table("by_town", sa.MetaData(), schema=schema, autoload_with=engine)
        assert [(one.name, type(one.type)) for one in table.columns] == [
            ("town", sa.VARCHAR),
            ("total", sa.DECIMAL),
            ("n", sa.BIGINT),
        ]
        total = sa.func.sum(table.c.total)
        with engine.connect() as connection:
            assert [tuple(row) for row in connection.execute(sa.select(table))] == ROWS
            query = sa.select(table.c.town, total).group_by(table.c.town).order_by(table.c.town)
            assert [tuple(row) for row in connection.execute(query)] == [row[:2] for row in ROWS]
    frame = pd.read_sql("SELECT * FROM by_town", engine, coerce_float=False)
    assert [tuple(row) for row in frame.itertuples(index=False)] == ROWS
    engine.dispose()


def test_the_client_is_told_of_frames(running):
    with flightframe.connect(running.uri) as connection:
        (shop,) = connection.describe("by_town").collections
        assert shop.frames == (
            flightframe.FrameDescription(
                "by_town",
                (
                    flightframe.FrameColumn("town", "text"),
                    flightframe.FrameColumn("total", "decimal(38,2)"),
                    flightframe.FrameColumn("n", "integer"),
                ),
                "SELECT town, amount AS total, COUNT(amount) AS n AT town",
                "What each town paid.",
                ("town",),
            ),
        )
        assert (shop.levels, shop.metrics, shop.schemas) == ((), (), ())
        (named,) = connection.describe(detail="names").collections
        assert named.frames == shop.frames
        (other,) = connection.describe("town").collections
        assert other.frames == ()
