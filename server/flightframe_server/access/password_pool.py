"""Threads for the verification of passwords, apart from all others.

What comes in: work that takes a tenth of a second of a processor on purpose. What goes out: the
future of its result, or a refusal at once where the queue is full. It must never delay other work:
it has few threads of its own, and where the system allows it, they run at a lower priority.
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

NICENESS_STEP = 10
"""How much lower the priority of these threads is than that of the others."""

MAX_NICENESS = 19
"""The lowest priority."""


@dataclass(frozen=True, slots=True)
class PoolBounds:
    """How many passwords run and wait at most.

    Attributes:
        threads: passwords verified at the same time; each takes 64 MiB.
        waiting: the most that wait.
        per_peer: the most of one peer, verified or waiting.
    """

    threads: int = 2
    waiting: int = 32
    per_peer: int = 16


BOUNDS = PoolBounds()


class PasswordPool:
    """Runs work in its own threads, thread-safe; they start with the first work.

    Args:
        bounds: how many.
    """

    def __init__(self, bounds: PoolBounds = BOUNDS) -> None:
        """Start no thread yet."""
        self._bounds = bounds
        self._lock = threading.Lock()
        self._total = 0
        self._by_peer: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(
            bounds.threads, thread_name_prefix="password", initializer=_lower_priority
        )

    def submit(self, peer: str, work: Callable[[], Result]) -> Future[Result]:
        """Begin work of a peer's.

        Raises:
            Overloaded: too much runs and waits, of all peers or of this one.
        """
        with self._lock:
            capacity = self._bounds.threads + self._bounds.waiting
            if self._total >= capacity or self._by_peer[peer] >= self._bounds.per_peer:
                raise Overloaded(
                    "too many passwords are being checked at once",
                    hint="try again in a moment, or come with a token",
                    details={"retry_after": 1},
                )
            self._total += 1
            self._by_peer[peer] += 1
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: self._finished(peer))
        return future

    def _finished(self, peer: str) -> None:
        with self._lock:
            self._total -= 1
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]


def _lower_priority() -> None:
    """Lower the priority of the calling thread, and of those that it starts."""
    if sys.platform == "linux":
        # Where the system forbids it, they compete like all others.
        with suppress(OSError):
            thread = threading.get_native_id()
            now = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(MAX_NICENESS, now + NICENESS_STEP))
