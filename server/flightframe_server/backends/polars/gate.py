"""A gate that every batch of a table passes on its way into a query, so that it can be stopped.

What comes in: batches as they are read. What goes out: the same batches, or an error once the gate
is closed. It must never change a batch.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.errors import BackendCancelled


class Gate:
    """Open until it is closed, from any thread."""

    def __init__(self) -> None:
        """Open."""
        self._closed = False

    def close(self) -> None:
        """Let nothing pass any more; idempotent."""
        self._closed = True

    def passed(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return a batch.

        Raises:
            BackendCancelled: the gate is closed.
        """
        if self._closed:
            raise BackendCancelled("the query was cancelled")
        return batch
