"""How a statement under way is told to end, and how it tells that it has.

What comes in: a wish that a statement end, from any thread, even before the statement has begun.
What goes out: the wish to the statement, and the news of its end to whoever waits for its place.
It must never lose a wish that was made a moment too early.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from flightframe_server.errors import BackendCancelled


class Stoppable(Protocol):
    """What can be told to end."""

    def cancel(self) -> None:
        """End, from any thread; may be called again, and after the end."""
        ...


class Stop:
    """A wish that one statement end.

    A back-end attaches a statement before its first step that may take long, so that the wish
    reaches it while `run` has not returned.
    """

    def __init__(self) -> None:
        """Wish nothing yet."""
        self._lock = threading.Lock()
        self._wished = False
        self._statement: Stoppable | None = None

    @property
    def wished(self) -> bool:
        """Whether the statement is to end."""
        return self._wished

    def attach(self, statement: Stoppable) -> None:
        """Pass the wish on to a statement, now or later."""
        with self._lock:
            self._statement = statement
            wished = self._wished
        if wished:
            statement.cancel()

    def wish(self) -> None:
        """Wish the end; again where a first wish may have met the statement between two steps."""
        with self._lock:
            self._wished = True
            statement = self._statement
        if statement is not None:
            statement.cancel()

    def check(self) -> None:
        """Raise `BackendCancelled` where the end is wished."""
        if self._wished:
            raise BackendCancelled("the statement was cancelled")


class Ending:
    """The end of one statement, told once to everybody who asked for it."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self._lock = threading.Lock()
        self._over = False
        self._waiting: list[Callable[[], None]] = []

    def when_over(self, then: Callable[[], None]) -> None:
        """Call `then` once the database works on the statement no more; at once if it is so."""
        with self._lock:
            if not self._over:
                self._waiting.append(then)
                return
        then()

    def tell(self) -> None:
        """Say that it has ended; idempotent."""
        with self._lock:
            self._over = True
            waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()
