"""Finished answers, given again by one look-up.

What comes in: answers under keys that name everything they depend on. What goes out: the same
answers. It must never decide whether an answer is still true: the key does, since it holds the
fingerprints and the epoch.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from flightframe_server.bounded_cache import BoundedCache

Value = TypeVar("Value")

RESULT_CACHE_BYTES = 256 * 1024 * 1024
RESULT_BYTES = 64 * 1024 * 1024


class ResultCache(BoundedCache[Hashable, Value]):
    """Least recently used answers, bounded by the bytes of rows and questions."""

    def __init__(self, max_bytes: int = RESULT_CACHE_BYTES, max_one: int = RESULT_BYTES) -> None:
        """Start empty."""
        super().__init__(max_bytes, max_one)
