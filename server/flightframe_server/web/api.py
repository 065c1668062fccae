"""The HTTP API: health, and queries as JSON.

What comes in: HTTP requests. What goes out: JSON, for every failure of one shape. It must never
answer on the event loop, where one slow query would hold up all others, and never show a path or a
traceback.
"""

from __future__ import annotations

import json
import traceback
import uuid
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from flightframe_server import __version__
from flightframe_server.access.access import OPEN, Access
from flightframe_server.access.caller import ANONYMOUS, Caller
from flightframe_server.answer import Serving, answer
from flightframe_server.engine.asker import Asker
from flightframe_server.errors import (
    FlightframeError,
    FrameQLSyntaxError,
    InternalError,
    LimitExceeded,
    NotSupported,
    UnknownName,
    did_you_mean,
    shown,
)
from flightframe_server.web.answering import Threads
from flightframe_server.web.body import EXAMPLE, read_body
from flightframe_server.web.reply import Reply, ReplyLimits, reply_limits

log = structlog.get_logger(__name__)

REQUEST_ID = "x-request-id"

CONNECTIONS = 256
"""Connections at once; one more is told 503."""

JSON = "application/json"
CLIENT_CLOSED_REQUEST = 499
UNAUTHORIZED = 401
CHALLENGE = 'Basic realm="flightframe", charset="UTF-8", Bearer'
CERTIFIED = "certified"
"""The name, in a request's state, of whom the client's certificate names."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Api:
    """The endpoints over one running installation.

    Args:
        serving: what answers.
        hosts: what the Host header may name; None: anything. A page in a browser that resolves
            its own name to 127.0.0.1 names that name.
        limits: the most that a reply may hold; None: what the installation says.
        access: who is let in. Health is told to everybody.
    """

    def __init__(
        self,
        serving: Serving,
        *,
        hosts: Collection[str] | None = None,
        limits: ReplyLimits | None = None,
        access: Access = OPEN,
    ) -> None:
        """Keep what the endpoints answer with; see the class."""
        self._serving, self._hosts = serving, hosts
        self._limits = limits if limits is not None else reply_limits(serving.statements.limits)
        self._threads = Threads(CONNECTIONS)
        self._access = access
        self.application = Starlette(
            routes=[
                Route("/healthz", self._health),
                Route("/runtime/healthz", self._health),
                Route("/runtime/query", self._query, methods=["POST"]),
            ],
            exception_handlers={
                FlightframeError: _failed,
                HTTPException: _refused,
                ClientDisconnect: _gone,
            },
        )

    async def _health(self, _: HttpRequest) -> Response:
        body = {
            "status": "ok",
            "installation_id": self._serving.installation_id,
            "version": __version__,
        }
        return json_response(body)

    async def _query(self, request: HttpRequest) -> Response:
        self._check_host(request)
        caller = await self._caller(request)
        body = await read_all(request, self._serving.statements.limits.request_bytes)
        reply = await self._threads.run(request, partial(self._reply, body, caller))
        headers = {**_HEADERS, "content-length": str(reply.length)}
        if reply.small:
            return Response(b"".join(reply.chunks()), media_type=JSON, headers=headers)
        return StreamingResponse(reply.chunks(), media_type=JSON, headers=headers)

    def _check_host(self, request: HttpRequest) -> None:
        if self._hosts is not None and request.url.hostname not in self._hosts:
            raise FrameQLSyntaxError("the Host header names another host than this server")

    async def _caller(self, request: HttpRequest) -> Caller:
        """Return who asks, before a byte of the body is read."""
        if self._access.named_by_certificate:
            return Caller(getattr(request.state, CERTIFIED, ""))
        if self._access.door is None:
            return ANONYMOUS
        # In a thread: a password takes its time.
        given = request.headers.getlist("authorization")
        return await run_in_threadpool(self._access.door.enter, given)

    def _reply(self, body: bytes, caller: Caller, gone: Callable[[], bool]) -> Reply:
        """Answer a request's body; in a thread, where it may take its time."""
        asker = Asker(gone)
        try:
            asked = read_body(body)
            known = self._serving.installation_id
            if asked.installation_id not in (None, known):
                raise UnknownName(
                    f"there is no installation {shown(asked.installation_id)} here",
                    hint=did_you_mean(asked.installation_id or "", [known]),
                )
            found = answer(asked.request, self._serving, caller.user, asker)
            return Reply(found, self._limits, asker)
        except FlightframeError:
            raise
        except Exception as error:
            raise broken(error) from error


async def read_all(request: HttpRequest, most: int) -> bytes:
    """Return the body of a request that says it is JSON.

    Args:
        request: the request.
        most: the most bytes it may have.

    Raises:
        FrameQLSyntaxError: it says that it is something else.
        LimitExceeded: it is larger.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON:
        raise FrameQLSyntaxError(f"the content type is not {JSON}", hint=EXAMPLE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise LimitExceeded(f"a request has at most {most:,} bytes")
    return bytes(body)


def broken(error: Exception) -> InternalError:
    """Log a failure that is ours, and return what the client is told of it."""
    name = uuid.uuid4().hex[:12]
    # The serving process has no tracebacks at all (`sys.tracebacklimit`), hence a limit here.
    frames = traceback.extract_tb(error.__traceback__, limit=-8)
    where = [f"{frame.name}:{frame.lineno}" for frame in frames]
    log.error("web.broken", id=name, kind=type(error).__name__, text=str(error)[:500], where=where)
    return InternalError("something went wrong in the server", hint=f"its log has it as {name}")


def json_response(body: Any, status: int = 200) -> Response:
    """Return a response of JSON."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return Response(text, status, _HEADERS, JSON)


async def _failed(_: HttpRequest, error: Exception) -> Response:
    """Answer with an error, under a name by which the log knows it."""
    assert isinstance(error, FlightframeError)
    request_id = uuid.uuid4().hex
    log.info("web.refused", request_id=request_id, code=error.code, text=error.message)
    response = json_response(error.payload(), error.http_status)
    response.headers[REQUEST_ID] = request_id
    if error.http_status == UNAUTHORIZED:
        response.headers["www-authenticate"] = CHALLENGE
    return response


async def _refused(_: HttpRequest, error: Exception) -> Response:
    """Answer what no endpoint answers, in the one JSON shape."""
    assert isinstance(error, HTTPException)
    ours: FlightframeError
    if error.status_code == 405:
        ours = NotSupported("this address does not know the method", hint="POST a query")
    elif error.status_code == 404:
        hint = "there are /healthz, /runtime/healthz and /runtime/query"
        ours = UnknownName("there is nothing at this address", hint=hint)
    else:
        ours = FrameQLSyntaxError("the request is malformed")
    response = json_response(ours.payload(), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _gone(_: HttpRequest, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)
