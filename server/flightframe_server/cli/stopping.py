"""SIGTERM and SIGINT: the first asks to stop, the second does not ask.

What comes in: signals. What goes out: an event to wait for. It must never do anything in the
handler that could wait.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Takes over both signals while it is entered; for the main thread."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self._asked = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked.is_set()

    def wait(self) -> None:
        """Return when somebody asks to stop."""
        self._asked.wait()

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._asked.is_set():
            os._exit(128 + number)
        self._asked.set()


def end_now(code: int) -> None:
    """End the process without waiting for its threads.

    A thread that still holds native resources would bring the interpreter's own exit down.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
