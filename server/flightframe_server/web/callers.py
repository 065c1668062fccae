"""Who sends a request: by a certificate, a header, or the cookie of a page.

What comes in: requests. What goes out: the `Caller`, once the credentials are checked. It must
never take a cookie for a change that another site's page could have made a browser send.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from flightframe_server.access.access import Access
from flightframe_server.access.peers import peer_named
from flightframe_server.call_context import Caller
from flightframe_server.errors import FlightframeError
from flightframe_server.web.connections import CERTIFIED
from flightframe_server.web.guards import CHANGING_HEADER
from flightframe_server.web.session_cookie import token_in

SAFE_METHODS = frozenset({"GET", "HEAD"})


def peer_of(request: Request) -> str:
    """Return where a request comes from."""
    return peer_named(request.client.host if request.client else "")


class Callers:
    """Tells the callers of one server.

    Args:
        access: how they prove who they are.
        cookie: the name of the cookie of a session.
    """

    def __init__(self, access: Access, cookie: str) -> None:
        """Keep both."""
        self._access, self._cookie = access, cookie

    def authorization(self, request: Request) -> tuple[str, ...]:
        """Return what a request proves its caller by: its headers, or else its cookie.

        A cookie counts where the request changes nothing by itself, or brings the header that no
        other site's page can send.
        """
        headers = tuple(request.headers.getlist("authorization"))
        if headers:
            return headers
        if request.method not in SAFE_METHODS and CHANGING_HEADER not in request.headers:
            return ()
        token = token_in(request.headers.get("cookie", ""), self._cookie)
        return () if token is None else (f"Bearer {token}",)

    async def caller(self, request: Request) -> Caller:
        """Return the caller of a request.

        Raises:
            AccessError: credentials are missing, wrong, or were too often.
            Overloaded: too many passwords wait to be verified.
        """
        peer = peer_of(request)
        if self._access.named_by_certificate:
            return Caller(getattr(request.state, CERTIFIED, ""), peer=peer)
        if self._access.authenticator is None:
            return Caller("", peer=peer)
        # Whatever takes its time there has threads of its own.
        entering = self._access.authenticator.begin(self.authorization(request), peer)
        return await asyncio.wrap_future(entering)

    async def admitted(self, request: Request) -> tuple[Caller, bool]:
        """Return the caller of a request that anybody may send, and whether it was let in."""
        if self._access.authenticator is not None and not self.authorization(request):
            return Caller("", peer=peer_of(request)), False
        try:
            return await self.caller(request), True
        except FlightframeError:
            # Wrong, too often, or not to be verified now: health is told all the same.
            return Caller("", peer=peer_of(request)), False

    def claimed_user(self, request: Request) -> str | None:
        """Return the user that a request claims to be of, where there is such a user."""
        if self._access.authenticator is None:
            return None
        return self._access.authenticator.claimed_user(request.headers.getlist("authorization"))
