"""Totals beside groups: `SUM(SUM(x)) OVER (PARTITION BY key)`.

What comes in: a window over an aggregate. What goes out: the aggregate at the keys of a partition,
`SUM(x) @ key`. It must never take another window for a total: one with an order or a frame of rows
is of some groups, and only sums, counts and bounds of groups are those of all rows behind them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS
from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import Anchor, Ascribed, Call, Expression, Name
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.naming import parts
from flightframe_server.sql.places import place_of

_AGAIN: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Sum: (exp.Sum, exp.Count),
    exp.Min: (exp.Min,),
    exp.Max: (exp.Max,),
}
_STATES = frozenset({Primitive.SUM, Primitive.COUNT, Primitive.MIN, Primitive.MAX})
_PARTS = frozenset({"this", "partition_by", "over"})


def is_total(node: exp.Window) -> bool:
    """Whether a window is an aggregate of groups, over all groups of each partition."""
    if any(value and name not in _PARTS for name, value in node.args.items()):
        return False
    if node.args.get("over") != "OVER" or not isinstance(node.this, exp.Sum | exp.Min | exp.Max):
        return False
    inner = of_groups(node)
    inner = inner.this if isinstance(inner, exp.Filter) else inner
    distinct = isinstance(inner, exp.Count) and isinstance(inner.this, exp.Distinct)
    return isinstance(inner, _AGAIN[type(node.this)]) and not distinct


def of_groups(node: exp.Window) -> exp.Expr:
    """Return the aggregate of each group, which the window reduces again."""
    inner: exp.Expr = node.this.this
    return inner.unnest()


def total(
    value: Expression | None, keys: list[Expression], node: exp.Window, typed: TypedCollection
) -> Ascribed:
    """Return an aggregate at the keys of a partition.

    Args:
        value: the aggregate of each group.
        keys: of the partition.
        node: the window.
        typed: the collection.

    Raises:
        NotSupported: it is more than one reducer over a metric or rows, or a key is no level.
    """
    place = place_of(node)
    if not isinstance(value, Call) or not _adds_up(value.function) or _of_level(value, typed):
        raise NotSupported(
            "a window over this aggregate is not answered",
            place=place,
            hint="SUM(SUM(x)) OVER () is, where x declares SUM",
        )
    levels = tuple(dict.fromkeys(key for key in keys if isinstance(key, Name)))
    if not all(isinstance(key, Name) for key in keys):
        raise NotSupported("PARTITION BY an expression is not answered", place=place)
    return Ascribed(value, Anchor(levels, place=place), place=place)


def _adds_up(name: str) -> bool:
    """Whether a reducer of all rows is that reducer's own sum or bound of the groups'."""
    row = REDUCERS.get(name)
    return row is not None and row.askable and row.finish == "value" and row.primitives <= _STATES


def _of_level(call: Call, typed: TypedCollection) -> bool:
    argument = call.arguments[0]
    return isinstance(argument, Name) and typed.graph.find(argument.text) is not None


def has_total(value: Node) -> bool:
    """Whether a total of a window is part of a value."""
    return next(_totals(value), None) is not None


def check_partitions(value: Expression, keys: tuple[Name, ...]) -> None:
    """Check that what partitions groups are their keys.

    Raises:
        NotSupported: it is another level.
    """
    known = {key.text for key in keys}
    for made in _totals(value):
        for level in made.anchor.levels:
            if level.text not in known:
                raise NotSupported(
                    f"PARTITION BY takes keys of GROUP BY, and {shown(level.text)} is none",
                    place=level.place,
                    hint=f"add {level.text} to GROUP BY",
                )


def _totals(value: Node) -> Iterator[Ascribed]:
    if isinstance(value, Ascribed):
        yield value
        return
    if isinstance(value, Call) and value.function in REDUCER_NAMES:
        return
    for part in parts(value):
        yield from _totals(part)
