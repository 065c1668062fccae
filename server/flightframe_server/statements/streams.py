"""A statement read as it comes, and watched: it ends with its reader, its time, or a word.

A reader that takes nothing for too long is taken for one that left: its statement holds a permit
and memory.

What comes in: a statement to start, and who reads it. What goes out: its batches, until there are
no more, the reader leaves, its time ends, or a call cancels it. It must never hold a statement open
for a reader that does not come back: the watch closes it even between two batches.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import structlog

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import RunningQuery
from flightframe_server.call_context import POLL_SECONDS, CallContext, idle_over
from flightframe_server.errors import BackendCancelled, FlightframeError

log = structlog.get_logger(__name__)


class WatchedStream:
    """One statement under way, for one reader. Iterate to the end, or close.

    Args:
        context: the call that reads; not asked any more once the stream is closed.
        idle_seconds: how long the reader may take none of what was made for it.

    Attributes:
        schema: of every batch, once started.
    """

    schema: pa.Schema

    def __init__(self, context: CallContext, idle_seconds: float = math.inf) -> None:
        """Nothing runs yet."""
        self._context, self._stop = context, CancelToken()
        self._idle_seconds = idle_seconds
        # Since when a batch waits for its reader; inf while the statement makes one.
        self._idle_since = math.inf
        self._reason: FlightframeError | None = None
        self._running: RunningQuery | None = None
        # The thread that steps or closes the statement holds it.
        self._stepping = threading.Lock()
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look, name="statement-watch", daemon=True)

    def start(
        self, run: Callable[[CancelToken], RunningQuery], release: Callable[[], None]
    ) -> None:
        """Start the statement.

        Args:
            run: starts it.
            release: what to do once the database works on it no more.

        Raises:
            BackendError: as `run`; `BackendTimeout` and `BackendCancelled` for the reader's sake.
        """
        try:
            with self._stepping:
                self._watch.start()
                running = run(self._stop)
                self._running, self.schema = running, running.schema
                self._stop.attach(running)
        except BaseException as error:
            release()
            self._rest()
            self._tell_why(error)
            raise
        running.add_done_callback(release)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches; raises why the stream was ended, where it was."""
        running = self._running
        assert running is not None
        batches = iter(running)
        try:
            while (batch := self._step(batches)) is not None:
                yield batch
        finally:
            self.close()

    def _step(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        self._idle_since = math.inf
        with self._stepping:
            try:
                self._stop.check()
                batch = next(batches, None)
            except BackendCancelled as error:
                self._tell_why(error)
                raise
        self.progressed()
        return batch

    def progressed(self) -> None:
        """Note that the reader took a part of the batch that was made last."""
        self._idle_since = time.monotonic()

    def _tell_why(self, error: BaseException) -> None:
        """Raise why the stream was ended, where a statement only knows that it was."""
        if isinstance(error, BackendCancelled) and self._reason is not None:
            raise self._reason from error

    def cancel(self) -> None:
        """End the statement, from any thread; the watch sees to it that it does."""
        self._stop.cancel()

    def close(self) -> None:
        """Give the statement's resources back, and watch no more; idempotent."""
        with self._stepping:
            self._close()
        self._rest()

    def _rest(self) -> None:
        """Stop the watch; return once it asks the context nothing any more."""
        self._closed.set()
        if self._watch.ident is not None and threading.current_thread() is not self._watch:
            self._watch.join()

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` once the database works on the statement no more."""
        assert self._running is not None
        self._running.add_done_callback(then)

    def _close(self) -> None:
        if not self._closed.is_set() and self._running is not None:
            self._running.close()
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(POLL_SECONDS):
            if not self._stop.is_cancelled:
                self._reason = self._context.over() or idle_over(
                    self._idle_since, self._idle_seconds
                )
                if self._reason is None:
                    continue
            self._end_now()

    def _end_now(self) -> None:
        try:
            self._stop.cancel()
        except Exception as late:
            # The statement may end by itself in the same moment.
            log.debug("statement.cancel_late", kind=type(late).__name__)
        if self._stepping.acquire(timeout=POLL_SECONDS):
            try:
                self._close()
            finally:
                self._stepping.release()
