"""What is refused, with which status, and what never leaves with it."""

import re

import pyarrow as pa
import pytest
import structlog
from flight_calls import BY_REGION, descriptor_of, packed
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.errors import ArithmeticOverflow, BackendError

UPDATE = packed(sql.CommandStatementUpdate(query="DELETE FROM stores"))
FOREIGN = b"\x0a\x1dtype.googleapis.com/other.Kind\x12\x00"
STATEMENT = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"


def named(message: str, value: bytes = b"") -> bytes:
    url = f"type.googleapis.com/arrow.flight.protocol.sql.{message}".encode()
    return b"\x0a" + bytes([len(url)]) + url + b"\x12" + bytes([len(value)]) + value


COMMANDS = {
    "empty": (b"", "INVALID_ARGUMENT"),
    "random": (bytes(range(200, 256)), "INVALID_ARGUMENT"),
    "no query": (b"hello", "INVALID_ARGUMENT"),
    "a NUL": (b"SELECT region\x00 AT region", "INVALID_ARGUMENT"),
    "truncated Any": (packed(sql.CommandGetTables(include_schema=True))[:-1], "INVALID_ARGUMENT"),
    "bad value": (named("CommandStatementQuery", b"\xff\xff"), "INVALID_ARGUMENT"),
    "bad UTF-8": (named("CommandStatementQuery", b"\x0a\x02\xff\xfe"), "INVALID_ARGUMENT"),
    "empty statement": (named("CommandStatementQuery"), "INVALID_ARGUMENT"),
    "foreign": (FOREIGN, "INVALID_ARGUMENT"),
    "truncated ticket of ours": (b"\x00FF1\x0a\x05", "INVALID_ARGUMENT"),
    "unknown message": (named("CommandMakeCoffee"), "UNIMPLEMENTED"),
    "an enumeration": (named("SqlInfo"), "UNIMPLEMENTED"),
    "Substrait": (packed(sql.CommandStatementSubstraitPlan()), "UNIMPLEMENTED"),
    "unknown name": (b"SELECT regio AT region", "INVALID_ARGUMENT"),
    "5000 deep": (b"SELECT " + b"(" * 5000 + b"1" + b")" * 5000 + b" AT ()", "INVALID_ARGUMENT"),
    "too long": (b"SELECT " + b"x" * (5 << 20), "INVALID_ARGUMENT"),
    "too long inside": (
        packed(sql.CommandStatementQuery(query="x" * (2 << 20))),
        "INVALID_ARGUMENT",
    ),
    "unknown prepared": (
        packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=b"x" * 16)),
        "NOT_FOUND",
    ),
    "unknown transaction": (
        packed(sql.CommandStatementQuery(query=BY_REGION, transaction_id=b"t")),
        "NOT_FOUND",
    ),
    "a ticket": (packed(sql.TicketStatementQuery(statement_handle=b"x")), "INVALID_ARGUMENT"),
    "insert": (b"INSERT INTO stores VALUES (1)", "PERMISSION_DENIED"),
    "copy": (packed(sql.CommandStatementQuery(query="copy stores TO 'x'")), "PERMISSION_DENIED"),
    "update": (UPDATE, "PERMISSION_DENIED"),
    "ingest": (packed(sql.CommandStatementIngest(table="x")), "PERMISSION_DENIED"),
}


def check(answered: tuple[str, str], status: str) -> None:
    found, text = answered
    assert found == status
    assert "Traceback" not in text
    assert ".py" not in text
    assert "/" not in text
    # The text itself is under 1 KB; pyarrow repeats it once.
    assert len(text) < 2000


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("kind", COMMANDS)
def test_a_bad_command_has_its_status_and_leaks_nothing(wire, kind):
    command, status = COMMANDS[kind]
    check(wire.call("GetFlightInfo", descriptor_of(command).SerializeToString()), status)
    # pyarrow has no way to say PERMISSION_DENIED in GetSchema.
    status = "UNIMPLEMENTED" if status == "PERMISSION_DENIED" else status
    check(wire.call("GetSchema", descriptor_of(command).SerializeToString()), status)


