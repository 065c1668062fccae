"""Tokens: those that a Handshake gives out, and those that an operator has given out before.

What comes in: names to sign, tokens to read. What goes out: signed tokens, and whose a token is. It
must never keep a token: a session's is signed and read again by its signature alone, of a lasting
one only the hash is known.

A session's token is `ffs_` and, in base64, when it ends, a random name of the session, the user,
and an HMAC over all of it and over the hash that proved the user: a changed password ends all
sessions of its user.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SESSION_PREFIX = "ffs_"
LASTING_PREFIX = "fft_"
SESSION_BYTES = 16
KEY_BYTES = 32
_ENDS = struct.Struct(">Q")
_HEAD_BYTES = _ENDS.size + SESSION_BYTES
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class LastingToken:
    """A token of an operator's: whose it is, and until when (seconds since 1970 UTC)."""

    user: str
    digest: bytes = field(repr=False)
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What a session's token says: whose it is, which session, and when it expires."""

    user: str
    session: bytes
    ends: float


class SessionTokens:
    """Signs and reads the tokens of sessions.

    Args:
        key: at least 32 secret bytes.
        seconds: how long a token is good.
        clock: seconds since 1970 UTC.

    Attributes:
        seconds: how long a token is good.
    """

    def __init__(self, key: bytes, seconds: float, clock: Callable[[], float] = time.time) -> None:
        """Derive the signing key."""
        self._key = hashlib.blake2b(key, digest_size=KEY_BYTES, person=b"ff-session-token").digest()
        self.seconds, self._clock = seconds, clock

    def issue(self, user: str, proof: str) -> str:
        """Return a new token for a user whom `proof` (the stored hash) let in."""
        ends = _ENDS.pack(int(self._clock() + self.seconds))
        claim = ends + secrets.token_bytes(SESSION_BYTES) + user.encode()
        signed = claim + self._mac(claim, proof)
        return SESSION_PREFIX + base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, token: str, proof_of: Callable[[str], str | None]) -> Session | None:
        """Return what a token says; None where it is forged, expired, or its user's proof changed.

        Args:
            token: as a client sent it.
            proof_of: the stored hash of a user; None where there is no such user.
        """
        signed = _decoded(token.removeprefix(SESSION_PREFIX))
        if len(signed) <= _HEAD_BYTES + _MAC_BYTES:
            return None
        claim, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
        user = claim[_HEAD_BYTES:].decode("utf-8", "replace")
        proof = proof_of(user)
        # The signature is checked even where there is no such user: a refusal takes as long.
        valid = hmac.compare_digest(mac, self._mac(claim, proof or ""))
        (ends,) = _ENDS.unpack_from(claim)
        if not valid or proof is None or ends <= self._clock():
            return None
        return Session(user, claim[_ENDS.size : _HEAD_BYTES], float(ends))

    def _mac(self, claim: bytes, proof: str) -> bytes:
        covered = hashlib.sha256(proof.encode()).digest() + claim
        return hmac.digest(self._key, covered, "sha256")


def new_lasting_token() -> str:
    """Return a random token of 256 bits, to be shown once."""
    return LASTING_PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """Return the hash under which a lasting token is stored; it is too long to be guessed."""
    return hashlib.sha256(token.encode()).digest()


def find_lasting(
    token: str, known: Mapping[bytes, LastingToken], now: float
) -> LastingToken | None:
    """Return the lasting token that `token` is, or None where it is unknown or expired."""
    digest = digest_of(token)
    lasting = known.get(digest)
    stored = lasting.digest if lasting is not None else bytes(len(digest))
    valid = hmac.compare_digest(digest, stored)
    if lasting is None or not valid or (lasting.ends is not None and lasting.ends <= now):
        return None
    return lasting


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
