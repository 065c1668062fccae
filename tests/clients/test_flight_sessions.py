"""Sessions: what a client sets holds for its own calls, or the call is refused."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import adbc_driver_manager
import duckdb
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions, dbapi
from flight_calls import act, chunks_of, info_of, packed, unpacked
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.flight.server import FlightServer

TOTAL = "SELECT SUM(amount) AS total AT ()"
VALUE = sql.SessionOptionValue
NAME = sql.SetSessionOptionsResult.ERROR_VALUE_INVALID_NAME
WRONG = sql.SetSessionOptionsResult.ERROR_VALUE_INVALID_VALUE
COOKIES = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}

AC = """
version: 1
name: {name}
schemas:
  - name: sales
    table: {name}_sales
    grain: [sale]
    columns: {{sale: id, amount: amount}}
metric_families:
  - name: amount
    family_root: {{schema: sales, column: amount}}
    ip_reducers: [{{operator: SUM, a_block: []}}]
"""


def write_two(folder: Path, limits: str) -> Path:
    """Write two collections in which the same text means 10 and 20, and return the manifest."""
    with duckdb.connect(str(folder / "two.duckdb")) as connection:
        for name, amount in (("north", 10), ("south", 20)):
            connection.execute(f"CREATE TABLE {name}_sales AS SELECT 1::BIGINT id, {amount} amount")
            (folder / f"{name}.yaml").write_text(AC.format(name=name))
    (folder / "installation.yaml").write_text(
        f"id: two\ncollections: [north.yaml, south.yaml]\nlimits: {limits}\n"
        "backend: {type: duckdb, source: ./two.duckdb}\n"
    )
    return folder / "installation.yaml"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenInstallation]:
    manifest = write_two(tmp_path_factory.mktemp("two"), "{statement_timeout: 30}")
    with closing(open_installation(manifest)) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(two: OpenInstallation) -> Iterator[FlightServer]:
    with FlightServer(two.runtime) as running:
        yield running


class Jar(flight.ClientMiddlewareFactory):
    """A client's cookies: returns what it was given, and tells what it was."""

    def __init__(self, returns: bool = True) -> None:
        super().__init__()
        self.returns, self.cookie, self.given = returns, "", []

    def start_call(self, info):
        return JarMiddleware(self)


class JarMiddleware(flight.ClientMiddleware):
    def __init__(self, jar: Jar) -> None:
        super().__init__()
        self.jar = jar

    def sending_headers(self):
        return {"cookie": f"theme=dark; {self.jar.cookie}"} if self.jar.cookie else {}

    def received_headers(self, headers):
        for value in headers.get("set-cookie", []):
            self.jar.given.append(value)
            if self.jar.returns:
                self.jar.cookie = value.split(";")[0]


@pytest.fixture
def jar() -> Jar:
    return Jar()


@pytest.fixture
def client(server: FlightServer, jar: Jar) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(server.uri, middleware=[jar]) as connected:
        yield connected


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[tuple[OpenInstallation, flight.FlightClient]]:
    """A server that remembers nothing yet, and a client of it."""
    with (
        closing(open_installation(write_two(tmp_path, "{}"))) as opened,
        FlightServer(opened.runtime) as running,
        flight.FlightClient(running.uri, middleware=[Jar()]) as connected,
    ):
        yield opened, connected


def text(value: str) -> VALUE:
    return VALUE(string_value=value)


def set_options(client: flight.FlightClient, **options: VALUE) -> dict[str, int]:
    """Set options, and return the error of each that was not set."""
    body = sql.SetSessionOptionsRequest(session_options=options).SerializeToString()
    (result,) = act(client, "SetSessionOptions", body)
    errors = sql.SetSessionOptionsResult.FromString(result).errors
    return {name: error.value for name, error in errors.items()}


def get_options(client: flight.FlightClient) -> dict[str, object]:
    (body,) = act(client, "GetSessionOptions", b"")
    options = sql.GetSessionOptionsResult.FromString(body).session_options
    return {name: getattr(one, one.WhichOneof("option_value")) for name, one in options.items()}


