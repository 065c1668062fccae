"""What every error has beside its text: a status, and a place in what somebody wrote.

What comes in: facts about one failure. What goes out: frozen values. They must never hold more of
a text than where something stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


NOWHERE = Place(0, 0)
