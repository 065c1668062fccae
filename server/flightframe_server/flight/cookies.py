"""The cookie under which a client without a token has a session.

What comes in: the headers of a call. What goes out: the session that its cookie names. It must
never take a name that this server would not have given.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

NAME = "flightframe_session"
PREFIX = b"cookie:"
"""What a session named by a cookie begins with, so that no token's session is taken for one."""

_OURS = re.compile(rf"(?:^|;)\s*{NAME}=([0-9a-f]{{32}})\s*(?:;|$)")
_LONGEST = 8192


def new_session() -> bytes:
    """Return a new name of a session, which cannot be guessed."""
    return PREFIX + secrets.token_hex(16).encode()


def cookie_of(session: bytes, *, secure: bool) -> str:
    """Return the value of `set-cookie` that makes a client return a session's name."""
    name = session.removeprefix(PREFIX).decode()
    return f"{NAME}={name}; Path=/; HttpOnly" + ("; Secure" if secure else "")


def session_in(headers: Mapping[str, Sequence[str | bytes]]) -> bytes | None:
    """Return the session that a call's cookie names, or None.

    >>> session_in({"cookie": ["a=b; flightframe_session=" + "0f" * 16]})
    b'cookie:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f'
    >>> session_in({"cookie": ["flightframe_session=short"]}), session_in({})
    (None, None)
    """
    for value in headers.get("cookie", ()):
        text = value if isinstance(value, str) else value.decode("latin-1")
        match = _OURS.search(text[:_LONGEST])
        if match is not None:
            return PREFIX + match[1].encode()
    return None