def total(client: flight.FlightClient, command: str | bytes = TOTAL) -> int:
    (endpoint,) = info_of(client, command).endpoints
    return client.do_get(endpoint.ticket).read_all()["total"][0].as_py()


def test_a_query_without_a_session_has_to_name_its_collection(client, jar):
    with pytest.raises(pa.ArrowInvalid, match="AMBIGUOUS_METRIC"):
        total(client)
    assert get_options(client) == {
        "catalog": "two",
        "only_if_cached": False,
        "no_cache": False,
        "statement_timeout": 30.0,
    }
    # Asking and closing make no session.
    act(client, "CloseSession", b"")
    assert jar.given == []


def test_the_schema_holds_on_every_path(client, jar):
    assert set_options(client, catalog=text("two"), schema=text("NORTH")) == {}
    assert len(jar.given) == 1
    assert jar.given[0].endswith("; Path=/; HttpOnly")
    assert get_options(client)["schema"] == "north"
    statement = packed(sql.CommandStatementQuery(query=TOTAL))
    assert [total(client), total(client, statement)] == [10, 10]
    assert chunks_of(client, flight.Ticket(TOTAL))[1][0].data.to_pydict() == {"total": [10]}
    for command in (TOTAL, statement):
        descriptor = flight.FlightDescriptor.for_command(command)
        assert client.get_schema(descriptor).schema.names == ["total"]
    assert set_options(client, schema=text("south")) == {}
    assert [total(client), total(client, statement)] == [20, 20]
    # Erased: the text means two things again.
    assert set_options(client, schema=VALUE()) == {}
    with pytest.raises(pa.ArrowInvalid, match="AMBIGUOUS_METRIC"):
        total(client)


def prepare(client: flight.FlightClient) -> bytes:
    message = sql.ActionCreatePreparedStatementRequest(query=TOTAL)
    (body,) = act(client, "CreatePreparedStatement", packed(message))
    result = unpacked(body, sql.ActionCreatePreparedStatementResult())
    handle = result.prepared_statement_handle
    return packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))


def test_a_prepared_statement_stays_in_the_collection_it_was_prepared_in(client):
    set_options(client, schema=text("north"))
    prepared = prepare(client)
    set_options(client, schema=text("south"))
    assert [total(client, prepared), total(client, prepare(client))] == [10, 20]


def test_freshness_holds_on_every_path_until_it_is_erased(cold):
    _, client = cold
    set_options(client, schema=text("north"), only_if_cached=VALUE(bool_value=True))
    statement, prepared = packed(sql.CommandStatementQuery(query=TOTAL)), prepare(client)
    for command in (TOTAL, statement, prepared):
        with pytest.raises(pa.ArrowKeyError, match="NOT_CACHED"):
            info_of(client, command)
    with pytest.raises(pa.ArrowKeyError, match="NOT_CACHED"):
        client.do_get(flight.Ticket(TOTAL)).read_all()
    assert set_options(client, only_if_cached=VALUE(), no_cache=text("TRUE")) == {}
    for _ in range(2):
        for command in (statement, prepared):
            info = info_of(client, command)
            assert b'"served_from":"backend"' in info.app_metadata.replace(b": ", b":")
    assert set_options(client, no_cache=VALUE(bool_value=False)) == {}
    info_of(client, TOTAL)
    assert b'"engine_cache"' in info_of(client, TOTAL).app_metadata


def test_the_statement_timeout_holds(cold, monkeypatch):
    opened, client = cold
    set_options(client, schema=text("north"), statement_timeout=text("0.5"))
    assert get_options(client)["statement_timeout"] == 0.5
    seen = []
    bounded = type(opened.runtime.statements).bounded

    def noted(self, context):
        # A statement is typed for nobody: nothing of the data is read for it.
        if context is not SERVER_CALL:
            seen.append(context.options.statement_timeout)
        return bounded(self, context)

    monkeypatch.setattr(type(opened.runtime.statements), "bounded", noted)
    info_of(client, TOTAL)
    info_of(client, prepare(client))
    client.do_get(flight.Ticket(TOTAL)).read_all()
    set_options(client, statement_timeout=VALUE(), no_cache=VALUE(bool_value=True))
    info_of(client, TOTAL)
    assert seen[0] == 0.5
    assert seen[-1] is None
    assert {*seen[:-1]} == {0.5}


