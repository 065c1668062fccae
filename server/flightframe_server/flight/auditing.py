"""The audit of Arrow Flight: what its calls tell of themselves while they are carried out.

What comes in: a method of the server. What goes out: the same method, its calls noted where the
installation has an audit. It must never cost a call more than a look where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from google.protobuf.message import Message
from pyarrow import flight

from flightframe_server.access.audit import Audit, audited_call
from flightframe_server.access.peers import peer_of
from flightframe_server.answer import Answer, Request
from flightframe_server.flight.tickets import ResultTicket


class Auditing(Protocol):
    """A server whose calls are noted."""

    @property
    def audit(self) -> Audit:
        """What notes them."""


Server = TypeVar("Server", bound=Auditing)
Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def audited(
    method: Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned],
) -> Callable[Concatenate[Server, flight.ServerCallContext, Given], Returned]:
    """Wrap a method of the server so that the audit has a line of each of its calls."""
    kind = camel(method.__name__)

    @wraps(method)
    def noted(
        server: Server,
        context: flight.ServerCallContext,
        /,
        *args: Given.args,
        **named: Given.kwargs,
    ) -> Returned:
        if not server.audit.on:
            return method(server, context, *args, **named)
        with server.audit.call("flight", kind) as call:
            if call is not None:
                call.peer = peer_of(context.peer())
            return method(server, context, *args, **named)

    return noted


def camel(name: str) -> str:
    """Return the name of a method, as Flight's own documents have it.

    >>> camel("get_flight_info"), camel("DO_GET")
    ('GetFlightInfo', 'DoGet')
    """
    return name.title().replace("_", "")


def note_command(command: Request | ResultTicket | Message) -> None:
    """Note what a command or a ticket is."""
    call = audited_call()
    if call is None:
        return
    match command:
        case Request():
            call.what = "query"
        case ResultTicket():
            call.what = "result"
        case Message():
            call.what = command.DESCRIPTOR.name


def note_request(request: Request) -> None:
    """Note a query."""
    call = audited_call()
    if call is not None:
        call.request = request


def note_rows(rows: int | None) -> None:
    """Note how many rows were bound."""
    call = audited_call()
    if call is not None:
        call.rows = rows


def note_answer(answer: Answer) -> None:
    """Note an answer."""
    call = audited_call()
    if call is not None:
        call.answered(answer)
