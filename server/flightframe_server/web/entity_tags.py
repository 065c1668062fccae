"""Names of contents, so that a client is not sent what it has.

What comes in: bytes, and what a request says that its client has. What goes out: tags, and whether
one is among them. It must never give two contents one tag.
"""

from __future__ import annotations

import hashlib

_DIGEST_BYTES = 12


def tag_of(content: bytes) -> str:
    """Return the tag of a content; weak, since it is sent packed and as it is."""
    return f'W/"{hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()}"'


def has_tag(header: str, tag: str) -> bool:
    """Return whether `If-None-Match` names a tag; the weak comparison of RFC 9110."""
    names = {name.strip().removeprefix("W/") for name in header.split(",")}
    return "*" in names or tag.removeprefix("W/") in names
