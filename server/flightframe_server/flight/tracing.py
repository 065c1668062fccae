"""Spans for the calls of Arrow Flight, in the traces that their headers name.

What comes in: a method of the server, and the headers of its calls. What goes out: the same method,
its calls spanned where the installation sends traces. It must never read the headers of a server
that sends none: each call would pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from pyarrow import flight

from flightframe_server.flight.auditing import camel
from flightframe_server.telemetry.tracing import HEADERS, Tracing

MIDDLEWARE = "trace"


class Traced(Protocol):
    """A server whose calls are spanned."""

    @property
    def tracing(self) -> Tracing:
        """What spans them."""


Server = TypeVar("Server", bound=Traced)
Given = ParamSpec("Given")
Returned = TypeVar("Returned")


class TraceHeaders(flight.ServerMiddleware):  # type: ignore[misc]
    """The headers of one call that name its trace."""

    def __init__(self, headers: dict[str, str]) -> None:
        """Keep them."""
        self.headers = headers


class TraceHeadersFactory(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Reads the headers of each call that name its trace."""

    def start_call(self, info: flight.CallInfo, headers: dict[str, list[Any]]) -> TraceHeaders:
        """Return those of one call."""
        names = {name.lower(): values for name, values in headers.items()}
        return TraceHeaders({name: _text(names[name][0]) for name in HEADERS if names.get(name)})


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def middleware(tracing: Tracing) -> dict[str, flight.ServerMiddlewareFactory]:
    """Return the middleware that spans need: none where there are none."""
    return {MIDDLEWARE: TraceHeadersFactory()} if tracing.on else {}


def traced(
    method: Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned],
) -> Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned]:
    """Wrap a method of the server so that each of its calls is spanned."""
    kind = camel(method.__name__)

    @wraps(method)
    def spanned(
        server: Server,
        context: flight.ServerCallContext,
        /,
        *args: Given.args,
        **named: Given.kwargs,
    ) -> Returned:
        if not server.tracing.on:
            return method(server, context, *args, **named)
        call = context.get_middleware(MIDDLEWARE)
        with server.tracing.call(kind, {} if call is None else call.headers):
            return method(server, context, *args, **named)

    return spanned
