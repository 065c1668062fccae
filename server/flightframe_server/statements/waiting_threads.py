"""Threads that wait for a next piece of work for a moment before they end.

What comes in: work. What goes out: nothing; each piece runs in a thread that has no other then. It
must never let one piece wait for another, nor keep anything of a piece that is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from queue import Empty, SimpleQueue

Work = Callable[[], object]

IDLE_SECONDS = 1.0
"""How long a thread waits for a next piece of work."""

IDLE = "idle"
"""The name of a thread that waits."""


class WaitingThreads:
    """Runs work at once, in a thread that waits or else in a new one. Thread-safe.

    A thread costs about a tenth of a millisecond to start, and a fifth of that to wake.

    Args:
        name: of a thread while it works.
        idle_seconds: how long one waits for a next piece.
    """

    def __init__(self, name: str, idle_seconds: float = IDLE_SECONDS) -> None:
        """Start no thread yet."""
        self._name, self._idle_seconds = name, idle_seconds
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Work]] = []

    def run(self, work: Work) -> None:
        """Run a piece of work in a thread, and return meanwhile.

        Args:
            work: what to do, in a context of its own; it must not raise.

        Raises:
            RuntimeError: the system gives no further thread.
        """
        with self._lock:
            # The one that waited least is the likeliest to be in the processor's caches.
            waiting = self._idle.pop() if self._idle else None
        if waiting is not None:
            waiting.put(work)
            return
        given: SimpleQueue[Work] = SimpleQueue()
        given.put(work)
        threading.Thread(target=self._serve, args=(given,), name=self._name, daemon=True).start()

    def _serve(self, given: SimpleQueue[Work]) -> None:
        """Do what is given, until nothing is for a while."""
        thread = threading.current_thread()
        work: Work | None = given.get()
        while work is not None:
            thread.name = self._name
            Context().run(work)
            work = None
            thread.name = IDLE
            with self._lock:
                self._idle.append(given)
            work = self._next(given)

    def _next(self, given: SimpleQueue[Work]) -> Work | None:
        try:
            return given.get(timeout=self._idle_seconds)
        except Empty:
            with self._lock:
                if given in self._idle:
                    self._idle.remove(given)
                    return None
        # Somebody chose this thread a moment ago.
        return given.get()
