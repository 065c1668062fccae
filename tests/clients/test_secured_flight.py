"""Credentials over Arrow Flight, as the clients that people have send them."""

from __future__ import annotations

import base64
import concurrent.futures
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_manager
import polars as pl
import pyarrow as pa
import pytest
import structlog
from adbc_driver_flightsql import dbapi
from flight_calls import Wire, descriptor_of, packed, unpacked
from pyarrow import flight
from secured_shop import AUTH, PASSWORDS, ROWS, TOKEN, TOTAL, cheap_hash, make_shop, served
from slow_shop import soon

import flightframe
from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.access import passwords
from flightframe_server.flight.server import FlightServer

LAST = "SELECT * FROM system.last_queries"
BASIC = {name: base64.b64encode(f"{name}:{held}".encode()) for name, held in PASSWORDS.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlightServer]:
    with served(make_shop(tmp_path_factory.mktemp("shop"), AUTH)) as (running, _):
        yield running


@pytest.fixture
def client(server: FlightServer) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(server.uri) as connected:
        yield connected


@pytest.fixture
def raw(server: FlightServer) -> Iterator[Wire]:
    calls = Wire(server)
    yield calls
    calls.close()


def as_(value: str | bytes) -> flight.FlightCallOptions:
    """Return call options with a header `authorization`."""
    given = value if isinstance(value, bytes) else value.encode()
    return flight.FlightCallOptions(headers=[(b"authorization", given)])


def basic(user: str) -> flight.FlightCallOptions:
    return as_(b"Basic " + BASIC[user])


def rows(table: pa.Table) -> list[tuple[str, str]]:
    return [(row["town"], str(row["total"])) for row in table.to_pylist()]


def ask(client: flight.FlightClient, options: flight.FlightCallOptions) -> pa.Table:
    return client.do_get(flight.Ticket(TOTAL), options).read_all()


@pytest.mark.parametrize("user", PASSWORDS)
def test_pyarrow_exchanges_a_password_for_a_token(client, user):
    header = client.authenticate_basic_token(user, PASSWORDS[user])
    assert header[0] == b"authorization"
    assert header[1].startswith(b"Bearer ffs_")
    assert PASSWORDS[user].encode() not in header[1]
    assert rows(ask(client, flight.FlightCallOptions(headers=[header]))) == ROWS


def adbc_rows(server: FlightServer, credentials: dict[str, str]) -> list[tuple[str, str]]:
    with (
        dbapi.connect(server.uri, db_kwargs=credentials, autocommit=True) as connected,
        connected.cursor() as cursor,
    ):
        cursor.execute(TOTAL)
        return rows(cursor.fetch_arrow_table())


def test_adbc_by_password_token_and_header(server):
    header = "adbc.flight.sql.authorization_header"
    for credentials in (
        {"username": "bob", "password": PASSWORDS["bob"]},
        {header: f"Bearer {TOKEN}"},
        {header: f"Basic {BASIC['alice'].decode()}"},
    ):
        assert adbc_rows(server, credentials) == ROWS


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"username": "alice", "password": "wrong horse"},
        {"username": "nobody", "password": "correct horse"},
        {"adbc.flight.sql.authorization_header": f"Bearer {TOKEN}x"},
    ],
    ids=["none", "wrong", "unknown", "token"],
)
def test_adbc_is_told_that_it_is_not_let_in(server, credentials):
    with pytest.raises(adbc_driver_manager.Error) as caught:
        adbc_rows(server, credentials)
    assert caught.value.status_code == adbc_driver_manager.AdbcStatusCode.UNAUTHENTICATED
    assert "UNAUTHENTICATED: " in str(caught.value)


