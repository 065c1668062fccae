"""HTTP clients that are many, slow, silent or too long: the others are served meanwhile."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
from secured_shop import AUTH, PASSWORDS, ROWS, TLS, TOKEN, TOTAL, make_certificates, make_shop
from slow_shop import soon

from flightframe_server.access import passwords
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.web.server import HttpServer, listen

MANY = 260
SECONDS = 60
JSON_ROWS = [[town, float(total)] for town, total in ROWS]
QUERY = "/runtime/query"
HEAD = b"POST /runtime/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


class Shop:
    """A shop over HTTP."""

    def __init__(self, server: HttpServer, opened: OpenInstallation) -> None:
        self.server, self.opened = server, opened
        address = urlsplit(server.url)
        self.host, self.port = address.hostname or "", address.port or 0

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), SECONDS)

    def answers(self, **named: object) -> None:
        """Hold that health and a query are answered, over a connection of their own."""
        # From another address than the others: who has many requests under way may be told to wait.
        transport = httpx.HTTPTransport(local_address="127.0.0.9")
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            health = client.get(f"{self.server.url}/healthz")
            assert (health.status_code, health.json()["status"]) == (200, "ok")
            found = client.post(self.server.url + QUERY, json={"source": TOTAL}, **named)
        assert (found.status_code, found.json().get("rows")) == (200, JSON_ROWS)

    def ask(self, **named: object) -> httpx.Response:
        return httpx.post(self.server.url + QUERY, json={"source": TOTAL}, timeout=SECONDS, **named)


@contextmanager
def shop(folder: Path, limits: str = "{}", *server: str) -> Iterator[Shop]:
    folder.mkdir(exist_ok=True)
    manifest = make_shop(folder, *server)
    manifest.write_text(manifest.read_text() + f"limits: {limits}\n")
    opened = open_installation(manifest)
    try:
        taken = listen("127.0.0.1", 0)
        with HttpServer(opened.runtime, taken, "127.0.0.1", access=opened.access) as running:
            yield Shop(running, opened)
    finally:
        opened.close()


def ended(connection: socket.socket) -> bool:
    """Return whether the server ends a connection, in whichever way."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HTTP/1.1\r\nhost: loc", HEAD + b'content-length: 900\r\n\r\n{"source": '],
    ids=["nothing", "half a head", "half a body"],
)
def test_clients_that_send_too_little_keep_nobody_out(tmp_path: Path, sent: bytes) -> None:
    with shop(tmp_path) as found, ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(found.connect()).sendall(sent)
        for _ in range(3):
            found.answers()


def test_clients_that_take_nothing_keep_nobody_out(tmp_path: Path) -> None:
    with shop(tmp_path) as found, ExitStack() as stack:
        body = json.dumps({"source": TOTAL}).encode()
        request = HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body
        for _ in range(MANY):
            # As many as a client may ask one after the other without reading an answer.
            stack.enter_context(found.connect()).sendall(request * 20)
        for _ in range(3):
            found.answers()


def test_more_connections_than_may_be_end_those_that_wait_longest(tmp_path: Path) -> None:
    with shop(tmp_path, "{http_connections: 8}") as found, ExitStack() as stack:
        silent = [stack.enter_context(found.connect()) for _ in range(30)]
        found.answers()
        for one in silent[:20]:
            assert ended(one)


def test_a_head_that_does_not_come_ends_its_connection(tmp_path: Path) -> None:
    with shop(tmp_path, "{http_head_seconds: 0.3}") as found, ExitStack() as stack:
        for sent in (
            b"",
            b"GET /healthz HTTP/1.1\r\n",
            b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nG",
        ):
            one = stack.enter_context(found.connect())
            one.sendall(sent)
            while not ended(one):
                pass
        found.answers()


