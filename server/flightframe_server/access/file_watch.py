"""A value read from a file, and read again after the file has changed.

What comes in: a function that reads it, and a stamp that changes with the file. What goes out: the
value as it is now. It must never replace a valid value by that of an invalid file: the log tells of
the mistake in an edit, and the value stays. A file that is removed, or emptied, is no such mistake:
its value goes.
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

CHECK_SECONDS = 1.0


class WatchedFile(Generic[Value]):
    """A value that follows its file; call it to have it.

    Args:
        load: reads the file.
        stamp: changes when the file does; None where there is no file, or an empty one.
        absent: the value then.
        clock: a clock that never goes back, in seconds.

    Raises:
        FlightframeError: the file is wrong to begin with.
    """

    def __init__(
        self,
        load: Callable[[], Value],
        stamp: Callable[[], object],
        absent: Value,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the file."""
        self._load, self._stamp, self._clock = load, stamp, clock
        self._absent = absent
        self._checking = threading.Lock()
        # The stamp first: what changes while the file is read is read again.
        self._last_stamp = stamp()
        self._value = load()
        self._next_check = clock() + CHECK_SECONDS

    def __call__(self) -> Value:
        """Return the value, at most a second old."""
        if self._clock() >= self._next_check and self._checking.acquire(blocking=False):
            try:
                self._check()
            finally:
                self._checking.release()
        return self._value

    def _check(self) -> None:
        self._next_check = self._clock() + CHECK_SECONDS
        stamp = self._stamp()
        if stamp == self._last_stamp:
            return
        self._last_stamp = stamp
        if stamp is None:
            self._value = self._absent
            log.error("access.file_removed")
            return
        try:
            self._value = self._load()
        except FlightframeError as error:
            log.error("access.reload_failed", text=error.message)
        else:
            log.info("access.reloaded")
