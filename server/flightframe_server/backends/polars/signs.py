"""The sign of a file's content: it moves with every write, and is told only once that is sure.

What comes in: what the operating system says of a file. What goes out: a short text that differs
whenever the content may, or None while a further write could leave it as it is. It must never take
longer than `PATIENCE`, whatever a file's clock says.

The sign is made of device, inode, size, and the times of the last change of content and of anything
(`ctime`). A program can set the time of content back and keep the size, but not `ctime`. Two writes
within one tick of the kernel's clock may leave the same `ctime`, though: a sign says nothing until
it is older than a tick.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

TICK = 0.02
"""Seconds within which two writes may leave one time; kernels tick every 1 to 10 ms."""

COARSE_TICK = 2.0
"""The same on file systems that keep whole seconds."""

PATIENCE = 0.1
"""Seconds that a sign is waited for before it is unknown."""

_STEP = 0.002


def sign_of(status: os.stat_result) -> str:
    """Return the sign of a file."""
    parts = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def tick_of(status: os.stat_result) -> float:
    """Return the seconds within which two writes may leave this file with one time."""
    return COARSE_TICK if status.st_ctime_ns % 1_000_000_000 == 0 else TICK


class SettledSigns:
    """Signs that any further write moves.

    A sign is settled once its `ctime` is a tick ago by the clock of the machine, or once it has
    been seen unchanged for a tick: a clock that was set back, or the clock of another machine, may
    date a file into the future.
    """

    def __init__(self) -> None:
        """Know no sign yet."""
        self._seen: dict[str, str] = {}

    def settled(self, name: str, look: Callable[[], os.stat_result], deadline: float) -> str | None:
        """Return a file's sign, or None where it does not settle in time.

        Args:
            name: of the file, under which is remembered what was seen.
            look: says what the file is now.
            deadline: how long to wait, on the clock of `time.monotonic`.

        Raises:
            OSError: as `look` does.
        """
        sign, since = "", 0.0
        while True:
            status, now = look(), time.monotonic()
            if sign_of(status) != sign:
                sign, since = sign_of(status), now
            tick = tick_of(status)
            aged = time.time() - status.st_ctime_ns / 1e9 >= tick
            if aged or self._seen.get(name) == sign:
                return sign
            if now - since >= tick:
                self._seen[name] = sign
                return sign
            if now >= deadline:
                return None
            time.sleep(_STEP)
