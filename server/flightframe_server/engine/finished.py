"""Finished answers, and what was answered lately.

What comes in: answers under keys that name everything they depend on. What goes out: the same
answers again, by one look-up. It must never decide whether an answer is still true: the key does,
since it holds the fingerprints and the epoch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from flightframe_server.bounded_cache import BoundedCache
from flightframe_server.provenance import Provenance

Value = TypeVar("Value")

FINISHED_BYTES = 64 * 1024 * 1024
FINISHED_ONE = 4 * 1024 * 1024
LAST_QUERIES = 1000


class FinishedAnswers(BoundedCache[Hashable, Value]):
    """Least recently used answers, bounded by the bytes of rows and questions."""

    def __init__(self, max_bytes: int = FINISHED_BYTES, max_one: int = FINISHED_ONE) -> None:
        """Start empty."""
        super().__init__(max_bytes, max_one)


@dataclass(frozen=True, slots=True)
class LastQuery:
    """One answered query: when (seconds since 1970 UTC), how long, its provenance, and whose."""

    at: float
    seconds: float
    source: str
    rows: int | None
    provenance: Provenance
    user: str = ""


class LastQueries:
    """The last thousand answered queries, newest last."""

    def __init__(self, length: int = LAST_QUERIES) -> None:
        """Start empty."""
        self._held: deque[LastQuery] = deque(maxlen=length)

    def add(
        self,
        source: str,
        provenance: Provenance,
        rows: int | None,
        started: float,
        user: str = "",
    ) -> None:
        """Note one answer; `started` is a reading of `time.perf_counter`."""
        seconds = time.perf_counter() - started
        self._held.append(LastQuery(time.time(), seconds, source[:2000], rows, provenance, user))

    def __iter__(self) -> Iterator[LastQuery]:
        """Iterate over a copy, oldest first."""
        return iter(tuple(self._held))
