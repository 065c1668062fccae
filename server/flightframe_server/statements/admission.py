"""Permits for what may run at the same time, and a queue for what has to wait.

What comes in: a caller that wants a permit. What goes out: a permit, in the order of asking, or a
refusal at once where the queue is full, and later where it does not move. It must never give one
permit twice, nor lose one, nor let one caller have all of them: a caller with its share of permits
waits for one of its own to come free, and those behind it pass.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from flightframe_server.call_context import POLL_SECONDS
from flightframe_server.errors import Overloaded


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A caller in the queue."""

    caller: str
    admitted: threading.Event = field(default_factory=threading.Event)


class AdmissionQueue:
    """A number of permits, and a queue for them.

    Args:
        permits: how many may be held at once.
        waiting: how many callers may wait.
        seconds: how long each may wait.
        share: how many permits one caller may hold; None: all.
        waiting_share: how many times one caller may wait; None: as often as all.
    """

    def __init__(
        self,
        permits: int,
        waiting: int,
        seconds: float,
        *,
        share: int | None = None,
        waiting_share: int | None = None,
    ) -> None:
        """Start with every permit free; see the class."""
        self._lock = threading.Lock()
        self._permits = self._free = permits
        self._max_waiting, self._seconds = waiting, seconds
        self._share = permits if share is None else share
        self._waiting_share = waiting if waiting_share is None else waiting_share
        self._queue: list[_Waiting] = []
        self._in_use: Counter[str] = Counter()

    @property
    def free(self) -> int:
        """How many permits are free now."""
        return max(0, self._free)

    @property
    def waiting(self) -> int:
        """How many callers wait now."""
        return len(self._queue)

    def resize(
        self, permits: int, waiting: int, seconds: float, *, share: int, waiting_share: int
    ) -> None:
        """Have other bounds from now on; permits that are held and are too many come back in time.

        Args:
            permits: as for the class, like the rest.
            waiting: how many callers may wait; those that do, stay.
            seconds: how long each may wait that asks from now on.
            share: how many permits one caller may hold.
            waiting_share: how many times one caller may wait.
        """
        with self._lock:
            self._free += permits - self._permits
            self._permits, self._max_waiting, self._seconds = permits, waiting, seconds
            self._share, self._waiting_share = share, waiting_share
            self._admit_waiting()

    def acquire(self, check: Callable[[], None], caller: str = "") -> None:
        """Take a permit, which `release` gives back.

        Args:
            check: raises where the caller does not want the permit any more.
            caller: whose share it is of; empty: no caller's, which has no bound but the total.

        Raises:
            Overloaded: the queue is full, or it did not move in time.
        """
        with self._lock:
            if self._free > 0 and self._may(caller):
                self._admit(caller)
                return
            own = sum(one.caller == caller for one in self._queue) if caller else 0
            if len(self._queue) >= self._max_waiting or (caller and own >= self._waiting_share):
                raise _overloaded()
            waiting = _Waiting(caller)
            self._queue.append(waiting)
        try:
            self._wait(waiting.admitted, check)
        except BaseException:
            self._leave(waiting)
            raise

    def _wait(self, admitted: threading.Event, check: Callable[[], None]) -> None:
        until = time.monotonic() + self._seconds
        while not admitted.wait(min(POLL_SECONDS, max(0.0, until - time.monotonic()))):
            check()
            if time.monotonic() >= until:
                raise _overloaded()

    def _leave(self, waiting: _Waiting) -> None:
        with self._lock:
            if waiting in self._queue:
                self._queue.remove(waiting)
                return
        # The permit was given in the same moment.
        self.release(waiting.caller)

    def release(self, caller: str = "") -> None:
        """Give a permit of a caller's back: to the first in the queue that may have it."""
        with self._lock:
            self._free += 1
            self._in_use[caller] -= 1
            if not self._in_use[caller]:
                del self._in_use[caller]
            self._admit_waiting()

    def _admit_waiting(self) -> None:
        """Give what is free to those that wait and may have it, in the order of the queue."""
        for waiting in tuple(self._queue):
            if self._free <= 0:
                return
            if self._may(waiting.caller):
                self._queue.remove(waiting)
                self._admit(waiting.caller)
                waiting.admitted.set()

    def _may(self, caller: str) -> bool:
        return not caller or self._in_use[caller] < self._share

    def _admit(self, caller: str) -> None:
        self._free -= 1
        self._in_use[caller] += 1


def _overloaded() -> Overloaded:
    return Overloaded(
        "the database has more to do than may wait for it", hint="ask again in a moment"
    )
