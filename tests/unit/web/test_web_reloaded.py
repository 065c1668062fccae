"""What an operator writes into the manifest of a running server holds for what begins then."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from web_shop import CHANGING, TOTAL, shop

from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import Overloaded
from flightframe_server.web.admission import Admission
from flightframe_server.web.answering import Threads
from flightframe_server.web.connections import Connections, Patience

EVENTS = "/runtime/events"
PAGE = "https://dashboards.example"


def reloaded(running, client, *, server="", limits=""):
    """Write the manifest anew and reload it."""
    manifest = running.folder / "installation.yaml"
    text = manifest.read_text().partition("server:\n")[0]
    manifest.write_text(f"{text}server:\n  host: 127.0.0.1\n{server}limits: {{{limits}}}\n")
    outcome = client.post("/runtime/reload").json()
    assert outcome["reloaded"], outcome


def asked(client):
    reply = client.post("/runtime/query", json={"source": TOTAL})
    return reply.status_code, reply.json().get("error", {}).get("code")


@pytest.mark.parametrize("limit", ["json_rows: 1", "json_bytes: 10"])
def test_replies_are_as_large_as_the_manifest_says_now(tmp_path, limit):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        assert asked(client) == (200, None)
        reloaded(running, client, limits=limit)
        assert asked(client)[1] == "LIMIT_EXCEEDED"
        reloaded(running, client)
        assert asked(client) == (200, None)


def test_listeners_are_as_many_as_the_manifest_says_now(tmp_path):
    with (
        shop(tmp_path) as running,
        running.client(headers=CHANGING) as client,
        client.stream("GET", EVENTS) as first,
    ):
        assert first.status_code == 200
        reloaded(running, client, limits="event_streams: 1")
        assert client.get(EVENTS).json()["error"]["code"] == "OVERLOADED"
        reloaded(running, client, limits="event_streams: 2, event_streams_per_caller: 2")
        with client.stream("GET", EVENTS) as second:
            assert second.status_code == 200


def test_bodies_are_waited_for_as_long_as_the_manifest_says_now(tmp_path):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        reloaded(running, client, limits="http_body_seconds: 0.2")
        address = urlsplit(running.server.url)
        with socket.create_connection((address.hostname, address.port), timeout=25) as late:
            late.sendall(
                b"POST /runtime/query HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            assert late.recv(1 << 16).startswith(b"HTTP/1.1 408 ")


def test_pages_elsewhere_may_ask_where_the_manifest_says_so_now(tmp_path):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        ask = {"headers": {"origin": PAGE}}
        allowed = "access-control-allow-origin"
        assert allowed not in client.get("/healthz", **ask).headers
        assert client.post("/runtime/reload", **ask).status_code == 403
        reloaded(running, client, server=f"  cors_origins: [{PAGE}]\n")
        assert client.get("/healthz", **ask).headers[allowed] == PAGE
        assert client.post("/runtime/reload", **ask).status_code == 200
        reloaded(running, client)
        assert allowed not in client.get("/healthz", **ask).headers


def test_what_still_needs_a_restart_is_named_with_its_line(tmp_path):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        manifest = running.folder / "installation.yaml"
        manifest.write_text(f"{manifest.read_text()}limits: {{json_rows: 1, threads: 2}}\n")
        outcome = client.post("/runtime/reload").json()
        (mistake,) = outcome["errors"]
        assert not outcome["reloaded"]
        assert mistake["message"] == "limits.threads cannot change while the server runs"
        assert mistake["line"] == len(manifest.read_text().splitlines())
        assert asked(client) == (200, None)


def test_requests_under_way_keep_their_places_when_there_are_fewer():
    admission = Admission(Limits(http_requests=3, requests_per_caller=3))
    with admission.request("a"), admission.request("a"):
        admission.change_limits(Limits(http_requests=2, requests_per_caller=2))
        with pytest.raises(Overloaded), admission.request("a"):
            pass
        admission.change_limits(Limits(http_requests=8, requests_per_caller=3))
        with (
            admission.request("a"),
            admission.request("b"),
            pytest.raises(Overloaded),
            admission.request("a"),
        ):
            pass
    admission.change_limits(Limits(http_requests=1, requests_per_caller=1))
    with admission.request("a"), pytest.raises(Overloaded), admission.request("b"):
        pass
    with admission.request("b"):
        pass


class Nothing:
    """What a thread returns."""

    def close(self):
        pass


class Waiting:
    """A request whose client stays."""

    async def receive(self):
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}


def test_threads_are_as_many_as_requests_may_be_now():
    threads, begun, go_on = Threads(1), threading.Semaphore(0), threading.Event()

    def work(gone):
        begun.release()
        assert go_on.wait(60)
        return Nothing()

    async def both():
        first = asyncio.ensure_future(threads.run(Waiting(), work))
        await asyncio.to_thread(begun.acquire)
        threads.resize(2)
        second = asyncio.ensure_future(threads.run(Waiting(), work))
        # It begins while the first is still under way.
        assert await asyncio.to_thread(begun.acquire, timeout=60)
        go_on.set()
        await asyncio.gather(first, second)

    asyncio.run(both())


class Held:
    """A connection that waits."""

    def __init__(self, since):
        self.since, self.peer, self.waits, self.ended = since, "peer", True, False

    def end(self, why):
        self.ended = why == "too_many"


def test_connections_are_as_many_and_waited_for_as_long_as_the_limits_say_now():
    connections = Connections(Patience.within(Limits(http_connections=1)))
    first, second, third = (Held(time.monotonic() + at) for at in range(3))
    connections.opened(first)
    connections.change_limits(Limits(http_connections=2, stream_idle_timeout=7.0))
    connections.opened(second)
    assert (first.ended, connections.patience.written) == (False, 7.0)
    connections.opened(third)
    assert (first.ended, second.ended) == (True, False)
