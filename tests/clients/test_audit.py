"""The audit: one event for each call, of who asked what and what became of it, and no secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from pyarrow import flight
from secured_shop import AUTH, PASSWORDS, TOKEN, TOTAL, make_shop
from structlog.testing import capture_logs

import flightframe
from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer
from flightframe_server.web.server import HttpServer, listen

NORTH = "SELECT SUM(amount) AS total AT () WHERE town = 'North' -- of March"
NORTH_PLAIN = "SELECT SUM(amount) AS total AT () WHERE town = ?"
BOUND = "SELECT SUM(amount) AS total AT () WHERE town = ?"
REFUSED = (flight.FlightError, pa.ArrowException)
EACH = "SELECT sale, amount AT sale"


@dataclass(frozen=True)
class Shop:
    """A shop with an audit: where it answers, and what was written."""

    flight: str
    http: str
    events: list[dict[str, Any]]

    def audit(self, count: int, **wanted: object) -> list[dict[str, Any]]:
        """Return the lines that are so, once there are that many."""
        until = time.monotonic() + 20
        while True:
            found = [
                event
                for event in list(self.events)
                if event["event"] == "audit" and wanted.items() <= event.items()
            ]
            if len(found) >= count or time.monotonic() > until:
                assert len(found) == count, (wanted, self.events)
                return found
            time.sleep(0.02)


@contextmanager
def shop(folder: Path, audit: str, *, stream_rows: int = 1_000_000) -> Iterator[Shop]:
    manifest = make_shop(folder, AUTH)
    manifest.write_text(f"{manifest.read_text()}audit: {audit}\n")
    with ExitStack() as stack:
        opened = stack.enter_context(closing(open_installation(manifest, stream_rows=stream_rows)))
        events = stack.enter_context(capture_logs())
        server = stack.enter_context(FlightServer(opened.runtime, access=opened.access))
        web = HttpServer(opened.runtime, listen("127.0.0.1", 0), "127.0.0.1", access=opened.access)
        stack.enter_context(web)
        yield Shop(server.uri, web.url, events)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, "{mode: full}") as served:
        yield served


def with_token(token: str = TOKEN) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])


def test_a_query_in_one_call(full: Shop):
    with flight.FlightClient(full.flight) as client:
        table = client.do_get(flight.Ticket(NORTH), with_token()).read_all()
    assert table.num_rows == 1
    (line,) = full.audit(1)
    assert line.pop("milliseconds") > 0
    assert len(line.pop("query_hash")) == 16
    assert len(line.pop("query_id")) == 32
    assert line == {
        "event": "audit",
        "log_level": "info",
        "surface": "flight",
        "kind": "DoGet",
        "what": "query",
        "user": "grafana",
        "peer": "127.0.0.1",
        "collection": None,
        "query": NORTH_PLAIN,
        "label": "engine_backend",
        "rows": 1,
        "code": None,
        "request_id": None,
    }


def test_the_calls_of_a_driver_belong_together_and_tell_no_value(full: Shop):
    keys = {"username": "alice", "password": PASSWORDS["alice"]}
    with (
        dbapi.connect(full.flight, db_kwargs=keys, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(TOTAL)
        assert len(cursor.fetchall()) == 2
        cursor.execute(BOUND, ("North",))
        assert len(cursor.fetchall()) == 1
    full.audit(1, kind="Handshake", user="alice", code=None)
    # Beside what the driver asks of the server on its own account.
    prepared = {"kind": "GetFlightInfo", "what": "CommandPreparedStatementQuery"}
    first, second = full.audit(2, **prepared, user="alice", code=None)
    reads = full.audit(2, kind="DoGet", user="alice", what="TicketStatementQuery", code=None)
    assert [one["query_id"] for one in reads] == [first["query_id"], second["query_id"]]
    assert [one["rows"] for one in reads] == [2, 1]
    _, made = full.audit(2, what="CreatePreparedStatement", user="alice")
    (bound,) = full.audit(1, kind="DoPut", user="alice")
    assert (bound["rows"], bound["query"]) == (1, BOUND)
    assert made["query_hash"] == bound["query_hash"] == second["query_hash"]
    written = str(full.events)
    assert "North" not in written
    assert PASSWORDS["alice"] not in written


def test_the_same_question_of_other_values_has_the_same_hash(full: Shop):
    with flight.FlightClient(full.flight) as client:
        for town in ("North", "South"):
            client.do_get(flight.Ticket(NORTH.replace("North", town)), with_token()).read_all()
    first, second = full.audit(2, kind="DoGet")
    assert first["query_hash"] == second["query_hash"]


def test_a_refused_query_has_its_code_and_the_id_that_the_client_was_told(full: Shop):
    with (
        flight.FlightClient(full.flight) as client,
        pytest.raises(REFUSED) as told,
    ):
        client.do_get(flight.Ticket("SELECT nonsense AT ()"), with_token()).read_all()
    assert "UNKNOWN_NAME" in str(told.value)
    (line,) = full.audit(1, kind="DoGet", code="UNKNOWN_NAME", user="grafana", rows=None)
    (refused,) = [event for event in full.events if event["event"] == "flight.refused"]
    assert line["request_id"] == refused["request_id"]


def test_a_text_that_cannot_be_read_is_not_shown(full: Shop):
    with (
        flight.FlightClient(full.flight) as client,
        pytest.raises(REFUSED),
    ):
        client.do_get(flight.Ticket("SELECT x WHERE a = 'O'Secret'"), with_token()).read_all()
    (line,) = full.audit(1, kind="DoGet", code="PARSE")
    assert "query" not in line
    assert len(line["query_hash"]) == 16


def test_refused_credentials(full: Shop):
    with (
        flight.FlightClient(full.flight) as client,
        pytest.raises(REFUSED),
    ):
        client.do_get(flight.Ticket(TOTAL), with_token("fft_wrong")).read_all()
    full.audit(1, kind="DoGet", code="UNAUTHENTICATED", user=None)
    with pytest.raises(flightframe.AuthenticationFailed):
        flightframe.connect(full.flight, username="alice", password="a guess")
    full.audit(1, kind="Handshake", code="UNAUTHENTICATED", user="alice")
    answer = httpx.post(
        f"{full.http}/runtime/query", json={"source": TOTAL}, auth=("alice", "another guess")
    )
    assert answer.status_code == 401
    (line,) = full.audit(1, surface="http", code="UNAUTHENTICATED", user="alice")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "guess" not in str(full.events)
    assert "fft_wrong" not in str(full.events)


def test_queries_over_http(full: Shop):
    headers = {"authorization": f"Bearer {TOKEN}"}
    body = {"source": BOUND, "parameters": ["North"], "collection": "shop"}
    answer = httpx.post(f"{full.http}/runtime/query", json=body, headers=headers)
    assert answer.json()["row_count"] == 1
    (line,) = full.audit(1, surface="http", kind="query", user="grafana", code=None)
    assert line["rows"] == 1
    assert line["label"] == answer.json()["served_from"]
    assert (line["query"], line["collection"]) == (BOUND, "shop")
    wrong = httpx.post(f"{full.http}/runtime/query", json={"source": "x"}, headers=headers)
    full.audit(1, surface="http", code=wrong.json()["error"]["code"], user="grafana")
    assert httpx.get(f"{full.http}/healthz").status_code == 200
    assert "North" not in str(full.events)
    full.audit(2, surface="http")


def test_sql_plans_and_descriptions_over_http(full: Shop):
    with httpx.Client(base_url=full.http, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        assert client.post("/runtime/query", json={"sql": "SELECT 'North'"}).status_code == 200
        (line,) = full.audit(1, surface="http", kind="query", user="grafana")
        assert (line["what"], line["rows"], line["query"]) == ("query", 1, "SELECT ?")
        told = client.post("/runtime/explain", json={"source": NORTH}).json()
        (line,) = full.audit(1, surface="http", kind="explain", code=None)
        assert (line["what"], line["query"]) == ("explain", NORTH_PLAIN)
        assert line["rows"] == len(told["steps"]) > 0
        assert client.get("/runtime/describe", params={"name": "amount"}).status_code == 200
        assert client.post("/runtime/describe", json={"name": 1}).status_code == 400
        assert [line["what"] for line in full.audit(2, kind="describe", user="grafana")] == [
            "describe",
            None,
        ]
        refused = client.post("/runtime/query", json={"sql": "DROP TABLE sales"})
        (line,) = full.audit(1, surface="http", code="READ_ONLY")
        assert line["request_id"] == refused.headers["x-request-id"]
    assert httpx.get(f"{full.http}/runtime/describe").status_code == 401
    full.audit(1, kind="describe", code="UNAUTHENTICATED")


def test_a_stream_is_told_of_at_its_end(tmp_path: Path):
    with (
        shop(tmp_path, "{mode: full}", stream_rows=1) as served,
        flight.FlightClient(served.flight) as client,
    ):
        reader = client.do_get(flight.Ticket(EACH), with_token())
        assert reader.read_all().num_rows == 3
        served.audit(1, kind="DoGet", rows=3, code=None)


def test_values_are_told_where_they_are_asked_for(tmp_path: Path):
    with shop(tmp_path, "{mode: full, values: true}") as served:
        headers = {"authorization": f"Bearer {TOKEN}"}
        body = {"source": BOUND, "parameters": ["North"]}
        httpx.post(f"{served.http}/runtime/query", json=body, headers=headers)
        (line,) = served.audit(1, surface="http")
        assert line["values"] == {"0": "North"}
        with flight.FlightClient(served.flight) as client:
            client.do_get(flight.Ticket(NORTH), with_token()).read_all()
        (line,) = served.audit(1, surface="flight")
        assert line["query"] == NORTH
        assert TOKEN not in str(served.events)


def test_a_sample_has_a_share_of_what_was_answered_and_all_that_was_refused(tmp_path: Path):
    with (
        shop(tmp_path, "{mode: sampled, rate: 0.000001}") as served,
        flight.FlightClient(served.flight) as client,
    ):
        for _ in range(20):
            client.do_get(flight.Ticket(TOTAL), with_token()).read_all()
            with pytest.raises(REFUSED):
                client.do_get(flight.Ticket("SELECT"), with_token()).read_all()
        served.audit(20, code="PARSE")
        served.audit(20)


def test_there_is_no_audit_unless_it_is_asked_for(tmp_path: Path):
    with (
        shop(tmp_path, "{mode: off}") as served,
        flight.FlightClient(served.flight) as client,
    ):
        client.do_get(flight.Ticket(TOTAL), with_token()).read_all()
        served.audit(0)


def test_every_call_over_http_has_a_line_under_the_name_of_its_reply(full: Shop):
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=full.http, headers=headers) as client:
        described = client.get("/runtime/describe", params={"collection": "shop"})
        (line,) = full.audit(1, kind="describe", code=None)
        assert (line["collection"], line["user"]) == ("shop", "grafana")
        assert line["request_id"] == described.headers["x-request-id"]
        for method, path, code in (
            ("GET", "/nowhere", "UNKNOWN_NAME"),
            ("PUT", "/runtime/query", "NOT_SUPPORTED"),
        ):
            refused = client.request(method, path)
            (line,) = full.audit(1, kind="unknown", code=code)
            assert line["request_id"] == refused.headers["x-request-id"]
        session = client.post("/sessions").json()["id"]
        full.audit(1, kind="session_begin", user="grafana", code=None)
        client.get(f"/sessions/{session}/engine/manifest")
        (line,) = full.audit(1, kind="manifest")
        assert session not in str(line)
        for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/", "/metrics"):
            assert client.get(path).status_code == 200
    full.audit(5, surface="http")
