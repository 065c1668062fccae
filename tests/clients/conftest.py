"""The retail demonstration, served over a real socket of this process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from flight_calls import Wire
from pyarrow import flight

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.demo.files import write_demo
from flightframe_server.flight.server import FlightServer


@pytest.fixture(scope="session")
def retail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's files. Tests that change anything make their own."""
    return write_demo(tmp_path_factory.mktemp("retail")).folder


@pytest.fixture(scope="module")
def retail(
    retail_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenInstallation]:
    """Warmed up, with a store for each file of tests: what one asks is no hit of another's."""
    opened = open_installation(
        retail_folder / "installation.yaml", store=tmp_path_factory.mktemp("store")
    )
    for _ in opened.warm_up():
        pass
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(retail: OpenInstallation) -> Iterator[FlightServer]:
    with FlightServer(retail.runtime) as running:
        yield running


@pytest.fixture
def client(server: FlightServer) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(server.uri) as connected:
        yield connected


@pytest.fixture(scope="session")
def truth(retail_folder: Path) -> pa.Table:
    """Revenue by region as plain SQL over the Parquet files says, by a database of its own."""
    with duckdb.connect() as database:
        return database.sql(
            f"""
            SELECT region, CAST(SUM(revenue) AS DECIMAL(38, 2)) AS total_revenue
            FROM '{retail_folder}/transactions.parquet' JOIN '{retail_folder}/stores.parquet'
            USING (store_id) GROUP BY region ORDER BY region
            """
        ).to_arrow_table()


@pytest.fixture
def one_line_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server's own process sets, so that pyarrow adds no frames to a status."""
    monkeypatch.setattr(sys, "tracebacklimit", 0, raising=False)


@pytest.fixture
def wire(server: FlightServer) -> Iterator[Wire]:
    calls = Wire(server)
    yield calls
    calls.close()