TICKETS = {
    "empty": (b"", "INVALID_ARGUMENT"),
    "a statement": (packed(sql.CommandStatementQuery(query=BY_REGION)), "INVALID_ARGUMENT"),
    "a prepared statement": (packed(sql.CommandPreparedStatementQuery()), "INVALID_ARGUMENT"),
    "an update": (UPDATE, "INVALID_ARGUMENT"),
    "forged": (packed(sql.TicketStatementQuery(statement_handle=b"x" * 16)), "NOT_FOUND"),
    "forged pin": (b"\x00FF1\x12\x12\x0a\x10" + b"x" * 16, "NOT_FOUND"),
    "unknown message": (named("CommandMakeCoffee"), "UNIMPLEMENTED"),
    "insert": (b"INSERT INTO stores VALUES (1)", "PERMISSION_DENIED"),
}


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("kind", TICKETS)
def test_a_bad_ticket_has_its_status_and_leaks_nothing(wire, kind):
    ticket, status = TICKETS[kind]
    check(wire.call("DoGet", sql.Ticket(ticket=ticket).SerializeToString()), status)


CALLS = {
    "path": ("GetFlightInfo", sql.FlightDescriptor(type=1, path=["x"]), "INVALID_ARGUMENT"),
    "unknown kind": ("GetFlightInfo", sql.FlightDescriptor(), "INVALID_ARGUMENT"),
    "list": ("ListFlights", sql.Ticket(), "UNIMPLEMENTED"),
    "poll": ("PollFlightInfo", descriptor_of(BY_REGION.encode()), "UNIMPLEMENTED"),
    "unknown action": ("DoAction", sql.Action(type="MakeCoffee"), "UNIMPLEMENTED"),
    "transaction": ("DoAction", sql.Action(type="BeginTransaction"), "UNIMPLEMENTED"),
    "junk session": (
        "DoAction",
        sql.Action(type="CloseSession", body=b"\xff\xff"),
        "INVALID_ARGUMENT",
    ),
    "junk prepare": (
        "DoAction",
        sql.Action(type="CreatePreparedStatement", body=b"junk"),
        "INVALID_ARGUMENT",
    ),
    "another's body": (
        "DoAction",
        sql.Action(type="CreatePreparedStatement", body=UPDATE),
        "UNIMPLEMENTED",
    ),
    "prepared insert": (
        "DoAction",
        sql.Action(
            type="CreatePreparedStatement",
            body=packed(sql.ActionCreatePreparedStatementRequest(query="INSERT INTO x VALUES (1)")),
        ),
        "PERMISSION_DENIED",
    ),
    "junk description": (
        "DoAction",
        sql.Action(type="flightframe.describe", body=b"[" * 100_000),
        "INVALID_ARGUMENT",
    ),
}


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("kind", CALLS)
def test_a_bad_call_has_its_status_and_leaks_nothing(wire, kind):
    rpc, message, status = CALLS[kind]
    check(wire.call(rpc, message.SerializeToString()), status)


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize(
    ("command", "failure"),
    [
        (UPDATE, flight.FlightUnauthorizedError),
        (packed(sql.CommandStatementIngest(table="x")), flight.FlightUnauthorizedError),
        (packed(sql.CommandPreparedStatementUpdate()), flight.FlightUnauthorizedError),
        (packed(sql.CommandGetTables()), pa.ArrowInvalid),
        (BY_REGION.encode(), pa.ArrowInvalid),
    ],
    ids=["update", "ingest", "prepared update", "listing", "text"],
)
def test_nothing_is_ever_written(client, command, failure):
    batch = pa.RecordBatch.from_pydict({"0": [1]})
    descriptor = flight.FlightDescriptor.for_command(command)
    writer, _ = client.do_put(descriptor, batch.schema)
    writer.done_writing()
    with pytest.raises(failure) as caught:
        writer.close()
    assert "Traceback" not in str(caught.value)


