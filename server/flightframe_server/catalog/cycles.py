"""Order among declarations that use each other and may not go in circles.

What comes in: what each thing uses. What goes out: one cycle as a closed walk, or an order. It must
never recurse: a chain may be as long as the collection.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

_K = TypeVar("_K", bound=Hashable)


def find_cycle(uses: Mapping[_K, Iterable[_K]]) -> tuple[_K, ...] | None:
    """Return a cycle as `(a, b, a)` where a uses b and b uses a, or None where there is none.

    It starts with the member that comes first in `uses`.

    >>> find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]})
    ('b', 'c', 'b')
    """
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        # graphlib walks from what is used to its user, and closes the walk.
        cycle: list[_K] = list(reversed(error.args[1]))[:-1]
        order = {name: at for at, name in enumerate(uses)}
        first = min(range(len(cycle)), key=lambda at: order[cycle[at]])
        return (*cycle[first:], *cycle[:first], cycle[first])
    return None


def used_first(uses: Mapping[_K, Iterable[_K]]) -> tuple[_K, ...]:
    """Return every thing after all that it uses; there must be no cycle.

    >>> used_first({"profit": ["revenue", "cost"], "revenue": [], "cost": []})[-1]
    'profit'
    """
    return tuple(TopologicalSorter(uses).static_order())
