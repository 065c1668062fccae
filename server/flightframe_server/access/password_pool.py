"""Threads for the checking of passwords, apart from everything else.

What comes in: work that takes a tenth of a second of a processor on purpose. What goes out: its
result, later, or a refusal at once where as much is waiting already as may. It must never keep what
is not a password waiting: it has few threads of its own, and where the system knows how, they step
back behind all others.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from flightframe_server.errors import Overloaded

Result = TypeVar("Result")

NICE = 10
"""How far the threads step back behind the others of the process."""

MOST_NICE = 19
"""Behind everything; there is no step back from there."""


@dataclass(frozen=True, slots=True)
class PoolBounds:
    """How much may be under way.

    Attributes:
        at_once: passwords looked at at the same time; each takes 64 MiB.
        waiting: the most that wait.
        of_peer: the most of one peer, looked at or waiting.
    """

    at_once: int = 2
    waiting: int = 32
    of_peer: int = 16


BOUNDS = PoolBounds()


class PasswordPool:
    """Carries work out in its own threads, thread-safe; they start with the first work.

    Args:
        bounds: how much.
    """

    def __init__(self, bounds: PoolBounds = BOUNDS) -> None:
        """Start no thread yet."""
        self._bounds = bounds
        self._lock = threading.Lock()
        self._all = 0
        self._of: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(
            bounds.at_once, thread_name_prefix="password", initializer=_step_back
        )

    def submit(self, peer: str, work: Callable[[], Result]) -> Future[Result]:
        """Begin work of a peer's.

        Raises:
            Overloaded: too much is under way, altogether or of this peer.
        """
        with self._lock:
            most = self._bounds.at_once + self._bounds.waiting
            if self._all >= most or self._of[peer] >= self._bounds.of_peer:
                raise Overloaded(
                    "too many passwords are being checked at once",
                    hint="try again in a moment, or come with a token",
                    details={"retry_after": 1},
                )
            self._all += 1
            self._of[peer] += 1
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: self._done(peer))
        return future

    def _done(self, peer: str) -> None:
        with self._lock:
            self._all -= 1
            self._of[peer] -= 1
            if not self._of[peer]:
                del self._of[peer]


def _step_back() -> None:
    """Put the calling thread, and those that it starts, behind others."""
    if sys.platform == "linux":
        # Where the system forbids it, they compete like all others.
        with suppress(OSError):
            thread = threading.get_native_id()
            now = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(MOST_NICE, now + NICE))
