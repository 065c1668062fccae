"""The watch over what comes to a Flight server before anybody is asked about it.

What comes in: the port of a server of this process, and from its calls the bytes that they took.
What goes out: an end to the connections over which too much comes. It must never cost a call more
than the word that it took something, nor touch what is not of the port.

The kernel says over which connections something came (edge-triggered `epoll`, beside gRPC's own),
how much, and that new ones were made. While much is on its way it is asked every two milliseconds:
what can come in between, and until the interpreter's lock is had, is what a bound is passed by.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import structlog

from flightframe_server.catalog.limits import Limits
from flightframe_server.flight.incoming import (
    COLUMN_BYTES,
    Connection,
    Endpoint,
    Incoming,
    IncomingBounds,
)
from flightframe_server.flight.sockets import (
    HELD,
    PassiveOpens,
    PortSocket,
    PortSockets,
    counts_of,
    end,
    waiting,
)

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
CALM_SECONDS = 0.025
BUSY_SECONDS = 0.002
BUSY_PART = 8

_HEARD = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET if HELD else 0


class IncomingWatch:
    """Watches the connections of a port from a thread of its own, where the system can.

    A server answers calls before it can say which port it has: the watch is made before the
    server, and begins after it.

    Args:
        bounds: how much may have come.
    """

    def __init__(self, bounds: IncomingBounds) -> None:
        """Watch nothing yet."""
        self._incoming = Incoming(bounds)
        self._listening: list[PortSocket] = []
        self._of_fd: dict[int, Connection] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, port: int) -> None:
        """Begin to watch the port of a server in this process that listens already."""
        if HELD:
            self._sockets = PortSockets(port)
            self._events, self._opens = select.epoll(), PassiveOpens()
            self._seen: int | None = None
            self._again, self._next_search, self._pause = False, 0.0, CALM_SECONDS
            self._thread = threading.Thread(target=self._run, name="incoming-watch", daemon=True)
            self._thread.start()

    def change_limits(self, limits: Limits) -> None:
        """Let as much come as other limits of the installation say."""
        self._incoming.bounds = IncomingBounds.within(limits)

    def take(self, target: str, size: int) -> None:
        """Note that a call that was let in took a message, also before the watch has begun.

        See `Incoming.take`.
        """
        if HELD and not self._stop.is_set():
            self._incoming.take(target, size)

    def close(self) -> None:
        """Watch no more; idempotent."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        with contextlib.closing(self._opens), contextlib.closing(self._events):
            while not self._stop.wait(self._pause):
                try:
                    self._pass(time.monotonic())
                except Exception as error:
                    # Without a watch nothing is bound: the next pass is another attempt.
                    log.error("flight.watch_failed", kind=type(error).__name__, text=str(error))
                    self._pause = SWEEP_SECONDS

    def _pass(self, now: float) -> None:
        """Look once at all that moved."""
        # Before anything is counted: what calls have taken had come by then.
        consumed = self._incoming.pop_consumed()
        opens = self._opens.count()
        moved = opens is None or opens != self._seen
        if moved or self._again or now >= self._next_search or not self._knows(consumed):
            # Connections stand in a line until gRPC takes them, and have no descriptor yet. One
            # that is just being taken may miss one search, not two.
            line = any(waiting(one) for one in self._listening)
            self._search(now)
            self._seen, self._again = opens, opens is not None and (moved or line)
            self._next_search = now + SWEEP_SECONDS
            came = list(self._of_fd)
        else:
            came = [fd for fd, _ in self._events.poll(0)]
        self._incoming.keep_unplaced(consumed, now)
        self._look(came, consumed, now)
        self._end_past()
        busy = self._incoming.largest * BUSY_PART > self._incoming.bounds.of_one
        self._pause = BUSY_SECONDS if busy or self._again else CALM_SECONDS

    def _search(self, now: float) -> None:
        """Find the connections that were made, and forget those that were closed."""
        incoming = self._incoming
        sockets = {one.cookie: one for one in self._sockets.find()}
        for cookie in incoming.connections.keys() - sockets.keys():
            incoming.closed(cookie)
        self._listening = []
        for one in sockets.values():
            if one.listens:
                self._listening.append(one)
                continue
            known = incoming.connections.get(one.cookie)
            counts = counts_of(one)
            if counts is None:
                continue
            if known is None or known.socket.fd != one.fd:
                self._hear(one)
            if known is None:
                incoming.opened(one, counts, now)
            else:
                known.socket = one
        self._of_fd = {one.socket.fd: one for one in incoming.connections.values()}

    def _hear(self, socket: PortSocket) -> None:
        """Be told when something comes, until the descriptor's owner closes it."""
        # That it can be written to is asked as well, for the sake of the answer: what came may
        # have been read by the time of the question, and would then be no event.
        # One that is registered already is still open; one that is closed is found out later.
        with contextlib.suppress(OSError):
            self._events.register(socket.fd, _HEARD)

    def _knows(self, consumed: Mapping[Endpoint, int]) -> bool:
        """Whether every connection of these is known: a call may come before the next search."""
        return consumed.keys() <= {one.endpoint for one in self._of_fd.values()}

    def _look(self, came: list[int], consumed: Mapping[Endpoint, int], now: float) -> None:
        """Read the counts of the connections over which something came or was taken."""
        looked = [self._of_fd[fd] for fd in came if fd in self._of_fd]
        if consumed:
            known = {id(one) for one in looked}
            looked += [
                one
                for one in self._of_fd.values()
                if one.endpoint in consumed and id(one) not in known
            ]
        for one in looked:
            counts = counts_of(one.socket)
            if counts is not None:
                self._incoming.note(one, counts, consumed.get(one.endpoint, 0), now)

    def _end_past(self) -> None:
        for one in self._incoming.past():
            if end(one.socket):
                log.warning(
                    "flight.connection_ended",
                    why=one.ended,
                    peer=one.peer,
                    open_bytes=one.open_bytes,
                )


class CountedReader:
    """A reader of a DoPut that says what it took.

    Args:
        reader: pyarrow's.
        watch: is told.
        target: the connection's other end.
    """

    def __init__(self, reader: Any, watch: IncomingWatch, target: str) -> None:
        """Read nothing yet."""
        self._reader, self._watch, self._target = reader, watch, target

    def read_chunk(self) -> Any:
        """Return the next chunk; raises as the reader does."""
        chunk = self._reader.read_chunk()
        batch, beside = chunk.data, chunk.app_metadata
        size = 0 if beside is None else beside.size
        if isinstance(batch, pa.RecordBatch):
            size += batch.get_total_buffer_size() + COLUMN_BYTES * batch.num_columns
        self._watch.take(self._target, size)
        return chunk