def test_an_exchange_is_unimplemented(client):
    descriptor = flight.FlightDescriptor.for_command(b"x")
    writer, reader = client.do_exchange(descriptor)
    with pytest.raises(NotImplementedError):
        reader.read_chunk()
    with pytest.raises(NotImplementedError):
        writer.close()


TOLD_ONCE = {
    "GetFlightInfo": lambda client, query: client.get_flight_info(
        flight.FlightDescriptor.for_command(query)
    ),
    "GetSchema": lambda client, query: client.get_schema(
        flight.FlightDescriptor.for_command(query)
    ),
    "DoGet": lambda client, query: client.do_get(flight.Ticket(query)).read_all(),
    "DoAction": lambda client, query: list(
        client.do_action(
            flight.Action(
                "CreatePreparedStatement",
                packed(sql.ActionCreatePreparedStatementRequest(query=query)),
            )
        )
    ),
}


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("rpc", TOLD_ONCE)
@pytest.mark.parametrize(
    "query",
    ["SELECT regio AT region", "INSERT INTO t VALUES (1)", "SELECT on_hand AT region", "hello"],
)
def test_a_foreign_driver_is_told_a_text_once(client, rpc, query):
    with pytest.raises(pa.ArrowException) as caught:
        TOLD_ONCE[rpc](client, query)
    # What gRPC's own client adds behind a stream is no part of what was sent.
    sent = str(caught.value).partition(". gRPC client debug context: ")[0]
    code = re.search("[A-Z_]{4,}(?=: )", sent)[0]
    assert sent.count(f"{code}: ") == 1
    assert "Traceback" not in sent
    tail = sent.partition(". Detail: ")[2].strip()
    assert tail in ("Python exception: flightframe.Refused", "Unauthorized", "Failed", "Internal")


@pytest.mark.usefixtures("one_line_errors")
def test_a_bug_is_an_id_on_the_wire_and_a_story_in_the_log(wire, server, monkeypatch):
    def broken(data: bytes) -> None:
        raise ZeroDivisionError("a secret of /etc/flightframe.py")

    monkeypatch.setattr(server, "_command", broken)
    with structlog.testing.capture_logs() as logged:
        status, text = wire.call("GetFlightInfo", descriptor_of(b"x").SerializeToString())
    check((status, text), "INTERNAL")
    assert "secret" not in text
    (event,) = logged
    assert event["request_id"] in text
    assert "a secret of /etc/flightframe.py" in event["story"]
    assert "broken" in event["story"]


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"SELECT regio AT region", "UNKNOWN_NAME"),
        (UPDATE, "READ_ONLY"),
        (named("CommandMakeCoffee"), "UNIMPLEMENTED"),
        (b"hello", "PARSE"),
    ],
)
def test_a_refused_call_has_a_name_by_which_the_log_knows_it(wire, command, code):
    message = descriptor_of(command).SerializeToString()
    with structlog.testing.capture_logs() as logged:
        names = [wire.request_id("GetFlightInfo", message) for _ in range(2)]
    assert len(set(names)) == 2
    assert [event["request_id"] for event in logged] == names
    assert {event["event"] for event in logged} == {"flight.refused"}
    assert [event.get("code") for event in logged] == [code, code]


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("error", [BackendError, ArithmeticOverflow])
def test_a_failure_of_the_database_quotes_the_name_that_the_log_knows_it_by(
    wire, server, monkeypatch, error
):
    def failing(data: bytes) -> None:
        try:
            raise OSError("disk /var/lib/secret is gone")
        except OSError as cause:
            raise error("the database refused the statement") from cause

    monkeypatch.setattr(server, "_command", failing)
    with structlog.testing.capture_logs() as logged:
        _, text = wire.call("GetFlightInfo", descriptor_of(b"x").SerializeToString())
    (event,) = logged
    assert f"the log has it as {event['request_id']}" in text
    assert "secret" not in text
    assert event["cause"] == "OSError: disk /var/lib/secret is gone"
