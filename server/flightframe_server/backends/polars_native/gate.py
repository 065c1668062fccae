"""A gate that every batch of a table passes on its way into a query, so that it can be stopped.

What comes in: lazy scans. What goes out: the same scans, which fail once the gate is closed. It
must never change a batch, nor keep a filter or a choice of columns from reaching the files.
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

    def over(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return a scan whose batches pass here."""
        return frame.map_batches(
            self._pass, streamable=True, predicate_pushdown=True, projection_pushdown=True
        )

    def _pass(self, batch: pl.DataFrame) -> pl.DataFrame:
        if self._closed:
            raise BackendCancelled("the query was cancelled")
        return batch
