"""GROUP BY with ROLLUP, CUBE and GROUPING SETS: which keys stand together.

What comes in: the clause, and what its keys mean. What goes out: the sets of keys in Frame-QL. It
must never write out more sets than a query may have, nor read one that GROUP BY multiplies with
another as it stands alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

from sqlglot import exp

from flightframe_server.errors import LimitExceeded, NotSupported
from flightframe_server.language.grouping_sets import level_sets
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    GroupingSets,
    GroupingWord,
    Name,
)
from flightframe_server.resolver.grouping_sets import MAX_SETS
from flightframe_server.sql.places import place_of

_WORDS: dict[type[exp.Expr], GroupingWord] = {
    exp.Rollup: GroupingWord.ROLLUP,
    exp.Cube: GroupingWord.CUBE,
    exp.GroupingSets: GroupingWord.SETS,
}

Sets = list[tuple[exp.Expr, ...]]


def key_nodes(nodes: list[exp.Expr]) -> Iterator[exp.Expr]:
    """Yield the keys that the entries of GROUP BY name, in the order written."""
    for node in nodes:
        if isinstance(node, exp.Tuple | exp.Rollup | exp.Cube | exp.GroupingSets):
            yield from key_nodes(node.expressions)
        else:
            yield node.unnest()


def has_sets(nodes: list[exp.Expr]) -> bool:
    """Whether GROUP BY says which of its keys stand together."""
    return any(isinstance(node, tuple(_WORDS)) for node in nodes)


def check_alone(select: exp.Select, *, cells: bool) -> None:
    """Check that nothing but conditions and order is over the rows of several sets of keys.

    Args:
        select: the SELECT whose GROUP BY has the sets.
        cells: whether it is over the groups of a sub-select.

    Raises:
        NotSupported: something is.
    """
    if cells:
        raise NotSupported(
            "several sets of keys over a sub-select of groups are not answered",
            place=place_of(select.args["group"].expressions[0]),
        )
    for node in (select.args.get("distinct"), select.find(exp.Window)):
        if node is not None:
            raise NotSupported(
                "DISTINCT and windows over the rows of several sets of keys are not answered",
                place=place_of(node),
            )


def grouping_sets(nodes: list[exp.Expr], key_of: Callable[[exp.Expr], Name]) -> GroupingSets | None:
    """Return the sets of a GROUP BY; None where all keys stand together.

    Args:
        nodes: its entries.
        key_of: the key that a node means.

    Raises:
        LimitExceeded: there are more sets than a query may have.
    """
    if not has_sets(nodes):
        return None
    place = place_of(nodes[0])
    seen: set[str] = set()

    def element(keys: tuple[exp.Expr, ...]) -> Anchor:
        names = dict.fromkeys(_first_or_name(key_of(node), seen) for node in keys)
        return Anchor(tuple(names), place=place)

    if len(nodes) == 1 and not isinstance(nodes[0], exp.GroupingSets):
        elements = tuple(element(_together(node)) for node in nodes[0].expressions)
        return GroupingSets(_WORDS[type(nodes[0])], elements, place=place)
    counts = [_count(node) for node in nodes]
    if math.prod(counts) > MAX_SETS:
        raise LimitExceeded(
            f"GROUP BY stands for {math.prod(counts):,} sets of keys, and a query has at most"
            f" {MAX_SETS}",
            place=place,
            hint="GROUPING SETS lists those that are wanted",
        )
    products = itertools.product(*map(_sets, nodes))
    elements = tuple(element(tuple(itertools.chain(*one))) for one in products)
    return GroupingSets(GroupingWord.SETS, elements, place=place)


def _first_or_name(key: Name, seen: set[str]) -> Name:
    """Return a key where it is first met, after that the name of one that is an expression."""
    if not isinstance(key, AdHocLevel):
        return key
    if key.text in seen:
        return Name(key.parts, place=key.place)
    seen.add(key.text)
    return key


def _together(node: exp.Expr) -> tuple[exp.Expr, ...]:
    if isinstance(node, exp.Tuple):
        return tuple(part.unnest() for part in node.expressions)
    return (node.unnest(),)


def _count(node: exp.Expr) -> int:
    entries = len(node.expressions)
    match node:
        case exp.Rollup():
            return entries + 1
        case exp.Cube():
            return int(2**entries)
        case exp.GroupingSets():
            return sum(_count(entry) for entry in node.expressions)
    return 1


def _sets(node: exp.Expr) -> Sets:
    if isinstance(node, exp.GroupingSets):
        return [one for entry in node.expressions for one in _sets(entry)]
    if not isinstance(node, exp.Rollup | exp.Cube):
        return [_together(node)]
    # The words of both languages make sets alike, of whatever stands in them.
    entries = [_together(entry) for entry in node.expressions]
    numbered = tuple(Anchor((Name((str(at),)),)) for at in range(len(entries)))
    numbers = level_sets(GroupingSets(_WORDS[type(node)], numbered))
    return [
        tuple(itertools.chain(*(entries[int(name.text)] for name in one.levels))) for one in numbers
    ]
