"""What somebody sent, as an error may repeat it.

What comes in: a text or name of a user's. What goes out: a short text. It must never give back more
than 80 characters of what was sent.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ECHO_LIMIT = 80


def shown(text: object) -> str:
    """Return what somebody sent, shortened to what an error may echo."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= ECHO_LIMIT else flat[: ECHO_LIMIT - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the closest known names, or None where nothing is close."""
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold()[:200], by_folded, n=3, cutoff=0.6)
    if not close:
        return None
    return "did you mean " + " or ".join(shown(by_folded[item]) for item in close) + "?"
