"""An answer as the stream of one DoGet: batches with the provenance beside each of them.

What comes in: an answer, and the call that reads it. What goes out: what pyarrow streams. It must
never send a batch without its provenance (readers see batches, not streams), and never leave a
statement running for a client that has hung up.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyarrow import flight

from flightframe_server.access.audit import AuditedCall, audited_call
from flightframe_server.answer import Answer
from flightframe_server.batching import OpenAnswer
from flightframe_server.call_context import CallContext
from flightframe_server.errors import BackendCancelled
from flightframe_server.flight.wire_errors import wire_error
from flightframe_server.statements.runner import Statements
from flightframe_server.telemetry.tracing import begin

LARGE_BYTES = 1024 * 1024
"""A finished answer of more takes a place among the large ones while it is read."""

Chunk = tuple[pa.RecordBatch, pa.Buffer]
"""One batch and the provenance that travels with it."""


WRITTEN_AS = pa.ipc.IpcWriteOptions()
"""How batches are written. Where nothing is said, pyarrow reads the environment for each stream."""


def data_stream(schema: pa.Schema, chunks: Iterable[object]) -> flight.GeneratorStream:
    """Return chunks of a schema as what DoGet returns."""
    return flight.GeneratorStream(schema, chunks, WRITTEN_AS)


def finished_chunks(answer: Answer, provenance: bytes) -> list[Chunk]:
    """Return the chunks of a finished answer; the batches share its memory."""
    metadata = pa.py_buffer(provenance)
    return [(batch, metadata) for batch in answer.open()]


def listing_batches(table: pa.Table) -> list[Chunk] | list[pa.RecordBatch]:
    """Return a listing's batches, one empty one where it lists nothing."""
    # The empty one is not made from rows: Arrow has no way from no rows to an empty union, as of
    # GetSqlInfo.
    empty = [
        column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for column in table.columns
    ]
    return table.to_batches() or [pa.RecordBatch.from_arrays(empty, schema=table.schema)]


def is_large(answer: Answer) -> bool:
    """Whether a finished answer is handed out like a streamed one: its rows are held meanwhile."""
    return answer.bytes is not None and answer.bytes > LARGE_BYTES


def finished_stream(
    answer: Answer, context: CallContext, statements: Statements
) -> flight.GeneratorStream:
    """Hand out a large finished answer, as what DoGet returns.

    Args:
        answer: the answer.
        context: the call that reads it.
        statements: whose places it takes.

    Raises:
        Overloaded: too many large answers are under way.
    """
    assert answer.table is not None
    call = statements.bounded(context.named(answer.provenance.query_id))
    running = statements.hand_out(answer.table, call)
    return _stream(answer, OpenAnswer(answer.schema, running, running))


def live_stream(answer: Answer, context: CallContext) -> flight.GeneratorStream:
    """Start a streamed answer and return it as what DoGet returns.

    Args:
        answer: the answer.
        context: the call that reads it.

    Raises:
        TicketRefused: the data changed since the answer was planned.
        BackendError: the database failed.
    """
    return _stream(answer, answer.open(context))


def _stream(answer: Answer, running: OpenAnswer) -> flight.GeneratorStream:
    metadata = pa.py_buffer(answer.provenance.to_bytes())
    call = audited_call()
    if call is not None:
        call.later, call.rows = True, 0
    return data_stream(answer.schema, LiveChunks(running, metadata, call))


class LiveChunks:
    """The chunks of a running statement, which ends with them, with their reader or with the call.

    pyarrow gives the iterator up inside the call when a client stops reading, so that `__del__` is
    the end of an abandoned stream; a generator that was never advanced would not notice.

    Args:
        running: the answer being read.
        metadata: the provenance.
        call: what the audit has of the call; None where there is none.
    """

    def __init__(
        self, running: OpenAnswer, metadata: pa.Buffer, call: AuditedCall | None = None
    ) -> None:
        """Read nothing yet."""
        self._call, self._end_span = call, begin("stream")
        self._running, self._metadata = running, metadata
        self._batches: Iterator[pa.RecordBatch] | None = None
        self._closed = self._ended = False

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
            request_id = uuid.uuid4().hex
            fresh = wire_error(error, "do_get", request_id)
            if self._call is not None:
                self._call.refused(error, request_id)
        self.close()
        raise fresh

    def _next(self) -> pa.RecordBatch:
        if self._closed:
            raise StopIteration
        if self._batches is None:
            self._batches = iter(self._running)
        batch = next(self._batches, None)
        if batch is None:
            self._ended = True
            raise StopIteration
        if self._call is not None:
            self._call.rows = (self._call.rows or 0) + batch.num_rows
        return batch

    def close(self) -> None:
        """Stop the statement; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._batches = None
        self._running.close()
        self._end_span()
        if self._call is not None:
            if not self._ended and self._call.code is None:
                self._call.code = BackendCancelled.code
            self._call.end()

    def __del__(self) -> None:
        """Close what has no reader any more."""
        self.close()
