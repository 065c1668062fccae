"""What is in the manifest, in memory: the snapshot that planning reads, and files' facts.

What comes in: changes that the manifest has committed. What goes out: an immutable snapshot,
without a lock. It must never change but under the store's lock, and never hold what was not
committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flightframe_server.cache.rows import Row
from flightframe_server.planner.holdings import HeldEntry, Holdings


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Holdings and the number of the change that made them; one value, read in one step."""

    holdings: Holdings
    epoch: int


class EntryIndex:
    """The entries of one store, in the order they were put."""

    def __init__(self) -> None:
        """Start empty, at epoch 0."""
        self.snapshot = Snapshot(Holdings(), 0)
        self._entries: dict[str, tuple[HeldEntry, bytes]] = {}

    def ids(self) -> set[str]:
        """Return the ids of all entries."""
        return set(self._entries)

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return bytes and digest of an entry's file; None where there is no such entry."""
        found = self._entries.get(entry_id)
        return None if found is None else (found[0].bytes, found[1])

    def add(self, row: Row, gone: Iterable[str]) -> HeldEntry:
        """Take in one new row and let go of those that it replaced or displaced."""
        held = row.record.held()
        left = self._forget(gone)
        self._entries[held.entry_id] = (held, row.digest)
        holdings = self.snapshot.holdings
        self._show((holdings.without(left) if left else holdings).with_entry(held))
        return held

    def remove(self, entry_ids: Iterable[str]) -> None:
        """Let go of entries; unknown ids are fine."""
        left = self._forget(entry_ids)
        if left:
            self._show(self.snapshot.holdings.without(left))

    def follow(self, rows: Iterable[Row], gone: Iterable[str]) -> None:
        """Take in many rows at once and let go of others."""
        left = self._forget(gone)
        before = len(self._entries)
        self._entries.update((row.record.entry_id, (row.record.held(), row.digest)) for row in rows)
        if left or len(self._entries) != before:
            self._show(Holdings.of(held for held, _ in self._entries.values()))

    def _forget(self, entry_ids: Iterable[str]) -> list[str]:
        return [name for name in entry_ids if self._entries.pop(name, None) is not None]

    def _show(self, holdings: Holdings) -> None:
        self.snapshot = Snapshot(holdings, self.snapshot.epoch + 1)
