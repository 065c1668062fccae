"""Who makes a call of Arrow Flight, and the call as a value that a question is answered for.

What comes in: the context of a call that was let in. What goes out: its `Caller`, its
`CallContext`. It must never look at a header: what was checked before the call is all that counts.
"""

from __future__ import annotations

from pyarrow import flight

from flightframe_server.access.peers import peer_of
from flightframe_server.call_context import CallContext, Caller
from flightframe_server.flight.state import FlightState

MIDDLEWARE = "caller"
"""The name of the middleware that checks credentials; its `caller` is who was let in."""


def caller_of(context: flight.ServerCallContext, target: str) -> Caller:
    """Return who makes a call.

    The name is the one that credentials proved; where none are asked for, the one in the client's
    certificate, which the connection has proved; where there is none either, the name is empty.

    Args:
        context: of the call.
        target: the connection's other end, as gRPC tells it.

    Raises:
        AccessError: the call came with a password, and it is wrong, or was wrong too often.
        Overloaded: the call came with a password, and too many wait to be looked at.
    """
    peer = peer_of(target)
    proven = context.get_middleware(MIDDLEWARE)
    known = None if proven is None else proven.from_peer(peer)
    if known is not None:
        return known  # type: ignore[no-any-return]
    certified = context.peer_identity()
    session = None if proven is None else proven.session
    return Caller(certified.decode("utf-8", "replace") if certified else "", session, peer)


def call_of(context: flight.ServerCallContext, caller: Caller, state: FlightState) -> CallContext:
    """Return a call as a value, not to be kept beyond it; raises as `Sessions.options`."""
    options = state.sessions.options(caller, context.peer)
    return CallContext(caller, options, context.is_cancelled)
