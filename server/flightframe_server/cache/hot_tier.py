"""The hot tier: decoded tables in memory, the least recently read dropped first.

What comes in: tables by entry id. What goes out: the same tables, without a copy. It must never
take more memory than its budget, and never answer with a table of another id.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

import pyarrow as pa


def compacted(table: pa.Table) -> pa.Table:
    """Return a table that keeps no more memory alive than its own values need.

    A slice keeps its whole parent alive, which the budget would not see; the stream format writes
    only what the slice shows.
    """
    if table.get_total_buffer_size() <= 2 * table.nbytes:
        return table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


class HotTier:
    """A thread-safe LRU of tables, bounded by the bytes of their buffers.

    Args:
        max_bytes: the most bytes to keep; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        """Start empty."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._tables: OrderedDict[str, tuple[pa.Table, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """Bytes of the tables that are kept now."""
        return self._bytes

    def __len__(self) -> int:
        """Return how many tables are kept now."""
        return len(self._tables)

    def get(self, entry_id: str) -> pa.Table | None:
        """Return the table and count it as just read; None where it is not kept."""
        with self._lock:
            cached = self._tables.get(entry_id)
            if cached is None:
                return None
            self._tables.move_to_end(entry_id)
            return cached[0]

    def put(self, entry_id: str, table: pa.Table) -> None:
        """Keep a table, dropping the least recently read; one larger than the budget is not kept.

        Args:
            entry_id: the entry's unique name; what stood there before is replaced.
            table: any Arrow table.
        """
        if table.nbytes > self._max_bytes:
            self.drop((entry_id,))
            return
        compact = compacted(table)
        size = compact.nbytes
        with self._lock:
            self._forget(entry_id)
            self._tables[entry_id] = (compact, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._forget(next(iter(self._tables)))

    def drop(self, entry_ids: Iterable[str]) -> None:
        """Forget these tables; unknown ids are fine."""
        with self._lock:
            for entry_id in entry_ids:
                self._forget(entry_id)

    def clear(self) -> None:
        """Forget every table."""
        with self._lock:
            self._tables.clear()
            self._bytes = 0

    def _forget(self, entry_id: str) -> None:
        cached = self._tables.pop(entry_id, None)
        if cached is not None:
            self._bytes -= cached[1]
