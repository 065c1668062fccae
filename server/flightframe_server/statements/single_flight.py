"""Many identical misses at once: one statement for all, for as long as one of them wants it.

What comes in: a key, what to do for it, and who waits. What goes out: the one result, to all
callers who still wait. It must never remember a result once no caller waits, nor let the caller who
happened to come first decide for the others: the work runs in a thread of its own, a caller who
gives up leaves, and the work ends when the last one leaves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.call_context import POLL_SECONDS, CallContext
from flightframe_server.statements.waiting_threads import WaitingThreads

log = structlog.get_logger(__name__)

THREADS = WaitingThreads("statement")
"""Where all statements of the process run."""

Result = TypeVar("Result")

INSIST_SECONDS = 1.0
"""How long the last caller to leave waits for the work to end."""


class _Call(Generic[Result]):
    """One piece of work under way."""

    def __init__(self) -> None:
        self.token = CancelToken()
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.waiting = 0


class SingleFlight(Generic[Result]):
    """Calls of equal keys share one execution while it is under way."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._lock = threading.Lock()
        self._calls: dict[Hashable, _Call[Result]] = {}

    def do(
        self, key: Hashable | None, work: Callable[[CancelToken], Result], context: CallContext
    ) -> Result:
        """Return the result of `work`, or of an equal call's under way.

        Args:
            key: what makes two calls equal; None: no other call is equal to this one.
            work: what to do; it ends when its token is cancelled.
            context: the call that waits.

        Raises:
            BackendCancelled: this caller waits no more.
            BackendTimeout: this caller waited as long as it may.
        """
        if key is None:
            key = object()
        with self._lock:
            call = self._calls.get(key)
            first = call is None
            if call is None:
                call = self._calls[key] = _Call()
            call.waiting += 1
        if first:
            self._start(key, call, work)
        try:
            while not call.done.wait(POLL_SECONDS):
                context.check()
        except BaseException:
            self._leave(key, call)
            raise
        if call.error is not None:
            raise call.error
        return call.result  # type: ignore[return-value]

    def _start(
        self, key: Hashable, call: _Call[Result], work: Callable[[CancelToken], Result]
    ) -> None:
        try:
            THREADS.run(lambda: self._run(key, call, work))
        except BaseException as error:
            self._finish(key, call)
            call.error = error
            call.done.set()

    def _run(
        self, key: Hashable, call: _Call[Result], work: Callable[[CancelToken], Result]
    ) -> None:
        try:
            call.result = work(call.token)
        except BaseException as error:
            call.error = error
        finally:
            self._finish(key, call)
            call.done.set()

    def _finish(self, key: Hashable, call: _Call[Result]) -> None:
        with self._lock:
            if self._calls.get(key) is call:
                del self._calls[key]

    def _leave(self, key: Hashable, call: _Call[Result]) -> None:
        with self._lock:
            call.waiting -= 1
            if call.waiting:
                return
            # The next caller begins anew.
            if self._calls.get(key) is call:
                del self._calls[key]
        until = time.monotonic() + INSIST_SECONDS
        call.token.cancel()
        while not call.done.wait(POLL_SECONDS):
            if time.monotonic() > until:
                log.warning("statement.lingers")
                return
            # A cancellation may have met the statement between two steps.
            call.token.cancel()
