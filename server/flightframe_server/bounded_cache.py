"""A cache bounded by the bytes of its values and keys.

What comes in: values under keys, with the bytes of both. What goes out: the same values again. It
must never count entries alone: clients choose how long a key is, and a thousand long ones would
take the memory that a thousand short ones do not.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

OVERHEAD = 4096
"""Bytes that an entry takes beside what is counted: objects, its place in the table."""


class BoundedCache(Generic[Key, Value]):
    """Least recently used values, bounded by bytes; one too large for it is not kept.

    Args:
        max_bytes: of all values and their keys, `overhead` for each included.
        max_one: of one; the default is a sixteenth of all.
        overhead: what each takes beside the size that `put` is told.
    """

    def __init__(
        self, max_bytes: int, max_one: int | None = None, *, overhead: int = OVERHEAD
    ) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes, self._max_bytes, self._overhead = 0, max_bytes, overhead
        self._max_one = max_bytes // 16 if max_one is None else max_one

    @property
    def bytes(self) -> int:
        """The bytes that all entries take now."""
        return self._bytes

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return the value under a key, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of `size` bytes, its key's included, letting the longest unused ones go.

        What stood under the key is gone, also where the new value is too large to be kept.
        """
        size += self._overhead
        with self._lock:
            self._drop(key)
            if size > self._max_one:
                return
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def drop(self, keys: Iterable[Key]) -> None:
        """Let these entries go; unknown keys are fine."""
        with self._lock:
            for key in keys:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]


def cached(
    function: Callable[[Key], Value], weigh: Callable[[Key, Value], int], max_bytes: int
) -> Callable[[Key], Value]:
    """Return a function of one argument that caches what it returns.

    Args:
        function: what is called for an argument that is not cached; it never returns None.
        weigh: the bytes of an argument and what was returned for it, rather too many than too few.
        max_bytes: of all cached values.

    >>> calls = []
    >>> length = cached(lambda text: calls.append(text) or len(text), lambda *_: 100, 1 << 20)
    >>> length("abc"), length("abc"), calls
    (3, 3, ['abc'])
    """
    cache: BoundedCache[Key, Value] = BoundedCache(max_bytes)

    def lookup(key: Key) -> Value:
        value = cache.get(key)
        if value is None:
            value = function(key)
            cache.put(key, value, weigh(key, value))
        return value

    return lookup
