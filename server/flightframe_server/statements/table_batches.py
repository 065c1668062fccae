"""A finished answer handed out like a statement's: at its reader's pace, and not for ever.

What comes in: the rows of an answer. What goes out: its batches, as a `RunningQuery` that a watch
can end. It must never keep the rows once it is closed: a reader that takes nothing holds them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pyarrow as pa

from flightframe_server.backends.protocol import BATCH_ROWS
from flightframe_server.errors import BackendCancelled


class TableBatches:
    """The batches of a table; see `RunningQuery`.

    Args:
        table: the rows.
    """

    def __init__(self, table: pa.Table) -> None:
        """Take the rows, sharing their memory."""
        self.schema: pa.Schema = table.schema
        self._lock = threading.Lock()
        self._remaining: list[pa.RecordBatch] | None = list(reversed(table.to_batches(BATCH_ROWS)))
        self._cancelled = False
        self._then: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches, each given up as it is taken."""
        while True:
            with self._lock:
                if self._cancelled:
                    raise BackendCancelled("the query was cancelled")
                batch = self._remaining.pop() if self._remaining else None
            if batch is None:
                return
            yield batch

    def cancel(self) -> None:
        """Let no more batches be taken."""
        with self._lock:
            self._cancelled = True

    def close(self) -> None:
        """Give the rows up; idempotent."""
        with self._lock:
            self._remaining, then, self._then = None, self._then, []
        for call in then:
            call()

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` once the rows are given up; at once if they are."""
        with self._lock:
            if self._remaining is not None:
                self._then.append(then)
                return
        then()
