"""What a client sent, as an error may repeat it.

What comes in: a text or name of a user's. What goes out: a short text. It must never give back more
than 80 characters of what was sent.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ECHO_LIMIT = 80
TEXT_LIMIT = 900


def shown(text: object) -> str:
    """Return what a client sent, shortened to what an error may echo."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= ECHO_LIMIT else flat[: ECHO_LIMIT - 1] + "…"


def wire_text(code: str, message: str, where: str, hint: str | None) -> str:
    """Return an error as it goes over the wire, bounded.

    >>> wire_text("TYPE", "a date is no number", "line 1, column 8", None)
    'TYPE: a date is no number (line 1, column 8).'
    """
    place = f" ({where})" if where else ""
    text = f"{code}: {message}{place}.{f' Hint: {hint}' if hint else ''}"
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the closest known names, or None where nothing is close."""
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold()[:200], by_folded, n=3, cutoff=0.6)
    if not close:
        return None
    return "did you mean " + " or ".join(shown(by_folded[item]) for item in close) + "?"


def more_mistakes(here: Iterable[bool]) -> str:
    """Return how many mistakes there are beside the one that is told, each given as in its file.

    >>> more_mistakes([True, True])
    '(2 more mistakes in the file)'
    """
    same = list(here)
    if not same:
        return ""
    where = " in the file" if all(same) else ""
    return f"({len(same)} more mistake{'s' if len(same) > 1 else ''}{where})"
