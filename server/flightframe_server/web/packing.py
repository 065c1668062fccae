"""Texts packed for clients that take them so, and kept while they are the same.

What comes in: a text, what a client accepts, and the name of the text's content. What goes out: a
reply, packed where that is accepted. It must never hold more than its bound, nor pack what a caller
put in beside a secret: its length would tell.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping

from flightframe_server.bounded_cache import BoundedCache
from flightframe_server.web.reply import TextReply

LEAST_BYTES = 1024
"""Smaller texts are not worth packing."""

FAST_BYTES = 1 << 20
"""From here on speed counts for more than the last tenth of the size."""

KEPT_BYTES = 32 << 20
_THOROUGH, _FAST = 6, 1


def accepts_gzip(header: str) -> bool:
    """Return whether `Accept-Encoding` takes gzip.

    >>> accepts_gzip("br, gzip;q=0.5"), accepts_gzip("gzip;q=0"), accepts_gzip("identity")
    (True, False, False)
    """
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name in ("gzip", "x-gzip", "*"):
            return not any(_is_zero(one) for one in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    key, _, value = parameter.partition("=")
    return key.strip() == "q" and value.strip().strip("0.") == ""


def packed(text: bytes) -> bytes:
    """Return a text packed; the same text gives the same bytes."""
    level = _THOROUGH if len(text) < FAST_BYTES else _FAST
    return gzip.compress(text, compresslevel=level, mtime=0)


def packed_reply(content: bytes, headers: Mapping[str, str]) -> TextReply:
    """Return the reply of a text that is packed already."""
    return TextReply(content, headers={**headers, "content-encoding": "gzip"})


class KeptTexts(BoundedCache[str, bytes]):
    """Packed texts by the names of their content, the least recently used gone first.

    Args:
        most: bytes that all of them may take.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        """Keep none yet."""
        super().__init__(most, max_one=most, overhead=0)

    def keep(self, name: str, text: bytes) -> None:
        """Keep a packed text, and let older ones go for it."""
        self.put(name, text, len(text))
