"""How often a password may be guessed.

What comes in: from where somebody tries which name, before the password is looked at. What goes
out: leave to go on, or a refusal. It must never tell a name that exists from one that does not,
never let one party's guesses be counted against another, and never hold more than a bounded number
of counts.

Attempts are counted by peer and name together, so that nobody can shut another out, and by peer
alone, more widely, for those who try one password on many names.
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
        burst: wrong passwords, one after the other.
        again_seconds: after how long one more is let through.
    """

    burst: int
    again_seconds: float


@dataclass(frozen=True, slots=True)
class AttemptBounds:
    """How many attempts are let through.

    Attributes:
        of_name: from one peer for one name.
        of_peer: from one peer, for whatever names.
        counts: the most counts of each kind, the longest unused ones forgotten first.
    """

    of_name: Bucket = Bucket(10, 5.0)
    of_peer: Bucket = Bucket(100, 0.5)
    counts: int = 10_000


BOUNDS = AttemptBounds()


class Attempts:
    """Lets attempts through, thread-safe.

    Args:
        bounds: how many.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(
        self, bounds: AttemptBounds = BOUNDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with nothing remembered."""
        self._lock = threading.Lock()
        self._of_name = _Counts(bounds.of_name, bounds.counts, clock)
        self._of_peer = _Counts(bounds.of_peer, bounds.counts, clock)

    def take(self, peer: str, name: str) -> None:
        """Let one attempt through.

        Raises:
            TooManyAttempts: too many were wrong.
        """
        with self._lock:
            both = _both(peer, name)
            wait = max(self._of_peer.wait(peer), self._of_name.wait(both))
            if wait:
                raise TooManyAttempts(
                    "too many wrong passwords",
                    hint="try again in a few seconds",
                    details={"retry_after": math.ceil(wait)},
                )
            self._of_peer.add(peer, -1)
            self._of_name.add(both, -1)

    def give_back(self, peer: str, name: str) -> None:
        """Take back one that turned out right, or was not looked at: it does not count."""
        with self._lock:
            self._of_peer.add(peer, 1)
            self._of_name.add(_both(peer, name), 1)


class _Counts:
    """What is left of the bursts of many, refilled with time."""

    def __init__(self, bucket: Bucket, most: int, clock: Callable[[], float]) -> None:
        self._bucket, self._most, self._clock = bucket, most, clock
        # What is left, and when that was so.
        self._left: OrderedDict[str | bytes, tuple[float, float]] = OrderedDict()

    def wait(self, key: str | bytes) -> float:
        """Return the seconds until one more is let through; 0 where one is."""
        return max(0.0, 1 - self._level(key)) * self._bucket.again_seconds

    def add(self, key: str | bytes, change: float) -> None:
        """Add to what is left."""
        level = min(self._bucket.burst, self._level(key) + change)
        self._left[key] = (level, self._clock())
        self._left.move_to_end(key)
        while len(self._left) > self._most:
            self._left.popitem(last=False)

    def __len__(self) -> int:
        return len(self._left)

    def _level(self, key: str | bytes) -> float:
        left, since = self._left.get(key, (float(self._bucket.burst), self._clock()))
        more = (self._clock() - since) / self._bucket.again_seconds
        return min(self._bucket.burst, left + more)


def _both(peer: str, name: str) -> bytes:
    """Return a count's key: a name may be as long as a header."""
    both = f"{len(peer)}:{peer}:{name}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(both, digest_size=16).digest()