ERRORS = [
    ("colour", text("red"), NAME),
    ("Schema", text("north"), NAME),
    ("catalog", text("another"), WRONG),
    ("catalog", VALUE(int64_value=1), WRONG),
    ("schema", text("west"), WRONG),
    ("schema", text(""), WRONG),
    ("schema", VALUE(bool_value=True), WRONG),
    ("max_staleness", VALUE(double_value=-1), WRONG),
    ("max_staleness", VALUE(double_value=float("nan")), WRONG),
    ("max_staleness", text("soon"), WRONG),
    ("max_staleness", VALUE(bool_value=True), WRONG),
    ("only_if_cached", text("yes"), WRONG),
    ("no_cache", VALUE(int64_value=1), WRONG),
    ("statement_timeout", VALUE(int64_value=0), WRONG),
    ("statement_timeout", VALUE(int64_value=31), WRONG),
    ("statement_timeout", VALUE(string_list_value=VALUE.StringListValue(values=["1"])), WRONG),
]


@pytest.mark.parametrize(("name", "value", "error"), ERRORS)
def test_each_option_has_its_own_error_and_the_others_are_set(client, name, value, error):
    other = "max_staleness" if name != "max_staleness" else "statement_timeout"
    wanted = {name: value, other: VALUE(int64_value=7)}
    assert set_options(client, **wanted) == {name: error}
    assert get_options(client)[other] == 7.0


@pytest.mark.parametrize(("name", "value", "error"), ERRORS)
def test_what_sets_nothing_makes_no_session(client, jar, two, name, value, error):
    assert set_options(client, **{name: value}) == {name: error}
    assert jar.given == []


def test_options_that_exclude_each_other_are_exchanged_in_one_message(client):
    yes, no = VALUE(bool_value=True), VALUE(bool_value=False)
    for one, other in (("no_cache", "only_if_cached"), ("only_if_cached", "no_cache")):
        for off in (no, VALUE()):
            assert set_options(client, **{one: yes, other: off}) == {}
            assert set_options(client, **{other: yes}) == {other: WRONG}


def test_a_closed_session_is_closed_for_good_and_a_new_one_can_be_had(client, jar):
    set_options(client, schema=text("north"))
    for _ in range(2):
        (body,) = act(client, "CloseSession", b"")
        closed = sql.CloseSessionResult.FromString(body)
        assert closed.status == sql.CloseSessionResult.STATUS_CLOSED
    # The client goes on returning its cookie: an answer without its options would be another one.
    with pytest.raises(pa.ArrowKeyError, match="TICKET: the session has ended"):
        total(client)
    with pytest.raises(pa.ArrowKeyError, match="TICKET: the session has ended"):
        get_options(client)
    set_options(client, schema=text("south"))
    assert len(jar.given) == 2
    assert total(client) == 20


def test_a_client_that_returns_no_cookie_is_refused_rather_than_misunderstood(server, client):
    silent = Jar(returns=False)
    with flight.FlightClient(server.uri, middleware=[silent]) as mute:
        assert set_options(mute, schema=text("north")) == {}
        assert len(silent.given) == 1
        for call in (total, get_options, prepare):
            with pytest.raises(pa.ArrowInvalid, match="NOT_SUPPORTED: options were set"):
                call(mute)
        # Others are not concerned, and listings mean the same for everybody.
        set_options(client, schema=text("south"))
        assert total(client) == 20
        info_of(mute, packed(sql.CommandGetCatalogs()))
        act(mute, "CloseSession", b"")
        with pytest.raises(pa.ArrowInvalid, match="AMBIGUOUS_METRIC"):
            total(mute)


