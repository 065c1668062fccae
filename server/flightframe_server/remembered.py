"""What was computed before, kept while its bytes and those of its keys fit a bound.

What comes in: values under keys, with the bytes of both. What goes out: the same values again. It
must never count entries alone: whoever asks chooses how long a key is, and a thousand long ones
would take the memory that a thousand short ones do not.
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


class Remembered(Generic[Key, Value]):
    """Least recently used values, bounded by bytes; one too large for it is not kept.

    Args:
        max_bytes: of all values and their keys, `OVERHEAD` for each included.
        max_one: of one; the default is a sixteenth of all.
    """

    def __init__(self, max_bytes: int, max_one: int | None = None) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes, self._max_bytes = 0, max_bytes
        self._max_one = max_bytes // 16 if max_one is None else max_one

    def get(self, key: Key) -> Value | None:
        """Return the value under a key, or None."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of `size` bytes, its key's included, letting the longest unused ones go."""
        size += OVERHEAD
        if size > self._max_one:
            return
        with self._lock:
            _, before = self._held.pop(key, (None, 0))
            self._bytes += size - before
            self._held[key] = (value, size)
            while self._bytes > self._max_bytes:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed


def remembering(
    function: Callable[[Key], Value], weigh: Callable[[Key, Value], int], max_bytes: int
) -> Callable[[Key], Value]:
    """Return a function of one argument that remembers what it returned.

    Args:
        function: what is called for an argument that is not remembered; it returns no None.
        weigh: the bytes of an argument and what was returned for it, rather too many than too few.
        max_bytes: of all that is remembered.

    >>> calls = []
    >>> length = remembering(lambda text: calls.append(text) or len(text), lambda *_: 100, 1 << 20)
    >>> length("abc"), length("abc"), calls
    (3, 3, ['abc'])
    """
    held: Remembered[Key, Value] = Remembered(max_bytes)

    def found(key: Key) -> Value:
        value = held.get(key)
        if value is None:
            value = function(key)
            held.put(key, value, weigh(key, value))
        return value

    return found
