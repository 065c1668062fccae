"""The statements of an installation under way: how many, for whom, how long, and how they end.

What comes in: queries for a back-end, and who waits for them. What goes out: tables, or streams at
the pace of their readers, each within the limits of the installation. It must never let a statement
run on for no caller, nor stand in the way of an answer that needs none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

import pyarrow as pa

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import Backend, Fingerprints, RunningQuery
from flightframe_server.call_context import POLL_SECONDS, CallContext
from flightframe_server.catalog.limits import Limits, three_quarters
from flightframe_server.errors import LimitExceeded
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.statements.admission import AdmissionQueue
from flightframe_server.statements.streams import WatchedStream
from flightframe_server.statements.table_batches import TableBatches
from flightframe_server.telemetry.metrics import Metrics

Result = TypeVar("Result")

END_SECONDS = 1.0
"""How long the thread that cancels waits to hear of the end."""

QUERY, LOOK, STREAM, HANDED_OUT = "query", "look", "stream", "handed out"
"""The kinds of statements, as they are counted; what is handed out asks the database nothing."""

COARSER = "ask at a coarser anchor, add a filter, or LIMIT"


class TooManyRows(Exception):
    """A statement brings more rows than its reader collects; a signal inside the engine."""


@dataclass(frozen=True, slots=True, eq=False)
class RunningStatement:
    """One statement under way.

    Attributes:
        query_id: the question it belongs to.
        since: when it asked for its permit, as `time.monotonic` counts.
        cancel: asks it to end.
        user: whose reader it is, for a large answer; empty where the server asks for no names.
        streamed: whether it is a large answer, which one reader alone waits for.
        admitted: set once it has its permit.
        ended: set once it has ended.
    """

    query_id: str
    since: float
    cancel: Callable[[], None]
    user: str = ""
    streamed: bool = False
    admitted: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class _QueueBounds(TypedDict):
    """The arguments of an `AdmissionQueue`."""

    permits: int
    waiting: int
    seconds: float
    share: int
    waiting_share: int


def _queue_bounds(limits: Limits) -> tuple[_QueueBounds, _QueueBounds]:
    """Return the bounds of the queue of statements, and of that of large answers."""

    def bounds(permits: int, share: int | None) -> _QueueBounds:
        waiting, waiting_share = limits.queued_statements, limits.queued_per_caller
        return {
            "permits": permits,
            "waiting": waiting,
            "seconds": limits.queue_seconds,
            "share": three_quarters(permits) if share is None else share,
            "waiting_share": three_quarters(waiting) if waiting_share is None else waiting_share,
        }

    return (
        bounds(limits.concurrent_statements, limits.statements_per_caller),
        bounds(limits.concurrent_streams, limits.streams_per_caller),
    )


class Statements:
    """Starts, counts, lists and ends the statements of one installation.

    Args:
        limits: the installation's.
        metrics: what counts the statements; None: counters of its own.
    """

    def __init__(self, limits: Limits | None = None, metrics: Metrics | None = None) -> None:
        """Nothing runs yet."""
        self.metrics = metrics if metrics is not None else Metrics()
        of = self.limits = limits if limits is not None else Limits()
        statements, streams = _queue_bounds(of)
        self.permits = AdmissionQueue(**statements)
        self.stream_permits = AdmissionQueue(**streams)
        self._lock = threading.Lock()
        self._running: set[RunningStatement] = set()
        self._followers: list[Callable[[Limits], None]] = []

    def follow_limits(self, follow: Callable[[Limits], None]) -> None:
        """Call a function with the limits whenever they change."""
        self._followers.append(follow)

    def change_limits(self, limits: Limits) -> None:
        """Keep other limits from now on; what is under way goes on under those it began with."""
        if limits == self.limits:
            return
        statements, streams = _queue_bounds(limits)
        self.limits = limits
        self.permits.resize(**statements)
        self.stream_permits.resize(**streams)
        for follow in self._followers:
            follow(limits)

    def bounded(self, context: CallContext) -> CallContext:
        """Return a call with the time that one question may take, from now on."""
        return context.within(self.limits.statement_timeout)

    def running(self) -> tuple[RunningStatement, ...]:
        """Return what is under way now, those that wait for a permit included, oldest first."""
        with self._lock:
            return tuple(sorted(self._running, key=lambda one: one.since))

    def cancel(self, query_id: str) -> bool | None:
        """End the statements of a question.

        Returns:
            Whether all have ended; None where there was none.
        """
        statements = [one for one in self.running() if one.query_id == query_id]
        until = time.monotonic() + END_SECONDS
        unfinished = statements
        while unfinished and time.monotonic() < until:
            # Again and again: a cancellation may meet a statement between two steps.
            for one in unfinished:
                one.cancel()
            unfinished = [one for one in unfinished if not one.ended.wait(POLL_SECONDS)]
        return not unfinished if statements else None

    def collect(
        self,
        backend: Backend,
        query: SourceQuery | FrameQuery,
        at: Fingerprints,
        token: CancelToken,
        context: CallContext,
        *,
        max_rows: int | None = None,
        spent: Callable[[float], object] | None = None,
    ) -> pa.Table:
        """Carry one statement out and return all it says.

        Args:
            backend: where.
            query: what.
            at: the version to read.
            token: cancels it.
            context: the call it is for, whose share of the permits it takes.
            max_rows: how many rows are collected; None: any number.
            spent: called with the seconds that it ran, without those that it waited for a permit.

        Raises:
            SourceMoved: the data are of another version.
            TooManyRows: it brings more than `max_rows`.
            Overloaded: too many are under way.
            LimitExceeded: it brings more bytes than one may.
            BackendCancelled: it was cancelled.
            BackendError: the database failed.
        """
        statement = RunningStatement(context.query_id, time.monotonic(), token.cancel)
        release = self._admitted(QUERY, token.check, statement, context.caller.key)
        began = time.perf_counter()
        try:
            running = backend.run(query, at=at, token=token)
        except BaseException:
            release()
            raise
        running.add_done_callback(release)
        token.attach(running)
        try:
            batches = list(self._bounded(running, max_rows))
            if spent is not None:
                spent(time.perf_counter() - began)
            return pa.Table.from_batches(batches, schema=running.schema).combine_chunks()
        finally:
            running.close()

    def inspect(
        self, look: Callable[[], Result], token: CancelToken, context: CallContext
    ) -> Result:
        """Look one fact of the data up, as one statement among the others.

        Args:
            look: asks the back-end; it ends when `token` is cancelled.
            token: cancels it.
            context: the call it is for, whose share of the permits it takes.

        Raises:
            Overloaded: too many are under way.
            BackendError: as `look`.
        """
        statement = RunningStatement(context.query_id, time.monotonic(), token.cancel)
        release = self._admitted(LOOK, token.check, statement, context.caller.key)
        try:
            return look()
        finally:
            release()

    def open(
        self,
        backend: Backend,
        query: SourceQuery | FrameQuery,
        at: Fingerprints,
        context: CallContext,
    ) -> WatchedStream:
        """Start one statement that is read as it comes; see `collect`.

        Raises:
            SourceMoved: the data are of another version.
            BackendTimeout: it did not begin before the caller's time was up.
        """
        stream = WatchedStream(context, self.limits.stream_idle_timeout)
        statement = _reading(context, stream)
        release = self._admitted(STREAM, context.check, statement, context.caller.key)
        stream.start(lambda token: backend.run(query, at=at, token=token), release)
        return stream

    def hand_out(self, table: pa.Table, context: CallContext) -> WatchedStream:
        """Hand out a large answer that is finished, like one that a statement still makes.

        It takes a permit among the large answers, and ends with a reader that takes none of it: the
        rows would otherwise be held for as long as that keeps its connection.

        Raises:
            Overloaded: too many large answers are under way.
            BackendTimeout: it got no permit before the caller's time was up.
        """
        stream = WatchedStream(context, self.limits.stream_idle_timeout)
        statement = _reading(context, stream)
        release = self._admitted(HANDED_OUT, context.check, statement, context.caller.key)
        stream.start(lambda token: TableBatches(table), release)
        return stream

    def _admitted(
        self,
        kind: str,
        check: Callable[[], None],
        statement: RunningStatement,
        caller: str,
    ) -> Callable[[], None]:
        """Take a permit for a kind of statement, and return what gives it back."""
        permits = self.permits if kind in (QUERY, LOOK) else self.stream_permits
        with self._lock:
            self._running.add(statement)
        try:
            permits.acquire(check, caller)
        except BaseException:
            self._forget(statement)
            raise
        statement.admitted.set()

        admitted = time.monotonic()

        def release() -> None:
            if kind != HANDED_OUT:
                self.metrics.statement(kind, time.monotonic() - admitted)
            self._forget(statement)
            permits.release(caller)

        return release

    def _forget(self, statement: RunningStatement) -> None:
        with self._lock:
            self._running.discard(statement)
        statement.ended.set()

    def _bounded(self, running: RunningQuery, max_rows: int | None) -> Iterator[pa.RecordBatch]:
        size = rows = 0
        for batch in running:
            size, rows = size + batch.nbytes, rows + batch.num_rows
            if max_rows is not None and rows > max_rows:
                raise TooManyRows
            if size > self.limits.statement_bytes:
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
        for count, limit, what in (
            (rows, self.limits.result_rows, "rows"),
            (size, self.limits.result_bytes, "bytes"),
        ):
            if count > limit:
                raise LimitExceeded(f"an answer has at most {limit:,} {what}", hint=COARSER)


def _reading(context: CallContext, stream: WatchedStream) -> RunningStatement:
    """Return the large answer that a call reads, as it is listed."""
    user = context.caller.user
    return RunningStatement(context.query_id, time.monotonic(), stream.cancel, user, streamed=True)
