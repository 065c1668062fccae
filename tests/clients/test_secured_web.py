"""Credentials over HTTP: the same door as over Arrow Flight."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from secured_shop import AUTH, PASSWORDS, TOKEN, TOTAL, make_shop, served

import flightframe
from flightframe_server.web.server import HttpServer, listen

FOUND = [["North", 0.3], ["South", 1.05]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of Flight and of HTTP."""
    manifest = make_shop(tmp_path_factory.mktemp("shop"), AUTH)
    with served(manifest) as (server, opened):
        taken = listen("127.0.0.1", 0)
        with HttpServer(opened.runtime, taken, "127.0.0.1", access=opened.access) as http:
            yield server.uri, http.url


@pytest.fixture
def client(both: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=both[1]) as http:
        yield http


def ask(client: httpx.Client, source: str = TOTAL, **more: object) -> httpx.Response:
    return client.post("/runtime/query", json={"source": source}, **more)


def test_health_is_told_to_everybody(client):
    for path in ("/healthz", "/runtime/healthz"):
        assert client.get(path).json()["status"] == "ok"


@pytest.mark.parametrize("user", PASSWORDS)
def test_a_password(client, user):
    answer = ask(client, auth=httpx.BasicAuth(user.encode(), PASSWORDS[user].encode()))
    assert answer.json()["rows"] == FOUND


def test_a_lasting_token_and_one_of_a_flight_session(client, both):
    with flightframe.connect(both[0], username="alice", password=PASSWORDS["alice"]) as connection:
        (session,) = [value for name, value in connection._options.headers if b"auth" in name]
    for given in (f"Bearer {TOKEN}", f"bearer {TOKEN}", session.decode()):
        assert ask(client, headers={"authorization": given}).json()["rows"] == FOUND


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "")],
        [("authorization", "Basic")],
        [("authorization", "Basic " + base64.b64encode(b"alice:guess").decode())],
        [("authorization", f"Bearer {TOKEN}x")],
        [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")],
        [("x-forwarded-user", "alice"), ("cookie", f"token={TOKEN}")],
    ],
    ids=["none", "empty", "scheme", "wrong", "unknown", "two", "others"],
)
def test_nothing_is_answered_without_the_right_credentials(client, headers):
    answer = ask(client, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    error = answer.json()["error"]
    assert error["code"] == "UNAUTHENTICATED"
    assert TOKEN not in answer.text
    assert "rows" not in answer.json()


def test_a_refusal_does_not_wait_for_the_body(both):
    host, port = urlsplit(both[1]).hostname, urlsplit(both[1]).port
    head = (
        "POST /runtime/query HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        "content-length: 1000000\r\n\r\n"
    )
    with closing(socket.create_connection((host, port))) as raw:
        raw.settimeout(60)
        raw.sendall(head.encode())
        # A server that waited for the body would say 408 in the end.
        assert raw.recv(12) == b"HTTP/1.1 401"


def test_a_header_cannot_be_smuggled_in_a_value(both):
    host, port = urlsplit(both[1]).hostname, urlsplit(both[1]).port
    for injected in ("Bearer x\r\n authorization: Bearer y", "Bearer x\x00y", "Bearer \xe9"):
        head = (
            "POST /runtime/query HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: {injected}\r\ncontent-length: 2\r\n\r\n{{}}"
        )
        with closing(socket.create_connection((host, port))) as raw:
            raw.settimeout(60)
            raw.sendall(head.encode("latin-1"))
            assert raw.recv(12)[9:] in (b"400", b"401")


def test_too_many_wrong_passwords_are_429(client):
    guesses = [ask(client, auth=("nobody", f"guess {number}")).status_code for number in range(12)]
    assert guesses[:10] == [401] * 10
    assert guesses[-1] == 429


def test_the_last_queries_are_ones_own_over_both(client, both):
    own = f"{TOTAL} WHERE town <> 'over http'"
    ask(client, own, auth=("alice", PASSWORDS["alice"]))
    for user, seen in (("alice", True), ("bob", False)):
        with flightframe.connect(both[0], username=user, password=PASSWORDS[user]) as connection:
            table = connection.query("SELECT * FROM system.last_queries").to_arrow()
        assert (own in table["source"].to_pylist()) is seen


def test_a_query_of_the_catalogue_over_http_shows_ones_own_alone(client):
    own = f"{TOTAL} WHERE town <> 'by alice'"
    ask(client, own, auth=("alice", PASSWORDS["alice"]))
    for user, seen in (("alice", True), ("bob", False)):
        body = {"sql": "SELECT source FROM system.last_queries"}
        answer = client.post("/runtime/query", json=body, auth=(user, PASSWORDS[user]))
        assert ([own] in answer.json()["rows"]) is seen


@pytest.mark.parametrize("path", ["/runtime/query", "/runtime/explain", "/runtime/describe"])
def test_every_address_that_answers_asks_for_credentials(client, path):
    assert client.post(path, json={"sql": "SELECT 1"}).status_code == 401
    assert client.get("/runtime/describe").status_code == 401
