"""Answers made in threads beside the event loop, for as long as their clients stay.

What comes in: a request, and the work that answers it. What goes out: what the work returns. It
must never let slow answers keep fast ones waiting for a thread, nor work on for a client that hung
up, nor leave open what the work returns when its client is no longer there to take it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request


class Closable(Protocol):
    """What holds something until it is closed."""

    def close(self) -> None:
        """Give it back; idempotent."""


Result = TypeVar("Result", bound=Closable)

FIRST_SECONDS = 0.05
"""How long an answer takes before its client is watched: most have ended by then."""


class Threads:
    """The threads of one server.

    Args:
        most: how many there are at once; as many as there are connections, and no answer waits.
    """

    def __init__(self, most: int) -> None:
        """Start none yet."""
        self._most = most
        self._limiter: CapacityLimiter | None = None

    def resize(self, most: int) -> None:
        """Have as many at once from the next answer on."""
        self._most = most

    async def run(self, request: Request, work: Callable[[Callable[[], bool]], Result]) -> Result:
        """Return what the work returns, in a thread.

        Args:
            request: whose body has been read.
            work: takes a function that tells whether the client has hung up.
        """
        if self._limiter is None:
            # It belongs to an event loop, and there is one now.
            self._limiter = CapacityLimiter(self._most)
        elif self._limiter.total_tokens != self._most:
            self._limiter.total_tokens = self._most
        gone = threading.Event()
        handover = Handover[Result]()
        running = asyncio.ensure_future(
            to_thread.run_sync(partial(handover.give, work), gone.is_set, limiter=self._limiter)
        )
        watch: asyncio.Future[None] | None = None
        try:
            done, _ = await asyncio.wait({running}, timeout=FIRST_SECONDS)
            if not done:
                watch = asyncio.ensure_future(_until_gone(request, gone))
            await running
            return handover.take()
        finally:
            gone.set()
            handover.leave()
            if watch is not None:
                watch.cancel()


class Handover(Generic[Result]):
    """What a thread made, on its way to a task that may be cancelled at any moment.

    A cancelled task hears nothing of the thread that it waited for, and the result would be left
    open: whichever of both comes last closes it.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = threading.Lock()
        self._result: Result | None = None
        self._left = False

    def give(
        self, work: Callable[[Callable[[], bool]], Result], is_gone: Callable[[], bool]
    ) -> None:
        """Do the work, in a thread, and keep what it returns for the request that waits."""
        result = work(is_gone)
        with self._lock:
            if not self._left:
                self._result = result
                return
        result.close()

    def take(self) -> Result:
        """Return what the work returned; it is the caller's from here on."""
        with self._lock:
            result, self._result = self._result, None
        assert result is not None, "the work has not ended"
        return result

    def leave(self) -> None:
        """Close what was not taken, now or as soon as it comes."""
        with self._lock:
            self._left = True
            result, self._result = self._result, None
        if result is not None:
            result.close()


async def _until_gone(request: Request, gone: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
