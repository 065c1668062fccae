"""The authenticator of a server that asks for credentials: which calls it lets in, and as whom.

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

from flightframe_server.access.credentials import HINT, Basic, Bearer, read_credentials
from flightframe_server.access.passwords import Passwords
from flightframe_server.access.pending_tokens import PREFIX as PENDING_PREFIX
from flightframe_server.access.pending_tokens import PendingTokens
from flightframe_server.access.rate_limit import RateLimiter
from flightframe_server.access.revocation import RevokedSessions
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
"""The token of a Handshake without credentials; it gives no more than no token gives."""

HANDSHAKE = "handshake"
"""The peer of every Handshake: pyarrow tells none."""

Result = TypeVar("Result")
Mapped = TypeVar("Mapped")
Claim = Basic | Bearer | None
Users = Mapping[str, str]
Tokens = Mapping[bytes, LastingToken]


class Authenticator:
    """Checks credentials, thread-safe.

    Args:
        users: the stored hash of every user, as they are now.
        tokens: lasting tokens by their hashes, as they are now.
        sessions: signs the tokens that a Handshake returns.
        anonymous: whether a call without credentials is let in; wrong ones never are.
        limiter: bounds the wrong passwords.
        clock: seconds since 1970 UTC.
        revoked: the sessions that users ended before they expired.

    Attributes:
        session_seconds: how long the token of a Handshake is good.
    """

    def __init__(
        self,
        users: Callable[[], Users],
        tokens: Callable[[], Tokens],
        sessions: SessionTokens,
        *,
        anonymous: bool = False,
        limiter: RateLimiter | None = None,
        clock: Callable[[], float] = time.time,
        revoked: RevokedSessions | None = None,
    ) -> None:
        """Keep the sources of credentials; see the class."""
        self._revoked = revoked if revoked is not None else RevokedSessions(clock=clock)
        self._users, self._tokens, self._sessions = users, tokens, sessions
        self.session_seconds = sessions.seconds
        self._passwords = Passwords(users, limiter)
        self._pending = PendingTokens(sessions.seconds)
        self._anonymous, self._clock = anonymous, clock
        self._session_end_callbacks: list[Callable[[bytes], None]] = []

    def authenticate(self, header: Sequence[str | bytes], peer: str = "") -> Caller:
        """Return the caller, once the credentials are checked; see `begin`."""
        return self.begin(header, peer).result()

    def begin(self, header: Sequence[str | bytes], peer: str = "") -> Future[Caller]:
        """Begin to check the credentials of a call and return the future of its caller.

        The future is done at once unless a password must be verified.

        Args:
            header: the values of `authorization`.
            peer: where the call comes from.

        Raises:
            NotAuthenticated: credentials are missing or wrong; from the future.
            TooManyAttempts: too many were wrong; from the future.
            Overloaded: too many passwords wait to be verified; from the future.
        """
        return self._begin(header, peer, self._authenticate)

    def exchange(self, header: Sequence[str | bytes], peer: str = HANDSHAKE) -> str:
        """Return the token that a Handshake answers with: a new session's for a password.

        A token is exchanged for itself. A password that cannot be verified now, because of the
        guesses of others, is verified with the first call that brings the token:
        `pending_tokens.py`. Raises as `begin`.
        """
        return self._begin(header, peer, self._exchange).result()

    def needs_peer(self, header: Sequence[str | bytes]) -> bool:
        """Return whether the peer matters to the check of these credentials.

        Raises:
            NotAuthenticated: the header cannot be read.
        """
        match read_credentials(header):
            case Basic():
                return True
            case Bearer(token=token):
                return token.startswith(PENDING_PREFIX)
        return False

    def end_session(self, header: Sequence[str | bytes]) -> bytes | None:
        """End the session whose token a call brought; the token is not valid from now on.

        Returns:
            The session's name; None where the credentials are of no session, and stay valid: a
            lasting token, a password, none at all.
        """
        try:
            claimed = read_credentials(header)
        except NotAuthenticated:
            return None
        if not isinstance(claimed, Bearer):
            return None
        if claimed.token.startswith(PENDING_PREFIX):
            pending = self._pending.find(claimed.token)
            self._pending.discard(claimed.token)
            return None if pending is None else self._notify_session_end(pending.session)
        if not claimed.token.startswith(SESSION_PREFIX):
            return None
        session = self._sessions.read(claimed.token, self._users().get)
        if session is None:
            return None
        self._revoked.revoke(session.user, session.session, session.ends)
        return self._notify_session_end(session.session)

    def on_session_end(self, callback: Callable[[bytes], None]) -> None:
        """Call `callback` with the name of each session that a user ends, over either surface."""
        self._session_end_callbacks.append(callback)

    def _notify_session_end(self, session: bytes) -> bytes:
        for callback in self._session_end_callbacks:
            callback(session)
        return session

    def claimed_user(self, header: Sequence[str | bytes]) -> str | None:
        """Return the user that a call names with a password, where there is such a user."""
        try:
            return self._known_user(read_credentials(header))
        except NotAuthenticated:
            return None

    def _authenticate(self, claimed: Claim, peer: str) -> Future[Caller]:
        match claimed:
            case Basic(user=user, password=password):
                checking = self._passwords.begin(user, password, peer)
                return _mapped(checking, lambda _: Caller(user, peer=peer))
            case Bearer(token=token) if token.startswith(PENDING_PREFIX):
                return self._authenticate_pending(token, peer)
            case Bearer(token=token):
                return _completed(replace(self._token_caller(token), peer=peer))
        if self._anonymous:
            return _completed(Caller("", peer=peer))
        raise NotAuthenticated("this server asks for credentials", hint=HINT)

    def _exchange(self, claimed: Claim, peer: str) -> Future[str]:
        match claimed:
            case Basic(user=user, password=password):
                try:
                    checking = self._passwords.begin(user, password, peer)
                except (TooManyAttempts, Overloaded):
                    return _completed(self._pending.issue(user, password))
                return _mapped(checking, lambda proof: self._sessions.issue(user, proof))
            case Bearer(token=token) if token.startswith(PENDING_PREFIX):
                return _completed(token)
            case Bearer(token=token):
                self._token_caller(token)
                return _completed(token)
        self._authenticate(None, peer)
        return _completed(ANONYMOUS_TOKEN)

    def _authenticate_pending(self, token: str, peer: str) -> Future[Caller]:
        """Begin to verify the password behind a pending token; later calls find it verified."""
        claim = self._pending.find(token)
        if claim is None:
            raise _unknown_token()
        caller = Caller(claim.user, claim.session, peer)
        if claim.password is None:
            if self._users().get(claim.user) != claim.proof:
                raise _unknown_token()
            return _completed(caller)
        checking = self._passwords.begin(claim.user, claim.password, peer)

        def confirm(proof: str) -> Caller:
            self._pending.confirm(token, proof)
            return caller

        return _mapped(checking, confirm)

    def _token_caller(self, token: str) -> Caller:
        if token.startswith(SESSION_PREFIX):
            session = self._sessions.read(token, self._users().get)
            if session is not None and not self._revoked.is_revoked(
                session.user, session.session, session.ends
            ):
                return Caller(session.user, session.session)
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
        begin: Callable[[Claim, str], Future[Result]],
    ) -> Future[Result]:
        claimed: Claim = None
        try:
            claimed = read_credentials(header)
            future = begin(claimed, peer)
        except FlightframeError as error:
            future = Future()
            future.set_exception(error)
        if isinstance(claimed, Basic) or future.done():
            future.add_done_callback(partial(self._log_refusal, claimed, peer))
        return future

    def _log_refusal(self, claimed: Claim, peer: str, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, FlightframeError):
            user = self._known_user(claimed)
            log.warning("access.refused", code=error.code, user=user, peer=peer)

    def _known_user(self, claimed: Claim) -> str | None:
        """Return the user name for the log; an unknown one may be a password typed in its place."""
        if isinstance(claimed, Basic) and claimed.user in self._users():
            return claimed.user
        return None


def _unknown_token() -> NotAuthenticated:
    return NotAuthenticated("the token is unknown or no longer good", hint="connect again")


def _completed(value: Result) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(value)
    return future


def _mapped(source: Future[Result], function: Callable[[Result], Mapped]) -> Future[Mapped]:
    """Return the future of another one's result, mapped, or of its failure."""
    mapped: Future[Mapped] = Future()

    def complete(done: Future[Result]) -> None:
        if not mapped.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is not None:
            mapped.set_exception(error)
            return
        mapped.set_result(function(done.result()))

    source.add_done_callback(complete)
    return mapped
