"""The limits of an installation, on every surface: one text, one refusal."""

import http.client
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pyarrow as pa
import pytest
from flight_calls import act, info_of, packed
from pyarrow import flight
from slow_shop import QUICK, SLOW, running, settled, slow_shop, soon

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.app import open_installation
from flightframe_server.backends.duckdb.reading import Reading
from flightframe_server.errors import SetupError
from flightframe_server.flight.server import FlightServer
from flightframe_server.web.server import HttpServer, listen

DEEP = "SELECT kind, SUM(quick)" + " + 1" * 20 + " AS t AT kind"
EVERYTHING = "SELECT visit, quick AT visit"
NAMES = "SELECT table_name FROM information_schema.tables"


class Surfaces:
    """Every way to ask, each of which returns what it was refused with."""

    def __init__(self, flights: FlightServer, web: HttpServer) -> None:
        self.client = flight.FlightClient(flights.uri)
        self.http = httpx.Client(base_url=web.url, timeout=60)

    def ways(self) -> dict[str, Callable[[str], str]]:
        return {
            "a command": lambda text: self._told(info_of, text),
            "a statement": lambda text: self._told(
                info_of, packed(sql.CommandStatementQuery(query=text))
            ),
            "a ticket": lambda text: self._told(self._read, text),
            "a prepared statement": lambda text: self._told(
                act,
                "CreatePreparedStatement",
                packed(sql.ActionCreatePreparedStatementRequest(query=text)),
            ),
            "HTTP": self._over_http,
        }

    def _told(self, call: Callable[..., object], *args: object) -> str:
        try:
            call(self.client, *args)
        except pa.ArrowException as error:
            return str(error)
        return ""

    @staticmethod
    def _read(client: flight.FlightClient, text: str) -> None:
        list(client.do_get(flight.Ticket(text)))

    def _over_http(self, text: str) -> str:
        error = self.http.post("/runtime/query", json={"source": text}).json().get("error")
        return "" if error is None else f"{error['code']}: {error['message']}"

    def close(self) -> None:
        self.client.close()
        self.http.close()


@pytest.fixture
def surfaces(tmp_path):
    """Open the shop with some limits, and return every way to ask it."""
    undo = []

    def make(limits: str, **how: object) -> Surfaces:
        shop = slow_shop(tmp_path, limits, **how)
        opened = shop.__enter__()
        undo.append(lambda: shop.__exit__(None, None, None))
        flights = FlightServer(opened.runtime)
        undo.append(flights.shutdown)
        web = HttpServer(opened.runtime, listen("127.0.0.1", 0), "127.0.0.1")
        web.start()
        undo.append(lambda: web.stop(5))
        made = Surfaces(flights, web)
        made.opened = opened
        undo.append(made.close)
        return made

    yield make
    for step in reversed(undo):
        step()


@pytest.mark.parametrize(
    ("limits", "fits", "passes", "message"),
    [
        (f"{{query_bytes: {len(QUICK)}}}", QUICK, QUICK + " ", "a query has at most 40 bytes"),
        ("{parse_depth: 22}", DEEP, DEEP.replace(" AS", " + 1 AS"), "more than 22 levels deep"),
    ],
)
def test_texts_are_bounded_on_every_surface(surfaces, limits, fits, passes, message):
    for way in surfaces(limits).ways().values():
        assert way(fits) == ""
        assert "LIMIT_EXCEEDED" in (told := way(passes))
        assert message in told


def test_texts_of_the_catalogue_are_bounded_as_well(surfaces):
    asked = surfaces(f"{{query_bytes: {len(NAMES)}}}")
    ways = asked.ways()
    for name in ("a command", "a statement", "a prepared statement"):
        assert ways[name](NAMES) == ""
        assert "a query has at most 48 bytes" in ways[name](NAMES + " ")
    fits, passes = (
        asked.http.post("/runtime/query", json={"sql": text}) for text in (NAMES, NAMES + " ")
    )
    assert fits.status_code == 200
    assert passes.json()["error"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("stream_rows", [100, 10_000_000])
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("{result_rows: 299999}", "an answer has at most 299,999 rows"),
        ("{result_bytes: 4799999}", "an answer has at most 4,799,999 bytes"),
    ],
)
def test_results_are_bounded_on_every_surface(surfaces, stream_rows, limits, message):
    # 300,000 rows of two integers of 8 bytes are 4,800,000 bytes.
    asked = surfaces(limits, stream_rows=stream_rows)
    fits = EVERYTHING + " WHERE visit < 200000"
    passes = EVERYTHING + " WHERE visit < 300000"
    for name in ("a ticket", "HTTP"):
        way = asked.ways()[name]
        assert way(fits) == ""
        assert f"LIMIT_EXCEEDED: {message}" in way(passes)
    assert settled(asked.opened)


def test_a_stream_ends_with_the_error_after_the_rows_that_fit(surfaces):
    asked = surfaces("{result_rows: 150000}", stream_rows=100)
    (endpoint,) = info_of(asked.client, EVERYTHING).endpoints
    reader, rows = asked.client.do_get(endpoint.ticket), 0

    def read() -> None:
        nonlocal rows
        for chunk in reader:
            rows += chunk.data.num_rows

    with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: an answer has at most 150,000"):
        read()
    assert 0 < rows <= 150_000
    assert settled(asked.opened)


def test_one_statement_brings_no_more_than_it_may(surfaces):
    asked = surfaces("{statement_bytes: 1000000}", stream_rows=10_000_000)
    assert "a statement brings at most 1,000,000 bytes" in asked.ways()["a ticket"](EVERYTHING)
    # What is streamed is not brought in as a whole.
    assert asked.ways()["a ticket"](QUICK) == ""


