"""The queue of answers that are checked after they were given, one at a time.

What comes in: checks, each a function that says how it ended. What goes out: counts by outcome. It
must never hold an answer up, nor queue without bound: a check that finds no place is skipped, and
counted as skipped.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from flightframe_server.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

MOST_WAITING = 16
END_SECONDS = 5.0


class Outcome(StrEnum):
    """How the check of one answer ended."""

    SAME = "same"
    MISMATCH = "mismatch"
    MOVED = "moved"
    SKIPPED = "skipped"
    FAILED = "failed"


Check = Callable[[Callable[[], bool]], Outcome]
"""Checks one answer; what it is called with says whether the server is ending."""


@dataclass(slots=True, eq=False)
class ShadowSampler:
    """Chooses a share of answers, and checks them in a thread of its own.

    Attributes:
        metrics: what counts the outcomes.
        share: of the answers; 0: none. It may be set.
        chance: a number from 0 up to 1, for each answer.
    """

    metrics: Metrics
    share: float = 0.0
    chance: Callable[[], float] = random.random
    _waiting: deque[tuple[str, Check]] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _closed: bool = False

    def picks(self) -> bool:
        """Whether the answer at hand is one of the share."""
        return self.share > 0 and self.chance() < self.share

    def offer(self, collection: str, check: Check | None) -> None:
        """Check an answer later, or count it as skipped.

        Args:
            collection: whose answer it is.
            check: what checks it; None: it cannot be.
        """
        with self._changed:
            if self._closed:
                return
            if check is not None and len(self._waiting) < MOST_WAITING:
                self._waiting.append((collection, check))
                self._begin()
                self._changed.notify()
                return
        self.metrics.shadowed(collection, Outcome.SKIPPED)

    def close(self) -> None:
        """Forget what waits, and end the check that is under way; idempotent."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(END_SECONDS)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()

    def _ending(self) -> bool:
        return self._closed

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                collection, check = self._waiting.popleft()
            try:
                outcome = check(self._ending)
            except Exception:
                # A check that fails says nothing of the answer, and the next one is made.
                log.exception("shadow.failed", collection=collection)
                outcome = Outcome.FAILED
            self.metrics.shadowed(collection, outcome)
            del check
