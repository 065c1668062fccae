"""SIGHUP: the files of the installation are read anew, unless a terminal has hung up.

What comes in: the signal. What goes out: a word to what reloads. It must never do anything in the
handler that could wait, nor keep a server alive in the background whose terminal was closed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType, TracebackType
from typing import Annotated, Self

import typer

from flightframe_server.reload import Reloader
from flightframe_server.reload.watch import ReloadWatch

Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        envvar="FLIGHTFRAME_RELOAD",
        help="Reload when the manifest or a collection changes on disk.",
    ),
]

TERMINAL_DESCRIPTORS = (0, 1, 2)
SIGHUP: signal.Signals | None = getattr(signal, "SIGHUP", None)


class ReloadSignal:
    """Handles SIGHUP while it is entered, where the system has it; for the main thread."""

    def __init__(self) -> None:
        """Start without a request."""
        self._pending = False
        self._request: Callable[[], None] | None = None
        self._before: object = None
        self._terminals: list[int] = []

    def send_to(self, request: Callable[[], None]) -> None:
        """Call a function at each signal, and now where one came before."""
        self._request = request
        if self._pending:
            self._pending = False
            request()

    def __enter__(self) -> Self:
        """Install the handler."""
        if SIGHUP is not None:
            self._before = signal.signal(SIGHUP, self._handle)
            if self._before is not signal.SIG_IGN:
                # Started under nohup, it stays when its terminal goes.
                self._terminals = [one for one in TERMINAL_DESCRIPTORS if os.isatty(one)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the former handler."""
        if SIGHUP is not None:
            signal.signal(SIGHUP, self._before)  # type: ignore[arg-type]

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._terminals and not any(map(os.isatty, self._terminals)):
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._request is not None:
            self._request()
        else:
            self._pending = True


@contextmanager
def reloading(
    reloader: Reloader, *, watch: bool, hangup: ReloadSignal | None = None
) -> Iterator[None]:
    """Reload at SIGHUP, and when files change, for as long as the block lasts.

    Args:
        reloader: what reloads.
        watch: whether changes of files are watched.
        hangup: what handles the signal already; None: the block does.
    """
    if hangup is None:
        with ReloadSignal() as handled, reloading(reloader, watch=watch, hangup=handled):
            yield
        return
    reloads = ReloadWatch(reloader, files=watch)
    with closing(reloads):
        reloads.start()
        hangup.send_to(reloads.request)
        yield
