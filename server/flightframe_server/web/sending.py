"""A reply on its way to a client that may take it slowly.

What comes in: a reply that is whole, and what it holds. What goes out: its bytes. It
must never give back what the reply holds before the last byte is written, nor keep it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flightframe_server.web.reply import Reply


class ReplyResponse(Response):
    """The response that carries a reply, piece by piece.

    Args:
        reply: the reply; closed at the end.
        headers: of the response.
        release: what to do once it was sent, or cannot be.
    """

    def __init__(
        self,
        reply: Reply,
        headers: Mapping[str, str],
        release: Callable[[], None],
    ) -> None:
        """Send nothing yet."""
        all_headers = {**headers, **reply.headers, "content-length": str(reply.length)}
        super().__init__(status_code=reply.status, headers=all_headers, media_type=reply.media_type)
        self._reply, self._release = reply, release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            await self._send_body(send)
        finally:
            self._reply.close()
            self._release()

    async def _send_body(self, send: Send) -> None:
        left = self._reply.length
        while True:
            # What is small is in memory, and costs no hand-over to a thread.
            read = self._reply.read
            chunk = read() if self._reply.small else await to_thread.run_sync(read)
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if left <= 0:
                return
