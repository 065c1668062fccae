"""What stands before every call of Arrow Flight: the Handshake, and the check of credentials.

What comes in: the headers of a call. What goes out: leave to go on, and to a Handshake the response
header `authorization: Bearer ...` that clients given a user name insist on (the ADBC driver and
JDBC fail without it, pyarrow's own client returns it). It must never let a call through unchecked
where credentials are asked for, and never cost one anything that it does not need.

pyarrow can set that header from a middleware alone, and answers a Handshake only where there is an
auth handler. Both are asked at every call, which costs each a hand-over of the interpreter lock.
Where no client is asked for credentials, the middleware therefore stands aside (returns None, so
that nothing of it runs later) for every call but the Handshake, whose token is the same for all
and opens nothing, and calls that bring the cookie of a session; and a server whose clients send no
user names can do without both. Where a client's certificate alone says who it is, there is no auth
handler: with one, pyarrow no longer tells whose certificate it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pyarrow import flight

from flightframe_server.access.access import Access
from flightframe_server.access.audit import OFF, Audit, audited_call
from flightframe_server.access.authenticate import ANONYMOUS_TOKEN, Authenticator
from flightframe_server.call_context import Caller
from flightframe_server.flight.auditing import camel
from flightframe_server.flight.caller import MIDDLEWARE
from flightframe_server.flight.cookies import session_in
from flightframe_server.flight.wire_errors import wire_error

HEADER = "authorization"


# pyarrow has no types: its classes are Any to the checker, here and below.
class OpenDoor(flight.ServerAuthHandler):  # type: ignore[misc]
    """Lets everybody in; where credentials are asked for, the middleware has checked them."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Answer a Handshake with OK, whatever came."""

    def is_valid(self, token: bytes) -> str:
        """Return that the caller has no name."""
        return ""


class _Bearer(flight.ServerMiddleware):  # type: ignore[misc]
    """Gives the response to a Handshake its header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def sending_headers(self) -> dict[str, str]:
        return {HEADER: f"Bearer {self._token}"}


class _LetIn(flight.ServerMiddleware):  # type: ignore[misc]
    """Stands beside a call that was let in and says whose it is, and of which session."""

    def __init__(
        self,
        caller: Caller | None,
        session: bytes | None,
        leave: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self.leave = leave
        # Without credentials, the client's certificate may name the caller, when it is asked for.
        self.caller = (
            caller if caller is None or session is None else replace(caller, session=session)
        )
        self.session = session

    def from_peer(self, peer: str) -> Caller | None:
        """Return whose call it is, now that it is known where it comes from."""
        return None if self.caller is None else replace(self.caller, peer=peer)


class _Claims(flight.ServerMiddleware):  # type: ignore[misc]
    """Stands beside a call whose credentials are looked at once it is known where it comes from."""

    def __init__(
        self, authenticator: Authenticator, header: Sequence[str | bytes], session: bytes | None
    ) -> None:
        self._authenticator, self._header, self.session = authenticator, header, session

    def leave(self) -> bytes | None:
        """End the session of the call's token; see `Authenticator.end_session`."""
        return self._authenticator.end_session(self._header)

    def from_peer(self, peer: str) -> Caller:
        """Return whose call it is.

        Raises:
            NotAuthenticated: the credentials are wrong.
            TooManyAttempts: too many were wrong.
            Overloaded: too many wait to be looked at.
        """
        call = audited_call()
        if call is not None:
            call.claimed = self._authenticator.claimed_user(self._header)
        caller = self._authenticator.authenticate(self._header, peer)
        return caller if self.session is None else replace(caller, session=self.session)


class HandshakeBearer(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Answers a Handshake with everybody's token, and leaves calls without a session alone."""

    def start_call(self, info: Any, headers: Any) -> flight.ServerMiddleware | None:
        """Return the middleware of a Handshake, or of a call with a session's cookie."""
        if info.method == flight.FlightMethod.HANDSHAKE:
            return _Bearer(ANONYMOUS_TOKEN)
        session = session_in(headers)
        return None if session is None else _LetIn(None, session)


class CookieOnly(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Reads the cookies of calls whose certificates say who makes them."""

    def start_call(self, info: Any, headers: Any) -> flight.ServerMiddleware | None:
        """Return the middleware of a call with a session's cookie."""
        session = session_in(headers)
        return None if session is None else _LetIn(None, session)


class CheckedCalls(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Lets a call in by its credentials, or not at all.

    A token is checked here. A password is checked in `caller_of`, with which every method begins:
    it matters where a password comes from, and only the call itself can tell.

    Args:
        authenticator: checks them.
        audit: notes Handshakes, and calls that are not let in.
    """

    def __init__(self, authenticator: Authenticator, audit: Audit = OFF) -> None:
        """Keep the authenticator."""
        self._authenticator, self._audit = authenticator, audit

    def start_call(self, info: Any, headers: Any) -> flight.ServerMiddleware:
        """Return what names the caller; to a Handshake, what gives it its token.

        Raises:
            FlightUnauthenticatedError: the credentials do not let it in.
        """
        credentials = headers.get(HEADER, [])
        try:
            session = session_in(headers)
            if info.method == flight.FlightMethod.HANDSHAKE:
                return _Bearer(self._exchange(credentials))
            if self._authenticator.needs_peer(credentials):
                return _Claims(self._authenticator, credentials, session)
            return _LetIn(
                self._authenticator.authenticate(credentials),
                session,
                partial(self._authenticator.end_session, credentials),
            )
        except Exception as error:
            with self._audit.call("flight", camel(info.method.name)) as call:
                if call is not None:
                    call.claimed = self._authenticator.claimed_user(credentials)
                fresh = wire_error(error, "start_call", uuid.uuid4().hex)
        raise fresh

    def _exchange(self, credentials: Sequence[str | bytes]) -> str:
        token = self._authenticator.exchange(credentials)
        with self._audit.call("flight", "Handshake") as call:
            if call is not None:
                call.claimed = self._authenticator.claimed_user(credentials)
        return token


def hooks(access: Access, *, handshake: bool) -> dict[str, Any]:
    """Return the arguments of `FlightServerBase` that stand before its calls.

    Args:
        access: what they check.
        handshake: whether a Handshake is answered where no client is asked for credentials.
    """
    if access.authenticator is not None:
        checked = CheckedCalls(access.authenticator, access.audit)
        return {"auth_handler": OpenDoor(), "middleware": {MIDDLEWARE: checked}}
    if access.named_by_certificate:
        return {"middleware": {MIDDLEWARE: CookieOnly()}}
    if not handshake:
        return {}
    return {"auth_handler": OpenDoor(), "middleware": {MIDDLEWARE: HandshakeBearer()}}


def encryption(access: Access) -> dict[str, Any]:
    """Return the arguments of `FlightServerBase` that make it speak TLS."""
    tls = access.tls
    if tls is None:
        return {}
    certificates = [(tls.certificate, tls.key)]
    if tls.client_ca is None:
        return {"tls_certificates": certificates}
    return {
        "tls_certificates": certificates,
        "verify_client": True,
        "root_certificates": tls.client_ca,
    }
