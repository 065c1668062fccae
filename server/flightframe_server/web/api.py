"""The HTTP API: routes and guards, made from the table of operations, and the page beside them.

What comes in: HTTP requests. What goes out: replies, for every failure of one shape. It must never
answer on the event loop, where one slow query would hold up all others, nor answer a request that
its operation's guards refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from flightframe_server.access.access import OPEN, Access
from flightframe_server.access.audit import AuditedCall
from flightframe_server.answer import Runtime
from flightframe_server.call_context import CallContext, Caller
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import (
    BackendCancelled,
    FlightframeError,
    FrameQLSyntaxError,
    NotSupported,
    UnknownName,
    did_you_mean,
)
from flightframe_server.operations import Operations
from flightframe_server.reload import Reloader
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.web.admission import Admission
from flightframe_server.web.answering import Threads
from flightframe_server.web.api_call import ApiCall, Services, keys_once
from flightframe_server.web.callers import Callers, peer_of
from flightframe_server.web.description.operation import Endpoint, Operation
from flightframe_server.web.description.operations import OPERATIONS
from flightframe_server.web.draining import Draining
from flightframe_server.web.engine_figures import EngineFigures
from flightframe_server.web.entity_tags import has_tag
from flightframe_server.web.events import FigureEvents
from flightframe_server.web.failures import (
    CHALLENGE,
    HEADERS,
    LateBody,
    broken,
    refusal,
    refusal_of,
)
from flightframe_server.web.guards import (
    CHANGING_HEADER,
    Origins,
    SharedOrigins,
    check_change,
    check_host,
    check_operator,
    no_origins,
)
from flightframe_server.web.json_body import check_keys
from flightframe_server.web.packing import accepts_gzip
from flightframe_server.web.page_files import PageFiles
from flightframe_server.web.readiness import Readiness
from flightframe_server.web.reply import NOT_MODIFIED, Reply, ReplyLimits
from flightframe_server.web.request_body import BodyReader
from flightframe_server.web.request_ids import NamedRequests, request_id
from flightframe_server.web.sending import ReplyResponse
from flightframe_server.web.session_cookie import cookie_name
from flightframe_server.web.sessions import WebSessions

LOGIN_CHALLENGE = 'Flightframe realm="flightframe"'
"""Asks for a login that a browser does not ask for in its own words."""

SPARE_THREADS = 16
"""Beside one for each request: those for health take no place among the requests."""


class Api:
    """The HTTP API over one running installation.

    Args:
        runtime: what answers.
        hosts: what the Host header may name; None: anything. A page in a browser that resolves
            its own name to 127.0.0.1 names that name.
        limits: the most that a reply may hold; None: what the installation says.
        access: who is let in. Health is told to everybody.
        origins: returns the origins whose pages a browser lets ask, as they are now.
        readiness: whether questions should be sent here.
        page: the built page.
        operations: what operators do; None: nothing, since the runtime has no files.
        reloader: reloads the files; None: nothing does.
        flight: where the Flight server beside this one listens; None: there is none.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        hosts: Collection[str] | None = None,
        limits: ReplyLimits | None = None,
        access: Access = OPEN,
        origins: Origins = no_origins,
        readiness: Readiness | None = None,
        page: PageFiles | None = None,
        operations: Operations | None = None,
        reloader: Reloader | None = None,
        flight: str | None = None,
    ) -> None:
        """Keep what the operations answer with; see the class."""
        bounds = runtime.statements.limits
        self._runtime, self._hosts, self._access = runtime, hosts, access
        self._origins = origins
        self._page = page if page is not None else PageFiles()
        self._services = Services(
            runtime,
            PublishedTables(runtime),
            limits,
            readiness if readiness is not None else Readiness(),
            WebSessions(runtime.statements),
            EngineFigures(runtime),
            cookie_name(runtime.installation_id),
            access,
            operations,
            reloader,
            flight=flight,
        )
        self._callers = Callers(access, self._services.cookie_name)
        self._admission = Admission(bounds)
        self._bodies = BodyReader(runtime.statements, self._admission)
        self._threads = Threads(bounds.http_requests + SPARE_THREADS)
        runtime.statements.follow_limits(self._change_limits)
        application = Starlette(
            routes=[
                *(Route(path, _Address(self, by_method)) for path, by_method in _by_path().items()),
                Route("/{path:path}", _Page(self)),
            ],
            exception_handlers={HTTPException: self._malformed, Exception: self._broken},
        )
        # A redirect would name the host that the client named.
        application.router.redirect_slashes = False
        shared = SharedOrigins(application, self._origins)
        self.application = NamedRequests(Draining(shared, runtime.statements))

    def _change_limits(self, limits: Limits) -> None:
        self._admission.change_limits(limits)
        self._threads.resize(limits.http_requests + SPARE_THREADS)

    async def answered(self, request: Request, operation: Operation) -> Response:
        """Answer a request for an operation; the audit has a line of it."""
        if not operation.audited:
            try:
                return await self._response(request, operation, None)
            except FlightframeError as error:
                return self._refusal(request, error)
        with self._access.audit.call("http", operation.kind) as call:
            if call is not None:
                call.peer, call.request_id = peer_of(request), request_id(request)
            try:
                return await self._response(request, operation, call)
            except (FlightframeError, LateBody, ClientDisconnect) as error:
                if call is not None:
                    # Who hangs up is refused nothing, and hears of nothing.
                    gone = isinstance(error, ClientDisconnect)
                    why = BackendCancelled("the client hung up") if gone else error
                    call.refused(why, None if gone else request_id(request))
                return self._refusal(request, error, at_login=operation.name == "login")

    def refused(self, request: Request, error: FlightframeError, status: int) -> Response:
        """Answer what no operation answers; the audit has a line of it."""
        with self._access.audit.call("http", "unknown") as call:
            if call is not None:
                call.peer = peer_of(request)
                call.refused(error, request_id(request))
            self._runtime.metrics.refused("http", error.code)
            return refusal_of(error, status, request_id(request))

    def no_method(self, request: Request, methods: Collection[str]) -> Response:
        """Answer a method that an address does not know."""
        known = ", ".join(sorted(methods))
        error = NotSupported("this address does not know the method", hint=f"it knows {known}")
        response = self.refused(request, error, 405)
        response.headers["allow"] = known
        return response

    def page(self, request: Request) -> Response:
        """Answer an address that no operation has: with a file of the page, or a refusal."""
        # Not by way of the URL, which has the host that the client named.
        path = request.scope["path"]
        file = self._page.find(path)
        if file is None:
            paths = [*_by_path(), *self._page.paths()]
            hint = did_you_mean(path, paths) or "GET /docs lists the addresses"
            unknown = UnknownName("there is nothing at this address", hint=hint)
            return self.refused(request, unknown, 404)
        if request.method not in ("GET", "HEAD"):
            return self.no_method(request, ("GET",))
        try:
            check_host(request, self._hosts)
        except FrameQLSyntaxError as error:
            return self.refused(request, error, error.http_status)
        if has_tag(request.headers.get("if-none-match", ""), file.headers["etag"]):
            return Response(status_code=NOT_MODIFIED, headers=file.headers)
        packed = accepts_gzip(request.headers.get("accept-encoding", "")) and file.packed
        headers = {**file.headers, "content-encoding": "gzip"} if packed else file.headers
        return Response(packed or file.content, headers=headers)

    def _refusal(self, request: Request, error: Exception, *, at_login: bool = False) -> Response:
        code = getattr(error, "code", BackendCancelled.code)
        self._runtime.metrics.refused("http", code)
        # The page asks for a password itself; a browser that did as well would ask twice.
        by_page = at_login or CHANGING_HEADER in request.headers
        return refusal(error, request_id(request), LOGIN_CHALLENGE if by_page else CHALLENGE)

    async def _response(
        self, request: Request, operation: Operation, call: AuditedCall | None
    ) -> Response:
        check_host(request, self._hosts)
        check_change(request, operation, self._origins())
        if call is not None:
            call.claimed = self._callers.claimed_user(request)
        admitted = True
        if operation.public:
            caller, admitted = await self._callers.admitted(request)
        else:
            caller = await self._callers.caller(request)
        if call is not None and admitted:
            call.caller = caller
        check_operator(self._access, operation, caller)
        keys = keys_once(request.query_params.multi_items())
        if not operation.public:
            check_keys(keys, operation.key_names)
        if operation.answers is None:
            return await self._events(request, keys, caller)
        body = b""
        if operation.body is not None:
            body = await self._bodies.read(request, caller, may_be_absent=operation.body_optional)
        api_call = ApiCall(
            CallContext(caller),
            body,
            keys,
            request.path_params,
            request.headers,
            admitted,
            self._callers.authorization(request),
        )
        return await self._carried(request, operation, operation.answers, api_call)

    async def _carried(
        self, request: Request, operation: Operation, answers: Endpoint, api_call: ApiCall
    ) -> Response:
        """Answer in a thread, within what one caller and all of them may have under way."""
        work = partial(_reply, operation.kind, answers, self._services, api_call)
        with ExitStack() as places:
            if operation.audited:
                places.enter_context(self._admission.request(api_call.context.caller.key))
            reply = await self._threads.run(request, work)
            # Kept until the reply is taken: a client that reads slowly holds memory, or a file.
            return ReplyResponse(reply, HEADERS, places.pop_all().close)

    async def _events(self, request: Request, keys: dict[str, str], caller: Caller) -> Response:
        """Answer with a stream of events; it takes a place among those, and no thread."""
        services, collection = self._services, keys.get("collection")
        # An unknown collection is refused, which a stream that has begun cannot be.
        await to_thread.run_sync(services.figures.now, collection)
        release = self._admission.listener(caller.key)

        async def still_admitted() -> bool:
            try:
                return (await self._callers.caller(request)).user == caller.user
            except FlightframeError:
                return False

        return FigureEvents(
            services.figures, collection, services.readiness, still_admitted, release
        )

    async def _malformed(self, request: Request, _: Exception) -> Response:
        return self.refused(request, FrameQLSyntaxError("the request is malformed"), 400)

    async def _broken(self, request: Request, error: Exception) -> Response:
        ours = broken(error)
        return self.refused(request, ours, ours.http_status)


def _by_path() -> dict[str, dict[str, Operation]]:
    """Return the operations by their paths and methods."""
    paths: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation
    return paths


class _Address:
    """One address of the API, with an operation for each method that it knows."""

    def __init__(self, api: Api, by_method: dict[str, Operation]) -> None:
        self._api, self._by_method = api, by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._by_method.get(method)
        if operation is None:
            response = self._api.no_method(request, self._by_method)
        else:
            response = await self._api.answered(request, operation)
        await response(scope, receive, send)


class _Page:
    """Every other address."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api.page(Request(scope, receive))(scope, receive, send)


def _reply(
    kind: str, answers: Endpoint, services: Services, api_call: ApiCall, gone: Callable[[], bool]
) -> Reply:
    """Answer a call; in a thread, where it may take its time."""
    try:
        with (
            services.runtime.tracing.call(f"http {kind}", api_call.headers),
            services.runtime.pinned() as pinned,
        ):
            return answers(services.on(pinned), api_call.watched(gone))
    except FlightframeError:
        raise
    except Exception as error:
        raise broken(error) from error
