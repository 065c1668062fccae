"""The door of a server that asks for credentials: who is let in, and as whom.

What comes in: the `authorization` header of a call. What goes out: its `Caller`, or a refusal. It
must never say more in a refusal than that the credentials are missing, wrong, or tried too often.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from flightframe_server.access.attempts import Attempts
from flightframe_server.access.credentials import HINT, Basic, Bearer, read_credentials
from flightframe_server.access.ended import EndedSessions
from flightframe_server.access.passwords import Passwords
from flightframe_server.access.pending import PREFIX as PENDING_PREFIX
from flightframe_server.access.pending import PendingTokens
from flightframe_server.access.tokens import (
    SESSION_PREFIX,
    LastingToken,
    SessionTokens,
    find_lasting,
)
from flightframe_server.call_context import ANONYMOUS, Caller
from flightframe_server.errors import (
    FlightframeError,
    NotAuthenticated,
    Overloaded,
    TooManyAttempts,
)

log = structlog.get_logger(__name__)

ANONYMOUS_TOKEN = "anonymous"
"""The token of everybody whom a Handshake asks for nothing; it opens nothing that is not open."""

HANDSHAKE = "handshake"
"""Where all Handshakes come from, as far as can be told."""

Found = TypeVar("Found")
Other = TypeVar("Other")
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
        ended: the sessions that were ended before their time.
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
        ended: EndedSessions | None = None,
    ) -> None:
        """Keep what is known; see the class."""
        self._ended = ended if ended is not None else EndedSessions(clock=clock)
        self._users, self._tokens, self._sessions = users, tokens, sessions
        self._passwords = Passwords(users, attempts)
        self._pending = PendingTokens(sessions.seconds)
        self._anonymous, self._clock = anonymous, clock
        self._when_left: list[Callable[[bytes], None]] = []

    def enter(self, header: Sequence[str | bytes], peer: str = "") -> Caller:
        """Return who makes a call, once that is known; see `begin`."""
        return self.begin(header, peer).result()

    def begin(self, header: Sequence[str | bytes], peer: str = "") -> Future[Caller]:
        """Begin to look at who makes a call and return where that will be.

        It is there at once unless a password must be looked at.

        Args:
            header: the values of `authorization`.
            peer: where the call comes from.

        Raises:
            NotAuthenticated: credentials are missing or wrong; from the future.
            TooManyAttempts: too many were wrong; from the future.
            Overloaded: too many passwords wait to be looked at; from the future.
        """
        return self._begin(header, peer, self._entering)

    def exchange(self, header: Sequence[str | bytes]) -> str:
        """Return the token that a Handshake answers with: a new session's for a password.

        A token is answered with itself: nothing is gained by asking again. A password that cannot
        be looked at, because of the guesses of others, is looked at with the first call that brings
        the token: `pending.py`. Raises as `begin`.
        """
        return self._begin(header, HANDSHAKE, self._exchanging).result()

    def needs_peer(self, header: Sequence[str | bytes]) -> bool:
        """Return whether it matters where a call with these credentials comes from.

        Raises:
            NotAuthenticated: the header cannot be read.
        """
        match read_credentials(header):
            case Basic():
                return True
            case Bearer(token=token):
                return token.startswith(PENDING_PREFIX)
        return False

    def leave(self, header: Sequence[str | bytes]) -> bytes | None:
        """End the session whose token a call brought; the token lets nobody in from now on.

        Returns:
            The session's name; None where the credentials are of no session, and stay good: a
            lasting token, a password, nobody's.
        """
        try:
            claimed = read_credentials(header)
        except NotAuthenticated:
            return None
        if not isinstance(claimed, Bearer):
            return None
        if claimed.token.startswith(PENDING_PREFIX):
            pending = self._pending.find(claimed.token)
            self._pending.drop(claimed.token)
            return None if pending is None else self._left(pending.session)
        if not claimed.token.startswith(SESSION_PREFIX):
            return None
        found = self._sessions.read(claimed.token, self._users().get)
        if found is None:
            return None
        self._ended.end(found.user, found.session, found.ends)
        return self._left(found.session)

    def when_left(self, then: Callable[[bytes], None]) -> None:
        """Call `then` with the name of each session that is left, over whichever surface."""
        self._when_left.append(then)

    def _left(self, session: bytes) -> bytes:
        for then in self._when_left:
            then(session)
        return session

    def claimed(self, header: Sequence[str | bytes]) -> str | None:
        """Return the user that a call's password is said to be of, where there is such a user."""
        try:
            return self._known(read_credentials(header))
        except NotAuthenticated:
            return None

    def _entering(self, claimed: Claim, peer: str) -> Future[Caller]:
        match claimed:
            case Basic(user=user, password=password):
                checking = self._passwords.begin(user, password, peer)
                return _then(checking, lambda _: Caller(user, peer=peer))
            case Bearer(token=token) if token.startswith(PENDING_PREFIX):
                return self._pend(token, peer)
            case Bearer(token=token):
                return _known_now(replace(self._bearer(token), peer=peer))
        if self._anonymous:
            return _known_now(Caller("", peer=peer))
        raise NotAuthenticated("this server asks for credentials", hint=HINT)

    def _exchanging(self, claimed: Claim, peer: str) -> Future[str]:
        match claimed:
            case Basic(user=user, password=password):
                try:
                    checking = self._passwords.begin(user, password, peer)
                except (TooManyAttempts, Overloaded):
                    return _known_now(self._pending.issue(user, password))
                return _then(checking, lambda proof: self._sessions.issue(user, proof))
            case Bearer(token=token) if token.startswith(PENDING_PREFIX):
                return _known_now(token)
            case Bearer(token=token):
                self._bearer(token)
                return _known_now(token)
        self._entering(None, peer)
        return _known_now(ANONYMOUS_TOKEN)

    def _pend(self, token: str, peer: str) -> Future[Caller]:
        """Begin to look at what the token of a Handshake claims; later calls find it done."""
        claim = self._pending.find(token)
        if claim is None:
            raise _unknown_token()
        caller = Caller(claim.user, claim.session, peer)
        if claim.password is None:
            if self._users().get(claim.user) != claim.proof:
                raise _unknown_token()
            return _known_now(caller)
        checking = self._passwords.begin(claim.user, claim.password, peer)

        def prove(proof: str) -> Caller:
            self._pending.prove(token, proof)
            return caller

        return _then(checking, prove)

    def _bearer(self, token: str) -> Caller:
        if token.startswith(SESSION_PREFIX):
            found = self._sessions.read(token, self._users().get)
            if found is not None and not self._ended.has(found.user, found.session, found.ends):
                return Caller(found.user, found.session)
        elif self._anonymous and token == ANONYMOUS_TOKEN:
            return ANONYMOUS
        else:
            lasting = find_lasting(token, self._tokens(), self._clock())
            if lasting is not None:
                return Caller(lasting.user)
        raise _unknown_token()

    def _begin(
        self,
        header: Sequence[str | bytes],
        peer: str,
        begin: Callable[[Claim, str], Future[Found]],
    ) -> Future[Found]:
        claimed: Claim = None
        try:
            claimed = read_credentials(header)
            found = begin(claimed, peer)
        except FlightframeError as error:
            found = Future()
            found.set_exception(error)
        if isinstance(claimed, Basic) or found.done():
            found.add_done_callback(partial(self._note, claimed, peer))
        return found

    def _note(self, claimed: Claim, peer: str, found: Future[Any]) -> None:
        error = None if found.cancelled() else found.exception()
        if isinstance(error, FlightframeError):
            log.warning("access.refused", code=error.code, user=self._known(claimed), peer=peer)

    def _known(self, claimed: Claim) -> str | None:
        """Return the user name for the log; not what is none, which may be a password."""
        if isinstance(claimed, Basic) and claimed.user in self._users():
            return claimed.user
        return None


def _unknown_token() -> NotAuthenticated:
    return NotAuthenticated("the token is unknown or no longer good", hint="connect again")


def _known_now(value: Found) -> Future[Found]:
    future: Future[Found] = Future()
    future.set_result(value)
    return future


def _then(first: Future[Found], change: Callable[[Found], Other]) -> Future[Other]:
    """Return where the changed result of another future will be, or its failure."""
    second: Future[Other] = Future()

    def pass_on(done: Future[Found]) -> None:
        if not second.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is not None:
            second.set_exception(error)
            return
        second.set_result(change(done.result()))

    first.add_done_callback(pass_on)
    return second
