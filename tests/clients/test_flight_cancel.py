"""Whoever gives up ends what runs for it, on every back-end, and nobody else's."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import adbc_driver_manager
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import act, chunks_of, info_of, packed, unpacked
from pyarrow import flight
from slow_shop import QUICK, SLOW, running, settled, slow_shop, soon

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.flight.server import FlightServer

TOTALS = "SELECT visit, quick AT visit"
NOT_FOUND = (pa.ArrowKeyError, flight.FlightServerError)


@pytest.fixture
def slow_gate(monkeypatch):
    """Make every batch of a table take its time on the way into a query of Polars."""
    passing = Gate.passed

    def slowly(self, batch):
        if any("slow" in name for name in batch.columns):
            time.sleep(0.3)
        return passing(self, batch)

    monkeypatch.setattr(Gate, "passed", slowly)


@pytest.fixture(params=["duckdb", "sqlite", "polars"])
def shop(request, tmp_path, slow_gate):
    with slow_shop(tmp_path, kind=request.param) as opened:
        yield opened


@pytest.fixture
def duck(tmp_path):
    with slow_shop(tmp_path) as opened:
        yield opened


@pytest.fixture
def streamed(tmp_path):
    """The shop over DuckDB, where what has more than a thousand rows is streamed."""
    with slow_shop(tmp_path, stream_rows=1000) as opened:
        yield opened


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_deadline_ends_the_statement_of_get_flight_info_and_leaves_nothing(shop):
    with FlightServer(shop.runtime) as server, flight.FlightClient(server.uri) as client:
        for command in (SLOW, packed(sql.CommandStatementQuery(query=SLOW))):
            descriptor = flight.FlightDescriptor.for_command(command)
            started = time.monotonic()
            with pytest.raises(flight.FlightTimedOutError):
                client.get_flight_info(descriptor, flight.FlightCallOptions(timeout=0.2))
            assert time.monotonic() - started < 30
            assert settled(shop)
            files = open_files()
        with pytest.raises(flight.FlightTimedOutError):
            client.do_get(flight.Ticket(SLOW), flight.FlightCallOptions(timeout=0.2)).read_all()
        assert settled(shop)
        # The call's end and that of its connection are told apart.
        assert soon(lambda: open_files() <= files)
        assert client.do_get(flight.Ticket(QUICK)).read_all().num_rows == 3


def test_adbc_cancels_from_another_thread(shop):
    with (
        FlightServer(shop.runtime) as server,
        dbapi.connect(server.uri, autocommit=True) as connection,
        connection.cursor() as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(cursor.execute, SLOW)
        assert soon(lambda: running(shop) == 1)
        cursor.adbc_cancel()
        with pytest.raises(adbc_driver_manager.Error):
            asked.result(10)
        assert settled(shop)
        cursor.execute(QUICK)
        assert len(cursor.fetchall()) == 3


def test_adbc_closes_early(streamed):
    with (
        FlightServer(streamed.runtime) as server,
        dbapi.connect(server.uri, autocommit=True) as connection,
    ):
        with connection.cursor() as cursor:
            cursor.execute(TOTALS)
            assert len(cursor.fetchone()) == 2
            assert running(streamed) == 1
        assert settled(streamed)


def test_who_stays_is_answered_when_the_first_one_goes(duck):
    """The statement runs once, for whoever still wants it."""
    asked = "SELECT SUM(slow) AS total AT () WHERE visit < 50000"
    with (
        FlightServer(duck.runtime) as server,
        flight.FlightClient(server.uri) as client,
        ThreadPoolExecutor(3) as pool,
    ):
        hurried = pool.submit(info_within, client, asked, 0.2)
        assert soon(lambda: running(duck) == 1)
        others = [pool.submit(info_of, client, asked) for _ in range(2)]
        with pytest.raises(flight.FlightTimedOutError):
            hurried.result(10)
        assert soon(lambda: running(duck) == 1)
        for other in others:
            assert other.result(120).total_records == 1
        assert duck.runtime.engines["shop"].store.epoch == 1
        assert settled(duck)


def info_within(client: flight.FlightClient, command: str, seconds: float) -> flight.FlightInfo:
    descriptor = flight.FlightDescriptor.for_command(command)
    return client.get_flight_info(descriptor, flight.FlightCallOptions(timeout=seconds))


def test_the_installation_bounds_the_time_of_every_statement(tmp_path):
    with (
        slow_shop(tmp_path, "{statement_timeout: 0.5}") as opened,
        FlightServer(opened.runtime) as server,
        flight.FlightClient(server.uri) as client,
    ):
        with pytest.raises(flight.FlightTimedOutError, match="TIMEOUT: the statement ran past"):
            info_of(client, SLOW)
        assert settled(opened)


def test_an_overload_refuses_exactly_the_surplus_and_hot_answers_go_on(tmp_path):
    limits = (
        "{concurrent_statements: 2, queued_statements: 3, queue_seconds: 600, threads: 1,"
        " statements_per_caller: 2, queued_per_caller: 3}"
    )
    with (
        slow_shop(tmp_path, limits) as opened,
        FlightServer(opened.runtime) as server,
        flight.FlightClient(server.uri) as client,
        ThreadPoolExecutor(9) as pool,
    ):
        for _ in range(2):
            hot = info_of(client, QUICK)
        next(iter(opened.runtime.engines.values())).attested()
        places = opened.runtime.statements.permits
        asked = [
            pool.submit(info_within, client, f"{SLOW} WHERE visit <> {number}", 20)
            for number in range(9)
        ]
        assert soon(lambda: sum(one.done() for one in asked) == 4)
        refused = [one for one in asked if one.done()]
        for one in refused:
            with pytest.raises(flight.FlightUnavailableError, match=r"OVERLOADED: .* Hint: ask"):
                one.result()
        assert (places.free, places.waiting, running(opened)) == (0, 3, 2)
        for _ in range(20):
            assert info_of(client, QUICK).app_metadata == hot.app_metadata
            assert client.do_get(flight.Ticket(QUICK)).read_all().num_rows == 3
        assert sum(one.done() for one in asked) == 4
        for listed in opened.runtime.statements.running():
            assert opened.runtime.statements.cancel(listed.query_id) is True
        for one in asked:
            with suppress(flight.FlightError):
                one.result(10)
        assert settled(opened)


def cancelled(client: flight.FlightClient, info: bytes) -> int:
    (body,) = act(client, "CancelFlightInfo", info)
    return sql.CancelFlightInfoResult.FromString(body).status


def as_request(info: flight.FlightInfo) -> bytes:
    read = sql.FlightInfo.FromString(info.serialize())
    return sql.CancelFlightInfoRequest(info=read).SerializeToString()


@pytest.mark.parametrize("command", [TOTALS, packed(sql.CommandStatementQuery(query=TOTALS))])
def test_cancel_flight_info_ends_what_runs_and_forgets_it(streamed, command):
    with FlightServer(streamed.runtime) as server, flight.FlightClient(server.uri) as client:
        info = info_of(client, command)
        reader = client.do_get(info.endpoints[0].ticket)
        reader.read_chunk()
        assert running(streamed) == 1
        status = cancelled(client, as_request(info))
        assert status == sql.CancelFlightInfoResult.CANCEL_STATUS_CANCELLED
        assert running(streamed) == 0
        with pytest.raises(flight.FlightCancelledError, match="CANCELLED"):
            # Not read_all, which takes the server's CANCELLED for a Ctrl-C.
            list(reader)
        assert settled(streamed)
        with pytest.raises(NOT_FOUND, match="TICKET"):
            client.do_get(info.endpoints[0].ticket)
        with pytest.raises(NOT_FOUND, match="TICKET"):
            cancelled(client, as_request(info))


def test_the_older_action_says_the_same_in_an_any(streamed):
    with FlightServer(streamed.runtime) as server, flight.FlightClient(server.uri) as client:
        info = info_of(client, TOTALS)
        message = sql.ActionCancelQueryRequest(info=info.serialize())
        (body,) = act(client, "CancelQuery", packed(message))
        result = unpacked(body, sql.ActionCancelQueryResult())
        assert result.result == sql.ActionCancelQueryResult.CANCEL_RESULT_CANCELLED
        with pytest.raises(NOT_FOUND, match="TICKET"):
            act(client, "CancelQuery", packed(message))


def test_what_is_shared_or_holds_nothing_is_not_cancellable(duck):
    refused = sql.CancelFlightInfoResult.CANCEL_STATUS_NOT_CANCELLABLE
    with FlightServer(duck.runtime) as server, flight.FlightClient(server.uri) as client:
        for _ in range(2):
            hot = info_of(client, QUICK)
        assert cancelled(client, as_request(hot)) == refused
        assert chunks_of(client, hot.endpoints[0].ticket)[1][0].data.num_rows == 3
        listing = info_of(client, packed(sql.CommandGetCatalogs()))
        assert cancelled(client, as_request(listing)) == refused


def test_an_answer_that_waits_to_be_read_is_let_go(duck):
    with FlightServer(duck.runtime) as server, flight.FlightClient(server.uri) as client:
        cold = info_of(client, "EXPLAIN " + QUICK)
        status = cancelled(client, as_request(cold))
        assert status == sql.CancelFlightInfoResult.CANCEL_STATUS_CANCELLED
        with pytest.raises(NOT_FOUND, match="TICKET"):
            client.do_get(cold.endpoints[0].ticket)


def test_an_endpoint_is_renewed(duck):
    with FlightServer(duck.runtime) as server, flight.FlightClient(server.uri) as client:
        info = info_of(client, "EXPLAIN " + QUICK)
        (endpoint,) = info.endpoints
        before = sql.FlightEndpoint.FromString(endpoint.serialize())
        assert 0 < before.expiration_time.ToSeconds() - time.time() <= 300
        request = sql.RenewFlightEndpointRequest(endpoint=before).SerializeToString()
        (body,) = act(client, "RenewFlightEndpoint", request)
        after = sql.FlightEndpoint.FromString(body)
        assert after.expiration_time.ToNanoseconds() > before.expiration_time.ToNanoseconds()
        assert (after.ticket, after.app_metadata) == (before.ticket, info.app_metadata)
        assert client.do_get(endpoint.ticket).read_all().num_rows > 0


def test_a_ticket_that_is_a_question_does_not_expire(duck):
    with FlightServer(duck.runtime) as server, flight.FlightClient(server.uri) as client:
        asked = sql.FlightEndpoint(ticket=sql.Ticket(ticket=QUICK.encode()))
        request = sql.RenewFlightEndpointRequest(endpoint=asked)
        (body,) = act(client, "RenewFlightEndpoint", request.SerializeToString())
        assert sql.FlightEndpoint.FromString(body) == asked


JUNK = {
    "empty": b"",
    "random": bytes(range(200, 256)),
    "truncated": b"\x0a\x05abc",
    "a text": b"SELECT 1",
    "endpoints of junk": sql.CancelFlightInfoRequest(
        info=sql.FlightInfo(endpoint=[sql.FlightEndpoint(ticket=sql.Ticket(ticket=b"\xff\xfe"))])
    ).SerializeToString(),
    "no such handle": sql.CancelFlightInfoRequest(
        info=sql.FlightInfo(
            endpoint=[
                sql.FlightEndpoint(
                    ticket=sql.Ticket(
                        ticket=packed(sql.TicketStatementQuery(statement_handle=b"x" * 16))
                    )
                )
            ]
        )
    ).SerializeToString(),
}


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("action", ["CancelFlightInfo", "CancelQuery", "RenewFlightEndpoint"])
def test_junk_in_an_action_is_refused_shortly(wire, action, kind):
    body = sql.Action(type=action, body=JUNK[kind]).SerializeToString()
    status, text = wire.call("DoAction", body)
    if kind == "no such handle" and action == "CancelFlightInfo":
        assert status == "NOT_FOUND"
    else:
        assert status in ("INVALID_ARGUMENT", "NOT_FOUND")
    for leak in ("Traceback", ".py", "/"):
        assert leak not in text
    assert len(text) < 2000


def test_no_thread_is_left_by_many_who_give_up(duck):
    with FlightServer(duck.runtime) as server, flight.FlightClient(server.uri) as client:
        before = threading.active_count()

        def give_up(number: int) -> None:
            with suppress(flight.FlightError):
                info_within(client, f"{SLOW} WHERE visit <> {number % 3}", 0.2)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(give_up, range(18)))
        assert settled(duck)
    assert soon(lambda: threading.active_count() <= before)
