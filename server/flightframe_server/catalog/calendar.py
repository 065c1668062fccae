"""The calendar functions, and which of their periods nest in which.

What comes in: nothing: tables. What goes out: the names of the functions such as MONTH_OF, and for
each those that may be applied to its result. It must never compute a period: the back-ends and the
composer do.

X_OF gives the first instant of the period that holds a date or timestamp: a date from DAY_OF up and
a timestamp below. Weeks start on Monday. A week belongs to no month, so nothing is derived from
WEEK_OF.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FUNCTIONS = (
    "SECOND_OF",
    "MINUTE_OF",
    "HOUR_OF",
    "DAY_OF",
    "WEEK_OF",
    "MONTH_OF",
    "QUARTER_OF",
    "YEAR_OF",
)
"""Every calendar function, finest period first."""

COARSER: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{name: frozenset(FUNCTIONS[at + 1 :]) for at, name in enumerate(FUNCTIONS)},
        "WEEK_OF": frozenset(),
    }
)
"""For each function, those that may be applied to its result and give the same as to its input."""
