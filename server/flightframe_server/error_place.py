"""What every error has beside its text: a status, and a place in what a user wrote.

What comes in: facts about one failure. What goes out: frozen values. They must never hold more of
a text than where something stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flightframe_server.error_text import ECHO_LIMIT


class Status(StrEnum):
    """The gRPC statuses that a Flight surface can answer with."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    CANCELLED = "CANCELLED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a text: line and column from 1, offsets from 0 (end excluded)."""

    line: int
    column: int
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        """Return the place in words."""
        return f"line {self.line}, column {self.column}"

    def caret(self, source: str) -> str | None:
        """Return the line of `source` with a caret under the place, None where it has none such."""
        lines = source.splitlines() or [""]
        if self.line > len(lines):
            return None
        line, column = lines[self.line - 1], self.column
        first = max(0, column - 1 - ECHO_LIMIT // 2)
        window = line[first : first + ECHO_LIMIT].replace("\t", " ")
        return f"{window}\n{' ' * (column - 1 - first)}^"


NOWHERE = Place(0, 0)
