"""Many identical misses at once: one statement for all, for as long as one of them wants it.

What comes in: a key, what to do for it, and who waits. What goes out: the one result, to everybody
who still waits. It must never remember a result once nobody waits, nor let the caller who happened
to come first decide for the others: the work runs in a thread of its own, whoever gives up leaves,
and only with the last one to leave it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog

from flightframe_server.backends.ending import Stop
from flightframe_server.call_context import POLL_SECONDS, CallContext

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

INSIST_SECONDS = 1.0
"""How long whoever left last sees to it that the work ends."""


class _Flight(Generic[Result]):
    """One piece of work under way."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.landed = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.wanted = 0


class SingleFlight(Generic[Result]):
    """Calls of equal keys share one execution while it is under way."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, _Flight[Result]] = {}

    def do(self, key: Hashable, work: Callable[[Stop], Result], context: CallContext) -> Result:
        """Return the result of `work`, or of an equal call's under way.

        Args:
            key: what makes two calls equal.
            work: what to do; it ends when the wish it is given is made.
            context: the call that waits.

        Raises:
            BackendCancelled: this caller waits no more.
            BackendTimeout: this caller waited as long as it may.
        """
        with self._lock:
            flight = self._under_way.get(key)
            first = flight is None
            if flight is None:
                flight = self._under_way[key] = _Flight()
            flight.wanted += 1
        if first:
            self._depart(key, flight, work)
        try:
            while not flight.landed.wait(POLL_SECONDS):
                context.check()
        except BaseException:
            self._leave(key, flight)
            raise
        if flight.error is not None:
            raise flight.error
        return flight.result  # type: ignore[return-value]

    def _depart(
        self, key: Hashable, flight: _Flight[Result], work: Callable[[Stop], Result]
    ) -> None:
        thread = threading.Thread(
            target=self._fly, args=(key, flight, work), name="statement", daemon=True
        )
        try:
            thread.start()
        except BaseException as error:
            self._land(key, flight)
            flight.error = error
            flight.landed.set()

    def _fly(self, key: Hashable, flight: _Flight[Result], work: Callable[[Stop], Result]) -> None:
        try:
            flight.result = work(flight.stop)
        except BaseException as error:
            flight.error = error
        finally:
            self._land(key, flight)
            flight.landed.set()

    def _land(self, key: Hashable, flight: _Flight[Result]) -> None:
        with self._lock:
            if self._under_way.get(key) is flight:
                del self._under_way[key]

    def _leave(self, key: Hashable, flight: _Flight[Result]) -> None:
        with self._lock:
            flight.wanted -= 1
            if flight.wanted:
                return
            # Whoever comes now begins anew.
            if self._under_way.get(key) is flight:
                del self._under_way[key]
        until = time.monotonic() + INSIST_SECONDS
        flight.stop.wish()
        while not flight.landed.wait(POLL_SECONDS):
            if time.monotonic() > until:
                log.warning("statement.lingers")
                return
            # A wish may have met the statement between two steps.
            flight.stop.wish()
