"""How often a password may be guessed, and how many at once.

What comes in: user names, before their passwords are looked at. What goes out: leave to go on, or a
refusal. It must never tell a name that exists from one that does not, and never hold more than a
bounded number of names.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flightframe_server.errors import TooManyAttempts


@dataclass(frozen=True, slots=True)
class AttemptBounds:
    """How many attempts are let through.

    Attributes:
        burst: wrong passwords for one name, one after the other.
        again_seconds: after how long one more is let through.
        names: the most names remembered, the longest unused ones forgotten first.
        at_once: passwords looked at at the same time; each takes 64 MiB.
        wait_seconds: how long one waits for its turn.
    """

    burst: int = 10
    again_seconds: float = 5.0
    names: int = 10_000
    at_once: int = 2
    wait_seconds: float = 10.0


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
        self._bounds, self._clock = bounds, clock
        self._lock = threading.Lock()
        # What is left of a name's burst, and when that was so.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turns = threading.BoundedSemaphore(bounds.at_once)

    @contextmanager
    def one(self, name: str) -> Iterator[Callable[[], None]]:
        """Let one attempt through for as long as the block lasts.

        Yields:
            What to call when the attempt turned out right: it then does not count.

        Raises:
            TooManyAttempts: too many were wrong, or too many are being looked at.
        """
        self._take(name)
        if not self._turns.acquire(timeout=self._bounds.wait_seconds):
            self._give_back(name)
            raise TooManyAttempts(
                "too many passwords are being checked at once", hint="try again later"
            )
        try:
            yield lambda: self._give_back(name)
        finally:
            self._turns.release()

    def _take(self, name: str) -> None:
        with self._lock:
            left = self._level(name)
            if left < 1:
                raise TooManyAttempts(
                    "too many wrong passwords for this user name",
                    hint="try again in a few seconds",
                )
            self._note(name, left - 1)

    def _give_back(self, name: str) -> None:
        with self._lock:
            self._note(name, min(self._bounds.burst, self._level(name) + 1))

    def _level(self, name: str) -> float:
        left, since = self._left.get(name, (float(self._bounds.burst), self._clock()))
        return min(self._bounds.burst, left + (self._clock() - since) / self._bounds.again_seconds)

    def _note(self, name: str, left: float) -> None:
        self._left[name] = (left, self._clock())
        self._left.move_to_end(name)
        while len(self._left) > self._bounds.names:
            self._left.popitem(last=False)
