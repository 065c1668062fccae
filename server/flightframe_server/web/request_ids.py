"""A name for every request, on its reply and in the log.

What comes in: an application. What goes out: the same, whose every reply has the header
`x-request-id`. It must never take a name that a client sent.
"""

from __future__ import annotations

import uuid

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flightframe_server.web.failures import REQUEST_ID

STATE = "request_id"


class NamedRequests:
    """An application whose requests have names.

    Args:
        application: the application.
    """

    def __init__(self, application: ASGIApp) -> None:
        """Keep it."""
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        name = uuid.uuid4().hex
        scope.setdefault("state", {})[STATE] = name

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = name
            await send(message)

        await self._application(scope, receive, named)


def request_id(request: HTTPConnection) -> str:
    """Return the name of a request."""
    return str(request.scope.get("state", {}).get(STATE, ""))
