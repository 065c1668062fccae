"""Answers to requests whose bodies were not read: the client gets them.

What comes in: an application, and the requests it answers. What goes out: the same answers. It must
never close a connection over which bytes still come: that resets it, and the answer is lost on its
way; nor read on for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flightframe_server.statements.runner import Statements

DRAIN_BYTES = 1 << 30


class Draining:
    """An application that reads what its answers left unread, once they were written.

    Args:
        application: the application.
        statements: has the limit of how long it reads, which a reload may change.
    """

    def __init__(self, application: ASGIApp, statements: Statements) -> None:
        """Keep both."""
        self._application, self._statements = application, statements

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        # A client that waits to be told to send its body, and was not, sends none.
        ended = not _has_body(headers) or _waits(headers)

        async def received() -> Message:
            nonlocal ended
            message = await receive()
            ended = not message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            if ended or message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            # The answer is whole for its reader, who knows its length; the exchange has not ended.
            await send({**message, "more_body": True})
            with suppress(TimeoutError):
                async with asyncio.timeout(self._statements.limits.http_body_seconds):
                    left = DRAIN_BYTES
                    while not ended and left > 0:
                        left -= len((await received()).get("body", b""))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._application(scope, received, sent)


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _waits(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"expect", b"").lower() == b"100-continue"
