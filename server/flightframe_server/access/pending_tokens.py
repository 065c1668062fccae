"""Pending tokens: issued by a Handshake for a password that the first call verifies.

What comes in: names and passwords that a Handshake could not have verified. What goes out: random
tokens, and for a call that brings one, the claim behind it. It must never be a way to guess faster:
the claim is verified like a password sent with the call, and counted like one.

A Handshake does not say where it comes from (pyarrow tells a middleware no peer). Where guesses for
a name, or too many at once, have used up what all Handshakes may, a client with the right password
gets such a token, and is counted by the address of the call that brings it. So guesses of one
client shut out no other.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

PREFIX = "ffp_"
TOKEN_BYTES = 16
MAX_OPEN = 1_000
OPEN_SECONDS = 60.0
MAX_CONFIRMED = 10_000


@dataclass(frozen=True, slots=True)
class PendingClaim:
    """The claim behind a pending token.

    Attributes:
        user: the name.
        password: still to be verified; None once it was right.
        proof: the stored hash that it matched; None before it is verified.
        until: when the token expires, by the clock.
        session: the session that the token's calls have in common.
    """

    user: str
    password: str | None = field(repr=False)
    proof: str | None = field(repr=False)
    until: float
    session: bytes = field(repr=False)


class PendingTokens:
    """The pending tokens of one server, thread-safe.

    Args:
        seconds: how long one is valid once its password was right.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without any."""
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, PendingClaim] = OrderedDict()
        self._confirmed: OrderedDict[str, PendingClaim] = OrderedDict()

    def issue(self, user: str, password: str) -> str:
        """Return a token for a claim; the oldest that no call has brought make room."""
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        until = self._clock() + OPEN_SECONDS
        session = secrets.token_bytes(TOKEN_BYTES)
        with self._lock:
            self._open[token] = PendingClaim(user, password, None, until, session)
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return token

    def find(self, token: str) -> PendingClaim | None:
        """Return the claim behind a token; None where it is unknown or expired."""
        with self._lock:
            claim = self._confirmed.get(token) or self._open.get(token)
            if claim is None or claim.until <= self._clock():
                return None
            return claim

    def confirm(self, token: str, proof: str) -> None:
        """Make a token whose password was right a session; the password is forgotten."""
        with self._lock:
            claim = self._open.pop(token, None)
            if claim is None:
                return
            until = self._clock() + self._seconds
            self._confirmed[token] = PendingClaim(claim.user, None, proof, until, claim.session)
            while len(self._confirmed) > MAX_CONFIRMED:
                self._confirmed.popitem(last=False)

    def discard(self, token: str) -> None:
        """Forget a token: its password was wrong, or its session was closed."""
        with self._lock:
            self._open.pop(token, None)
            self._confirmed.pop(token, None)
