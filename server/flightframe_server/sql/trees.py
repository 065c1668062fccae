"""Trees of SQL before they are read: WITH written out, and what makes two expressions one.

What comes in: a tree. What goes out: the same without WITH, and keys of expressions. It must never
take two expressions for one that an argument tells apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlglot import exp

from flightframe_server.errors import LimitExceeded, NotSupported, shown
from flightframe_server.sql.aggregate_nodes import is_aggregate
from flightframe_server.sql.parse import parameter_index
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading

MAX_NODES = 20_000
"""How many nodes a tree may have once its WITH is written out."""

Key = tuple[Any, ...]
ColumnKey = Callable[[exp.Column], Key]


def expanded(tree: exp.Expr) -> exp.Expr:
    """Return a copy of a tree in which each name of a WITH is the sub-select that it stands for.

    Raises:
        NotSupported: a part of WITH is no query of a name of its own.
        LimitExceeded: the tree grows past its bound.
    """
    made = tree.copy()
    _expand(made, {}, [0])
    return made


def _expand(node: exp.Expr, named: Mapping[str, exp.Expr], spent: list[int]) -> None:
    spent[0] += 1
    if spent[0] > MAX_NODES:
        raise LimitExceeded("the query is too long once its WITH is written out")
    clause = node.args.get("with_") if isinstance(node, exp.Query) else None
    if clause is not None:
        named = _named(clause, named, spent)
        node.set("with_", None)
    for child in list(node.iter_expressions()):
        if isinstance(child, exp.Table) and not child.db and child.name.casefold() in named:
            body = named[child.name.casefold()].copy()
            spent[0] += sum(1 for _ in body.walk())
            alias = exp.TableAlias(this=exp.to_identifier(child.alias or child.name, quoted=True))
            child.replace(exp.Subquery(this=body, alias=alias))
        else:
            _expand(child, named, spent)


def _named(
    clause: exp.Expr, outer: Mapping[str, exp.Expr], spent: list[int]
) -> Mapping[str, exp.Expr]:
    named = dict(outer)
    own: set[str] = set()
    for part in clause.expressions:
        name = part.alias.casefold()
        if not isinstance(part.this, exp.Select | exp.SetOperation) or name in own:
            raise NotSupported(
                f"WITH {shown(part.alias)} is no SELECT of its own name", place=place_of(part)
            )
        own.add(name)
        body = part.this.copy()
        _expand(body, named, spent)
        named[name] = body
    return named


def by_name(node: exp.Column) -> Key:
    """Return the key of a column where one table alone is read."""
    return ("column", node.name.casefold())


def key_of(node: exp.Expr, reading: Reading, column: ColumnKey = by_name) -> Key:
    """Return what makes an expression the same as another: all it says, parameters by value."""
    match node:
        case exp.Paren():
            return key_of(node.this, reading, column)
        case exp.Column():
            return column(node)
        case exp.Placeholder():
            if reading.values is None:
                return ("parameter",)
            value = reading.values.get(parameter_index(node))
            return ("value", type(value).__name__, value)
    parts = tuple(
        (name, _part(value, reading, column))
        for name, value in sorted(node.args.items())
        if value not in (None, False, [])
    )
    return (type(node).__name__, parts)


def _part(value: Any, reading: Reading, column: ColumnKey) -> Any:
    if isinstance(value, exp.Expr):
        return key_of(value, reading, column)
    if isinstance(value, list):
        return tuple(_part(item, reading, column) for item in value)
    return value


def aggregates_in(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the outermost aggregates of an expression, those inside of windows included."""
    if isinstance(node, exp.Window):
        for child in (*node.this.iter_expressions(), *_beside(node)):
            yield from aggregates_in(child)
    elif is_aggregate(node):
        yield node
    else:
        for child in node.iter_expressions():
            if not isinstance(child, exp.Query):
                yield from aggregates_in(child)


def windows_in(node: exp.Expr) -> Iterator[exp.Window]:
    """Yield the outermost windows of an expression."""
    if isinstance(node, exp.Window):
        yield node
        return
    for child in node.iter_expressions():
        if not isinstance(child, exp.Query):
            yield from windows_in(child)


def _beside(node: exp.Window) -> Iterator[exp.Expr]:
    for child in node.iter_expressions():
        if child is not node.this:
            yield child


def is_star(node: exp.Expr) -> bool:
    """Whether an entry of SELECT is `*` or `a.*`, and nothing is said of it: `* LIKE 'a%'` is."""
    return isinstance(node, exp.Star) or (
        isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    )


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the parts of a condition that all have to hold."""
    if isinstance(node, exp.Paren):
        yield from conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node
