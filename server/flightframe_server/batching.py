"""Batching: an answer as record batches that every client can read.

What comes in: batches of any size, finished or as a statement makes them. What goes out: batches of
at most 64k rows and about 4 MiB, each of the answer's own schema. It must never send none at all:
what carries the provenance is the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from flightframe_server.backends.protocol import BATCH_ROWS
from flightframe_server.engine.frames import OpenStream
from flightframe_server.statements.streams import WatchedStream

BATCH_BYTES = 4 * 1024 * 1024 - 64 * 1024


class OpenAnswer:
    """An answer being read. Iterate to the end, or close.

    Args:
        schema: of every batch, with the provenance in its metadata.
        batches: the rows.
        running: the statement that makes them, or the stream of a large table; None where they are
            in memory.
    """

    def __init__(
        self,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        running: OpenStream | WatchedStream | None = None,
    ) -> None:
        """Read nothing yet."""
        self.schema = schema
        self._batches, self._running = batches, running

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most 64k rows and 4 MiB; one empty batch where there are no rows."""
        empty = True
        for batch in self._batches:
            for piece in sliced(batch):
                empty = False
                if self._running is not None:
                    self._running.progressed()
                yield with_schema(piece, self.schema)
        if empty:
            yield pa.RecordBatch.from_arrays(
                [pa.array([], field.type) for field in self.schema], schema=self.schema
            )

    def cancel(self) -> None:
        """Stop a streamed answer from any thread."""
        if self._running is not None:
            self._running.cancel()

    def close(self) -> None:
        """Release a streamed answer's resources; idempotent."""
        if self._running is not None:
            self._running.close()


def with_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch under the schema that was announced, which may name another zone."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces of at most 64k rows and about 4 MiB."""
    if batch.num_rows == 0:
        return
    per_row = max(1, batch.nbytes // batch.num_rows)
    rows = max(1, min(BATCH_ROWS, BATCH_BYTES // per_row))
    for start in range(0, batch.num_rows, rows):
        piece = batch.slice(start, rows)
        if piece.nbytes > BATCH_BYTES and piece.num_rows > 1:
            half = piece.num_rows // 2
            yield from sliced(piece.slice(0, half))
            yield from sliced(piece.slice(half))
        else:
            yield piece
