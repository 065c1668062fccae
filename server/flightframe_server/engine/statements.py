"""The statements of an installation under way: how many, for whom, how long, and how they end.

What comes in: queries for a back-end, and who waits for them. What goes out: tables, or streams at
the pace of their readers, each within the limits of the installation. It must never let a statement
run on for nobody, nor stand in the way of an answer that needs none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pyarrow as pa

from flightframe_server.backends.ending import Stop
from flightframe_server.backends.protocol import Backend, Fingerprints, RunningQuery
from flightframe_server.catalog.limits import Limits
from flightframe_server.engine.asker import POLL_SECONDS, Asker, Wait
from flightframe_server.engine.slots import Slots
from flightframe_server.engine.streams import WatchedStream
from flightframe_server.errors import LimitExceeded
from flightframe_server.planner.source import FrameQuery, SourceQuery

Result = TypeVar("Result")

END_SECONDS = 1.0
"""How long whoever cancels waits to hear of the end."""

COARSER = "ask at a coarser anchor, add a filter, or LIMIT"


class TooManyRows(Exception):
    """A statement brings more rows than its reader collects; a signal inside the engine."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """One statement under way.

    Attributes:
        query_id: the question it belongs to.
        since: when it asked for its place, as `time.monotonic` counts.
        wish: wishes that it end.
        over: set once it has.
    """

    query_id: str
    since: float
    wish: Callable[[], None]
    over: threading.Event = field(default_factory=threading.Event)


class Statements:
    """Starts, counts, lists and ends the statements of one installation.

    Args:
        limits: the installation's.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """Nothing runs yet."""
        self.limits = limits if limits is not None else Limits()
        line, seconds = self.limits.queued_statements, self.limits.queue_seconds
        self.places = Slots(self.limits.concurrent_statements, line, seconds)
        self.stream_places = Slots(self.limits.concurrent_streams, line, seconds)
        self._lock = threading.Lock()
        self._listed: set[Listed] = set()

    def wait_for(self, asker: Asker) -> Wait:
        """Start the clock of whoever asks."""
        return Wait(asker, self.limits.statement_timeout)

    def at_most(self, asker: Asker) -> Asker:
        """Return whoever asks several questions at once, with the time of one for all."""
        most = self.limits.statement_timeout
        seconds = most if asker.timeout is None else min(asker.timeout, most)
        return replace(asker, until=time.monotonic() + seconds)

    def under_way(self) -> tuple[Listed, ...]:
        """Return what is under way now, those that wait for a place included, oldest first."""
        with self._lock:
            return tuple(sorted(self._listed, key=lambda one: one.since))

    def cancel(self, query_id: str) -> bool | None:
        """End the statements of a question.

        Returns:
            Whether all have ended; None where there was none.
        """
        found = [one for one in self.under_way() if one.query_id == query_id]
        until = time.monotonic() + END_SECONDS
        left = found
        while left and time.monotonic() < until:
            # Again and again: a wish may meet a statement between two steps.
            for one in left:
                one.wish()
            left = [one for one in left if not one.over.wait(POLL_SECONDS)]
        return not left if found else None

    def collect(
        self,
        backend: Backend,
        query: SourceQuery | FrameQuery,
        at: Fingerprints,
        stop: Stop,
        query_id: str,
        *,
        most_rows: int | None = None,
    ) -> pa.Table:
        """Carry one statement out and return all it says.

        Args:
            backend: where.
            query: what.
            at: the version to read.
            stop: the wish that it end.
            query_id: the question it belongs to.
            most_rows: how many rows are collected; None: any number.

        Raises:
            SourceMoved: the data are of another version.
            TooManyRows: it brings more than `most_rows`.
            Overloaded: too many are under way.
            LimitExceeded: it brings more bytes than one may.
            BackendCancelled: its end was wished.
            BackendError: the database failed.
        """
        listed = Listed(query_id, time.monotonic(), stop.wish)
        release = self._enter(self.places, stop.check, listed)
        try:
            running = backend.run(query, at=at, stop=stop)
        except BaseException:
            release()
            raise
        running.when_over(release)
        stop.attach(running)
        try:
            batches = list(self._bounded(running, most_rows))
            return pa.Table.from_batches(batches, schema=running.schema).combine_chunks()
        finally:
            running.close()

    def inspect(self, look: Callable[[], Result], stop: Stop, query_id: str) -> Result:
        """Look one fact of the data up, as one statement among the others.

        Args:
            look: asks the back-end; it ends when `stop` is wished.
            stop: the wish that it end.
            query_id: the question it belongs to.

        Raises:
            Overloaded: too many are under way.
            BackendError: as `look`.
        """
        release = self._enter(
            self.places, stop.check, Listed(query_id, time.monotonic(), stop.wish)
        )
        try:
            return look()
        finally:
            release()

    def open(
        self, backend: Backend, query: SourceQuery | FrameQuery, at: Fingerprints, wait: Wait
    ) -> WatchedStream:
        """Start one statement that is read as it comes; see `collect`.

        Raises:
            SourceMoved: the data are of another version.
            BackendTimeout: it did not begin before the caller's time was up.
        """
        stream = WatchedStream(wait)
        listed = Listed(wait.query_id, time.monotonic(), stream.cancel)
        release = self._enter(self.stream_places, wait.check, listed)
        stream.start(lambda stop: backend.run(query, at=at, stop=stop), release)
        return stream

    def _enter(
        self, places: Slots, check: Callable[[], None], listed: Listed
    ) -> Callable[[], None]:
        """Take a place and return what gives it back."""
        with self._lock:
            self._listed.add(listed)
        try:
            places.take(check)
        except BaseException:
            self._forget(listed)
            raise

        def release() -> None:
            self._forget(listed)
            places.give_back()

        return release

    def _forget(self, listed: Listed) -> None:
        with self._lock:
            self._listed.discard(listed)
        listed.over.set()

    def _bounded(self, running: RunningQuery, most_rows: int | None) -> Iterator[pa.RecordBatch]:
        found = rows = 0
        for batch in running:
            found, rows = found + batch.nbytes, rows + batch.num_rows
            if most_rows is not None and rows > most_rows:
                raise TooManyRows
            if found > self.limits.statement_bytes:
                raise LimitExceeded(
                    f"a statement brings at most {self.limits.statement_bytes:,} bytes",
                    hint=COARSER,
                )
            yield batch

    def check_result(self, rows: int, size: int) -> None:
        """Refuse an answer of more rows or bytes than one may have.

        Raises:
            LimitExceeded: it has.
        """
        for found, most, what in (
            (rows, self.limits.result_rows, "rows"),
            (size, self.limits.result_bytes, "bytes"),
        ):
            if found > most:
                raise LimitExceeded(f"an answer has at most {most:,} {what}", hint=COARSER)
