"""How a statement under way is cancelled, and how it tells that it has ended.

What comes in: a cancellation, from any thread, even before the statement has begun. What goes out:
the cancellation to the statement, and the news of its end to what waits for its permit. It must
never lose a cancellation that came a moment too early.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from flightframe_server.errors import BackendCancelled


class Cancellable(Protocol):
    """What can be told to end."""

    def cancel(self) -> None:
        """End, from any thread; may be called again, and after the end."""
        ...


class CancelToken:
    """The cancellation of one statement.

    A back-end attaches a statement before its first step that may take long, so that it is
    cancelled while `run` has not returned.
    """

    def __init__(self) -> None:
        """Cancel nothing yet."""
        self._lock = threading.Lock()
        self._cancelled = False
        self._statement: Cancellable | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the statement is to end."""
        return self._cancelled

    def attach(self, statement: Cancellable) -> None:
        """Cancel this statement too, now or later."""
        with self._lock:
            self._statement = statement
            cancelled = self._cancelled
        if cancelled:
            statement.cancel()

    def cancel(self) -> None:
        """Cancel; again where a first time may have met the statement between two steps."""
        with self._lock:
            self._cancelled = True
            statement = self._statement
        if statement is not None:
            statement.cancel()

    def check(self) -> None:
        """Raise `BackendCancelled` where it is cancelled."""
        if self._cancelled:
            raise BackendCancelled("the statement was cancelled")


class Completion:
    """The end of one statement, told once to everything that asked for it."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self._lock = threading.Lock()
        self._done = False
        self._callbacks: list[Callable[[], None]] = []

    def add_done_callback(self, callback: Callable[[], None]) -> None:
        """Call once the database works on the statement no more; at once if it is so."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback()

    def complete(self) -> None:
        """Say that it has ended; idempotent."""
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