def test_sessions_are_bounded_in_number(tmp_path):
    limits = "{sessions: 2, sessions_per_caller: 2}"
    with (
        closing(open_installation(write_two(tmp_path, limits))) as opened,
        FlightServer(opened.runtime) as server,
        ExitStack() as stack,
    ):
        clients = [
            stack.enter_context(flight.FlightClient(server.uri, middleware=[Jar()]))
            for _ in range(3)
        ]
        for one in clients[:2]:
            set_options(one, schema=text("north"))
        with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: there are too many sessions"):
            set_options(clients[2], schema=text("south"))
        act(clients[0], "CloseSession", b"")
        set_options(clients[2], schema=text("south"))
        assert [total(clients[1]), total(clients[2])] == [10, 20]


@pytest.mark.parametrize(
    "cookie",
    [
        "flightframe_session=" + "0" * 32,
        "a=b; flightframe_session=" + "0" * 32 + "; c=d",
    ],
)
def test_a_forged_cookie_opens_nothing(client, jar, cookie):
    set_options(client, schema=text("north"))
    jar.cookie = cookie
    with pytest.raises(pa.ArrowKeyError, match="TICKET: the session has ended"):
        total(client)


@pytest.mark.parametrize("cookie", ["flightframe_session=", "flightframe_session=xyz", "é=1", ";;"])
def test_other_cookies_are_none_of_ours(server, cookie):
    jar = Jar()
    jar.cookie = cookie
    with (
        flight.FlightClient(server.uri, middleware=[jar]) as client,
        pytest.raises(pa.ArrowInvalid, match="AMBIGUOUS_METRIC"),
    ):
        total(client)


def test_a_server_that_reads_no_cookies_says_so(two):
    with (
        FlightServer(two.runtime, handshake=False) as server,
        flight.FlightClient(server.uri) as client,
        pytest.raises(pa.ArrowInvalid, match="NOT_SUPPORTED: options are kept for clients with a"),
    ):
        set_options(client, schema=text("north"))


def test_adbc_sets_options_with_its_cookies(server):
    options = {"adbc.flight.sql.session.option.schema": "south"}
    with dbapi.connect(server.uri, db_kwargs=COOKIES, autocommit=True) as connected:
        connected.adbc_connection.set_options(**options)
        assert connected.adbc_current_catalog == "two"
        assert connected.adbc_current_db_schema == "south"
        with connected.cursor() as cursor:
            cursor.execute(TOTAL)
            assert cursor.fetchall() == [(20,)]


def test_adbc_without_cookies_hears_why(server):
    options = {"adbc.flight.sql.session.option.schema": "south"}
    with dbapi.connect(server.uri, autocommit=True) as connected, connected.cursor() as cursor:
        connected.adbc_connection.set_options(**options)
        with pytest.raises(adbc_driver_manager.Error, match="with_cookie_middleware"):
            cursor.execute(TOTAL)


def test_adbc_hears_of_a_wrong_option(server):
    options = {"adbc.flight.sql.session.option.catalog": "another"}
    with (
        dbapi.connect(server.uri, db_kwargs=COOKIES, autocommit=True) as connected,
        pytest.raises(adbc_driver_manager.Error, match=r"(?i)invalid"),
    ):
        connected.adbc_connection.set_options(**options)


JUNK = [
    ("SetSessionOptions", bytes(range(200, 256))),
    ("SetSessionOptions", b"\x0a\x05abc"),
    ("SetSessionOptions", b"\x0a\x06\x0a\x02\xff\xfe\x12\x00"),
    ("GetSessionOptions", b"\x0a\x05abc"),
    ("CloseSession", b"\x0a\x05abc"),
]


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize(("action", "body"), JUNK)
def test_junk_in_an_action_is_refused_shortly(client, action, body):
    with pytest.raises(pa.ArrowInvalid, match="PARSE: the message is malformed") as refused:
        act(client, action, body)
    assert len(str(refused.value)) < 1000
