"""What a client is told of why there is no answer.

What comes in: an error, and the name of the request. What goes out: one JSON shape under a status,
and a line in the log. It must never show a path, a traceback, or more of the cause than the error
says.
"""

from __future__ import annotations

import json
import traceback
import uuid
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from flightframe_server.error_subject import cause_of, with_request
from flightframe_server.errors import FlightframeError, InternalError, LimitExceeded
from flightframe_server.web.reply import JSON

log = structlog.get_logger(__name__)

REQUEST_ID = "x-request-id"
CLIENT_CLOSED_REQUEST = 499
UNAUTHORIZED = 401
REQUEST_TIMEOUT = 408
CHALLENGE = 'Basic realm="flightframe", charset="UTF-8", Bearer'
HEADERS: Mapping[str, str] = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class LateBody(Exception):
    """A body that does not come: of all limits the one that HTTP has a status of its own for."""

    code = LimitExceeded.code


def refusal(error: Exception, request_id: str, challenge: str = CHALLENGE) -> Response:
    """Answer with an error, under the name by which the log knows it.

    Args:
        error: one of ours, a late body, or a client that hung up.
        request_id: the name of the request.
        challenge: how a browser is asked for credentials.
    """
    if isinstance(error, ClientDisconnect):
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    if isinstance(error, LateBody):
        return refusal_of(LimitExceeded(str(error)), REQUEST_TIMEOUT, request_id)
    assert isinstance(error, FlightframeError)
    response = refusal_of(error, error.http_status, request_id)
    if error.http_status == UNAUTHORIZED:
        response.headers["www-authenticate"] = challenge
    return response


def refusal_of(error: FlightframeError, status: int, request_id: str) -> Response:
    """Answer with an error of ours under a status; see `refusal`."""
    cause = cause_of(error)
    facts = {"cause": cause} if cause else {}
    log.info("web.refused", request_id=request_id, code=error.code, text=error.message, **facts)
    body = json.dumps(with_request(error, request_id).payload(), ensure_ascii=False, default=str)
    response = Response(body, status, HEADERS, JSON)
    after = error.details.get("retry_after")
    if after is not None:
        response.headers["retry-after"] = str(after)
    return response


def broken(error: Exception) -> InternalError:
    """Log a failure that is ours, and return what the client is told of it."""
    name = uuid.uuid4().hex[:12]
    # The process that serves has no tracebacks at all (`sys.tracebacklimit`), hence a limit here.
    frames = traceback.extract_tb(error.__traceback__, limit=-8)
    where = [f"{frame.name}:{frame.lineno}" for frame in frames]
    log.error("web.broken", id=name, kind=type(error).__name__, text=str(error)[:500], where=where)
    return InternalError("something went wrong in the server", hint=f"its log has it as {name}")
