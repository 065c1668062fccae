"""The one place where errors leave the Flight surface: to an exact status and a short, clean text.

What comes in: whatever a method of the server raised. What goes out: an exception that pyarrow
turns into the gRPC status it ought to be. It must never let a path, a traceback or the text of a
foreign exception out: a bug of ours is an id on the wire and a whole story in the log.

pyarrow maps the class of an exception to a status, and adds to INVALID_ARGUMENT, NOT_FOUND and
UNIMPLEMENTED, which no Flight error stands for, the formatted Python traceback. A server's process
therefore sets `sys.tracebacklimit = 0`; and exceptions are raised here outside the `except` block
that caught their cause, because a chained one prints its own text all the same. What is left of the
traceback then is its last line, the class and once more the text; the classes raised here have no
text for it, so that drivers which show all they are sent show it once.
"""

from __future__ import annotations

import sys
import traceback
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import pyarrow as pa
import structlog
from pyarrow import flight

from flightframe_server.access.audit import audited_call
from flightframe_server.error_subject import cause_of, with_request
from flightframe_server.errors import (
    AccessError,
    BackendCancelled,
    CallNotAnswered,
    FlightframeError,
    InternalError,
    QueryError,
    Status,
)
from flightframe_server.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

FRAMES = 50
REQUEST_ID = "x-request-id"


def _quiet_in_tracebacks(base: type[Exception]) -> type[Exception]:
    """Return a class that pyarrow maps as `base`, and that a traceback prints by name alone."""

    def text(error: Exception) -> str:
        return "" if _by_traceback() else str(base.__str__(error))

    return type("Refused", (base,), {"__str__": text, "__module__": "flightframe"})


def _by_traceback() -> bool:
    """Whether the text is asked for by the module that prints tracebacks."""
    try:
        asking = sys._getframe(2)
    except ValueError:
        return False
    return bool(asking.f_globals.get("__name__") == traceback.__name__)


_CLASSES: dict[Status, type[Exception]] = {
    Status.INVALID_ARGUMENT: _quiet_in_tracebacks(pa.ArrowInvalid),
    # A KeyError would put quotes round the text.
    Status.NOT_FOUND: _quiet_in_tracebacks(pa.ArrowKeyError),
    Status.UNIMPLEMENTED: _quiet_in_tracebacks(pa.ArrowNotImplementedError),
    Status.UNAVAILABLE: _quiet_in_tracebacks(flight.FlightUnavailableError),
    Status.DEADLINE_EXCEEDED: _quiet_in_tracebacks(flight.FlightTimedOutError),
    Status.CANCELLED: _quiet_in_tracebacks(flight.FlightCancelledError),
    Status.PERMISSION_DENIED: _quiet_in_tracebacks(flight.FlightUnauthorizedError),
    Status.UNAUTHENTICATED: _quiet_in_tracebacks(flight.FlightUnauthenticatedError),
    Status.INTERNAL: _quiet_in_tracebacks(flight.FlightInternalError),
}

# pyarrow lets no Flight error through GetSchema: all of them become UNKNOWN there.
_IN_GET_SCHEMA = {**_CLASSES, Status.PERMISSION_DENIED: _CLASSES[Status.UNIMPLEMENTED]}


class Counting(Protocol):
    """A server that counts its refusals."""

    @property
    def metrics(self) -> Metrics:
        """What counts them."""


Server = TypeVar("Server", bound=Counting)
Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def unimplemented(what: str) -> CallNotAnswered:
    """Return the error of a call that has no answer here; `what` names it, never quoting input."""
    return CallNotAnswered(f"{what} is not answered")


def wire_error(error: Exception, rpc: str, request_id: str) -> Exception:
    """Return the exception that tells a client of `error`; raise it outside the `except` block.

    What is in the log and what the client was told can be brought together by the id.

    Args:
        error: what a method raised.
        rpc: the method's name, for the log.
        request_id: the name of the call.
    """
    call = audited_call()
    if call is not None:
        call.refused(error, request_id)
    classes = _IN_GET_SCHEMA if rpc == "get_schema" else _CLASSES
    if isinstance(error, FlightframeError) and not isinstance(error, InternalError):
        theirs = isinstance(error, QueryError | BackendCancelled | AccessError)
        tell = log.info if theirs else log.warning
        event = "flight.refused" if theirs else "flight.failed"
        cause = cause_of(error)
        facts = {"cause": cause} if cause else {}
        tell(event, rpc=rpc, request_id=request_id, code=error.code, text=error.message, **facts)
        return classes[error.status](str(with_request(error, request_id)))
    # A limit of its own: the process's `sys.tracebacklimit` is for the wire, not for the log.
    story = "".join(traceback.format_exception(error, limit=-FRAMES))
    log.error("flight.broke", rpc=rpc, request_id=request_id, story=story)
    return classes[Status.INTERNAL](
        f"INTERNAL: the server failed on this call. Hint: report it with the id {request_id}"
    )


def bounded(
    method: Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned],
) -> Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned]:
    """Wrap a method of the server so that only errors fit for the wire leave it.

    A call that failed carries its name in the trailer `x-request-id`.
    """

    @wraps(method)
    def guarded(
        server: Server,
        context: flight.ServerCallContext,
        /,
        *args: Given.args,
        **named: Given.kwargs,
    ) -> Returned:
        try:
            return method(server, context, *args, **named)
        except Exception as error:
            request_id = uuid.uuid4().hex
            server.metrics.refused("flight", str(getattr(error, "code", InternalError.code)))
            fresh = wire_error(error, method.__name__, request_id)
        context.add_trailer(REQUEST_ID, request_id)
        raise fresh

    return guarded
