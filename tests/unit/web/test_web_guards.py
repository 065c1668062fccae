"""Who may change what: the header, the origin, the operators, the host."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from web_shop import AUTH, CHANGING, TOTAL, Shop, shop

from flightframe_server.access.access import Access, Operators
from flightframe_server.call_context import Caller
from flightframe_server.web.description.operations import OPERATIONS

DASHBOARD = "https://dashboards.example:3000"
CHANGES = [operation for operation in OPERATIONS if operation.changes]
OPERATED = [operation for operation in OPERATIONS if operation.operator]


def by_name(operation):
    return operation.name


def address(operation) -> str:
    return re.sub(r"\{\w+\}", "nothing", operation.path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with users that the pages of one origin may ask."""
    origins = f"  cors_origins: ['{DASHBOARD}']\n"
    with shop(tmp_path_factory.mktemp("shared"), AUTH + origins) as running:
        yield running


def test_what_changes_something_is_what_the_table_says():
    """By hand: everything but questions, descriptions, checks, and the ends of one's own."""
    assert {operation.name for operation in CHANGES} == {
        "cancel",
        "login",
        "session_end",
        "promote",
        "refresh",
        "evict",
        "reload",
    }
    assert {operation.name for operation in OPERATED} == {"promote", "refresh", "evict", "reload"}


@pytest.mark.parametrize("operation", CHANGES, ids=by_name)
@pytest.mark.parametrize("value", [None, "", "0", "true"])
def test_a_change_needs_the_header(client, operation, value):
    headers = {} if value is None else {"x-flightframe": value}
    refused = client.request(operation.method, address(operation), headers=headers)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "NOT_PERMITTED")
    assert error["hint"] == "send X-Flightframe: 1"


@pytest.mark.parametrize("operation", CHANGES, ids=by_name)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "//["])
def test_a_change_from_another_sites_page_is_refused(client, operation, origin):
    headers = {**CHANGING, "origin": origin}
    refused = client.request(operation.method, address(operation), headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_PERMITTED")


def test_a_change_from_the_servers_own_page_is_made(client):
    own = str(client.base_url).rstrip("/")
    done = client.post("/runtime/reload", headers={**CHANGING, "origin": own})
    assert done.json() == {
        "reloaded": True,
        "changed": [],
        "collections": ["shop"],
        "errors": [],
    }


@pytest.mark.parametrize("operation", OPERATED, ids=by_name)
def test_only_operators_change_what_is_served(secured, operation):
    with secured.client("bob", headers=CHANGING) as client:
        refused = client.request(operation.method, address(operation), json={})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "NOT_PERMITTED")
    assert "server.auth.operators" in error["hint"]


def test_an_operator_changes_what_is_served(secured):
    with secured.client("alice", headers=CHANGING) as client:
        assert client.post("/runtime/reload").json()["reloaded"] is True


def test_a_user_ends_what_is_the_users_own(secured):
    with secured.client("bob", headers=CHANGING) as client:
        session = client.post("/sessions").json()["id"]
        assert client.delete(f"/sessions/{session}").json() == {"ended": True}


def test_who_may_operate():
    assert Access().may_operate(Caller(""))
    asked = Access(authenticator=object(), operators=Operators({"alice"}))
    assert asked.may_operate(Caller("alice"))
    assert not asked.may_operate(Caller("bob"))
    # A call without credentials, where some are let in.
    anonymous = Access(authenticator=object(), operators=Operators({""}))
    assert not anonymous.may_operate(Caller(""))


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_a_page_that_names_another_host_is_refused(client, operation):
    headers = {**CHANGING, "host": "evil.example:8000"}
    refused = client.request(operation.method, address(operation), headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")


def test_the_page_itself_is_not_for_another_host(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_listed_origin_may_ask_and_is_told_so(shared):
    with shared.client() as client:
        asks = {"origin": DASHBOARD, "access-control-request-method": "POST"}
        first = client.options("/runtime/query", headers=asks)
        assert first.status_code == 204
        assert first.headers["access-control-allow-origin"] == DASHBOARD
        assert "x-flightframe" in first.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in first.headers
    with shared.client("alice", headers={"origin": DASHBOARD}) as client:
        answer = client.post("/runtime/query", json={"source": TOTAL})
        assert answer.headers["access-control-allow-origin"] == DASHBOARD
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert "origin" in answer.headers["vary"]
        assert client.post("/runtime/reload", headers=CHANGING).status_code == 200


@pytest.mark.parametrize("origin", ["https://dashboards.example", f"{DASHBOARD}0", "null"])
def test_an_origin_that_is_not_listed_is_told_nothing(shared, origin):
    with shared.client() as client:
        asks = {"origin": origin, "access-control-request-method": "POST"}
        first = client.options("/runtime/query", headers=asks)
        assert first.status_code == 405
        assert "access-control-allow-origin" not in first.headers
    with shared.client("alice", headers={"origin": origin}) as client:
        answer = client.post("/runtime/query", json={"source": TOTAL})
        assert "access-control-allow-origin" not in answer.headers


def test_a_server_without_origins_answers_no_page_elsewhere(client):
    answer = client.get("/healthz", headers={"origin": DASHBOARD})
    assert "access-control-allow-origin" not in answer.headers


def test_a_name_that_a_client_sends_is_not_taken(client):
    name = client.get("/healthz", headers={"x-request-id": "mine"}).headers["x-request-id"]
    assert name != "mine"


@pytest.mark.parametrize("host", ["[", "[::1", "127.0.0.1:x", "", "a b"])
@pytest.mark.parametrize("path", ["/healthz", "/", "/nowhere", "/runtime/queries"])
def test_a_host_that_is_none_is_no_fault_of_ours(open_shop, host, path):
    address = urlsplit(open_shop.server.url)
    with socket.create_connection((address.hostname, address.port), 30) as raw:
        head = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 200")
