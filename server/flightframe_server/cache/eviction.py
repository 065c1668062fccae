"""Which files give way when the budget is full, as a pure function.

What comes in: what is on disk, and by how many bytes the budget would be passed. What goes out:
the files to remove, first to go first. It must never touch a disk or a clock, and never name the
entry being written: that one is not among what is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Standing(IntEnum):
    """How dear a file is; the lowest goes first.

    SUPERSEDED files are in no plan made from now on, so nothing that could be served is lost with
    them; PINNED ones are asked for by a hint.
    """

    SUPERSEDED = 0
    PLAIN = 1
    PINNED = 2


class Candidate(NamedTuple):
    """A file that could give way; candidates compare in the order in which they go.

    Attributes:
        standing: how dear it is.
        last_used: when it was last used, in seconds since 1970 UTC.
        entry_id: its name, so that the order is total.
        bytes: its size.
    """

    standing: int
    last_used: float
    entry_id: str
    bytes: int


def victims(held: Iterable[Candidate], excess: int) -> tuple[Candidate, ...]:
    """Return the files that go: the fewest, in order, whose bytes make up for the excess.

    Args:
        held: files that count against the budget, in any order; all, or at least the first to go.
        excess: bytes by which the budget would be passed; none or fewer: nothing goes.

    Returns:
        Files in the order of standing, then least recently used, then id; all of `held` where
        even that is not enough.
    """
    leaving: list[Candidate] = []
    for file in sorted(held):
        if excess <= 0:
            break
        leaving.append(file)
        excess -= file.bytes
    return tuple(leaving)
