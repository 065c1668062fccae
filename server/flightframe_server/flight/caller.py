"""Who makes a call of Arrow Flight.

What comes in: the context of a call that was let in. What goes out: its `Caller`. It must never
look at a header: what was checked before the call is all that counts.
"""

from __future__ import annotations

from pyarrow import flight

from flightframe_server.access.caller import ANONYMOUS, Caller

MIDDLEWARE = "caller"
"""The name of the middleware that checks credentials; its `caller` is who was let in."""


def caller_of(context: flight.ServerCallContext) -> Caller:
    """Return who makes a call.

    The name is the one that credentials proved; where none are asked for, the one in the client's
    certificate, which the connection has proved; where there is none either, nobody's.
    """
    proven = context.get_middleware(MIDDLEWARE)
    if proven is not None and proven.caller is not None:
        return proven.caller  # type: ignore[no-any-return]
    certified = context.peer_identity()
    if proven is None and not certified:
        return ANONYMOUS
    session = None if proven is None else proven.session
    return Caller(certified.decode("utf-8", "replace") if certified else "", session)


__all__ = ["ANONYMOUS", "MIDDLEWARE", "Caller", "caller_of"]
