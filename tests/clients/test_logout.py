"""A session that was closed is over: its token, its cookie and what it held, on both surfaces."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_flightsql
import adbc_driver_manager
import grpc
import httpx
import pyarrow as pa
import pytest
from flight_calls import packed, unpacked
from pyarrow import flight
from secured_shop import AUTH, PASSWORDS, TOKEN, TOTAL, make_shop, served

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.web.server import HttpServer, listen

EACH = "SELECT sale, amount AT sale"
REFUSED = (flight.FlightError, pa.ArrowException)
SIGNED = "auth: {users: users.yaml, tokens: tokens.yaml, signing_key: key.bin}"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of Flight and of HTTP."""
    with serving(make_shop(tmp_path_factory.mktemp("shop"), AUTH)) as addresses:
        yield addresses


@contextmanager
def serving(manifest: Path) -> Iterator[tuple[str, str]]:
    """Serve a shop over Flight and HTTP for as long as a block lasts."""
    with served(manifest) as (server, opened):
        taken = listen("127.0.0.1", 0)
        with HttpServer(opened.runtime, taken, "127.0.0.1", access=opened.access) as http:
            yield server.uri, http.url


class LoggedIn:
    """A client with the token of a Handshake, or with another one and a cookie."""

    def __init__(
        self, uri: str, token: str | None = None, user: str = "alice", cookie: str = ""
    ) -> None:
        self._client = flight.FlightClient(uri)
        if token is None:
            _, value = self._client.authenticate_basic_token(user, PASSWORDS[user])
        else:
            value = f"Bearer {token}".encode()
        self.header = value.decode()
        headers = [(b"authorization", value), (b"cookie", cookie.encode())]
        self.options = flight.FlightCallOptions(headers=headers[: 2 if cookie else 1])

    def act(self, kind: str, body: bytes) -> list[bytes]:
        results = self._client.do_action(flight.Action(kind, body), self.options)
        return [result.body.to_pybytes() for result in results]

    def close(self) -> None:
        (body,) = self.act("CloseSession", b"")
        result = sql.CloseSessionResult.FromString(body)
        assert result.status == sql.CloseSessionResult.STATUS_CLOSED

    def rows(self) -> int:
        return self._client.do_get(flight.Ticket(TOTAL), self.options).read_all().num_rows

    def pinned(self, source: str) -> flight.Ticket:
        descriptor = flight.FlightDescriptor.for_command(source)
        info = self._client.get_flight_info(descriptor, self.options)
        return info.endpoints[0].ticket

    def read(self, ticket: flight.Ticket) -> int:
        return self._client.do_get(ticket, self.options).read_all().num_rows

    def prepared(self) -> bytes:
        request = sql.ActionCreatePreparedStatementRequest(query=TOTAL)
        (body,) = self.act("CreatePreparedStatement", packed(request))
        made = unpacked(body, sql.ActionCreatePreparedStatementResult())
        return made.prepared_statement_handle

    def run(self, handle: bytes) -> int:
        command = packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
        return self.read(self.pinned(command))


def over_http(url: str, header: str) -> int:
    headers = {"authorization": header}
    body = {"source": TOTAL}
    return httpx.post(f"{url}/runtime/query", json=body, headers=headers).status_code


def test_the_token_of_a_closed_session_lets_nobody_in(both):
    leaving, other = LoggedIn(both[0]), LoggedIn(both[0])
    assert leaving.rows() == other.rows() == 2
    assert over_http(both[1], leaving.header) == 200
    leaving.close()
    for call in (leaving.rows, leaving.close, lambda: leaving.pinned(TOTAL), leaving.prepared):
        with pytest.raises(flight.FlightUnauthenticatedError, match="no longer good"):
            call()
    assert over_http(both[1], leaving.header) == 401
    # Another session of the same user, and one that begins now, are as they were.
    assert other.rows() == 2
    assert LoggedIn(both[0]).rows() == 2


def test_what_the_session_held_is_gone(both):
    leaving, other = LoggedIn(both[0]), LoggedIn(both[0])
    statement, kept = leaving.prepared(), other.prepared()
    # What a client asks with no_cache is nobody else's.
    request = "SELECT SUM(amount) AS total AT town"
    leaving.act(
        "SetSessionOptions",
        sql.SetSessionOptionsRequest(
            session_options={"no_cache": sql.SessionOptionValue(bool_value=True)}
        ).SerializeToString(),
    )
    result = leaving.pinned(request)
    # By the same user's other session they can be had, while there are any.
    assert (other.run(statement), other.read(result)) == (2, 2)
    result = leaving.pinned(request)
    leaving.close()
    with pytest.raises(REFUSED, match="there is no prepared statement of that name"):
        other.run(statement)
    with pytest.raises(REFUSED, match="there is no result of that name"):
        other.read(result)
    assert other.run(kept) == 2