@pytest.mark.filterwarnings("ignore:Cannot disable autocommit")
def test_polars_by_connection_since_a_uri_carries_no_credentials(server):
    credentials = {"username": "alice", "password": PASSWORDS["alice"]}
    with dbapi.connect(server.uri, db_kwargs=credentials, autocommit=True) as connected:
        assert rows(pl.read_database(TOTAL, connected).to_arrow()) == ROWS
    uri = f"flightsql://alice:correct%20horse@127.0.0.1:{server.port}?transport=tcp"
    with pytest.raises(adbc_driver_manager.Error, match="UNAUTHENTICATED: this server asks"):
        pl.read_database_uri(TOTAL, uri, engine="adbc")


def test_our_client_by_password_and_by_token(server):
    for credentials in (
        {"username": "alice", "password": PASSWORDS["alice"]},
        {"token": TOKEN},
    ):
        with flightframe.connect(server.uri, **credentials) as connection:
            assert rows(connection.query(TOTAL).to_arrow()) == ROWS
            assert connection.describe().installation_id == "corner-shop"


def test_our_client_tells_what_is_wrong(server):
    with pytest.raises(flightframe.AuthenticationFailed) as caught:
        flightframe.connect(server.uri, username="alice", password="guess")
    assert caught.value.code == "UNAUTHENTICATED"
    assert caught.value.message == "the user name or the password is wrong"
    with flightframe.connect(server.uri) as connection:
        with pytest.raises(flightframe.AuthenticationFailed, match="asks for credentials"):
            connection.query(TOTAL)
        with pytest.raises(flightframe.AuthenticationFailed, match="asks for credentials"):
            connection.describe()


@pytest.mark.parametrize("padding", ["", "="])
def test_a_raw_handshake_with_and_without_padding(raw, padding):
    encoded = base64.b64encode(b"alice:correct horse").decode().rstrip("=") + padding
    answered = raw.handshake(("authorization", f"Basic {encoded}"))
    assert answered["authorization"].startswith("Bearer ffs_")


def test_a_handshake_with_a_token_is_answered_with_it(raw):
    given = f"Bearer {TOKEN}"
    assert raw.handshake(("authorization", given))["authorization"] == given
    session = raw.handshake(("authorization", f"Basic {BASIC['alice'].decode()}"))["authorization"]
    # The same one again: asking again and again must not make a session last for ever.
    assert raw.handshake(("authorization", session))["authorization"] == session


def test_a_password_with_every_call_is_checked_once(client, monkeypatch):
    checked: list[str] = []
    real = passwords.verify

    def counted(stored: str, password: str) -> bool:
        checked.append(stored)
        return real(stored, password)

    monkeypatch.setattr(passwords, "verify", counted)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: rows(ask(client, basic("carol"))), range(40)))
    assert found == [ROWS] * 40
    assert len(checked) <= 1


MALFORMED = {
    "empty": "",
    "blank": " ",
    "scheme alone": "Basic",
    "scheme and blank": "Bearer ",
    "no base64": "Basic !!!!",
    "urlsafe base64": "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ-_",
    "no colon": "Basic " + base64.b64encode(b"alice").decode(),
    "no utf-8": "Basic " + base64.b64encode(b"alice:\xff\xfe").decode(),
    "nul in the name": "Basic " + base64.b64encode(b"alice\x00:correct horse").decode(),
    "no name": "Basic " + base64.b64encode(b":correct horse").decode(),
    "wrong": "Basic " + base64.b64encode(b"alice:correct horse ").decode(),
    "other case": "Basic " + base64.b64encode(b"Alice:correct horse").decode(),
    "unknown scheme": "Negotiate abc",
    "long basic": "Basic " + base64.b64encode(b"a:" + b"x" * 5000).decode(),
    "long bearer": "Bearer " + "x" * 7000,
    "two in one": f"Bearer {TOKEN}, Bearer {TOKEN}",
    "everybody's": "Bearer anonymous",
    "a hash for a token": "Bearer " + "0" * 64,
    "an empty session": "Bearer ffs_",
    "a short session": "Bearer ffs_AAAA",
    "a session of zeros": "Bearer ffs_" + "A" * 120,
}
RPCS = {
    "GetFlightInfo": descriptor_of(TOTAL.encode()),
    "GetSchema": descriptor_of(TOTAL.encode()),
    "DoGet": sql.Ticket(ticket=TOTAL.encode()),
    "DoAction": sql.Action(type="CloseSession"),
    "ListActions": sql.Ticket(),
    "ListFlights": sql.Ticket(),
    "PollFlightInfo": descriptor_of(TOTAL.encode()),
    "DoPut": sql.Ticket(),
    "DoExchange": sql.Ticket(),
    "Handshake": sql.Ticket(),
}