def test_a_handshake_that_does_not_come_ends_its_connection(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    with shop(tmp_path, "{http_head_seconds: 0.3}", TLS) as found, found.connect() as silent:
        assert ended(silent)
        silent.close()
        found_health = httpx.get(f"{found.server.url}/healthz", verify=False, timeout=SECONDS)
        assert found_health.status_code == 200


def test_a_body_that_does_not_come_is_refused(tmp_path: Path) -> None:
    with shop(tmp_path, "{http_body_seconds: 0.3}") as found, found.connect() as slow:
        slow.sendall(HEAD + b'content-length: 900\r\n\r\n{"source": ')
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.status == 408
        error = json.loads(answer.read())["error"]
        assert (error["code"], error["message"]) == (
            "LIMIT_EXCEEDED",
            "the body did not come within 0.3 seconds",
        )


def read_out(connection: socket.socket) -> int:
    """Return how many bytes come until the server ends a connection, in whichever way."""
    read = 0
    while True:
        try:
            chunk = connection.recv(1 << 20)
        except ConnectionResetError:
            return read
        if not chunk:
            return read
        read += len(chunk)


BIG = "SELECT sale, amount AT sale"


def many_sales(folder: Path, rows: int) -> None:
    """Give the shop so many sales that an answer does not fit into the buffers of sockets."""
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute(f"INSERT INTO sales SELECT 10 + range, 'a', 0 FROM range({rows})")


def test_a_reply_that_is_not_taken_ends_and_is_let_go(tmp_path: Path) -> None:
    limits = "{stream_idle_timeout: 0.5, http_requests: 2, requests_per_caller: 1}"
    manifest = make_shop(tmp_path)
    many_sales(tmp_path, 900_000)
    manifest.write_text(manifest.read_text() + f"limits: {limits}\n")
    opened = open_installation(manifest)
    taken = listen("127.0.0.1", 0)
    with HttpServer(opened.runtime, taken, "127.0.0.1") as running:
        found = Shop(running, opened)
        slow = found.connect()
        body = json.dumps({"source": BIG}).encode()
        slow.sendall(HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        assert slow.recv(12) == b"HTTP/1.1 200"
        # While its reply is under way, it takes its caller's only place.
        refused = found.ask()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["code"] == "OVERLOADED"
        assert soon(lambda: found.ask().status_code == 200, SECONDS)
        # Far from whole: what the buffers of both ends held.
        assert read_out(slow) < 10_000_000
        slow.close()
    opened.close()


@pytest.mark.parametrize("closing", [{}, {"connection": "close"}], ids=["kept", "closed"])
@pytest.mark.parametrize("mib", [5, 64])
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "in chunks"])
def test_a_body_too_long_is_answered(
    tmp_path: Path, mib: int, chunked: bool, closing: dict[str, str]
) -> None:
    with shop(tmp_path) as found:
        connection = http.client.HTTPConnection(found.host, found.port, timeout=SECONDS)
        piece = b"x" * (1 << 20)
        body = iter([piece] * mib) if chunked else piece * mib
        headers = {"content-type": "application/json", **closing}
        connection.request("POST", QUERY, body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["error"]["code"]) == (
            413,
            "LIMIT_EXCEEDED",
        )
        connection.close()
        found.answers()


def test_a_refusal_before_the_body_is_answered_too(tmp_path: Path) -> None:
    with shop(tmp_path, "{}", AUTH) as found:
        for path, headers, status in (
            (QUERY, {"authorization": "Bearer wrong"}, 401),
            (QUERY, {"authorization": f"Bearer {TOKEN}", "content-type": "text/plain"}, 400),
            ("/nowhere", {}, 404),
        ):
            connection = http.client.HTTPConnection(found.host, found.port, timeout=SECONDS)
            connection.request("POST", path, b"x" * (16 << 20), {**headers, "connection": "close"})
            assert connection.getresponse().status == status
            connection.close()


def test_a_client_that_asks_before_it_sends_is_told_at_once(tmp_path: Path) -> None:
    with shop(tmp_path) as found, found.connect() as one:
        one.sendall(HEAD + b"content-length: 99999999\r\nexpect: 100-continue\r\n\r\n")
        assert one.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize("path", ["/healthz/", "/runtime/query/", "//evil.example/healthz"])
def test_no_address_leads_to_a_host_that_the_client_named(tmp_path: Path, path: str) -> None:
    with shop(tmp_path) as found, found.connect() as one:
        one.sendall(
            f"GET {path} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(one)
        answer.begin()
        assert (answer.status, answer.headers["location"]) == (404, None)
        assert b"evil" not in answer.read()


def test_sixty_guessers_keep_no_token_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, looked_at = threading.Event(), []

    def slow(stored: str, password: str) -> bool:
        looked_at.append(password)
        assert go_on.wait(SECONDS)
        return False

    monkeypatch.setattr(passwords, "verify", slow)
    with shop(tmp_path, "{}", AUTH) as found, ThreadPoolExecutor(60) as pool:
        guesses = [
            pool.submit(found.ask, auth=(f"name {number}", "a guess")) for number in range(60)
        ]
        # As many as one address may have under way; the others are refused while these wait.
        assert soon(lambda: sum(guess.done() for guess in guesses) == 44, SECONDS)
        for _ in range(3):
            found.answers(headers={"authorization": f"Bearer {TOKEN}"})
        assert len(looked_at) == 2
        go_on.set()
        told = [guess.result(SECONDS) for guess in guesses]
    assert sorted(one.status_code for one in told) == [401] * 16 + [503] * 44
    for one in told:
        assert one.status_code == 401 or one.headers["retry-after"] == "1"


def test_guesses_from_one_address_shut_nobody_out_at_another(tmp_path: Path) -> None:
    def statuses(address: str, password: str, times: int) -> list[int]:
        transport = httpx.HTTPTransport(local_address=address)
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            told = [
                client.post(
                    found.server.url + QUERY, json={"source": TOTAL}, auth=("alice", password)
                )
                for _ in range(times)
            ]
        assert all("retry-after" in one.headers for one in told if one.status_code == 429)
        return [one.status_code for one in told]

    with shop(tmp_path, "{}", AUTH) as found:
        assert statuses("127.0.0.2", "a guess", 12) == [401] * 10 + [429] * 2
        assert statuses("127.0.0.2", PASSWORDS["alice"], 1) == [429]
        assert statuses("127.0.0.3", PASSWORDS["alice"], 1) == [200]
