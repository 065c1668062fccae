"""Instants over Flight SQL are announced in UTC, as drivers read them; tickets keep their zones.

Half past twelve UTC on the last day of October 2024 is 13:30 in Berlin; the hour of it is noon UTC.
"""

import datetime

import duckdb
import pyarrow as pa
import pytest
from flight_calls import act, packed, table_of, unpacked
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer

COLLECTION = """
version: 1
name: meter
timezone: Europe/Berlin
schemas:
  - {name: readings, grain: [reading], columns: {reading: reading, moment: moment, kwh: kwh}}
dimension_families:
  - name: clock
    levels: [moment, hour]
    edges: [{from: moment, to: hour, derived_by: HOUR_OF}]
metric_families:
  - name: kwh
    family_root: {schema: readings, column: kwh}
    ip_reducers: [{operator: SUM, a_block: []}]
"""
MANIFEST = """
id: meter
collections: [ac.yaml]
backend: {type: duckdb, source: ./meter.duckdb}
"""
MOMENT = datetime.datetime(2024, 10, 31, 12, 30, tzinfo=datetime.UTC)
HOUR = MOMENT.replace(minute=0)
QUERY = "SELECT hour, kwh AT hour"
UTC, BERLIN = pa.timestamp("us", "UTC"), pa.timestamp("us", "Europe/Berlin")


@pytest.fixture(params=["collected", "streamed"])
def client(request, tmp_path):
    """A meter with one reading, served."""
    with duckdb.connect(str(tmp_path / "meter.duckdb")) as database:
        database.execute("CREATE TABLE readings (reading BIGINT, moment TIMESTAMPTZ, kwh BIGINT)")
        database.execute("INSERT INTO readings VALUES (1, '2024-10-31 12:30:00+00', 7)")
    (tmp_path / "ac.yaml").write_text(COLLECTION)
    (tmp_path / "installation.yaml").write_text(MANIFEST)
    rows = {"stream_rows": -1} if request.param == "streamed" else {}
    opened = open_installation(tmp_path / "installation.yaml", store=tmp_path / "store", **rows)
    with FlightServer(opened.runtime) as server, flight.FlightClient(server.uri) as made:
        yield made
    opened.close()


@pytest.mark.parametrize(
    ("query", "right"),
    [(QUERY, [(HOUR, 7)]), ("SELECT moment, kwh AT moment", [(MOMENT, 7)])],
    ids=["hour", "moment"],
)
def test_statements_of_flight_sql_give_the_same_instants_in_utc(client, query, right):
    statement = sql.CommandStatementQuery(query=query)
    for _ in range(2):
        table = table_of(client, statement)
        assert table.schema.field(0).type == UTC
        assert [tuple(row.values()) for row in table.to_pylist()] == right
    descriptor = flight.FlightDescriptor.for_command(packed(statement))
    assert client.get_schema(descriptor).schema.field(0).type == UTC
    assert client.get_flight_info(descriptor).schema.field(0).type == UTC


@pytest.mark.parametrize("query", [QUERY, "SELECT kwh AT ()"])
def test_a_hot_answer_of_flight_sql_is_held_once_for_all_who_ask(client, query):
    statement = packed(sql.CommandStatementQuery(query=query))
    tickets = []
    for _ in range(5):
        info = client.get_flight_info(flight.FlightDescriptor.for_command(statement))
        label = client.do_get(info.endpoints[0].ticket).read_all().schema.metadata
        tickets.append((label[b"served_from"], info.endpoints[0].ticket.ticket))
    # The first answers are made; from then on one is given again, where it may be kept at all.
    hot = [ticket for label, ticket in tickets[2:] if label == b"engine_cache"]
    assert len(set(hot)) <= 1
    assert bool(hot) == (tickets[-1][0] == b"engine_cache")


def test_a_prepared_statement_is_announced_as_it_answers(client):
    asked = sql.ActionCreatePreparedStatementRequest(query=QUERY)
    (body,) = act(client, "CreatePreparedStatement", packed(asked))
    made = unpacked(body, sql.ActionCreatePreparedStatementResult())
    assert pa.ipc.read_schema(pa.py_buffer(made.dataset_schema)).field(0).type == UTC
    handle = made.prepared_statement_handle
    command = sql.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    table = table_of(client, command)
    assert table.schema.field(0).type == UTC
    assert table.to_pylist() == [{"hour": HOUR, "kwh": 7}]


def test_a_ticket_of_frame_ql_keeps_the_zone_to_show_it_in(client):
    table = client.do_get(flight.Ticket(QUERY.encode())).read_all()
    assert table.schema.field(0).type == BERLIN
    (row,) = table.to_pylist()
    assert row["hour"] == HOUR
    assert row["hour"].isoformat() == "2024-10-31T13:00:00+01:00"
