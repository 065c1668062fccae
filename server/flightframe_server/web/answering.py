"""Answers made in threads beside the event loop, for as long as their clients stay.

What comes in: a request, and the work that answers it. What goes out: what the work returns. It
must never let slow answers keep fast ones waiting for a thread, nor work on for a client that went.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

Result = TypeVar("Result")

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

    async def run(self, request: Request, work: Callable[[Callable[[], bool]], Result]) -> Result:
        """Return what the work returns, in a thread.

        Args:
            request: whose body has been read.
            work: takes a function that tells whether the client has gone.
        """
        if self._limiter is None:
            # It belongs to an event loop, and there is one now.
            self._limiter = CapacityLimiter(self._most)
        gone = threading.Event()
        running = asyncio.ensure_future(
            to_thread.run_sync(work, gone.is_set, limiter=self._limiter)
        )
        watch: asyncio.Future[None] | None = None
        try:
            done, _ = await asyncio.wait({running}, timeout=FIRST_SECONDS)
            if not done:
                watch = asyncio.ensure_future(_until_gone(request, gone))
            return await running
        finally:
            gone.set()
            if watch is not None:
                watch.cancel()


async def _until_gone(request: Request, gone: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
