"""The functions over the rows of an answer: aggregates and windows, by the names that SQL has.

What comes in: nothing, this is a list. What goes out: their names, and which of them are alike. It
must never be taken for the reducers of facts: a metric declares those, and these reduce what is
already an answer.
"""

from __future__ import annotations

from enum import StrEnum


class FrameFunction(StrEnum):
    """One function over the rows of an answer."""

    SUM = "SUM"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"
    COUNT_DISTINCT = "COUNT_DISTINCT"
    MEDIAN = "MEDIAN"
    RANK = "RANK"
    DENSE_RANK = "DENSE_RANK"
    ROW_NUMBER = "ROW_NUMBER"
    NTILE = "NTILE"
    PERCENT_RANK = "PERCENT_RANK"
    CUME_DIST = "CUME_DIST"
    LAG = "LAG"
    LEAD = "LEAD"
    FIRST_VALUE = "FIRST_VALUE"
    LAST_VALUE = "LAST_VALUE"


RANKS = frozenset(
    {
        FrameFunction.RANK,
        FrameFunction.DENSE_RANK,
        FrameFunction.ROW_NUMBER,
        FrameFunction.NTILE,
    }
)
"""Functions of a window that say where a row stands."""

SHARES = frozenset({FrameFunction.PERCENT_RANK, FrameFunction.CUME_DIST})
"""Functions of a window that say which share of the rows stands before one, or up to it."""

NEIGHBOURS = frozenset({FrameFunction.LAG, FrameFunction.LEAD})
"""Functions of a window that read a row at a distance."""

ENDS = frozenset({FrameFunction.FIRST_VALUE, FrameFunction.LAST_VALUE})
"""Functions of a window that read a row at an end of its frame."""

TOTALS = frozenset(
    {
        FrameFunction.SUM,
        FrameFunction.AVG,
        FrameFunction.MIN,
        FrameFunction.MAX,
        FrameFunction.COUNT,
    }
)
"""Aggregates that windows have as well."""

ADDING = frozenset({FrameFunction.SUM, FrameFunction.AVG})
"""Functions that add values up."""
