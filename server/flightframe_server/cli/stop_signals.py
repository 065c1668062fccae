"""SIGTERM and SIGINT: the first requests a stop, the second ends the process.

What comes in: signals. What goes out: something to wait for, and until a command has started an
exception, which ends what it is at. It must never do anything in the handler that could wait.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from flightframe_server.cli.interrupts import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
POLL_SECONDS = 0.1


class StopSignals:
    """Handles both signals while it is entered; for the main thread."""

    def __init__(self) -> None:
        """Start without a request."""
        self._signal = 0
        self._started = False
        self._before: dict[signal.Signals, object] = {}

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self._signal > 0

    def started(self) -> None:
        """Let the first signal be a request from now on, which is looked at.

        Raises:
            Stopped: one came before, where no exception could be raised.
        """
        self._started = True
        if self._signal:
            raise Stopped(self._signal)

    def wait(self) -> None:
        """Return when the first signal has come.

        It polls a flag: a lock that the handler released could be missed by
        a wait that was just about to begin, and a handler that takes one could wait for itself.
        """
        while not self._signal:
            time.sleep(POLL_SECONDS)

    @contextmanager
    def errors_as_stopped(self) -> Iterator[None]:
        """Raise what a signal is to raise where native code raised an error in its place.

        DuckDB asks for signals while it runs a statement for the main thread, and raises
        RuntimeError("Query interrupted") whatever the handler raised.

        Raises:
            Stopped: an error left the block after a signal, before the command had started.
        """
        try:
            yield
        except Exception:
            self._raise_in_place_of_errors()
            raise

    def _raise_in_place_of_errors(self) -> None:
        if self._signal and not self._started:
            raise Stopped(self._signal) from None

    def __enter__(self) -> Self:
        """Install the handlers."""
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the former handlers.

        Raises:
            Stopped: as `errors_as_stopped` does.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if kind is not None and issubclass(kind, Exception):
            self._raise_in_place_of_errors()

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._signal:
            os._exit(128 + number)
        self._signal = number
        if not self._started:
            raise Stopped(number)


def end_now(code: int) -> None:
    """End the process without waiting for its threads.

    A thread that still holds native resources would bring the interpreter's own exit down.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
