"""A Handshake that always answers, where nobody's credentials are checked.

What comes in: a Handshake with any credentials or none. What goes out: OK, and the response header
`authorization: Bearer ...` that clients given a user name insist on (the ADBC driver and JDBC fail
without it, pyarrow's own client returns it). It must never be mistaken for a check: the token is
the same for everybody and opens nothing.

pyarrow can set that header from a middleware alone, and answers a Handshake only where there is an
auth handler. Both are asked at every call, which costs each a hand-over of the interpreter lock:
the middleware therefore stands aside (returns None, so that nothing of it runs later) for every
call but the Handshake, and a server whose clients send no user names can do without both.
"""

from __future__ import annotations

from typing import Any

from pyarrow import flight

TOKEN = "anonymous"


# pyarrow has no types: its classes are Any to the checker, here and below.
class OpenDoor(flight.ServerAuthHandler):  # type: ignore[misc]
    """Lets everybody in."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Answer a Handshake with OK, whatever came."""

    def is_valid(self, token: bytes) -> str:
        """Return that the caller has no name."""
        return ""


class _Bearer(flight.ServerMiddleware):  # type: ignore[misc]
    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {TOKEN}"}


class HandshakeBearer(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Gives the response to a Handshake its header, and leaves every other call alone."""

    def start_call(self, info: Any, headers: Any) -> flight.ServerMiddleware | None:
        """Return the middleware of a Handshake."""
        return _Bearer() if info.method == flight.FlightMethod.HANDSHAKE else None


def hooks() -> dict[str, Any]:
    """Return the arguments of `FlightServerBase` that make it answer a Handshake."""
    return {"auth_handler": OpenDoor(), "middleware": {"handshake": HandshakeBearer()}}
