"""What the server holds between two calls, and what runs while a client reads."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from flight_calls import (
    BIG,
    ROWS,
    chunks_of,
    info_of,
)
from pyarrow import flight

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.flight.handles import HANDLE_BYTES, Bounds, Handles
from flightframe_server.flight.server import FlightServer
from flightframe_server.flight.state import FlightBounds
from flightframe_server.flight.stream import LiveChunks


@pytest.fixture
def second(retail_folder: Path, tmp_path: Path) -> Iterator[OpenInstallation]:
    """An installation of its own, in which what has more than 1,000 rows is streamed."""
    folder = tmp_path / "retail"
    shutil.copytree(retail_folder, folder)
    opened = open_installation(
        folder / "installation.yaml", store=tmp_path / "store", stream_rows=1000
    )
    yield opened
    opened.close()


def statements_running(opened: OpenInstallation) -> int:
    return opened.backend._source.lent


def settled(opened: OpenInstallation) -> bool:
    def at_rest() -> bool:
        watching = any(thread.name == "statement-watch" for thread in threading.enumerate())
        return statements_running(opened) == 0 and not watching

    until = time.monotonic() + 20
    while not at_rest() and time.monotonic() < until:
        time.sleep(0.01)
    return at_rest()


def test_a_streamed_answer_is_read_left_and_refused_when_the_data_moved(second):
    with FlightServer(second.runtime) as server, flight.FlightClient(server.uri) as client:
        info = info_of(client, BIG)
        assert (info.total_records, info.total_bytes) == (-1, -1)
        ticket = info.endpoints[0].ticket
        schema, chunks = chunks_of(client, ticket)
        assert schema.equals(info.schema, check_metadata=True)
        assert sum(chunk.data.num_rows for chunk in chunks) == ROWS
        assert {chunk.app_metadata.to_pybytes() for chunk in chunks} == {info.app_metadata}
        assert settled(second)
        for leave in (flight.FlightStreamReader.cancel, lambda reader: None):
            reader = client.do_get(ticket)
            reader.read_chunk()
            assert statements_running(second) == 1
            leave(reader)
            del reader
            assert settled(second)
        without_one_sale(second.folder / "retail_demo.duckdb")
        with pytest.raises(pa.ArrowKeyError, match="TICKET: the data changed"):
            client.do_get(ticket)


def without_one_sale(path):
    """Put a copy of a database in its own place, of which one row is gone."""
    fresh = path.with_suffix(".fresh")
    shutil.copyfile(path, fresh)
    with duckdb.connect(str(fresh)) as connection:
        connection.execute("DELETE FROM transactions WHERE transaction_id = 1")
    os.replace(fresh, path)


def test_what_is_pinned_is_bounded_and_what_was_let_go_is_refused(retail):
    bounds = FlightBounds(results=Bounds(count=2, bytes=1 << 20, seconds=60))
    texts = ["SELECT year, units AT year", "EXPLAIN SELECT cost AT year", "SELECT 1", "SELECT 1 ;"]
    with (
        FlightServer(retail.runtime, bounds=bounds) as server,
        flight.FlightClient(server.uri) as client,
    ):
        tickets = [info_of(client, text).endpoints[0].ticket for text in texts]
        assert client.do_get(tickets[-1]).read_all().num_rows == 1
        with pytest.raises(pa.ArrowKeyError, match="TICKET: there is no result") as gone:
            client.do_get(tickets[0])
        with pytest.raises(pa.ArrowKeyError) as forged:
            client.do_get(flight.Ticket(b"\x00FF1\x12\x12\x0a\x10" + b"x" * 16))
    assert str(forged.value).split("Detail")[0] == str(gone.value).split("Detail")[0]


def test_a_handle_lives_as_long_as_it_is_used():
    now = [0.0]
    held: Handles[str] = Handles(Bounds(3, 100_000, 10.0), lambda: now[0])
    used, idle = held.keep("used", 0), held.keep("idle", 0)
    assert len({used, idle}) == 2
    assert len(used) == HANDLE_BYTES
    now[0] = 9.0
    assert held.get(used) == "used"
    now[0] = 10.0
    assert (held.get(used), held.get(idle)) == ("used", None)
    assert held.replace(used, "other", 0)
    assert not held.replace(idle, "other", 0)
    assert held.get(used) == "other"
    now[0] = 30.0
    held.keep("new", 0)
    assert len(held) == 1


def test_handles_are_bounded_by_number_and_by_bytes():
    few: Handles[int] = Handles(Bounds(2, 1 << 20, 10.0))
    first, second, third = (few.keep(number, 0) for number in range(3))
    assert [few.get(handle) for handle in (first, second, third)] == [None, 1, 2]
    small: Handles[int] = Handles(Bounds(100, 10_000, 10.0))
    first, second = small.keep(1, 4000), small.keep(2, 1000)
    small.spend(second)
    third = small.keep(3, 1500)
    assert [small.get(handle) for handle in (first, second, third)] == [1, None, 3]
    alone = small.keep(4, 50_000)
    assert [small.get(handle) for handle in (first, third, alone)] == [None, None, 4]
    small.drop(alone)
    assert (len(small), small.held_bytes) == (0, 0)


class Blocked:
    """A running answer that nobody reads."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_stream_that_nobody_began_is_closed_too():
    running = Blocked()
    chunks = LiveChunks(running, pa.py_buffer(b""))
    del chunks
    assert running.closed


def test_stopping_does_not_wait_for_ever(second):
    server = FlightServer(second.runtime)
    with flight.FlightClient(server.uri) as client:
        reader = client.do_get(flight.Ticket(BIG))
        reader.read_chunk()
        assert server.stop(grace=0.1) is False
        reader.cancel()
        del reader
    assert settled(second)
