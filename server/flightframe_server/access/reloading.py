"""A value read from a file, and read again after the file has changed.

What comes in: how to read it, and a sign of the file that moves with it. What goes out: the value
as it is now. It must never let go of a value that is right for a file that is wrong: a mistake in
an edit is told in the log, and what was known before stays known. A file that is gone, or empty, is
no mistake in an edit: whoever took it away wants nothing of it to be known any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from flightframe_server.errors import FlightframeError

log = structlog.get_logger(__name__)

Value = TypeVar("Value")

LOOK_SECONDS = 1.0


class Reloading(Generic[Value]):
    """A value that follows its file; call it to have it.

    Args:
        load: reads the file.
        sign: moves when the file does; None where there is none, or nothing in it.
        without: the value then.
        clock: a clock that never goes back, in seconds.

    Raises:
        FlightframeError: the file is wrong to begin with.
    """

    def __init__(
        self,
        load: Callable[[], Value],
        sign: Callable[[], object],
        without: Value,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the file."""
        self._load, self._sign, self._clock = load, sign, clock
        self._without = without
        self._looking = threading.Lock()
        # The sign first: what changes while the file is read is read again.
        self._seen = sign()
        self._value = load()
        self._next = clock() + LOOK_SECONDS

    def __call__(self) -> Value:
        """Return the value, at most a second old."""
        if self._clock() >= self._next and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._value

    def _look(self) -> None:
        self._next = self._clock() + LOOK_SECONDS
        sign = self._sign()
        if sign == self._seen:
            return
        self._seen = sign
        if sign is None:
            self._value = self._without
            log.error("access.file_gone")
            return
        try:
            self._value = self._load()
        except FlightframeError as error:
            log.error("access.not_reloaded", text=error.message)
        else:
            log.info("access.reloaded")