def refused(raw: Wire, rpc: str, *headers: tuple[str, str]) -> str:
    """Return the text of a refusal, after a look at what it must not hold."""
    status, text = raw.call(rpc, RPCS[rpc].SerializeToString(), headers)
    assert status == "UNAUTHENTICATED", (status, text)
    for leak in ("Traceback", ".py", "/", "alice", "argon2", TOKEN, "correct"):
        assert leak not in text
    assert len(text) < 500
    return text


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_bad_header_is_refused_and_not_repeated(raw, kind):
    for rpc in ("DoGet", "Handshake"):
        refused(raw, rpc, ("authorization", MALFORMED[kind]))


@pytest.mark.usefixtures("one_line_errors")
def test_a_huge_header_is_refused(raw):
    # From 8 KiB on gRPC refuses some, from 16 KiB on all of them, before anybody looks.
    for size, statuses in ((9_000, {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}), (100_000, None)):
        header = ("authorization", "Bearer " + "x" * size)
        status, text = raw.call("DoGet", RPCS["DoGet"].SerializeToString(), (header,))
        assert status in (statuses or {"RESOURCE_EXHAUSTED"})
        assert "xxxx" not in text


@pytest.mark.usefixtures("one_line_errors")
def test_two_headers_are_refused(raw):
    right = ("authorization", f"Bearer {TOKEN}")
    assert raw.call("DoGet", RPCS["DoGet"].SerializeToString(), (right,))[0] == "OK"
    refused(raw, "DoGet", right, right)
    refused(raw, "DoGet", ("authorization", "Bearer wrong"), right)


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("rpc", RPCS)
def test_no_call_is_answered_without_credentials(raw, rpc):
    assert "asks for credentials" in refused(raw, rpc)
    refused(raw, rpc, ("x-user", "alice"), ("x-forwarded-user", "alice"), ("cookie", TOKEN))


@pytest.mark.usefixtures("one_line_errors")
def test_an_unknown_name_and_a_wrong_password_are_told_alike(raw):
    told = {
        refused(raw, "Handshake", ("authorization", "Basic " + base64.b64encode(pair).decode()))
        for pair in (b"alice:guess", b"nobody:guess", b"nobody:correct horse")
    }
    assert len(told) == 1


def test_a_session_that_was_tampered_with_is_forged(client):
    token = client.authenticate_basic_token("alice", PASSWORDS["alice"])[1].decode()
    assert rows(ask(client, as_(token))) == ROWS
    head = len("Bearer ffs_")
    signed = bytearray(base64.urlsafe_b64decode(token[head:] + "=" * (-len(token[head:]) % 4)))
    for at in range(0, len(signed), 5):
        spoilt = bytearray(signed)
        spoilt[at] ^= 1
        forged = base64.urlsafe_b64encode(spoilt).decode().rstrip("=")
        with pytest.raises(flight.FlightUnauthenticatedError, match="unknown or no longer good"):
            ask(client, as_(f"Bearer ffs_{forged}"))


def unknown_text(call) -> str:
    with pytest.raises(pa.ArrowKeyError) as caught:
        call()
    return str(caught.value)


