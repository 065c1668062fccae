"""Handles that say whom they were given to and until when, under a seal nobody else can make.

What comes in: an owner and a last moment. What goes out: handles of 40 bytes: 128 random bits, the
last moment, and an HMAC over both and the owner's name by a key of this process. It must never
tell, by its answer or by the time it takes, why a handle is not one of that owner's.
"""

from __future__ import annotations

import hmac
import secrets
import struct

NONCE_BYTES = 16
SEAL_BYTES = 16
HANDLE_BYTES = NONCE_BYTES + 8 + SEAL_BYTES

_KEY_BYTES = 32
_MOMENT = struct.Struct(">d")


class Seal:
    """Makes handles, and says which of them are good for whom; every seal has a key of its own."""

    __slots__ = ("_key",)

    def __init__(self) -> None:
        """Take a key that nobody has."""
        self._key = secrets.token_bytes(_KEY_BYTES)

    def sealed(self, owner: str, until: float) -> bytes:
        """Return a new handle of an owner's, good until a moment of the caller's clock."""
        said = secrets.token_bytes(NONCE_BYTES) + _MOMENT.pack(until)
        return said + self._mac(said, owner)

    def holds(self, handle: bytes, owner: str, now: float) -> bool:
        """Return whether a handle was given to that owner by this seal, and is good still."""
        if len(handle) != HANDLE_BYTES:
            return False
        said, mac = handle[:-SEAL_BYTES], handle[-SEAL_BYTES:]
        if not hmac.compare_digest(self._mac(said, owner), mac):
            return False
        (until,) = _MOMENT.unpack_from(said, NONCE_BYTES)
        return bool(now < until)

    def _mac(self, said: bytes, owner: str) -> bytes:
        return hmac.digest(self._key, said + owner.encode(), "sha256")[:SEAL_BYTES]
