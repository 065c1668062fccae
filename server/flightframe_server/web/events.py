"""The figures of the engines as events that a page listens to.

What comes in: listeners. What goes out: an event when the figures change, at most once a second,
and a sign of life in between. It must never outlast its caller's credentials or the server, nor
hold more listeners than may be.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flightframe_server.errors import FlightframeError
from flightframe_server.web.engine_figures import EngineFigures, Figures
from flightframe_server.web.failures import HEADERS
from flightframe_server.web.readiness import Readiness

MEDIA_TYPE = "text/event-stream"
EVENT_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 0.25
"""How often a listener looks whether the server is stopping."""

HEARTBEAT = b": still here\n\n"


def event_of(figures: Figures) -> bytes:
    """Return the figures as one event.

    >>> event_of(Figures(entries=3)).splitlines()[0]
    b'event: engine'
    """
    data = json.dumps({**figures.to_json(), "at": time.time()})
    return f"event: engine\ndata: {data}\n\n".encode()


class FigureEvents(Response):
    """A stream of events to one listener.

    Args:
        figures: what is told.
        collection: of which collection; None: of all.
        readiness: ends the stream where the server stops.
        still_admitted: raises nothing and returns true for as long as the caller is let in.
        release: what to do once the listener has left.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        figures: EngineFigures,
        collection: str | None,
        readiness: Readiness,
        still_admitted: Callable[[], Awaitable[bool]],
        release: Callable[[], None],
    ) -> None:
        """Send nothing yet."""
        super().__init__(headers={**HEADERS, "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._figures, self._collection = figures, collection
        self._readiness, self._still_admitted = readiness, still_admitted
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the listener leaves."""
        sending = asyncio.ensure_future(self._send(send, with_body=scope["method"] != "HEAD"))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            self._release()

    async def _send(self, send: Send, *, with_body: bool) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        # A HEAD asks what would come, and not for it.
        pieces = self._pieces() if with_body else _nothing()
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        last: Figures | None = None
        looked = sent = -HEARTBEAT_SECONDS
        while not self._readiness.draining:
            now = time.monotonic()
            if now - looked >= EVENT_SECONDS:
                looked = now
                try:
                    figures = await to_thread.run_sync(self._figures.now, self._collection)
                except FlightframeError:
                    return  # A reload took the collection away; who asks again is told so.
                if figures != last:
                    last, sent = figures, now
                    yield event_of(figures)
            if now - sent >= HEARTBEAT_SECONDS:
                if not await self._still_admitted():
                    return
                sent = now
                yield HEARTBEAT
            await asyncio.sleep(LOOK_SECONDS)


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
