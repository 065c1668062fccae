"""The cookie that holds the session of a page.

What comes in: a token, or the cookies of a request. What goes out: the header that sets the cookie,
or the token that it holds. It must never be readable by scripts, nor be sent by another site's
page.
"""

from __future__ import annotations

import hashlib
from http.cookies import CookieError, SimpleCookie

HEADER_BYTES = 8192


def cookie_name(installation_id: str) -> str:
    """Return the name of the cookie of an installation: hosts have cookies, ports have none.

    >>> cookie_name("retail-demo")
    'flightframe_f518f0b81b1d'
    """
    digest = hashlib.blake2b(installation_id.encode(), digest_size=6).hexdigest()
    return f"flightframe_{digest}"


def session_cookie(name: str, token: str, seconds: float, secure: bool) -> str:
    """Return the header that sets the cookie; `secure` where the server speaks TLS."""
    return f"{name}={token}; Path=/; Max-Age={int(seconds)}; {_attributes(secure)}"


def expired_cookie(name: str, secure: bool) -> str:
    """Return the header that removes the cookie."""
    return f"{name}=; Path=/; Max-Age=0; {_attributes(secure)}"


def _attributes(secure: bool) -> str:
    return "HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")


def token_in(header: str, name: str) -> str | None:
    """Return the token in the cookies of a request; None where there is none.

    >>> token_in("a=b; flightframe_1=ffs_x", "flightframe_1")
    'ffs_x'
    """
    if not header or len(header) > HEADER_BYTES:
        return None
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return morsel.value if morsel is not None and morsel.value else None
