"""The hot tier: decoded tables in memory, the least recently read dropped first.

What comes in: tables by entry id. What goes out: the same tables, without a copy. It must never
take more memory than its budget, and never answer with a table of another id.
"""

from __future__ import annotations

import pyarrow as pa

from flightframe_server.bounded_cache import BoundedCache


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
        self._tables: BoundedCache[str, pa.Table] = BoundedCache(max_bytes, max_bytes, overhead=0)
        self.get, self.drop = self._tables.get, self._tables.drop

    @property
    def bytes(self) -> int:
        """Bytes of the tables that are kept now."""
        return self._tables.bytes

    def __len__(self) -> int:
        """Return how many tables are kept now."""
        return len(self._tables)

    def put(self, entry_id: str, table: pa.Table) -> None:
        """Keep a table, dropping the least recently read; one larger than the budget is not kept.

        Args:
            entry_id: the entry's unique name; what stood there before is replaced.
            table: any Arrow table.
        """
        compact = compacted(table) if table.nbytes <= self._max_bytes else table
        self._tables.put(entry_id, compact, compact.nbytes)
