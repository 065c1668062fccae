"""The client's public API as its callers' type checker sees it. Checked, never run."""

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_type

import pyarrow as pa

import flightframe

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


def ask(connection: flightframe.Connection) -> flightframe.Result:
    """Every way to bind a value and to ask for freshness."""
    connection.query("SELECT 1", parameters=[1, Decimal("1.5"), "x", None, True, 0.5])
    connection.query("SELECT 1", parameters={"day": datetime.date(2024, 2, 29)})
    connection.query("SELECT 1", max_staleness=datetime.timedelta(minutes=1), no_cache=True)
    connection.query("SELECT 1", max_staleness=60, only_if_cached=True, collection="retail_full")
    return connection.query("SELECT region, SUM(revenue) AS total_revenue AT region")


def read(result: flightframe.Result) -> None:
    """Every way to read an answer."""
    assert_type(result.served_from, str)
    assert_type(result.provenance, flightframe.Provenance)
    assert_type(result.provenance.columns, tuple[flightframe.ColumnProvenance, ...])
    assert_type(result.provenance.columns[0].parts[0].anchor, tuple[str, ...])
    assert_type(result.columns, list[str])
    assert_type(result.rows, list[tuple[Any, ...]])
    assert_type(result.row_count, int)
    assert_type(len(result), int)
    assert_type(result.to_pylist(), list[dict[str, Any]])
    schema: pa.Schema = result.schema
    table: pa.Table = result.to_arrow()
    polars: pl.DataFrame = result.to_polars()
    pandas: pd.DataFrame = result.to_pandas()
    print(schema, table, polars, pandas)
    for batch in result:
        print(batch.num_rows)


def describe(connection: flightframe.Connection) -> None:
    """What can be asked."""
    found = connection.describe("revenue")
    assert_type(found, flightframe.Description)
    for collection in found.collections:
        assert_type(collection.metrics[0].reducers, tuple[str, ...])
        assert_type(collection.metrics[0].default, str | None)
        assert_type(collection.metrics[0].anchors[0].required, tuple[str, ...])
        assert_type(collection.levels[0].facts, flightframe.LevelFacts | None)


def fail() -> None:
    """Errors carry their facts."""
    try:
        with flightframe.connect("grpc://127.0.0.1:8815", token="t", timeout=5) as connection:
            assert_type(connection, flightframe.Connection)
            assert_type(connection.explain("SELECT 1"), flightframe.Result)
    except flightframe.QueryError as error:
        assert_type(error.code, str)
        assert_type(error.hint, str | None)
        assert_type(error.line, int | None)
    except flightframe.Error as error:
        assert_type(error.message, str)
