"""Queries, actions and the Handshake over a real socket, as pyarrow's own client sees them."""

import json
import time
from decimal import Decimal

import pyarrow as pa
import pytest
from flight_calls import (
    BIG,
    BY_REGION,
    CENTRAL,
    ROWS,
    act,
    chunks_of,
    info_of,
    packed,
)
from pyarrow import flight

import flightframe
from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.server import FlightServer

MIB4 = 4 * 1024 * 1024


def test_the_thin_client_asks_in_one_call(server, truth):
    with flightframe.connect(server.uri) as connection:
        result = connection.query(BY_REGION)
        table = result.to_arrow()
    assert table.schema.remove_metadata() == truth.schema
    assert table.to_pylist() == truth.to_pylist()
    assert table.to_pylist()[0] == {"region": "Central", "total_revenue": CENTRAL}
    assert result.served_from == "engine_cache"


@pytest.mark.parametrize(
    "command",
    [BY_REGION.encode(), packed(sql.CommandStatementQuery(query=BY_REGION))],
    ids=["text", "flight-sql"],
)
def test_two_calls_say_the_same_thing_in_every_carrier(client, truth, command):
    info = info_of(client, command)
    (endpoint,) = info.endpoints
    schema, chunks = chunks_of(client, endpoint.ticket)
    assert schema.equals(info.schema, check_metadata=True)
    assert pa.Table.from_batches([chunk.data for chunk in chunks]).to_pylist() == truth.to_pylist()
    assert info.descriptor.command == command
    assert (info.total_records, endpoint.locations) == (3, [])
    provenance = json.loads(schema.metadata[b"flightframe"])
    carriers = [info.app_metadata, endpoint.app_metadata]
    carriers += [chunk.app_metadata.to_pybytes() for chunk in chunks]
    assert [json.loads(executor) for executor in carriers] == [provenance] * len(carriers)
    assert schema.metadata[b"served_from"] == b"engine_cache"
    assert provenance["served_from"] == "engine_cache"
    assert [column["column"] for column in provenance["columns"]] == ["region", "total_revenue"]


def test_a_hot_answer_keeps_its_name_and_a_new_answer_gets_its_own(client):
    first = info_of(client, BY_REGION).endpoints[0].ticket
    assert info_of(client, BY_REGION).endpoints[0].ticket == first
    other = info_of(client, "SELECT region, COST AT region").endpoints[0].ticket
    assert other != first
    names = {field.name for field in client.do_get(other).read_all().schema}
    assert names == {"region", "cost"}


def test_a_miss_says_so_and_its_ticket_can_be_read_twice(client):
    info = info_of(client, "SELECT store, COUNT(revenue) AS n AT store")
    assert json.loads(info.app_metadata)["served_from"] == "engine_backend"
    ticket = info.endpoints[0].ticket
    once, again = (client.do_get(ticket).read_all() for _ in range(2))
    assert once.equals(again, check_metadata=True)
    assert sum(once["n"].to_pylist()) == ROWS


def test_a_header_tells_where_the_answer_came_from(server):
    seen: list[str] = []

    class Watch(flight.ClientMiddleware):
        def received_headers(self, headers):
            seen.extend(headers.get("x-served-from", []))

    class Factory(flight.ClientMiddlewareFactory):
        def start_call(self, info):
            return Watch()

    with flight.FlightClient(server.uri, middleware=[Factory()]) as client:
        client.do_get(flight.Ticket(BY_REGION)).read_all()
    assert seen == ["engine_cache"]


def test_no_rows_are_one_empty_batch_with_provenance(client):
    text = "SELECT region, revenue AT region WHERE region = 'Nowhere'"
    for ticket in (flight.Ticket(text), info_of(client, text).endpoints[0].ticket):
        schema, (chunk,) = chunks_of(client, ticket)
        assert chunk.data.num_rows == 0
        assert chunk.data.schema.names == ["region", "revenue"]
        assert chunk.app_metadata.to_pybytes() == schema.metadata[b"flightframe"]


def test_a_large_result_comes_in_small_batches_each_with_provenance(client, truth):
    schema, chunks = chunks_of(client, flight.Ticket(BIG))
    assert sum(chunk.data.num_rows for chunk in chunks) == ROWS
    assert max(chunk.data.num_rows for chunk in chunks) <= 65_536
    assert max(chunk.data.nbytes for chunk in chunks) <= MIB4
    carried = {chunk.app_metadata.to_pybytes() for chunk in chunks}
    assert carried == {schema.metadata[b"flightframe"]}
    total = sum((chunk.data["revenue"].sum().as_py() for chunk in chunks), Decimal())
    assert total == sum(truth["total_revenue"].to_pylist())