def test_requests_are_bounded_on_every_surface(surfaces):
    asked = surfaces("{request_bytes: 200}")
    text = QUICK + " " * 300
    for way in asked.ways().values():
        assert way(QUICK) == ""
        assert "LIMIT_EXCEEDED: a request has at most 200 bytes" in way(text)


def test_replies_of_json_are_bounded(surfaces):
    asked = surfaces("{json_rows: 100, json_bytes: 100000}")
    assert "a JSON reply has at most 100 rows" in asked.ways()["HTTP"](EVERYTHING)
    assert asked.ways()["HTTP"](QUICK) == ""


def test_handles_are_bounded_by_the_manifest(surfaces):
    asked = surfaces("{handles: 2}")
    tickets = [
        info_of(asked.client, f"EXPLAIN {QUICK}{' ' * number}").endpoints[0].ticket
        for number in range(3)
    ]
    assert asked.client.do_get(tickets[2]).read_all().num_rows > 0
    with pytest.raises(pa.ArrowKeyError, match="TICKET"):
        asked.client.do_get(tickets[0])


def test_fifty_slow_requests_over_http_leave_threads_for_a_hot_one(surfaces):
    asked = surfaces("{concurrent_statements: 1, queued_statements: 100, threads: 1}")
    assert asked.ways()["HTTP"](QUICK) == ""
    address = urlsplit(str(asked.http.base_url))
    slow = [ask_slowly(address.port, number) for number in range(50)]
    statements = asked.opened.runtime.statements
    assert soon(lambda: statements.permits.waiting == 49)
    for _ in range(3):
        assert asked.ways()["HTTP"](QUICK) == ""
    assert statements.permits.waiting == 49
    # Who hangs up is waited for no more, whether its statement runs or stands in the line.
    for one in slow:
        one.close()
    assert settled(asked.opened)


def ask_slowly(port: int, number: int) -> socket.socket:
    """Send a query that takes minutes and return the connection."""
    body = json.dumps({"source": f"{SLOW} WHERE visit <> {number}"}).encode()
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /runtime/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        + f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return connection


def test_hanging_up_ends_the_statement_and_the_reading_of_a_stream(surfaces):
    asked = surfaces("{}", stream_rows=100)
    port = urlsplit(str(asked.http.base_url)).port
    for source in (SLOW, "SELECT visit, SUM(slow) AS total AT visit"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        body = json.dumps({"source": source})
        connection.request("POST", "/runtime/query", body, {"content-type": "application/json"})
        assert soon(lambda: running(asked.opened) == 1)
        connection.close()
        assert settled(asked.opened)
    assert asked.ways()["HTTP"](QUICK) == ""


def test_a_timeout_and_an_overload_have_their_status_over_http(surfaces):
    asked = surfaces("{concurrent_statements: 1, queued_statements: 0, statement_timeout: 2}")
    # What the table promises is read before, and takes no place from what is counted here.
    assert asked.ways()["HTTP"](QUICK) == ""
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(asked.http.post, "/runtime/query", json={"source": SLOW})
        assert soon(lambda: running(asked.opened) == 1)
        other = asked.http.post("/runtime/query", json={"source": SLOW + " WHERE visit <> 1"})
        assert (other.status_code, other.json()["error"]["code"]) == (503, "OVERLOADED")
        late = slow.result(20)
    assert (late.status_code, late.json()["error"]["code"]) == (504, "TIMEOUT")
    assert settled(asked.opened)


@pytest.mark.parametrize("kind", ["sqlite", "polars"])
def test_a_bound_that_only_duckdb_keeps_is_refused_elsewhere(tmp_path, kind):
    with (
        pytest.raises(SetupError, match=f"the {kind} back-end cannot keep limits.memory_bytes"),
        slow_shop(tmp_path, "{memory_bytes: 1000000000}", kind=kind),
    ):
        pass


def test_duckdb_is_locked_and_bounded(tmp_path):
    limits = "{memory_bytes: 268435456, spill_bytes: 1048576, threads: 1}"
    with slow_shop(tmp_path, limits) as opened:
        settings = (
            "memory_limit",
            "max_temp_directory_size",
            "threads",
            "enable_external_access",
            "lock_configuration",
            "autoinstall_known_extensions",
            "autoload_known_extensions",
            "allow_community_extensions",
            "allow_persistent_secrets",
            "python_enable_replacements",
        )
        asked = ", ".join(f"current_setting('{name}')" for name in settings)
        (found,) = Reading(opened.backend._source, ()).rows(f"SELECT {asked}")
        assert found == ("256.0 MiB", "1.0 MiB", 1, False, True, *[False] * 5)


def test_an_option_cannot_unlock_duckdb(tmp_path):
    with slow_shop(tmp_path):
        pass
    manifest = tmp_path / "installation.yaml"
    more = "source: ./shop.duckdb, options: {Enable_External_Access: true}"
    manifest.write_text(manifest.read_text().replace("source: ./shop.duckdb", more))
    with pytest.raises(SetupError, match="the option enable_external_access is locked"):
        open_installation(manifest)


def test_what_does_not_fit_into_the_memory_of_the_database_is_refused(tmp_path):
    limits = "{memory_bytes: 16777216, spill_bytes: 0, threads: 1}"
    with (
        slow_shop(tmp_path, limits, stream_rows=10_000_000) as opened,
        FlightServer(opened.runtime) as server,
        flight.FlightClient(server.uri) as client,
        pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: the statement needs more memory"),
    ):
        info_of(client, "SELECT visit, MEDIAN(quick) AS middle AT visit")