def info_of(client, command: bytes, options) -> flight.FlightInfo:
    return client.get_flight_info(flight.FlightDescriptor.for_command(command), options)


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize(
    "command",
    [TOTAL.encode(), packed(sql.CommandStatementQuery(query=TOTAL))],
    ids=["text", "flight-sql"],
)
def test_another_users_ticket_is_as_unknown_as_a_forged_one(client, command):
    ticket = info_of(client, command, basic("alice")).endpoints[0].ticket
    # By its owner, from another connection and by other credentials.
    session = flight.FlightCallOptions(
        headers=[client.authenticate_basic_token("alice", PASSWORDS["alice"])]
    )
    assert rows(client.do_get(ticket, session).read_all()) == ROWS
    forged = bytearray(ticket.ticket)
    forged[-1] ^= 1
    texts = {
        unknown_text(lambda: client.do_get(ticket, basic("bob")).read_all()),
        unknown_text(lambda: client.do_get(ticket, as_(f"Bearer {TOKEN}")).read_all()),
        unknown_text(
            lambda: client.do_get(flight.Ticket(bytes(forged)), basic("alice")).read_all()
        ),
    }
    assert len(texts) == 1
    # What somebody else tried has not spent it.
    assert rows(client.do_get(ticket, basic("alice")).read_all()) == ROWS
    # The same question of another user has a ticket of its own, also where the answer is shared.
    assert info_of(client, command, basic("bob")).endpoints[0].ticket != ticket


def test_a_hot_answer_keeps_one_name_for_each_user(client):
    def ticket(user: str) -> flight.Ticket:
        return info_of(client, TOTAL.encode(), basic(user)).endpoints[0].ticket

    for _ in range(3):
        ticket("alice")
    first = {user: ticket(user) for user in ("alice", "bob")}
    assert {user: ticket(user) for user in ("alice", "bob")} == first
    assert first["alice"] != first["bob"]


@pytest.mark.usefixtures("one_line_errors")
def test_another_users_prepared_statement_is_unknown(client):
    request = packed(sql.ActionCreatePreparedStatementRequest(query=TOTAL))
    action = flight.Action("CreatePreparedStatement", request)
    (body,) = client.do_action(action, basic("alice"))
    made = unpacked(body.body.to_pybytes(), sql.ActionCreatePreparedStatementResult())
    handle = made.prepared_statement_handle
    command = packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    none = packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=b"x" * 16))
    texts = {
        unknown_text(lambda: info_of(client, command, basic("bob"))),
        unknown_text(lambda: info_of(client, none, basic("alice"))),
        unknown_text(
            lambda: client.get_schema(flight.FlightDescriptor.for_command(command), basic("bob"))
        ),
    }
    assert len(texts) == 1
    closing = flight.Action(
        "ClosePreparedStatement",
        packed(sql.ActionClosePreparedStatementRequest(prepared_statement_handle=handle)),
    )
    # Closing what is not there is fine, and closes nothing of anybody's.
    assert list(client.do_action(closing, basic("bob"))) == []
    ticket = info_of(client, command, basic("alice")).endpoints[0].ticket
    assert rows(client.do_get(ticket, basic("alice")).read_all()) == ROWS
    assert list(client.do_action(closing, basic("alice"))) == []
    unknown_text(lambda: info_of(client, command, basic("alice")))


def test_the_last_queries_are_ones_own(client):
    texts = {user: f"{TOTAL} WHERE town <> '{user}'" for user in ("alice", "bob")}
    for user, text in texts.items():
        client.do_get(flight.Ticket(text), basic(user)).read_all()
    for user, text in texts.items():
        table = client.do_get(flight.Ticket(LAST), basic(user)).read_all()
        sources = table["source"].to_pylist()
        assert sources[0] == text
        assert not set(sources) & (set(texts.values()) - {text})


