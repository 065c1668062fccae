"""The body of a request, read within its bounds.

What comes in: a request whose head was read. What goes out: its body, or the refusal of one that is
too long, too slow, or something else than JSON. It must never hold more of it than its bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request

from flightframe_server.call_context import Caller
from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded
from flightframe_server.statements.runner import Statements
from flightframe_server.web.admission import Admission
from flightframe_server.web.failures import LateBody
from flightframe_server.web.reply import JSON

SAY_JSON = f"send the header content-type: {JSON}"


class BodyReader:
    """Reads the bodies of one server.

    Args:
        statements: has the installation's limits, which a reload may change.
        admission: how many bytes of bodies may be on their way.
    """

    def __init__(self, statements: Statements, admission: Admission) -> None:
        """Keep both; see the class."""
        self._statements, self._admission = statements, admission

    async def read(self, request: Request, caller: Caller, *, may_be_absent: bool) -> bytes:
        """Return the body of a request.

        Args:
            request: the request.
            caller: whose share of the bytes it takes.
            may_be_absent: whether a body of no bytes needs no content type.

        Raises:
            FrameQLSyntaxError: it says that it is something else than JSON.
            LimitExceeded: it is too long.
            LateBody: it does not come in time.
            Overloaded: too many bodies are on their way.
        """
        limits = self._statements.limits
        most, seconds = limits.request_bytes, limits.http_body_seconds
        with self._admission.body(caller.key) as body_bytes:
            try:
                async with asyncio.timeout(seconds):
                    return await read_all(
                        request, most, body_bytes.take, may_be_absent=may_be_absent
                    )
            except TimeoutError:
                raise LateBody(f"the body did not come within {seconds:g} seconds") from None


async def read_all(
    request: Request,
    most: int,
    take: Callable[[int], None] = lambda size: None,
    *,
    may_be_absent: bool = False,
) -> bytes:
    """Return the body of a request that says it is JSON.

    Args:
        request: the request.
        most: the most bytes it may have.
        take: told of the bytes as they come; raises where there is no room for them.
        may_be_absent: whether a body of no bytes needs no content type.

    Raises:
        FrameQLSyntaxError: it says that it is something else.
        LimitExceeded: it is larger.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = content_type == JSON
    if not is_json and not (may_be_absent and not content_type):
        raise FrameQLSyntaxError(f"the content type is not {JSON}", hint=SAY_JSON)
    too_long = LimitExceeded(f"a request has at most {most:,} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise too_long
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most:
            raise too_long
        if chunk and not is_json:
            raise FrameQLSyntaxError(f"the content type is not {JSON}", hint=SAY_JSON)
        take(len(chunk))
        body += chunk
    return bytes(body)