def test_a_logout_over_http_ends_the_session_on_both_surfaces(both):
    leaving = LoggedIn(both[0])
    handle = leaving.prepared()
    headers = {"authorization": leaving.header}
    assert over_http(both[1], leaving.header) == 200
    answer = httpx.post(f"{both[1]}/runtime/logout", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ended": True})
    assert httpx.post(f"{both[1]}/runtime/logout", headers=headers).status_code == 401
    assert over_http(both[1], leaving.header) == 401
    with pytest.raises(flight.FlightUnauthenticatedError):
        leaving.rows()
    with pytest.raises(REFUSED, match="there is no prepared statement of that name"):
        LoggedIn(both[0]).run(handle)


def test_credentials_that_are_no_session_stay_good(both):
    lasting = LoggedIn(both[0], TOKEN)
    lasting.close()
    assert lasting.rows() == 2
    headers = {"authorization": f"Bearer {TOKEN}"}
    logout = f"{both[1]}/runtime/logout"
    assert httpx.post(logout, headers=headers).json() == {"ended": False}
    assert httpx.post(logout, auth=("alice", PASSWORDS["alice"])).json() == {"ended": False}
    assert over_http(both[1], f"Bearer {TOKEN}") == 200
    assert httpx.post(logout).status_code == 401


def test_a_closed_cookie_is_refused_and_what_it_held_is_gone(both):
    """Of a client whose credentials are no session: its cookie is."""
    options = sql.SetSessionOptionsRequest(
        session_options={"schema": sql.SessionOptionValue(string_value="shop")}
    )
    action = sql.Action(type="SetSessionOptions", body=options.SerializeToString())
    token = ("authorization", f"Bearer {TOKEN}")
    with grpc.insecure_channel(both[0].removeprefix("grpc://")) as channel:
        call = channel.unary_stream(
            "/arrow.flight.protocol.FlightService/DoAction",
            request_serializer=sql.Action.SerializeToString,
        )(action, metadata=[token])
        list(call)
        given = dict(call.initial_metadata())["set-cookie"].partition(";")[0]
    leaving = LoggedIn(both[0], TOKEN, cookie=given)
    statement, outside = leaving.prepared(), LoggedIn(both[0], TOKEN)
    assert (leaving.rows(), outside.run(statement)) == (2, 2)
    leaving.close()
    with pytest.raises(REFUSED, match="the session has ended"):
        leaving.rows()
    with pytest.raises(REFUSED, match="there is no prepared statement of that name"):
        outside.run(statement)
    assert outside.rows() == 2


def test_connections_of_one_database_are_sessions_of_their_own(both):
    """The ADBC driver makes a Handshake for each, and some of its releases close what they end."""
    keys = {"username": "alice", "password": PASSWORDS["alice"]}
    with adbc_driver_flightsql.connect(both[0], db_kwargs=keys) as database:
        first, second = (adbc_driver_manager.AdbcConnection(database) for _ in range(2))
        assert [rows_of(first), rows_of(second)] == [2, 2]
        first.close()
        assert rows_of(second) == 2
        second.close()


def rows_of(connection: adbc_driver_manager.AdbcConnection) -> int:
    with adbc_driver_manager.AdbcStatement(connection) as statement:
        statement.set_sql_query(TOTAL)
        stream, _ = statement.execute_query()
        return pa.RecordBatchReader.from_stream(stream).read_all().num_rows


def test_a_session_that_was_closed_stays_closed_over_a_restart(tmp_path: Path):
    (tmp_path / "key.bin").write_bytes(b"k" * 32)
    manifest = make_shop(tmp_path, SIGNED)
    with serving(manifest) as (uri, _):
        leaving, staying = LoggedIn(uri), LoggedIn(uri)
        leaving.close()
    with serving(manifest) as (_, url):
        assert over_http(url, staying.header) == 200
        assert over_http(url, leaving.header) == 401


def test_a_session_that_was_closed_at_a_server_beside_is_closed_here(tmp_path: Path):
    (tmp_path / "key.bin").write_bytes(b"k" * 32)
    manifest = make_shop(tmp_path, SIGNED)
    with serving(manifest) as (first, _), serving(manifest) as (_, url):
        leaving = LoggedIn(first)
        assert over_http(url, leaving.header) == 200
        leaving.close()
        until = time.monotonic() + 20
        while over_http(url, leaving.header) == 200 and time.monotonic() < until:
            time.sleep(0.1)
        assert over_http(url, leaving.header) == 401
