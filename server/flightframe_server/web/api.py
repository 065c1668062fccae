"""The HTTP API: health, and queries, plans and descriptions as JSON.

What comes in: HTTP requests. What goes out: JSON, for every failure of one shape. It must never
answer on the event loop, where one slow query would hold up all others, and never show a path or a
traceback.
"""

from __future__ import annotations

import asyncio
import json
import traceback
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextlib import ExitStack
from functools import partial
from typing import Any

import structlog
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from flightframe_server import __version__
from flightframe_server.access.access import OPEN, Access
from flightframe_server.access.audit import AuditedCall
from flightframe_server.access.peers import peer_named
from flightframe_server.answer import Runtime
from flightframe_server.call_context import CallContext, Caller
from flightframe_server.error_subject import cause_of, with_request
from flightframe_server.errors import (
    BackendCancelled,
    FlightframeError,
    FrameQLSyntaxError,
    InternalError,
    LimitExceeded,
    NotSupported,
    UnknownName,
)
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.web.admission import Admission
from flightframe_server.web.answering import Threads
from flightframe_server.web.body import EXAMPLE
from flightframe_server.web.connections import CERTIFIED
from flightframe_server.web.draining import Draining
from flightframe_server.web.endpoints import Endpoints
from flightframe_server.web.reply import Reply, ReplyLimits, TextReply, reply_limits
from flightframe_server.web.sending import ReplyResponse

log = structlog.get_logger(__name__)

REQUEST_ID = "x-request-id"

JSON = "application/json"
CLIENT_CLOSED_REQUEST = 499
UNAUTHORIZED = 401
REQUEST_TIMEOUT = 408
CHALLENGE = 'Basic realm="flightframe", charset="UTF-8", Bearer'
ADDRESSES = (
    "/healthz, /runtime/healthz, /runtime/query, /runtime/explain, /runtime/describe and"
    " /runtime/logout"
)
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

OfBody = Callable[[bytes, CallContext], Reply | TextReply]
"""What answers the body of a request, for as long as a call waits."""


class Api:
    """The endpoints over one running installation.

    Args:
        runtime: what answers.
        hosts: what the Host header may name; None: anything. A page in a browser that resolves
            its own name to 127.0.0.1 names that name.
        limits: the most that a reply may hold; None: what the installation says.
        access: who is let in. Health is told to everybody.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        hosts: Collection[str] | None = None,
        limits: ReplyLimits | None = None,
        access: Access = OPEN,
    ) -> None:
        """Keep what the endpoints answer with; see the class."""
        self._runtime, self._hosts = runtime, hosts
        bounds = runtime.statements.limits
        most = limits if limits is not None else reply_limits(bounds)
        self._endpoints = Endpoints(runtime, PublishedTables(runtime), most)
        self._admission, self._body_seconds = Admission(bounds), bounds.http_body_seconds
        self._threads = Threads(bounds.http_requests)
        self._access = access
        ends = self._endpoints
        application = Starlette(
            routes=[
                Route("/healthz", self._health),
                Route("/runtime/healthz", self._health),
                Route("/runtime/query", self._posted("query", ends.query), methods=["POST"]),
                Route("/runtime/explain", self._posted("explain", ends.explain), methods=["POST"]),
                Route("/runtime/describe", self._describe, methods=["GET", "POST"]),
                Route("/runtime/logout", self._logout, methods=["POST"]),
            ],
            exception_handlers={
                FlightframeError: _failed,
                HTTPException: _refused,
            },
        )
        # A redirect would name the host that the client named.
        application.router.redirect_slashes = False
        self.application = Draining(application, self._body_seconds)

    async def _health(self, _: HttpRequest) -> Response:
        body = {
            "status": "ok",
            "installation_id": self._runtime.installation_id,
            "version": __version__,
        }
        return json_response(body)

    def _posted(self, kind: str, work: OfBody) -> Callable[[HttpRequest], Awaitable[Response]]:
        """Return the endpoint that answers bodies, under its kind in the audit."""

        async def answered(request: HttpRequest) -> Response:
            return await self._audited(request, kind, work)

        return answered

    async def _describe(self, request: HttpRequest) -> Response:
        """Describe what the address asks about, or the body of a POST."""
        if request.method == "POST":
            return await self._audited(request, "describe", self._endpoints.describe)
        keys = request.query_params.multi_items()

        def work(_: bytes, context: CallContext) -> TextReply:
            return self._endpoints.describe_named(keys, context)

        return await self._audited(request, "describe", work)

    async def _audited(self, request: HttpRequest, kind: str, work: OfBody) -> Response:
        """Answer a request by some work; the audit has a line of it."""
        with self._access.audit.call("http", kind) as call:
            if call is not None:
                call.peer = _peer(request)
            try:
                return await self._answered(request, call, work)
            except (FlightframeError, LateBody, ClientDisconnect) as error:
                response = await _told(request, error)
                if call is not None:
                    # Who hangs up is refused nothing, and hears of nothing.
                    gone = isinstance(error, ClientDisconnect)
                    why = BackendCancelled("the client hung up") if gone else error
                    call.refused(why, response.headers.get(REQUEST_ID))
                return response

    async def _logout(self, request: HttpRequest) -> Response:
        """End the session whose token the request brings, here and over Flight."""
        with self._access.audit.call("http", "logout") as call:
            self._check_host(request)
            caller = await self._caller(request)
            if call is not None:
                call.caller = caller
            authenticator = self._access.authenticator
            header = request.headers.getlist("authorization")
            left = None
            if authenticator is not None:
                left = await to_thread.run_sync(authenticator.end_session, header)
            return json_response({"ended": left is not None})

    async def _answered(
        self, request: HttpRequest, call: AuditedCall | None, work: OfBody
    ) -> Response:
        self._check_host(request)
        if call is not None and self._access.authenticator is not None:
            call.claimed = self._access.authenticator.claimed_user(
                request.headers.getlist("authorization")
            )
        caller = await self._caller(request)
        if call is not None:
            call.caller = caller
        body = await self._body(request, caller) if request.method == "POST" else b""
        with ExitStack() as held:
            held.enter_context(self._admission.request(caller.key))
            reply = await self._threads.run(request, partial(_reply, work, body, caller))
            # Held until the reply is taken: a client that reads slowly holds memory, or a file.
            return ReplyResponse(reply, _HEADERS, held.pop_all().close)

    async def _body(self, request: HttpRequest, caller: Caller) -> bytes:
        """Return the body of a request, or the refusal of one that is too long, or too slow."""
        most = self._runtime.statements.limits.request_bytes
        with self._admission.body(caller.key) as taken:
            try:
                async with asyncio.timeout(self._body_seconds):
                    return await read_all(request, most, taken.take)
            except TimeoutError:
                seconds = f"{self._body_seconds:g}"
                raise LateBody(f"the body did not come within {seconds} seconds") from None

    def _check_host(self, request: HttpRequest) -> None:
        if self._hosts is not None and request.url.hostname not in self._hosts:
            raise FrameQLSyntaxError("the Host header names another host than this server")

    async def _caller(self, request: HttpRequest) -> Caller:
        """Return who asks, before a byte of the body is read."""
        peer = _peer(request)
        if self._access.named_by_certificate:
            return Caller(getattr(request.state, CERTIFIED, ""), peer=peer)
        if self._access.authenticator is None:
            return Caller("", peer=peer)
        # Whatever takes its time there has threads of its own.
        entering = self._access.authenticator.begin(request.headers.getlist("authorization"), peer)
        return await asyncio.wrap_future(entering)


class LateBody(Exception):
    """A body that does not come: of all limits the one that HTTP has a status of its own for."""

    code = LimitExceeded.code


def _reply(
    work: OfBody, body: bytes, caller: Caller, gone: Callable[[], bool]
) -> Reply | TextReply:
    """Answer a request's body; in a thread, where it may take its time."""
    try:
        return work(body, CallContext(caller, is_cancelled=gone))
    except FlightframeError:
        raise
    except Exception as error:
        raise broken(error) from error


