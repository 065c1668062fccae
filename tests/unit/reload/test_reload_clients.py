"""Sixteen clients on both surfaces while a definition changes back and forth; what is left then."""

from __future__ import annotations

import gc
import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyarrow import flight
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, OTHER

import flightframe
from flightframe_server.cache.store import EntryStore
from flightframe_server.cli.servers import Ports, ReservedPorts
from flightframe_server.engine.engine import MetricEngine

SOURCE = "SELECT town, taken, costs, left AT town"
COSTS = {"North": 18, "South": 13}
SWAPS = 12
OF_EACH_KIND = 4

Ask = Callable[[], list[tuple[str, object, object, object]]]


@dataclass
class Swaps:
    """When each definition began to be put to use, and when it was reported to be."""

    begun: list[tuple[float, str]] = field(default_factory=list)
    done: list[tuple[float, str]] = field(default_factory=list)

    def allowed(self, asked: float, answered: float) -> set[str]:
        """Return the definitions that an answer may be of, by when it was asked and answered."""
        latest = [one for at, one in self.done if at <= asked][-1]
        since = [at for at, _ in self.done if at <= asked][-1]
        return {latest, *(one for at, one in self.begun if since < at <= answered)}


def meaning(rows: list[tuple[str, object, object, object]]) -> str:
    """Return whose numbers an answer holds; raises where they are of neither, or of both."""
    taken = {town: Decimal(str(value)) for town, value, _, _ in rows}
    for town, value, costs, left in rows:
        assert Decimal(str(costs)) == COSTS[town], rows
        assert Decimal(str(left)) == Decimal(str(value)) - COSTS[town], rows
    if taken == AS_WRITTEN:
        return "written"
    assert taken == AS_OTHER, rows
    return "other"


@contextmanager
def by_ticket(address: str, _: str) -> Iterator[Ask]:
    """Ask in one call over Flight."""
    with flightframe.connect(address) as connection:
        yield lambda: [tuple(row) for row in connection.query(SOURCE).rows]


@contextmanager
def by_info(address: str, _: str) -> Iterator[Ask]:
    """Ask for a FlightInfo, and read what it names."""
    with flight.FlightClient(address) as client:

        def ask() -> list[tuple[str, object, object, object]]:
            info = client.get_flight_info(flight.FlightDescriptor.for_command(SOURCE.encode()))
            table = client.do_get(info.endpoints[0].ticket).read_all()
            assert table.schema.names == info.schema.names
            return [tuple(row.values()) for row in table.to_pylist()]

        yield ask


@contextmanager
def by_http(_: str, url: str) -> Iterator[Ask]:
    """Ask over HTTP, over one connection."""
    place = urlsplit(url)
    client = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def ask() -> list[tuple[str, object, object, object]]:
        body = json.dumps({"source": SOURCE})
        client.request("POST", "/runtime/query", body, {"content-type": "application/json"})
        reply = client.getresponse()
        text = reply.read()
        assert reply.status == 200, text
        return [tuple(row) for row in json.loads(text, parse_float=Decimal)["rows"]]

    yield ask
    client.close()


@contextmanager
def uncached(_: str, url: str) -> Iterator[Ask]:
    """Ask over HTTP for what no entry answers."""
    place = urlsplit(url)
    client = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def ask() -> list[tuple[str, object, object, object]]:
        body = json.dumps({"source": SOURCE, "no_cache": True})
        client.request("POST", "/runtime/query", body, {"content-type": "application/json"})
        reply = client.getresponse()
        text = reply.read()
        assert reply.status == 200, text
        return [tuple(row) for row in json.loads(text, parse_float=Decimal)["rows"]]

    yield ask
    client.close()


KINDS = (by_ticket, by_info, by_http, uncached)


class Client(threading.Thread):
    """One client that asks and asks."""

    def __init__(self, kind, address: str, url: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._kind, self._address, self._url, self._stopped = kind, address, url, stop
        self.answers: list[tuple[float, float, str]] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self._kind(self._address, self._url) as ask:
                while not self._stopped.is_set():
                    asked = time.monotonic()
                    rows = ask()
                    self.answers.append((asked, time.monotonic(), meaning(rows)))
        except BaseException as failure:
            self.failure = failure


@pytest.mark.slow
def test_no_answer_is_of_a_definition_that_was_replaced_and_no_call_is_dropped(shop):
    servers = ReservedPorts(Ports("127.0.0.1", 0, 0)).start(shop.opened)
    stop, swaps = threading.Event(), Swaps()
    swaps.done.append((0.0, "written"))
    clients = [
        Client(kind, servers.flight_uri, servers.http_url, stop)
        for kind in KINDS
        for _ in range(OF_EACH_KIND)
    ]
    assert len(clients) == 16
    for client in clients:
        client.start()

    def all_asked_again() -> None:
        counts = [len(client.answers) for client in clients]
        end = time.monotonic() + 120
        while any(len(one.answers) < n + 2 for one, n in zip(clients, counts, strict=True)):
            assert time.monotonic() < end, "a client came to a stop"
            failures = [one.failure for one in clients if one.failure is not None]
            assert not failures, failures
            time.sleep(0.01)

    for at in range(SWAPS):
        name, text = (("other", OTHER), ("written", AC))[at % 2]
        all_asked_again()
        swaps.begun.append((time.monotonic(), name))
        assert shop.reload(text).succeeded
        swaps.done.append((time.monotonic(), name))
    all_asked_again()
    stop.set()
    for client in clients:
        client.join(60)
        assert client.failure is None
    told = [answer for client in clients for answer in client.answers]
    wrong = [one for one in told if one[2] not in swaps.allowed(one[0], one[1])]
    assert wrong == []
    assert {one for _, _, one in told} == {"written", "other"}
    assert shop.opened.runtime.sets.former == 0
    servers.close()


def alive(kind: type) -> int:
    """Return how many objects of a type there are."""
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())


def descriptors() -> set[tuple[str, str]]:
    """Return what this process has open: numbers, and what they are of."""
    told = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            told.add((link.name, os.readlink(link)))
    return told


def soon(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return whether a condition holds within a time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        gc.collect()
        time.sleep(0.05)
    return True


@pytest.mark.slow
def test_fifty_reloads_leave_nothing_behind(shop):
    def one(at: int) -> None:
        assert shop.reload((AC, OTHER)[at % 2]).succeeded
        assert shop.totals() == (AS_WRITTEN, AS_OTHER)[at % 2]
        shop.warmed()

    for at in range(4):
        one(at)
    engines, stores = alive(MetricEngine), alive(EntryStore)
    files, threads = descriptors(), threading.active_count()
    resident = memory()
    for at in range(50):
        one(at)
    assert (alive(MetricEngine), alive(EntryStore)) == (engines, stores)
    # What a former definition had open is closed by threads of their own, in their time; how many
    # connections the last one has open goes by what ran at once. One left by each would be fifty.
    assert soon(lambda: len(descriptors()) <= len(files) + 10), descriptors() - files
    assert soon(lambda: threading.active_count() <= threads)
    assert memory() - resident < 16 * 1024 * 1024


def memory() -> int:
    """Return the bytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
