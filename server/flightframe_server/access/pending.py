"""Handshakes whose passwords are looked at with the first call: the token stands for the claim.

What comes in: names and passwords that could not be looked at where they came. What goes out:
random tokens, and for a call that brings one, what it claims. It must never be a way to guess
faster: what a token claims is looked at as a password sent with the call would be, and counted.

A Handshake does not say where it comes from (pyarrow tells a middleware no peer). Where guesses for
a name, or too many at once, have used up what all Handshakes may, somebody who is right is given
such a token, and is counted by the address of the call that brings it. Nobody is shut out so.
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
MOST_OPEN = 1_000
OPEN_SECONDS = 60.0
MOST_PROVEN = 10_000


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token stands for.

    Attributes:
        user: whom it claims to be.
        password: what is still to be looked at; None once it was right.
        proof: the stored hash that it fitted; None while it was not looked at.
        until: when it ends, by the clock.
        session: the session that the token's calls have in common.
    """

    user: str
    password: str | None = field(repr=False)
    proof: str | None = field(repr=False)
    until: float
    session: bytes = field(repr=False)


class PendingTokens:
    """The tokens of such Handshakes, thread-safe.

    Args:
        seconds: how long one is good once its password was right.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without any."""
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Claimed] = OrderedDict()
        self._proven: OrderedDict[str, Claimed] = OrderedDict()

    def issue(self, user: str, password: str) -> str:
        """Return a token for a claim; the oldest that no call has brought make room."""
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        until = self._clock() + OPEN_SECONDS
        session = secrets.token_bytes(TOKEN_BYTES)
        with self._lock:
            self._open[token] = Claimed(user, password, None, until, session)
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return token

    def find(self, token: str) -> Claimed | None:
        """Return what a token stands for; None where it is unknown or over."""
        with self._lock:
            found = self._proven.get(token) or self._open.get(token)
            if found is None or found.until <= self._clock():
                return None
            return found

    def prove(self, token: str, proof: str) -> None:
        """Note that a token's password was right: it is a session now, and the password is gone."""
        with self._lock:
            found = self._open.pop(token, None)
            if found is None:
                return
            until = self._clock() + self._seconds
            self._proven[token] = Claimed(found.user, None, proof, until, found.session)
            while len(self._proven) > MOST_PROVEN:
                self._proven.popitem(last=False)

    def drop(self, token: str) -> None:
        """Forget a token: its password was wrong, or its session was closed."""
        with self._lock:
            self._open.pop(token, None)
            self._proven.pop(token, None)
