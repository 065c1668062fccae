"""Passwords: hashed with Argon2, verified, and a verified one remembered for a while.

What comes in: user names and passwords. What goes out: the stored hash that one matches, or a
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
from concurrent.futures import Future
from functools import lru_cache, partial

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from flightframe_server.access.password_pool import PasswordPool
from flightframe_server.access.rate_limit import RateLimiter
from flightframe_server.errors import NotAuthenticated

MEMORY_SECONDS = 300.0
MAX_REMEMBERED = 10_000


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
        limiter: bounds the wrong ones.
        clock: a clock that never goes back, in seconds.
        pool: runs the verification.
    """

    def __init__(
        self,
        users: Callable[[], Mapping[str, str]],
        limiter: RateLimiter | None = None,
        clock: Callable[[], float] = time.monotonic,
        pool: PasswordPool | None = None,
    ) -> None:
        """Start with nothing remembered."""
        self._users, self._clock = users, clock
        self._limiter = limiter or RateLimiter()
        self._pool = pool or PasswordPool()
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
        self._remembered: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._running: dict[bytes, Future[str]] = {}
        # Made now, so that the first unknown name takes no longer than the next.
        self._dummy()

    def check(self, user: str, password: str, peer: str = "") -> str:
        """Return the stored hash that a password matches, once verified; raises as `begin`."""
        return self.begin(user, password, peer).result()

    def begin(self, user: str, password: str, peer: str = "") -> Future[str]:
        """Begin to verify a password and return the future of the stored hash that it matches.

        A password that was right lately is known at once.

        Args:
            user: the name that came with it.
            password: as it was sent.
            peer: where it came from.

        Raises:
            NotAuthenticated: there is no such user, or the password is wrong; from the future.
            TooManyAttempts: too many were wrong.
            Overloaded: too many wait to be verified.
        """
        stored = self._users().get(user)
        digest = self._digest(user, password)
        if stored is not None and self._remembers(digest, stored):
            return _known(stored)
        with self._lock:
            # Many calls of one client begin at once: one verification serves all of them.
            running = self._running.get(digest)
            if running is not None:
                return running
            if stored is not None and self._remembers(digest, stored):
                # One that ended between the look above and the lock.
                return _known(stored)
            self._limiter.acquire(peer, user)
            try:
                work = partial(self._verify_and_count, user, password, stored, digest, peer)
                future = self._running[digest] = self._pool.submit(peer, work)
            except BaseException:
                self._limiter.refund(peer, user)
                raise
        future.add_done_callback(lambda _: self._finished(digest))
        return future

    def _verify_and_count(
        self, user: str, password: str, stored: str | None, digest: bytes, peer: str
    ) -> str:
        if not verify(stored or self._dummy(), password) or stored is None:
            raise NotAuthenticated(
                "the user name or the password is wrong", hint="check both, case included"
            )
        self._limiter.refund(peer, user)
        self._remember(digest, stored)
        return stored

    def _finished(self, digest: bytes) -> None:
        with self._lock:
            self._running.pop(digest, None)

    def _dummy(self) -> str:
        """Return a hash that no password matches, and that takes as long as a user's."""
        return _dummy_like(next(iter(self._users().values()), None))

    def _digest(self, user: str, password: str) -> bytes:
        joined = f"{len(user)}:{user}:{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(joined, key=self._key, digest_size=32).digest()

    def _remembers(self, digest: bytes, stored: str) -> bool:
        with self._lock:
            known, until = self._remembered.get(digest, ("", 0.0))
            # A password that was changed meanwhile has another hash.
            return known == stored and self._clock() < until

    def _remember(self, digest: bytes, stored: str) -> None:
        with self._lock:
            self._remembered[digest] = (stored, self._clock() + MEMORY_SECONDS)
            self._remembered.move_to_end(digest)
            while len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)


def _known(stored: str) -> Future[str]:
    """Return the outcome of a password that needs no verification any more."""
    future: Future[str] = Future()
    future.set_result(stored)
    return future


def verify(stored: str, password: str) -> bool:
    """Return whether a password matches a stored hash; slow, and without the interpreter's lock."""
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
