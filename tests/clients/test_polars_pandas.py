"""Polars and pandas over ADBC: equal frames, and where each of them learns `served_from`."""

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import BY_REGION, CENTRAL

import flightframe

LAST = "SELECT * FROM system.last_queries"


@pytest.fixture
def adbc(server) -> Iterator[dbapi.Connection]:
    with dbapi.connect(server.uri, autocommit=True) as connected:
        yield connected


@pytest.fixture
def truth_frame(truth) -> pl.DataFrame:
    frame = pl.from_arrow(truth)
    assert frame.schema == {"region": pl.String, "total_revenue": pl.Decimal(38, 2)}
    return frame


# Polars connects without autocommit, and the driver says that it stays on: there is nothing to
# commit.
@pytest.mark.filterwarnings("ignore:Cannot disable autocommit")
def test_polars_reads_by_uri(server, truth_frame):
    uri = f"flightsql://127.0.0.1:{server.port}?transport=tcp"
    frame = pl.read_database_uri(BY_REGION, uri, engine="adbc")
    assert frame.equals(truth_frame)
    assert frame.schema == truth_frame.schema
    assert frame["total_revenue"][0] == CENTRAL


def test_polars_reads_by_connection_and_by_cursor(adbc, truth_frame):
    assert pl.read_database(BY_REGION, adbc).equals(truth_frame)
    with adbc.cursor() as cursor:
        assert pl.read_database(BY_REGION, cursor).equals(truth_frame)
    filtered = pl.read_database(
        "SELECT region, revenue AT region WHERE region = ?",
        adbc,
        execute_options={"parameters": ["Central"]},
    )
    assert filtered.rows() == [("Central", CENTRAL)]


def test_polars_reads_in_batches(adbc):
    frames = pl.read_database(
        "SELECT day, region, revenue AT (day, region)", adbc, iter_batches=True, batch_size=500
    )
    collected = list(frames)
    assert sum(frame.height for frame in collected) == 1329


def test_pandas_reads_decimals_exactly(adbc, truth):
    frame = pd.read_sql(BY_REGION, adbc)
    assert frame.to_dict("records") == truth.to_pylist()
    assert isinstance(frame["total_revenue"][0], Decimal)
    arrow = pd.read_sql(BY_REGION, adbc, dtype_backend="pyarrow")
    assert arrow.dtypes["total_revenue"] == pd.ArrowDtype(pa.decimal128(38, 2))
    assert arrow["total_revenue"].tolist() == truth["total_revenue"].to_pylist()


def test_frames_drop_the_provenance_and_the_last_queries_keep_it(adbc):
    text = "SELECT category, cost AT category"
    frame = pd.read_sql(text, adbc)
    assert frame.attrs == {}
    newest = pl.read_database(LAST, adbc).row(0, named=True)
    assert (newest["source"], newest["served_from"]) == (text, "engine_backend")
    pl.read_database(text, adbc)
    newest = pd.read_sql(LAST, adbc).iloc[0]
    assert (newest["source"], newest["served_from"]) == (text, "engine_cache")


def test_every_client_sees_the_same_numbers(server, adbc, truth):
    with flightframe.connect(server.uri) as connection:
        ours = connection.query(BY_REGION)
        rows = truth.to_pylist()
        assert ours.to_polars().to_dicts() == rows
        assert connection.query(BY_REGION).to_pandas().to_dict("records") == rows
    assert pl.read_database(BY_REGION, adbc).to_dicts() == rows
    assert pd.read_sql(BY_REGION, adbc).to_dict("records") == rows


def test_nothing_is_written(adbc):
    with pytest.raises(dbapi.Error, match="only reads"):
        pl.DataFrame({"a": [1]}).write_database("mine", adbc, if_table_exists="append")
