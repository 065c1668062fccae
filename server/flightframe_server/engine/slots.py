"""Places for what may run at the same time, and a line for what has to wait.

What comes in: whoever wants a place. What goes out: a place, in the order of asking, or a refusal
at once where the line is full, and later where it does not move. It must never give one place
twice, nor lose one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from flightframe_server.engine.asker import POLL_SECONDS
from flightframe_server.errors import Overloaded


class Slots:
    """A number of places, and a line before them.

    Args:
        places: how many may be taken at once.
        line: how many may wait.
        seconds: how long each may wait.
    """

    def __init__(self, places: int, line: int, seconds: float) -> None:
        """Start with every place free; see the class."""
        self._lock = threading.Lock()
        self._free, self._most, self._seconds = places, line, seconds
        self._line: deque[threading.Event] = deque()

    @property
    def free(self) -> int:
        """How many places are free now."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._line)

    def take(self, check: Callable[[], None]) -> None:
        """Take a place, which `give_back` ends.

        Args:
            check: raises where whoever waits does not want the place any more.

        Raises:
            Overloaded: the line is full, or it did not move in time.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._line) >= self._most:
                raise _overloaded()
            turn = threading.Event()
            self._line.append(turn)
        try:
            self._stand(turn, check)
        except BaseException:
            self._leave(turn)
            raise

    def _stand(self, turn: threading.Event, check: Callable[[], None]) -> None:
        until = time.monotonic() + self._seconds
        while not turn.wait(min(POLL_SECONDS, max(0.0, until - time.monotonic()))):
            check()
            if time.monotonic() >= until:
                raise _overloaded()

    def _leave(self, turn: threading.Event) -> None:
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)
                return
        # The place was given in the same moment.
        self.give_back()

    def give_back(self) -> None:
        """Give a place back: to the first in the line, else to whoever comes."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


def _overloaded() -> Overloaded:
    return Overloaded(
        "the database has more to do than may wait for it", hint="ask again in a moment"
    )
