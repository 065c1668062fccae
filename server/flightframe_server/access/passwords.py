"""Passwords: hashed with Argon2, checked, and a checked one remembered for a while.

What comes in: user names and passwords. What goes out: the stored hash that let one in, or a
refusal. It must never tell an unknown name from a wrong password, by text or by time, and never
keep a password: what is remembered is a keyed digest, and the key dies with the process.

Argon2 is slow on purpose. Clients that send their password with every call would wait for it every
time, hence the memory.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from flightframe_server.access.attempts import Attempts
from flightframe_server.errors import NotAuthenticated, TooManyAttempts

REMEMBERED_SECONDS = 300.0
REMEMBERED = 10_000
TURNS = 64
TURN_SECONDS = 20.0


def hash_password(password: str) -> str:
    """Return the hash to store, with its parameters and its salt in it."""
    return PasswordHasher().hash(password)


def is_hash(text: str) -> bool:
    """Return whether a text is what `hash_password` makes: Argon2id, in its usual notation."""
    try:
        return extract_parameters(text).type is Type.ID
    except InvalidHashError:
        return False


class Passwords:
    """Checks passwords against stored hashes, thread-safe.

    Args:
        users: the stored hash of every user, as they are now.
        attempts: how often.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        users: Callable[[], Mapping[str, str]],
        attempts: Attempts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nothing remembered."""
        self._users, self._clock = users, clock
        self._attempts = attempts or Attempts()
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._turns = [threading.Lock() for _ in range(TURNS)]
        # Made now, so that the first unknown name takes no longer than the next.
        self._dummy()

    def check(self, user: str, password: str) -> str:
        """Return the stored hash that a password fits.

        Raises:
            NotAuthenticated: there is no such user, or the password is wrong.
            TooManyAttempts: too many were wrong.
        """
        stored = self._users().get(user)
        digest = self._digest(user, password)
        if stored is not None and self._remembers(digest, stored):
            return stored
        # Many calls of one client begin at once: the first is checked, the others find it done.
        turn = self._turns[digest[0] % TURNS]
        if not turn.acquire(timeout=TURN_SECONDS):
            raise TooManyAttempts("too many passwords are being checked at once")
        try:
            if stored is not None and self._remembers(digest, stored):
                return stored
            return self._verified(user, password, stored, digest)
        finally:
            turn.release()

    def _verified(self, user: str, password: str, stored: str | None, digest: bytes) -> str:
        with self._attempts.one(user) as was_right:
            if not fits(stored or self._dummy(), password) or stored is None:
                raise NotAuthenticated(
                    "the user name or the password is wrong", hint="check both, case included"
                )
            was_right()
        self._remember(digest, stored)
        return stored

    def _dummy(self) -> str:
        """Return a hash that nothing fits, and that takes as long as a user's."""
        return _dummy_like(next(iter(self._users().values()), None))

    def _digest(self, user: str, password: str) -> bytes:
        both = f"{len(user)}:{user}:{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(both, key=self._key, digest_size=32).digest()

    def _remembers(self, digest: bytes, stored: str) -> bool:
        with self._lock:
            known, until = self._remembered.get(digest, ("", 0.0))
            # A password that was changed meanwhile has another hash.
            return known == stored and self._clock() < until

    def _remember(self, digest: bytes, stored: str) -> None:
        with self._lock:
            self._remembered[digest] = (stored, self._clock() + REMEMBERED_SECONDS)
            self._remembered.move_to_end(digest)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)


def fits(stored: str, password: str) -> bool:
    """Return whether a password fits a stored hash; slow, and without the interpreter's lock."""
    try:
        return PasswordHasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=8)
def _dummy_like(stored: str | None) -> str:
    hasher = PasswordHasher()
    if stored is not None:
        hasher = PasswordHasher.from_parameters(extract_parameters(stored))
    return hasher.hash(secrets.token_urlsafe(32))
