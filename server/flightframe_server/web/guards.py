"""The guards of the HTTP API: which requests are answered at all, before a byte of a body is read.

What comes in: requests, the operations they are for, and the settings of an installation. What goes
out: nothing, or a refusal that names what is missing. It must never take the word of a page: what a
browser lets a page of another site send passes none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flightframe_server.access.access import Access
from flightframe_server.call_context import Caller
from flightframe_server.errors import FrameQLSyntaxError, NotPermitted, shown
from flightframe_server.web.description.operation import Operation
from flightframe_server.web.failures import REQUEST_ID
from flightframe_server.web.reply import SERVED_FROM

CHANGING_HEADER = "x-flightframe"
CHANGING_VALUE = "1"
NO_CONTENT = 204

_ALLOWED_HEADERS = f"authorization, content-type, if-none-match, {CHANGING_HEADER}"
_EXPOSED_HEADERS = f"{REQUEST_ID}, {SERVED_FROM}, etag, retry-after, location"
_METHODS = "GET, POST, DELETE"
_MAX_AGE = "600"


Origins = Callable[[], Collection[str]]
"""Returns the origins whose pages may ask: a reload may change them."""


def no_origins() -> Collection[str]:
    """Return that no page elsewhere may ask."""
    return ()


def check_host(request: Request, hosts: Collection[str] | None) -> None:
    """Refuse a request for another host: a page may resolve its own name to this machine.

    Raises:
        FrameQLSyntaxError: the Host header names another one.
    """
    try:
        host = request.url.hostname
    except ValueError:
        host = None
    if hosts is not None and host not in hosts:
        raise FrameQLSyntaxError("the Host header names another host than this server")


def check_change(request: Request, operation: Operation, origins: Collection[str]) -> None:
    """Refuse a change that a page of another site could have sent.

    Raises:
        NotPermitted: the header that no such page can send is missing, or the page says itself
            that it is of another site.
    """
    if not operation.changes:
        return
    if request.headers.get(CHANGING_HEADER) != CHANGING_VALUE:
        raise NotPermitted(
            "what changes something needs a header that no other site's page can send",
            hint="send X-Flightframe: 1",
        )
    origin = request.headers.get("origin")
    if origin is None or origin in origins or _host_of(origin) == request.headers.get("host"):
        return
    raise NotPermitted(
        f"a page of {shown(origin)} may change nothing here",
        hint="name its origin in server.cors_origins of the installation",
    )


def check_operator(access: Access, operation: Operation, caller: Caller) -> None:
    """Refuse a change of what is served to all, by a caller who is no operator.

    Raises:
        NotPermitted: the caller is none.
    """
    if operation.operator and not access.may_operate(caller):
        raise NotPermitted(
            "only operators may change what is served",
            hint="name the user in server.auth.operators of the installation",
        )


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


class SharedOrigins:
    """An application that pages of listed origins may ask, as the Fetch standard has it.

    Args:
        application: the application.
        origins: returns the origins.
    """

    def __init__(self, application: ASGIApp, origins: Origins) -> None:
        """Keep both."""
        self._application, self._origins = application, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the question whether it may be sent."""
        request = Request(scope)
        origin = request.headers.get("origin")
        origins = self._origins()
        if not origins or origin is None:
            await self._application(scope, receive, send)
            return
        allowed = origin in origins
        asks_first = "access-control-request-method" in request.headers
        if allowed and asks_first and scope["method"] == "OPTIONS":
            await _preflight(origin)(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("origin")
                if allowed:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = _EXPOSED_HEADERS
            await send(message)

        await self._application(scope, receive, sent)


def _preflight(origin: str) -> Response:
    # Cookies are not for other sites' pages: they send a token of their own.
    headers = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": _ALLOWED_HEADERS,
        "access-control-max-age": _MAX_AGE,
        "vary": "origin",
    }
    return Response(status_code=NO_CONTENT, headers=headers)
