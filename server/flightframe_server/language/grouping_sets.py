"""The sets of levels that `ROLLUP`, `CUBE` and `GROUPING SETS` stand for.

What comes in: the syntax of an anchor of several sets. What goes out: each set, in order, as SQL
has them. It must never drop a set that is written twice, nor write out more than it is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    GroupingSets,
    GroupingWord,
    Name,
)


def stacked_anchor(sets: GroupingSets) -> Anchor:
    """Return the anchor of several sets: every level of them once, an ad-hoc one as it is defined.

    Elsewhere among the sets its name stands for it.
    """
    levels = tuple(dict.fromkeys(level for one in sets.elements for level in one.levels))
    named = {level.text.casefold() for level in levels if isinstance(level, AdHocLevel)}
    distinct = (
        level
        for level in levels
        if isinstance(level, AdHocLevel) or level.text.casefold() not in named
    )
    return Anchor(tuple(distinct), sets, place=sets.place)


def count_of_sets(sets: GroupingSets) -> int:
    """Return how many sets there are, without writing them out."""
    count = len(sets.elements)
    match sets.word:
        case GroupingWord.ROLLUP:
            return count + 1
        case GroupingWord.CUBE:
            return int(2**count)
    return count


def level_sets(sets: GroupingSets) -> tuple[Anchor, ...]:
    """Return the sets as anchors, each where its elements are written.

    >>> from flightframe_server.language import parse
    >>> anchor = parse("SELECT x AT CUBE (a, (b, c))").anchor
    >>> [" ".join(level.text for level in one.levels) for one in level_sets(anchor.sets)]
    ['a b c', 'a', 'b c', '']
    """
    elements = sets.elements
    match sets.word:
        case GroupingWord.ROLLUP:
            chosen = [elements[:count] for count in range(len(elements), -1, -1)]
        case GroupingWord.CUBE:
            kept = itertools.product((True, False), repeat=len(elements))
            chosen = [tuple(itertools.compress(elements, mask)) for mask in kept]
        case _:
            return elements
    return tuple(Anchor(_levels(one), place=sets.place) for one in chosen)


def _levels(elements: Iterable[Anchor]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(level for element in elements for level in element.levels))