@pytest.mark.usefixtures("one_line_errors")
def test_two_hundred_wrong_passwords(tmp_path: Path):
    with (
        served(make_shop(tmp_path, AUTH)) as (server, _),
        flight.FlightClient(server.uri) as client,
        structlog.testing.capture_logs() as logged,
    ):
        session = as_(client.authenticate_basic_token("alice", PASSWORDS["alice"])[1])
        told: list[str] = []
        for number in range(200):
            guess = base64.b64encode(f"alice:guess {number}".encode())
            with pytest.raises(flight.FlightUnauthenticatedError) as caught:
                ask(client, as_(b"Basic " + guess))
            told.append(str(caught.value).partition(":")[0])
        # Ten at once, and one more every five seconds: most were not even looked at.
        assert told[:10] == ["UNAUTHENTICATED"] * 10
        assert told.count("TOO_MANY_ATTEMPTS") > 150
        # Who was let in before, by whatever means, does not notice; nor does anybody else.
        assert rows(ask(client, session)) == ROWS
        assert rows(ask(client, basic("alice"))) == ROWS
        assert rows(ask(client, basic("bob"))) == ROWS
        assert "guess" not in str(logged)
        assert {entry["user"] for entry in logged if entry["event"] == "access.refused"} == {
            "alice"
        }


def test_a_removed_user_and_a_changed_password_end_sessions(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("flightframe_server.access.file_watch.CHECK_SECONDS", 0.0)
    with (
        served(make_shop(tmp_path, AUTH)) as (server, _),
        flight.FlightClient(server.uri) as client,
    ):
        sessions = {
            user: as_(client.authenticate_basic_token(user, PASSWORDS[user])[1])
            for user in ("alice", "bob", "carol")
        }
        held = (tmp_path / "users.yaml").read_text().splitlines(keepends=True)
        bob = f"  bob: {cheap_hash('another one')}\n"
        (tmp_path / "users.yaml").write_text("".join([held[0], bob, held[3]]))
        for user in ("alice", "bob"):
            for options in (sessions[user], basic(user)):
                with pytest.raises(flight.FlightUnauthenticatedError):
                    ask(client, options)
        assert rows(ask(client, sessions["carol"])) == ROWS
        again = base64.b64encode(b"bob:another one")
        assert rows(ask(client, as_(b"Basic " + again))) == ROWS


def emptied(file: Path) -> None:
    file.write_text("")


def let_in(client, caller):
    """Whether a caller is answered; a file that is back is seen with one of the next looks."""
    try:
        return rows(ask(client, caller)) == ROWS
    except flight.FlightUnauthenticatedError:
        return False


@pytest.mark.parametrize("take_away", [Path.unlink, emptied])
def test_files_of_users_and_tokens_that_are_taken_away_leave_nobody(
    tmp_path: Path, monkeypatch, take_away
):
    monkeypatch.setattr("flightframe_server.access.file_watch.CHECK_SECONDS", 0.0)
    with (
        served(make_shop(tmp_path, AUTH)) as (server, _),
        flight.FlightClient(server.uri) as client,
    ):
        session = as_(client.authenticate_basic_token("alice", PASSWORDS["alice"])[1])
        known = {"users.yaml": [session, basic("alice")], "tokens.yaml": [as_(f"Bearer {TOKEN}")]}
        for name, callers in known.items():
            file = tmp_path / name
            before = file.read_text()
            for options in callers:
                assert rows(ask(client, options)) == ROWS
            take_away(file)
            for options in callers:
                with pytest.raises(flight.FlightUnauthenticatedError):
                    ask(client, options)
            file.write_text(before)
            assert soon(lambda caller=callers[-1]: let_in(client, caller))


def test_whom_nobody_knows_may_be_let_in(tmp_path: Path):
    auth = "auth: {users: users.yaml, anonymous: true}"
    with (
        served(make_shop(tmp_path, auth)) as (server, _),
        flight.FlightClient(server.uri) as client,
    ):
        assert rows(client.do_get(flight.Ticket(TOTAL)).read_all()) == ROWS
        with flightframe.connect(server.uri, username="alice", password="correct horse") as known:
            assert rows(known.query(TOTAL).to_arrow()) == ROWS
        with pytest.raises(flight.FlightUnauthenticatedError):
            ask(client, as_("Bearer wrong"))
        ticket = info_of(client, TOTAL.encode(), basic("alice")).endpoints[0].ticket
        with pytest.raises(pa.ArrowKeyError):
            client.do_get(ticket).read_all()
