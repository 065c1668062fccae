"""Names in any case, and the patterns of LIKE.

What comes in: optional texts, and names. What goes out: whether a name passes. It must never take
longer over a name than a small multiple of the pattern's length and the name's.
"""

from __future__ import annotations

import re

from flightframe_server import row_values
from flightframe_server.errors import LimitExceeded

MAX_PATTERN = 1000


def same(filter_name: str | None, name: str) -> bool:
    """Whether a name passes a filter that is a name itself, in any case; an absent one passes."""
    return filter_name is None or filter_name.casefold() == name.casefold()


def pattern(written: str | None, *, escape: str = "\\", any_case: bool = True) -> re.Pattern[str]:
    """Return a pattern as a regular expression for `fullmatch`; an absent one fits everything.

    Args:
        written: `%` stands for any run of characters, `_` for one.
        escape: a character that takes the next one literally; empty for none.
        any_case: whether letters match in any case.

    Raises:
        LimitExceeded: it is too long.
    """
    if written is None:
        return re.compile(".*", re.DOTALL)
    if len(written) > MAX_PATTERN:
        raise LimitExceeded(f"a filter pattern has at most {MAX_PATTERN} characters")
    flags = re.IGNORECASE if any_case else re.NOFLAG
    return row_values.like_pattern(written, escape=escape, flags=flags)
