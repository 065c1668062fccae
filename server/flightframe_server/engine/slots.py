"""Places for what may run at the same time, and a line for what has to wait.

What comes in: whoever wants a place. What goes out: a place, in the order of asking, or a refusal
at once where the line is full, and later where it does not move. It must never give one place
twice, nor lose one, nor let one caller have all of them: a caller with its share of places waits
for one of its own to come free, and whoever stands behind it passes.
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
    """Somebody in the line."""

    caller: str
    turn: threading.Event = field(default_factory=threading.Event)


class Slots:
    """A number of places, and a line before them.

    Args:
        places: how many may be taken at once.
        line: how many may wait.
        seconds: how long each may wait.
        share: how many places one caller may have; None: all.
        line_share: how many of one caller may wait; None: all.
    """

    def __init__(
        self,
        places: int,
        line: int,
        seconds: float,
        *,
        share: int | None = None,
        line_share: int | None = None,
    ) -> None:
        """Start with every place free; see the class."""
        self._lock = threading.Lock()
        self._free, self._most, self._seconds = places, line, seconds
        self._share = places if share is None else share
        self._line_share = line if line_share is None else line_share
        self._line: list[_Waiting] = []
        self._taken: Counter[str] = Counter()

    @property
    def free(self) -> int:
        """How many places are free now."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._line)

    def take(self, check: Callable[[], None], caller: str = "") -> None:
        """Take a place, which `give_back` ends.

        Args:
            check: raises where whoever waits does not want the place any more.
            caller: whose share it is of; empty: nobody's, which has no bound but the total.

        Raises:
            Overloaded: the line is full, or it did not move in time.
        """
        with self._lock:
            if self._free and self._may(caller):
                self._give(caller)
                return
            own = sum(one.caller == caller for one in self._line) if caller else 0
            if len(self._line) >= self._most or (caller and own >= self._line_share):
                raise _overloaded()
            waiting = _Waiting(caller)
            self._line.append(waiting)
        try:
            self._stand(waiting.turn, check)
        except BaseException:
            self._leave(waiting)
            raise

    def _stand(self, turn: threading.Event, check: Callable[[], None]) -> None:
        until = time.monotonic() + self._seconds
        while not turn.wait(min(POLL_SECONDS, max(0.0, until - time.monotonic()))):
            check()
            if time.monotonic() >= until:
                raise _overloaded()

    def _leave(self, waiting: _Waiting) -> None:
        with self._lock:
            if waiting in self._line:
                self._line.remove(waiting)
                return
        # The place was given in the same moment.
        self.give_back(waiting.caller)

    def give_back(self, caller: str = "") -> None:
        """Give a place of a caller's back: to the first in the line who may have it."""
        with self._lock:
            self._free += 1
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
            for waiting in self._line:
                if self._may(waiting.caller):
                    self._line.remove(waiting)
                    self._give(waiting.caller)
                    waiting.turn.set()
                    return

    def _may(self, caller: str) -> bool:
        return not caller or self._taken[caller] < self._share

    def _give(self, caller: str) -> None:
        self._free -= 1
        self._taken[caller] += 1


def _overloaded() -> Overloaded:
    return Overloaded(
        "the database has more to do than may wait for it", hint="ask again in a moment"
    )
