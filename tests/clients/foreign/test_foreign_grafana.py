"""Grafana's Flight SQL plugin, replayed call by call: plain statements, GetSqlInfo, GetTables.

The plugin is Go inside Grafana; what it sends was read in its source, and is sent here by pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from flight_calls import info_of, packed
from foreign_clients import GRAFANA
from foreign_expected import BY_REGION, ENGINE_CACHE, TABLES
from foreign_runs import Target
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql

TYPES = ["BASE TABLE", "table"]


class Watch(flight.ClientMiddlewareFactory):
    """Keeps the headers of each answer, which the plugin shows beside a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, list[str]] = {}

    def start_call(self, info: flight.CallInfo) -> flight.ClientMiddleware:
        kept = self.headers

        class One(flight.ClientMiddleware):
            def received_headers(self, headers: dict[str, list[str]]) -> None:
                kept.update(headers)

        return One()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def grafana(shop: Target, watch: Watch) -> Iterator[flight.FlightClient]:
    uri = f"grpc://{shop.host}:{shop.port}"
    with flight.FlightClient(uri, middleware=[watch]) as client:
        yield client


def frame(client: flight.FlightClient, message: object) -> pa.Table:
    """What the plugin reads: exactly one endpoint, or it gives up."""
    (endpoint,) = info_of(client, packed(message)).endpoints
    return client.do_get(endpoint.ticket).read_all()


def ask(client: flight.FlightClient, query: str) -> pa.Table:
    return frame(client, sql.CommandStatementQuery(query=query))


def test_health_check(grafana):
    assert ask(grafana, "select 1").num_rows == 1


def test_query(grafana, watch):
    found = ask(grafana, "SELECT region, SUM(amount) AS total AT region").to_pylist()
    assert [[row["region"], row["total"] and str(row["total"])] for row in found] == BY_REGION
    assert watch.headers["x-served-from"] == [ENGINE_CACHE]


def test_sql_info(grafana):
    assert frame(grafana, sql.CommandGetSqlInfo()).num_rows == 12 + 2 + 77


def test_tables(grafana):
    found = frame(grafana, sql.CommandGetTables(table_types=TYPES))
    assert found["table_name"].to_pylist() == TABLES


def test_columns(grafana):
    asked = sql.CommandGetTables(table_name_filter_pattern="stores", include_schema=True)
    first = frame(grafana, asked).to_pylist()[0]
    schema = pa.ipc.read_schema(pa.py_buffer(first["table_schema"]))
    assert schema.names == ["store", "region"]


def test_a_window_of_time(grafana):
    query = "SELECT day, amount AT day WHERE day >= '2024-02-28' AND day < '2024-03-01'"
    found = [(str(row["day"]), str(row["amount"])) for row in ask(grafana, query).to_pylist()]
    assert found == [("2024-02-28", "0.10"), ("2024-02-29", "0.20")]


def test_the_declared_steps_are_the_tests_of_this_file():
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {name for _, name in GRAFANA.steps} == {
        f"foreign/test_foreign_grafana.py::test_{name}" for name in tests if "declared" not in name
    }
