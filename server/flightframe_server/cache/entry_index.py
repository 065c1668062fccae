"""The rows of the manifest in memory: the snapshot that planning reads, and facts of the files.

What comes in: changes that the manifest has committed. What goes out: an immutable snapshot,
without a lock. It must never change but under the store's lock, and never contain what was not
committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flightframe_server.cache.rows import Row
from flightframe_server.planner.holdings import CacheEntry, Holdings


@dataclass(frozen=True, slots=True)
class HoldingsSnapshot:
    """Holdings and the number of the change that made them; one value, read in one step."""

    holdings: Holdings
    epoch: int


class EntryIndex:
    """The entries of one store, in the order they were put."""

    def __init__(self) -> None:
        """Start empty, at epoch 0."""
        self.snapshot = HoldingsSnapshot(Holdings(), 0)
        self._entries: dict[str, tuple[CacheEntry, bytes]] = {}

    def ids(self) -> set[str]:
        """Return the ids of all entries."""
        return set(self._entries)

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return bytes and digest of an entry's file; None where there is no such entry."""
        indexed = self._entries.get(entry_id)
        return None if indexed is None else (indexed[0].bytes, indexed[1])

    def add(self, row: Row, removed_ids: Iterable[str]) -> CacheEntry:
        """Add one new row and remove those that it replaced or displaced."""
        entry = row.record.as_entry()
        removed = self._forget(removed_ids)
        self._entries[entry.entry_id] = (entry, row.digest)
        holdings = self.snapshot.holdings
        self._publish(
            (holdings.without_entries(removed) if removed else holdings).with_entry(entry)
        )
        return entry

    def remove(self, entry_ids: Iterable[str]) -> None:
        """Remove entries; unknown ids are fine."""
        removed = self._forget(entry_ids)
        if removed:
            self._publish(self.snapshot.holdings.without_entries(removed))

    def apply_changes(self, rows: Iterable[Row], removed_ids: Iterable[str]) -> None:
        """Add many rows at once and remove others."""
        removed = self._forget(removed_ids)
        before = len(self._entries)
        self._entries.update(
            (row.record.entry_id, (row.record.as_entry(), row.digest)) for row in rows
        )
        if removed or len(self._entries) != before:
            self._publish(Holdings.of(entry for entry, _ in self._entries.values()))

    def _forget(self, entry_ids: Iterable[str]) -> list[CacheEntry]:
        indexed = (self._entries.pop(name, None) for name in entry_ids)
        return [one[0] for one in indexed if one is not None]

    def _publish(self, holdings: Holdings) -> None:
        self.snapshot = HoldingsSnapshot(holdings, self.snapshot.epoch + 1)
