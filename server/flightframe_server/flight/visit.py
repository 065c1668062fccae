"""One call of a client: who makes it, under which options, and whether it still waits.

What comes in: the context of a call, and what the server holds. What goes out: one frozen value
that a question is answered for. It must never be kept beyond its call.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyarrow import flight

from flightframe_server.access.caller import Caller
from flightframe_server.engine.asker import Asker
from flightframe_server.flight.session_options import SessionOptions
from flightframe_server.flight.state import FlightState


@dataclass(frozen=True, slots=True)
class Visit:
    """One call.

    Attributes:
        caller: who makes it.
        options: what the caller's session has set.
        asker: whether the client still waits, and how long it may.
    """

    caller: Caller
    options: SessionOptions
    asker: Asker


def visit_of(context: flight.ServerCallContext, caller: Caller, state: FlightState) -> Visit:
    """Return a call as a value; raises as `Sessions.options`."""
    options = state.sessions.options(caller, context.peer)
    return Visit(caller, options, options.asker(context.is_cancelled, caller.key))
