"""The door of a server that asks for credentials: who is let in, and as whom.

What comes in: the `authorization` header of a call. What goes out: its `Caller`, or a refusal. It
must never say more in a refusal than that the credentials are missing, wrong, or tried too often.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import structlog

from flightframe_server.access.attempts import Attempts
from flightframe_server.access.caller import ANONYMOUS, Caller
from flightframe_server.access.credentials import HINT, Basic, Bearer, read_credentials
from flightframe_server.access.passwords import Passwords
from flightframe_server.access.tokens import (
    SESSION_PREFIX,
    LastingToken,
    SessionTokens,
    find_lasting,
)
from flightframe_server.errors import FlightframeError, NotAuthenticated

log = structlog.get_logger(__name__)

ANONYMOUS_TOKEN = "anonymous"
"""The token of everybody whom a Handshake asks for nothing; it opens nothing that is not open."""

Found = TypeVar("Found")
Claim = Basic | Bearer | None
Users = Mapping[str, str]
Tokens = Mapping[bytes, LastingToken]


class Door:
    """Checks credentials, thread-safe.

    Args:
        users: the stored hash of every user, as they are now.
        tokens: lasting tokens by their hashes, as they are now.
        sessions: signs the tokens that a Handshake gives out.
        anonymous: whether a call without credentials is let in; wrong ones never are.
        attempts: how often passwords may be wrong.
        clock: seconds since 1970 UTC.
    """

    def __init__(
        self,
        users: Callable[[], Users],
        tokens: Callable[[], Tokens],
        sessions: SessionTokens,
        *,
        anonymous: bool = False,
        attempts: Attempts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep what is known; see the class."""
        self._users, self._tokens, self._sessions = users, tokens, sessions
        self._passwords = Passwords(users, attempts)
        self._anonymous, self._clock = anonymous, clock

    def enter(self, header: Sequence[str | bytes]) -> Caller:
        """Return who makes a call.

        Args:
            header: the values of `authorization`.

        Raises:
            NotAuthenticated: credentials are missing or wrong.
            TooManyAttempts: too many were wrong.
        """
        return self._told(header, self._enter)

    def exchange(self, header: Sequence[str | bytes]) -> str:
        """Return the token that a Handshake answers with: a new session's for a password.

        A token is answered with itself: nothing is gained by asking again. Raises as `enter`.
        """
        return self._told(header, self._exchange)

    def _enter(self, claimed: Claim) -> Caller:
        match claimed:
            case Basic(user=user, password=password):
                self._passwords.check(user, password)
                return Caller(user)
            case Bearer(token=token):
                return self._bearer(token)
        if self._anonymous:
            return ANONYMOUS
        raise NotAuthenticated("this server asks for credentials", hint=HINT)

    def _exchange(self, claimed: Claim) -> str:
        match claimed:
            case Basic(user=user, password=password):
                return self._sessions.issue(user, self._passwords.check(user, password))
            case Bearer(token=token):
                self._bearer(token)
                return token
        self._enter(None)
        return ANONYMOUS_TOKEN

    def _bearer(self, token: str) -> Caller:
        if token.startswith(SESSION_PREFIX):
            found = self._sessions.read(token, self._users().get)
            if found is not None:
                return Caller(found.user, found.session)
        elif self._anonymous and token == ANONYMOUS_TOKEN:
            return ANONYMOUS
        else:
            lasting = find_lasting(token, self._tokens(), self._clock())
            if lasting is not None:
                return Caller(lasting.user)
        raise NotAuthenticated("the token is unknown or no longer good", hint="connect again")

    def _told(self, header: Sequence[str | bytes], then: Callable[[Claim], Found]) -> Found:
        claimed: Claim = None
        try:
            claimed = read_credentials(header)
            return then(claimed)
        except FlightframeError as error:
            log.warning("access.refused", code=error.code, user=self._known(claimed))
            raise

    def _known(self, claimed: Claim) -> str | None:
        """Return the user name for the log; not what is none, which may be a password."""
        if isinstance(claimed, Basic) and claimed.user in self._users():
            return claimed.user
        return None
