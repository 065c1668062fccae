"""Ctrl-C: quiet at any moment, also while native code waits for a server.

What comes in: SIGINT. What goes out: exit code 130, and nothing on stderr. It must never leave a
traceback, whether the signal comes while modules are imported, while a command runs, or while it
ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

INTERRUPTED = 128 + signal.SIGINT
GRACE_SECONDS = 0.5
"""How long a call may take to notice the signal by itself."""


class Stopped(KeyboardInterrupt):
    """A signal that ends a command which has not begun to serve.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        """Keep the signal."""
        super().__init__(number)
        self.number = number


def leave(number: int, _: FrameType | None = None) -> None:
    """End the process at once; a handler for times when there is nothing to tidy up."""
    os._exit(128 + number)


class InterruptibleCommand(TyperCommand):
    """A command: while it runs, Ctrl-C is an exception, and outside it ends all."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        with _ended_by_signals():
            return super().invoke(ctx)


class InterruptibleGroup(TyperGroup):
    """Commands: while one of them runs, Ctrl-C is an exception, and outside it ends all."""

    def invoke(self, ctx: Any) -> Any:
        """Run one of them."""
        with _ended_by_signals():
            return super().invoke(ctx)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turn a signal that ends what runs into the exit code that says which one it was."""
    came = threading.Event()
    try:
        with _raised(came):
            yield
    except Stopped as stop:
        raise typer.Exit(128 + stop.number) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except typer.Abort as abort:
        # A prompt turns both ends of a line into this one.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED) from None
        raise
    except typer.Exit:
        raise
    except Exception:
        # Native code that asks for signals while it waits raises an error of its own in place of
        # the KeyboardInterrupt: of DuckDB, RuntimeError("Query interrupted").
        if came.is_set():
            raise typer.Exit(INTERRUPTED) from None
        raise


@contextlib.contextmanager
def _raised(came: threading.Event) -> Iterator[None]:
    """Let SIGINT be a KeyboardInterrupt, where the process was to leave at once.

    Args:
        came: set as soon as the signal comes.
    """
    leaving = in_main_thread() and signal.getsignal(signal.SIGINT) is leave
    if not leaving:
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.set()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, leave)


def leave_quietly() -> None:
    """Let an interrupt that no code can be given, as in a destructor, end the process.

    Python would write a text of several lines on stderr, and go on as if there had been none.
    """
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            leave(signal.SIGINT)
        before(unraisable)

    sys.unraisablehook = hook


@contextlib.contextmanager
def interrupts_noted() -> Iterator[threading.Event]:
    """Let SIGINT set an event, and raise nothing.

    An exception may come between any two steps: of a loop outside of its `try`, and of an event
    loop that begins or ends.
    """
    noted = threading.Event()
    with _handled_by(lambda *_: noted.set()):
        yield noted


@contextlib.contextmanager
def interrupts_raised() -> Iterator[None]:
    """Let SIGINT be a KeyboardInterrupt, inside of `interrupts_noted`."""
    with _handled_by(signal.default_int_handler):
        yield


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    if not in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def watched(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Call a function in a thread of its own as soon as SIGINT comes.

    Python runs handlers between two of its own steps, and so never while it waits in native code
    for the first message of a server.

    Args:
        act: called with an event that is set as soon as the block is left.
    """
    if not in_main_thread():
        yield
        return
    left = threading.Event()
    source, sink = socket.socketpair()
    sink.setblocking(False)
    watcher = threading.Thread(target=_watch, args=(source, act, left), daemon=True)
    before = signal.set_wakeup_fd(sink.fileno(), warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        sink.close()


def _watch(
    source: socket.socket, act: Callable[[threading.Event], None], left: threading.Event
) -> None:
    with source:
        while numbers := source.recv(16):
            if signal.SIGINT in numbers:
                act(left)


def leave_where_stuck(left: threading.Event) -> None:
    """End the process where the interrupted code does not end by itself."""
    if not left.wait(GRACE_SECONDS):
        leave(signal.SIGINT)


def in_main_thread() -> bool:
    """Return whether this is the thread that signals come to."""
    return threading.current_thread() is threading.main_thread()
