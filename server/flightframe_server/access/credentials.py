"""The `authorization` header to the claim of a call.

What comes in: the values of the header, as a client sent them. What goes out: a user name with a
password, a token, or nothing. It must never show either of them, in a `repr` as little as in an
error.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from flightframe_server.errors import NotAuthenticated

HEADER_BYTES = 8192
HINT = "send Basic with user name and password, or Bearer with a token"


@dataclass(frozen=True, slots=True)
class Basic:
    """A user name and a password; people type one in place of the other, so neither is shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token."""

    token: str = field(repr=False)


def read_credentials(values: Sequence[str | bytes]) -> Basic | Bearer | None:
    """Return what the header claims; None where there is no header.

    >>> read_credentials(["Basic YWxpY2U6cHc"])  # without padding, as some drivers send it
    Basic()

    Raises:
        NotAuthenticated: it stands there twice, is too long, or is neither Basic nor Bearer.
    """
    if not values:
        return None
    value = values[0]
    if len(values) > 1 or not isinstance(value, str) or len(value) > HEADER_BYTES:
        raise malformed()
    scheme, _, rest = value.strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(rest.strip())
        case "bearer" if rest.strip() and rest.isascii():
            return Bearer(rest.strip())
    raise malformed()


def _basic(encoded: str) -> Basic:
    unpadded = encoded.rstrip("=")
    try:
        text = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        raise malformed() from None
    user, colon, password = text.partition(":")
    if not colon:
        raise malformed()
    return Basic(user, password)


def malformed() -> NotAuthenticated:
    """Return the error of a header that claims nothing."""
    return NotAuthenticated("the authorization header cannot be read", hint=HINT)
