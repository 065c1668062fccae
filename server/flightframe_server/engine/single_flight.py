"""Many identical misses at once: one of them asks the back-end, the others wait for it.

What comes in: a key and what to do for it. What goes out: the one result, to everybody. It must
never remember a result once nobody waits, nor hand one caller's cancellation to another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from flightframe_server.errors import BackendCancelled, BackendTimeout

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Calls of equal keys share one execution while it is under way."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Result]] = {}

    def do(
        self, key: Hashable, work: Callable[[], Result], *, timeout: float | None = None
    ) -> Result:
        """Return `work()`, or the result of an equal call under way.

        Raises:
            BackendTimeout: the call under way took longer than `timeout` seconds.
        """
        while True:
            with self._lock:
                future = self._under_way.get(key)
                mine = future is None
                if future is None:
                    future = self._under_way[key] = Future()
            if mine:
                return self._lead(key, future, work)
            try:
                return future.result(timeout)
            except BackendCancelled:
                # Whoever led gave up for a reason of its own; somebody else leads now.
                continue
            except TimeoutError:
                raise BackendTimeout("the statement ran past its time limit") from None

    def _lead(self, key: Hashable, future: Future[Result], work: Callable[[], Result]) -> Result:
        try:
            result = work()
        except BaseException as error:
            self._land(key)
            future.set_exception(error)
            raise
        self._land(key)
        future.set_result(result)
        return result

    def _land(self, key: Hashable) -> None:
        with self._lock:
            self._under_way.pop(key, None)
