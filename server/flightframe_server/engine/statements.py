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

import pyarrow as pa

from flightframe_server.backends.ending import Stop
from flightframe_server.backends.protocol import Backend, RunningQuery
from flightframe_server.catalog.limits import Limits, half
from flightframe_server.engine.asker import POLL_SECONDS, Asker, Wait
from flightframe_server.engine.slots import Slots
from flightframe_server.engine.streams import WatchedStream
from flightframe_server.errors import LimitExceeded
from flightframe_server.planner.source import FrameQuery, SourceQuery

END_SECONDS = 1.0
"""How long whoever cancels waits to hear of the end."""

COARSER = "ask at a coarser anchor, add a filter, or LIMIT"


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
        of = self.limits
        self.places = self._slots(of.concurrent_statements, of.statements_per_caller)
        self.stream_places = self._slots(of.concurrent_streams, of.streams_per_caller)
        self._lock = threading.Lock()
        self._listed: set[Listed] = set()

    def _slots(self, places: int, share: int | None) -> Slots:
        line, line_share = self.limits.queued_statements, self.limits.queued_per_caller
        return Slots(
            places,
            line,
            self.limits.queue_seconds,
            share=half(places) if share is None else share,
            line_share=half(line) if line_share is None else line_share,
        )

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
        stop: Stop,
        query_id: str,
        caller: str = "",
    ) -> pa.Table:
        """Carry one statement out and return all it says.

        Args:
            backend: where.
            query: what.
            stop: the wish that it end.
            query_id: the question it belongs to.
            caller: whose share of the places it takes.

        Raises:
            Overloaded: too many are under way.
            LimitExceeded: it brings more bytes than one may.
            BackendCancelled: its end was wished.
            BackendError: the database failed.
        """
        listed = Listed(query_id, time.monotonic(), stop.wish)
        release = self._enter(self.places, stop.check, listed, caller)
        try:
            running = backend.run(query, stop=stop)
        except BaseException:
            release()
            raise
        running.when_over(release)
        stop.attach(running)
        try:
            batches = list(self._bounded(running))
            return pa.Table.from_batches(batches, schema=running.schema).combine_chunks()
        finally:
            running.close()

    def open(self, backend: Backend, query: SourceQuery | FrameQuery, wait: Wait) -> WatchedStream:
        """Start one statement that is read as it comes; see `collect`.

        Raises:
            BackendTimeout: it did not begin before the caller's time was up.
        """
        stream = WatchedStream(wait, self.limits.stream_idle_timeout)
        listed = Listed(wait.query_id, time.monotonic(), stream.cancel)
        release = self._enter(self.stream_places, wait.check, listed, wait.caller)
        stream.start(lambda stop: backend.run(query, stop=stop), release)
        return stream

    def _enter(
        self, places: Slots, check: Callable[[], None], listed: Listed, caller: str
    ) -> Callable[[], None]:
        """Take a place and return what gives it back."""
        with self._lock:
            self._listed.add(listed)
        try:
            places.take(check, caller)
        except BaseException:
            self._forget(listed)
            raise

        def release() -> None:
            self._forget(listed)
            places.give_back(caller)

        return release

    def _forget(self, listed: Listed) -> None:
        with self._lock:
            self._listed.discard(listed)
        listed.over.set()

    def _bounded(self, running: RunningQuery) -> Iterator[pa.RecordBatch]:
        found = 0
        for batch in running:
            found += batch.nbytes
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
