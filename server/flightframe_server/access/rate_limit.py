"""The rate limit of wrong passwords: token buckets by peer and by name.

What comes in: the peer and the name of an attempt, before the password is verified. What goes out:
nothing, or a refusal. It must never tell a name that exists from one that does not, never count the
guesses of one party against another, and never hold more than a bounded number of buckets.

Attempts are counted by peer and name together, so that no party shuts out another, and by peer
alone, with a larger burst, against one password tried on many names.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from flightframe_server.errors import TooManyAttempts


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many attempts are let through.

    Attributes:
        burst: wrong passwords in a row.
        refill_seconds: seconds until one more is let through.
    """

    burst: int
    refill_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How many attempts are let through.

    Attributes:
        per_name: from one peer for one name.
        per_peer: from one peer, for all names together.
        max_buckets: the most buckets of each kind; the least recently used one goes first.
    """

    per_name: Bucket = Bucket(10, 5.0)
    per_peer: Bucket = Bucket(100, 0.5)
    max_buckets: int = 10_000


LIMITS = RateLimits()


class RateLimiter:
    """Limits attempts, thread-safe.

    Args:
        limits: how many.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(
        self, limits: RateLimits = LIMITS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with full buckets."""
        self._lock = threading.Lock()
        self._per_name = _TokenBuckets(limits.per_name, limits.max_buckets, clock)
        self._per_peer = _TokenBuckets(limits.per_peer, limits.max_buckets, clock)

    def acquire(self, peer: str, name: str) -> None:
        """Count one attempt.

        Raises:
            TooManyAttempts: too many were wrong.
        """
        with self._lock:
            pair = _pair_key(peer, name)
            wait = max(self._per_peer.wait(peer), self._per_name.wait(pair))
            if wait:
                raise TooManyAttempts(
                    "too many wrong passwords",
                    hint="try again in a few seconds",
                    details={"retry_after": math.ceil(wait)},
                )
            self._per_peer.add(peer, -1)
            self._per_name.add(pair, -1)

    def refund(self, peer: str, name: str) -> None:
        """Give an attempt back whose password was right, or was not verified."""
        with self._lock:
            self._per_peer.add(peer, 1)
            self._per_name.add(_pair_key(peer, name), 1)


class _TokenBuckets:
    """The token buckets of many keys, refilled with time."""

    def __init__(self, bucket: Bucket, max_buckets: int, clock: Callable[[], float]) -> None:
        self._bucket, self._max_buckets, self._clock = bucket, max_buckets, clock
        # The level of each bucket, and when it was so.
        self._levels: OrderedDict[str | bytes, tuple[float, float]] = OrderedDict()

    def wait(self, key: str | bytes) -> float:
        """Return the seconds until one more is let through; 0 where one is."""
        return max(0.0, 1 - self._level(key)) * self._bucket.refill_seconds

    def add(self, key: str | bytes, change: float) -> None:
        """Change the level of a key's bucket."""
        level = min(self._bucket.burst, self._level(key) + change)
        self._levels[key] = (level, self._clock())
        self._levels.move_to_end(key)
        while len(self._levels) > self._max_buckets:
            self._levels.popitem(last=False)

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: str | bytes) -> float:
        level, since = self._levels.get(key, (float(self._bucket.burst), self._clock()))
        refilled = (self._clock() - since) / self._bucket.refill_seconds
        return min(self._bucket.burst, level + refilled)


def _pair_key(peer: str, name: str) -> bytes:
    """Return the key of a bucket, of a fixed size: a name may be as long as a header."""
    pair = f"{len(peer)}:{peer}:{name}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(pair, digest_size=16).digest()
