"""From an exception of pyarrow to an error of ours.

What comes in: what pyarrow raised while the server was being asked, and the server's `host:port`.
What goes out: one `FlightframeError`. It must never pass on pyarrow's additions to a text (the
server's traceback, the debug context of gRPC): they are for neither the query's author nor a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
from pyarrow import flight

from flightframe.errors import (
    AuthenticationFailed,
    BackendError,
    CatalogError,
    ConnectionFailed,
    FlightframeError,
    InternalError,
    QueryError,
)

ARROW_FAILURES = (pa.ArrowException, OSError)
"""What a call of pyarrow.flight can raise: its status classes, and OSError for its IOError."""

TEXT_LIMIT = 200

CLASSES: Mapping[str, type[FlightframeError]] = {
    **dict.fromkeys(
        (
            "PARSE",
            "UNKNOWN_NAME",
            "AMBIGUOUS_METRIC",
            "AMBIGUOUS_REDUCER",
            "AMBIGUOUS_SCHEMA",
            "LEVEL_NOT_IN_ANCHOR",
            "LEVEL_NOT_SELECTED",
            "UNREACHABLE_ANCHOR",
            "BLOCKED_REDUCTION",
            "NOT_FINER",
            "AMBIGUOUS_PATH",
            "REDUCER_NOT_DECLARED",
            "FAN_OUT",
            "FD_VIOLATION",
            "SIBLING_DIFFERS",
            "FILTER_UNREACHABLE",
            "TYPE",
            "OVERFLOW",
            "LIMIT_EXCEEDED",
            "NOT_SUPPORTED",
            "NOT_CACHED",
            "TICKET",
            "UNIMPLEMENTED",
            "READ_ONLY",
        ),
        QueryError,
    ),
    **dict.fromkeys(
        ("UNAUTHENTICATED", "TOO_MANY_ATTEMPTS", "NOT_PERMITTED"), AuthenticationFailed
    ),
    "CATALOG": CatalogError,
    **dict.fromkeys(("SETUP", "BACKEND", "TIMEOUT", "CANCELLED", "OVERLOADED"), BackendError),
    "INTERNAL": InternalError,
}
"""The class of every code that a server sends."""

_ADDED_BEFORE = re.compile(r"Flight (?:returned [a-z ]+ error|cancelled call), with message: ")
_ADDED_AFTER = re.compile(
    r"\. (?:Detail: (?:Python exception: |[A-Z][A-Za-z]+(?:\. |$))"
    r"|gRPC client debug context: |Client context: )"
)
_SERVER_TEXT = re.compile(
    r"(?P<code>[A-Z][A-Z_]*): (?P<message>.*?)"
    r"(?: \(line (?P<line>\d{1,9}), column (?P<column>\d{1,9})\))?"
    r"(?:\.(?: Hint: (?P<hint>.*))?|…)",
    re.DOTALL,
)


def server_text(raw: str) -> str:
    """Return what the server itself wrote, without what pyarrow put around it."""
    start = _ADDED_BEFORE.match(raw)
    own = raw[start.end() :] if start else raw
    end = _ADDED_AFTER.search(own)
    return own[: end.start()] if end else own


def from_text(text: str) -> FlightframeError | None:
    """Read `CODE: message (line 1, column 8). Hint: ...`; None where the text is not of that shape.

    A code that this version does not know becomes the base class, its facts kept.
    """
    match = _SERVER_TEXT.fullmatch(text)
    if match is None:
        return None
    line, column = match["line"], match["column"]
    return CLASSES.get(match["code"], FlightframeError)(
        match["code"],
        match["message"],
        match["hint"] or None,
        int(line) if line else None,
        int(column) if column else None,
    )


def from_arrow(error: Exception, address: str) -> FlightframeError:
    """Return the error that `error` means, met while talking to `address` (`host:port`)."""
    text = server_text(str(error))
    return from_text(text) or _from_status(error, text, address)


def no_answer(address: str) -> ConnectionFailed:
    """Return the error for a server that cannot be reached at `address`."""
    return ConnectionFailed(
        "UNAVAILABLE",
        f"no answer from {address}",
        "check that the server runs there, and whether it wants grpc:// or grpc+tls://",
    )


def _from_status(error: Exception, text: str, address: str) -> FlightframeError:
    """Return what the status alone says, for texts that no flightframe server wrote."""
    message = _shortened(text)
    match error:
        case flight.FlightUnavailableError():
            return no_answer(address)
        case flight.FlightUnauthenticatedError():
            return AuthenticationFailed("UNAUTHENTICATED", message, "check the credentials")
        case flight.FlightUnauthorizedError():
            return AuthenticationFailed("PERMISSION_DENIED", message)
        case flight.FlightTimedOutError():
            return BackendError("TIMEOUT", f"{address} did not finish within the timeout")
        case flight.FlightCancelledError():
            return BackendError("CANCELLED", f"the call to {address} was cancelled")
        case flight.FlightInternalError():
            return InternalError("INTERNAL", message)
        case _:
            return FlightframeError("UNKNOWN", message)


def _shortened(text: str) -> str:
    """Return foreign text in one bounded line, without its full stop."""
    flat = " ".join(text.split()).removesuffix(".") or "the server gave no reason"
    return flat if len(flat) <= TEXT_LIMIT else flat[: TEXT_LIMIT - 1] + "…"
