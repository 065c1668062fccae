"""A cache bounded by the bytes of its values and keys.

What comes in: values under keys, with the bytes of both. What goes out: the same values again. It
must never count entries alone: clients choose how long a key is, and a thousand long ones would
take the memory that a thousand short ones do not.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

OVERHEAD = 4096
"""Bytes that an entry takes beside what is counted: keys, objects, its place in the table."""


class BoundedCache(Generic[Key, Value]):
    """Least recently used values, bounded by bytes; one too large for it is not kept.

    Args:
        max_bytes: of all values and their keys, `OVERHEAD` for each included.
        max_one: of one; the default is a sixteenth of all.
    """

    def __init__(self, max_bytes: int, max_one: int | None = None) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes, self._max_bytes = 0, max_bytes
        self._max_one = max_bytes // 16 if max_one is None else max_one

    def get(self, key: Key) -> Value | None:
        """Return the value under a key, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of `size` bytes, its key's included, letting the longest unused ones go."""
        size += OVERHEAD
        if size > self._max_one:
            return
        with self._lock:
            _, before = self._entries.pop(key, (None, 0))
            self._bytes += size - before
            self._entries[key] = (value, size)
            while self._bytes > self._max_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self._bytes -= freed


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
