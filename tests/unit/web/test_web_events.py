"""Figures as events: at once, when they change, and no longer than they may."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from web_shop import AC, CHANGING, TOTAL, shop

from flightframe_server.web import events

EVENTS = "/runtime/events"


def events_of(response: httpx.Response) -> Iterator[dict[str, object]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.slow
def test_events_come_at_once_and_when_something_changed(tmp_path):
    with (
        shop(tmp_path) as running,
        running.client() as client,
        running.client() as listener,
        listener.stream("GET", EVENTS) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        stream = events_of(response)
        first = next(stream)
        assert (first["entries"], first["misses"], first["budget_bytes"]) == (0, 0, 1 << 30)
        began = time.monotonic()
        for _ in range(2):
            client.post("/runtime/query", json={"source": TOTAL})
        second = next(stream)
        while second["hits"] + second["hot_hits"] == 0:
            second = next(stream)
        assert time.monotonic() - began > 0.2
        assert (second["entries"], second["misses"]) == (1, 1)
        assert second["bytes"] > 0
        assert set(second) == {
            *("entries", "bytes", "budget_bytes", "hits", "misses", "rollups", "hot_hits"),
            *("running", "waiting", "at"),
        }


def test_a_sign_of_life_comes_in_between(client, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.2)
    with client.stream("GET", EVENTS) as response:
        assert any(line.startswith(":") for line in response.iter_lines())


def test_events_end_with_the_server(tmp_path):
    with (
        shop(tmp_path) as running,
        running.client() as client,
        client.stream("GET", EVENTS) as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == "event: engine"
        stopping = threading.Thread(target=running.server.stop, args=(60,))
        began = time.monotonic()
        stopping.start()
        assert list(lines)[-1] == ""
        stopping.join(60)
        assert time.monotonic() - began < 10


def test_events_end_with_the_credentials(secured, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(events, "EVENT_SECONDS", 60.0)
    with secured.client() as client:
        logged_in = client.post(
            "/runtime/login",
            json={"user": "bob", "password": "battery staple"},
            headers={"x-flightframe": "1"},
        )
        assert logged_in.status_code == 200
        with client.stream("GET", EVENTS) as response:
            assert response.status_code == 200
            lines = response.iter_lines()
            while next(lines) != events.HEARTBEAT.decode().strip():
                pass
            with secured.client(cookies=dict(client.cookies)) as other:
                ended = other.post("/runtime/logout", headers={"x-flightframe": "1"})
                assert ended.json() == {"ended": True}
            for _ in lines:
                pass
        assert client.get(EVENTS).status_code == 401


def test_there_are_not_more_listeners_than_may_be(tmp_path):
    limits = "limits: {event_streams: 4, event_streams_per_caller: 1}\n"
    with shop(tmp_path, more=limits) as running:
        with running.client() as client, client.stream("GET", EVENTS) as response:
            assert response.status_code == 200
            with running.client() as other:
                refused = other.get(EVENTS)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["error"]["code"] == "OVERLOADED"
        until = time.monotonic() + 20
        status = 503
        while status != 200:
            assert time.monotonic() < until
            with running.client() as other, other.stream("GET", EVENTS) as response:
                status = response.status_code


@pytest.mark.parametrize(("collection", "status"), [("shop", 200), ("shp", 404)])
def test_events_are_of_one_collection_where_it_is_named(client, collection, status):
    with client.stream("GET", EVENTS, params={"collection": collection}) as response:
        assert response.status_code == status


def test_a_head_does_not_wait_for_events(client):
    answer = client.head(EVENTS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.slow
def test_events_end_with_their_collection(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    with (
        shop(tmp_path) as running,
        running.client(headers=CHANGING) as client,
        running.client() as listener,
        listener.stream("GET", EVENTS, params={"collection": "shop"}) as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == "event: engine"
        (tmp_path / "ac.yaml").write_text(AC.replace("name: shop\n", "name: store\n", 1))
        assert client.post("/runtime/reload").json()["collections"] == ["store"]
        for _ in lines:
            pass
        assert client.get(EVENTS, params={"collection": "shop"}).status_code == 404
    assert caplog.records == []


HEADS = {
    "as a page does": b"",
    "of the old kind": b"Connection: close\r\n",
    "with a body": b"Content-Length: 3\r\n",
    "that waits to send one": b"Content-Length: 3\r\nExpect: 100-continue\r\n",
}


def leave(listener, how):
    """End a connection: in order, by a reset, one way first, or by what is no HTTP."""
    if how == "reset":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == "one way":
        listener.shutdown(socket.SHUT_WR)
    elif how == "noise":
        listener.sendall(b"abc\x00\r\n\r\nno HTTP\r\n\r\n")
    listener.close()


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("how", ["close", "reset", "one way", "noise"])
def test_a_listener_that_leaves_leaves_no_error_and_no_place(tmp_path, caplog, head, how):
    caplog.set_level(logging.ERROR)
    limits = "limits: {event_streams: 1, event_streams_per_caller: 1}\n"
    with shop(tmp_path, more=limits) as running:
        address = urlsplit(running.server.url)
        for _ in range(2):
            until = time.monotonic() + 60
            begun = b""
            while b"event: engine" not in begun:
                # The place of the one before is free once the server has seen it leave.
                assert time.monotonic() < until
                listener = socket.create_connection((address.hostname, address.port), timeout=60)
                listener.sendall(
                    b"GET /runtime/events HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n"
                )
                begun = listener.recv(1 << 16)
                while b"200 OK" in begun and b"event: engine" not in begun:
                    begun += listener.recv(1 << 16)
                if b"event: engine" not in begun:
                    listener.close()
            leave(listener, how)
    assert caplog.records == []
