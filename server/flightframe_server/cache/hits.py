"""Hits, counted in memory and written in batches.

What comes in: one call per hit, from many threads. What goes out: now and then, everything counted
since the last time. It must never write to a disk: a hit costs a dictionary entry.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple


class Hits(NamedTuple):
    """How many times an entry was hit, and when last, in seconds since 1970 UTC."""

    times: int
    last_used: float


class HitCounter:
    """Hits by entry id that are not in the manifest yet. Thread-safe."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._pending: dict[str, Hits] = {}
        self._unwritten = 0
        self._lock = threading.Lock()

    def touch(self, entry_id: str, now: float) -> int:
        """Count one hit and return how many are not written yet."""
        with self._lock:
            self._add(entry_id, 1, now)
            return self._unwritten

    def drain(self) -> dict[str, Hits]:
        """Return what was counted and start again with nothing."""
        with self._lock:
            pending, self._pending, self._unwritten = self._pending, {}, 0
        return pending

    def restore(self, hits: Mapping[str, Hits]) -> None:
        """Take back what was drained but could not be written."""
        with self._lock:
            for entry_id, (times, last_used) in hits.items():
                self._add(entry_id, times, last_used)

    def _add(self, entry_id: str, times: int, last_used: float) -> None:
        before, last_before = self._pending.get(entry_id, (0, last_used))
        self._pending[entry_id] = Hits(before + times, max(last_before, last_used))
        self._unwritten += times
