"""A question in the languages of those who are asked.

What comes in: texts. What goes out: the same as one value.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        frame_ql: in ours.
        sql: in that of the tables; a DuckDB file and ROAPI have them by the same names.
    """

    frame_ql: str
    sql: str
