"""An answer as the stream of one DoGet: batches with the provenance beside each of them.

What comes in: an answer, and the call that reads it. What goes out: what pyarrow streams. It must
never send a batch without its provenance (readers see batches, not streams), and never leave a
statement running for a client that is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pyarrow as pa
import structlog
from pyarrow import flight

from flightframe_server.answer import Answer, OpenAnswer
from flightframe_server.errors import BackendCancelled
from flightframe_server.flight.boundary import wire_error

log = structlog.get_logger(__name__)

WATCH_SECONDS = 0.05

Chunk = tuple[pa.RecordBatch, pa.Buffer]
"""One batch and the provenance that travels with it."""


def finished_chunks(answer: Answer, provenance: bytes) -> list[Chunk]:
    """Return the chunks of a finished answer; the batches share its memory."""
    metadata = pa.py_buffer(provenance)
    return [(batch, metadata) for batch in answer.open()]


def live_stream(answer: Answer, context: flight.ServerCallContext) -> flight.GeneratorStream:
    """Start a streamed answer and return it as what DoGet returns.

    Raises:
        TicketRefused: the data changed since the answer was planned.
        BackendError: the database failed.
    """
    metadata = pa.py_buffer(answer.provenance.to_bytes())
    chunks = LiveChunks(answer.open(), metadata, context.is_cancelled)
    return flight.GeneratorStream(answer.schema, chunks)


class LiveChunks:
    """The chunks of a running statement, which ends with them, with their reader or with the call.

    pyarrow gives the iterator up inside the call when a client stops reading, so that `__del__` is
    the end of an abandoned stream; a generator that was never advanced would not notice.

    Args:
        running: the answer being read.
        metadata: the provenance.
        cancelled: whether the client has gone. It belongs to the call, and must not be asked once
            the call is over.
    """

    def __init__(
        self, running: OpenAnswer, metadata: pa.Buffer, cancelled: Callable[[], bool]
    ) -> None:
        """Read nothing yet."""
        self._running, self._metadata, self._cancelled = running, metadata, cancelled
        self._batches: Iterator[pa.RecordBatch] | None = None
        self._watch: CancelWatch | None = None
        self._closed = False

    def __iter__(self) -> LiveChunks:
        """Return the iterator itself."""
        return self

    def __next__(self) -> Chunk:
        """Return the next chunk; at the end and at every failure the statement is closed first."""
        try:
            return self._next(), self._metadata
        except StopIteration:
            self.close()
            raise
        except Exception as error:
            fresh = wire_error(error, "do_get")
        self.close()
        raise fresh

    def _next(self) -> pa.RecordBatch:
        if self._closed:
            raise StopIteration
        if self._batches is None:
            self._batches = iter(self._running)
            self._watch = CancelWatch(self._cancelled, self._running.cancel)
        if self._cancelled():
            raise BackendCancelled("the client stopped reading")
        return next(self._batches)

    def close(self) -> None:
        """Stop the statement and the watch over it; idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.stop()
        self._batches = None
        self._running.close()

    def __del__(self) -> None:
        """Close what nobody reads any more."""
        self.close()


class CancelWatch:
    """A thread that cancels a statement once its client is gone, while it waits for a batch.

    Args:
        cancelled: whether the client is gone; never asked again after `stop`.
        cancel: stops the statement, from any thread.
    """

    def __init__(self, cancelled: Callable[[], bool], cancel: Callable[[], None]) -> None:
        """Begin to watch."""
        self._cancelled, self._cancel = cancelled, cancel
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flight-cancel-watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            if self._cancelled():
                try:
                    self._cancel()
                except Exception as late:
                    # The statement may end by itself in the same moment.
                    log.debug("flight.cancel_late", kind=type(late).__name__)
                return

    def stop(self) -> None:
        """Stop watching; returns when the thread asks nothing any more."""
        self._over.set()
        self._thread.join()
