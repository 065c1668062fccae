"""Which files are evicted when the budget is full, as a pure function.

What comes in: what is on disk, and by how much the budget would be passed. What goes out:
the files to remove, first to go first. It must never touch a disk or a clock, and never name the
entry being written: that one is not among the candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Priority(IntEnum):
    """The priority of a file; the lowest is evicted first.

    SUPERSEDED files are in no plan made from now on, so nothing that could be served is lost with
    them; PINNED ones are asked for by a hint.
    """

    SUPERSEDED = 0
    UNPINNED = 1
    PINNED = 2


class Candidate(NamedTuple):
    """A file that could give way; candidates compare in the order in which they go.

    Attributes:
        priority: its class.
        last_used: when it was last used, in seconds since 1970 UTC.
        entry_id: its name, so that the order is total.
        bytes: what it costs.
    """

    priority: int
    last_used: float
    entry_id: str
    bytes: int


def victims(
    candidates: Iterable[Candidate], excess: int, surplus: int = 0
) -> tuple[Candidate, ...]:
    """Return the files that go: the fewest, in order, that make up for excess and surplus.

    Args:
        candidates: files that count against the budget, in any order; all, or at least the first.
        excess: bytes by which the budget would be passed; none or fewer: no bytes have to go.
        surplus: entries past the most there may be; superseded files are no entries.

    Returns:
        Files in the order of priority, then least recently used, then id; all of `candidates` where
        even that is not enough.
    """
    evicted: list[Candidate] = []
    for file in sorted(candidates):
        is_entry = file.priority != Priority.SUPERSEDED
        if excess > 0 or (surplus > 0 and is_entry):
            evicted.append(file)
            excess -= file.bytes
            surplus -= is_entry
    return tuple(evicted)
