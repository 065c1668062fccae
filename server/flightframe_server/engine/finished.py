"""Finished answers, and what was answered lately.

What comes in: answers under keys that name everything they depend on. What goes out: the same
answers again, by one look-up. It must never decide whether an answer is still true: the key does,
since it holds the fingerprints and the epoch.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from flightframe_server.provenance import Provenance

Value = TypeVar("Value")

FINISHED_BYTES = 64 * 1024 * 1024
FINISHED_ONE = 4 * 1024 * 1024
OVERHEAD = 4096
LAST_QUERIES = 1000


class FinishedAnswers(Generic[Value]):
    """Least recently used answers, bounded by bytes; one too large for it is not kept."""

    def __init__(self, max_bytes: int = FINISHED_BYTES, max_one: int = FINISHED_ONE) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes, self._max_bytes, self._max_one = 0, max_bytes, max_one

    def get(self, key: Hashable) -> Value | None:
        """Return the answer under a key, or None."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, answer: Value, size: int) -> None:
        """Keep an answer of `size` bytes, letting the longest unused ones go."""
        size += OVERHEAD
        if size > self._max_one:
            return
        with self._lock:
            _, before = self._held.pop(key, (None, 0))
            self._bytes += size - before
            self._held[key] = (answer, size)
            while self._bytes > self._max_bytes:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed


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
