"""What a database is told to say where a stored moment does not fit, and what it said.

What comes in: the name of a column, or the text of a database's error. What goes out: words for a
statement, and the error of ours that such words stand for. It must never take another text for one
of ours.
"""

from __future__ import annotations

import re

from flightframe_server.errors import ArithmeticOverflow, shown

_BEFORE, _AFTER = "flightframe: ", ", which is no whole microsecond"
_MISFIT = re.compile(f"{_BEFORE}(.{{1,400}}?{_AFTER})", re.DOTALL)


def no_whole_microsecond(column: str) -> tuple[str, str]:
    """Return the words before and after a moment that counts nanoseconds and does not fit."""
    return f"{_BEFORE}{shown(column)} holds ", _AFTER


def misfit_in(text: str) -> ArithmeticOverflow | None:
    """Return the error that a database's text tells in our words, or None."""
    match = _MISFIT.search(text)
    if match is None:
        return None
    return ArithmeticOverflow(
        match[1], hint="its day, month or year can be asked; a moment itself has microseconds here"
    )