def _peer(request: HttpRequest) -> str:
    """Return where a request comes from."""
    return peer_named(request.client.host if request.client else "")


async def _told(request: HttpRequest, error: Exception) -> Response:
    """Return what a client is told of why there is no answer."""
    if isinstance(error, FlightframeError):
        return await _failed(request, error)
    return await (_late if isinstance(error, LateBody) else _gone)(request, error)


async def _late(_: HttpRequest, error: Exception) -> Response:
    return _refusal(LimitExceeded(str(error)), REQUEST_TIMEOUT)


async def read_all(
    request: HttpRequest, most: int, take: Callable[[int], None] = lambda size: None
) -> bytes:
    """Return the body of a request that says it is JSON.

    Args:
        request: the request.
        most: the most bytes it may have.
        take: told of the bytes as they come; raises where there is no room for them.

    Raises:
        FrameQLSyntaxError: it says that it is something else.
        LimitExceeded: it is larger.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON:
        raise FrameQLSyntaxError(f"the content type is not {JSON}", hint=EXAMPLE)
    too_long = LimitExceeded(f"a request has at most {most:,} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise too_long
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most:
            raise too_long
        take(len(chunk))
        body += chunk
    return bytes(body)


def broken(error: Exception) -> InternalError:
    """Log a failure that is ours, and return what the client is told of it."""
    name = uuid.uuid4().hex[:12]
    # The process that serves has no tracebacks at all (`sys.tracebacklimit`), hence a limit here.
    frames = traceback.extract_tb(error.__traceback__, limit=-8)
    where = [f"{frame.name}:{frame.lineno}" for frame in frames]
    log.error("web.broken", id=name, kind=type(error).__name__, text=str(error)[:500], where=where)
    return InternalError("something went wrong in the server", hint=f"its log has it as {name}")


def json_response(body: Any, status: int = 200) -> Response:
    """Return a response of JSON."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return Response(text, status, _HEADERS, JSON)


async def _failed(_: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, FlightframeError)
    return _refusal(error, error.http_status)


def _refusal(error: FlightframeError, status: int) -> Response:
    """Answer with an error, under a name by which the log knows it."""
    request_id = uuid.uuid4().hex
    cause = cause_of(error)
    facts = {"cause": cause} if cause else {}
    log.info("web.refused", request_id=request_id, code=error.code, text=error.message, **facts)
    response = json_response(with_request(error, request_id).payload(), status)
    response.headers[REQUEST_ID] = request_id
    after = error.details.get("retry_after")
    if after is not None:
        response.headers["retry-after"] = str(after)
    if status == UNAUTHORIZED:
        response.headers["www-authenticate"] = CHALLENGE
    return response


async def _refused(_: HttpRequest, error: Exception) -> Response:
    """Answer what no endpoint answers, in the one JSON shape."""
    assert isinstance(error, HTTPException)
    ours: FlightframeError
    if error.status_code == 405:
        ours = NotSupported("this address does not know the method", hint="POST a query")
    elif error.status_code == 404:
        ours = UnknownName("there is nothing at this address", hint=f"there are {ADDRESSES}")
    else:
        ours = FrameQLSyntaxError("the request is malformed")
    response = json_response(ours.payload(), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _gone(_: HttpRequest, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)