def test_parameters_options_and_names_of_the_thin_client(server):
    filtered = "SELECT region, revenue AT region WHERE region = "
    with flightframe.connect(server.uri) as connection:
        for text, parameters in (
            (f"{filtered}?", ["Central"]),
            (f"{filtered}$r", {"r": "Central"}),
        ):
            rows = connection.query(text, parameters=parameters).to_arrow().to_pylist()
            assert rows == [{"region": "Central", "revenue": CENTRAL}]
        bypassed = connection.query(BY_REGION, no_cache=True)
        assert bypassed.to_arrow().num_rows == 3
        assert bypassed.served_from == "backend"
        with pytest.raises(flightframe.QueryError, match="NOT_CACHED"):
            connection.query("SELECT product, units AT product", only_if_cached=True)
        assert connection.query(BY_REGION, collection="Retail_Full").to_arrow().num_rows == 3
        with pytest.raises(flightframe.QueryError, match="UNKNOWN_NAME"):
            connection.query(BY_REGION, collection="retail")


def test_a_ticket_for_another_installation_is_refused(client):
    query = b"\x0a" + bytes([len(BY_REGION)]) + BY_REGION.encode() + b"\x22\x05other"
    ticket = flight.Ticket(b"\x00FF1\x0a" + bytes([len(query)]) + query)
    with pytest.raises(pa.ArrowInvalid, match="UNKNOWN_NAME: the installation other"):
        client.do_get(ticket)


def test_last_queries_tell_what_was_asked_and_where_it_came_from(client):
    text = "SELECT category, units AT category"
    client.do_get(flight.Ticket(text)).read_all()
    table = client.do_get(flight.Ticket("select * from system.last_queries")).read_all()
    newest = table.to_pylist()[0]
    assert (newest["source"], newest["collection"]) == (text, "retail_full")
    assert newest["served_from"] == "engine_backend"
    assert json.loads(newest["provenance"])["query_id"] == newest["query_id"]
    assert abs(newest["at"].timestamp() - time.time()) < 60
    assert 0 < newest["seconds"] < 60


def test_select_1(client):
    table = client.do_get(flight.Ticket("Select 1")).read_all()
    assert table.to_pydict() == {"1": [1]}


def test_the_actions_are_listed(client):
    kinds = {action.type for action in client.list_actions()}
    assert kinds == {
        "CancelFlightInfo",
        "CancelQuery",
        "ClosePreparedStatement",
        "CloseSession",
        "CreatePreparedStatement",
        "GetSessionOptions",
        "RenewFlightEndpoint",
        "SetSessionOptions",
        "flightframe.describe",
    }


def test_close_session_answers_again_and_again(client):
    for _ in range(2):
        (body,) = act(client, "CloseSession", b"")
        closed = sql.CloseSessionResult.FromString(body)
        assert closed.status == sql.CloseSessionResult.STATUS_CLOSED


def test_describe_tells_levels_metrics_and_schemas(server):
    with flightframe.connect(server.uri) as connection:
        everything = connection.describe()
        one = connection.describe("REGION", collection="retail_full")
        with pytest.raises(flightframe.QueryError, match="UNKNOWN_NAME"):
            connection.describe(collection="nothing")
    assert everything.installation_id == "retail-demo"
    (collection,) = everything.collections
    levels = {level.name: level for level in collection.levels}
    assert levels["day"].type == "date"
    assert levels["region"].description == "The region a store lies in."
    assert levels["day"].description.startswith("When it was sold.")
    metrics = {metric.name: metric for metric in collection.metrics}
    assert metrics["revenue"].type == "decimal(38,2)"
    assert metrics["on_hand"].reducers == ("SUM", "LAST")
    assert metrics["on_hand"].default == "SUM"
    assert (metrics["profit"].reducers, metrics["profit"].default) == ((), None)
    assert {schema.name: schema.grain for schema in collection.schemas}["stores"] == ("store",)
    (found,) = one.collections
    assert [level.name for level in found.levels] == ["region"]
    assert (found.metrics, found.schemas) == ((), ())


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "Basic YWxpY2U6cHc")],
        [("authorization", "Basic YWxpY2U6cHc=")],
        [("authorization", "Bearer anything")],
    ],
    ids=["none", "unpadded", "padded", "bearer"],
)
def test_a_handshake_always_answers_with_a_bearer(wire, headers):
    assert wire.handshake(*headers)["authorization"].startswith("Bearer ")


def test_only_a_handshake_gets_that_header(server):
    with flightframe.connect(server.uri, username="anybody", password="") as connection:
        assert connection.query(BY_REGION).to_arrow().num_rows == 3
    with flight.FlightClient(server.uri) as client:
        assert client.authenticate_basic_token("a", "b")[0] == b"authorization"


def test_a_server_without_the_hooks_serves_all_else(retail):
    with (
        FlightServer(retail.runtime, handshake=False) as plain,
        flight.FlightClient(plain.uri) as client,
    ):
        assert client.do_get(flight.Ticket(BY_REGION)).read_all().num_rows == 3
        with pytest.raises(NotImplementedError):
            client.authenticate_basic_token("a", "b")


def test_it_answers_from_the_moment_that_it_listens(retail, truth):
    """A server that comes back is asked before its own constructor has ended."""
    early = []

    class AskedWhileMade(FlightServer):
        @property
        def port(self):
            port = super().port
            if not early:
                early.append(None)
                with flightframe.connect(f"grpc://127.0.0.1:{port}") as connection:
                    early.append(connection.query(BY_REGION).to_arrow())
            return port

    with AskedWhileMade(retail.runtime):
        assert early[1].to_pylist() == truth.to_pylist()
