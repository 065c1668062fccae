"""Names of a translated statement: each must mean there what it meant in SQL.

What comes in: a statement made from SQL, and its columns. What goes out: nothing, or the error that
says which name has two meanings. It must never let Frame-QL's rule decide in silence: HAVING and
ORDER BY take a column of the answer first there, and a call by its text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.errors import AmbiguousMetric, NotSupported, shown
from flightframe_server.language import canonical_name
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    Ascribed,
    Call,
    Expression,
    Name,
    OrderKey,
    Statement,
    When,
)
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.unwrapping import Grouped, Output


def by_name(key: OrderKey, outputs: tuple[Output, ...]) -> OrderKey:
    """Return a key of ORDER BY that names the column it is."""
    for output in outputs:
        if output.level is None and output.expression == key.expression:
            return replace(key, expression=Name((output.name,), place=key.place))
    return key


def check_shown(made: Grouped) -> None:
    """Check that every key is a column of the answer.

    Raises:
        NotSupported: one is not: rows that nothing tells apart are no answer of one question.
    """
    levels = {output.level for output in made.outputs}
    for key in made.keys:
        if key.text not in levels:
            raise NotSupported(
                f"GROUP BY has {shown(key.text)}, which SELECT does not list",
                place=key.place,
                hint=f"add {key.text} to SELECT",
            )


def check_names(statement: Statement, outputs: tuple[Output, ...], typed: TypedCollection) -> None:
    """Check that HAVING and ORDER BY name what they named in SQL.

    Raises:
        AmbiguousMetric: a column of the answer has the name or the text of something else.
    """
    by_folded = {output.name.casefold(): output for output in outputs}
    parts = [key.expression for key in statement.order_by]
    if statement.having is not None:
        parts.append(statement.having)
    for leaf in (leaf for part in parts for leaf in leaves(part)):
        text = leaf.text if isinstance(leaf, Name) else canonical_name(leaf)
        output = by_folded.get(text.casefold())
        if output is None or leaf in (output.expression, Name((output.name,))):
            continue
        raise AmbiguousMetric(
            f"{shown(text)} is a column of the answer, and something else here",
            place=leaf.place,
            hint="give the column another name with AS",
        )


def check_levels(expression: Expression, keys: tuple[Name, ...], typed: TypedCollection) -> None:
    """Check that the levels in a value over groups are keys.

    Raises:
        NotSupported: one is not, and a group has no one value of it.
    """
    known = {key.text for key in keys}
    for leaf in leaves(expression):
        level = typed.graph.find(leaf.text) if isinstance(leaf, Name) else None
        if level is not None and level not in known:
            raise NotSupported(
                f"{shown(level)} stands beside aggregates, and not in GROUP BY",
                place=leaf.place,
                hint=f"add {level} to GROUP BY",
            )


def reads_metric(expression: Expression, typed: TypedCollection) -> bool:
    """Whether a value over groups reads a metric, not levels and rows alone."""
    if isinstance(expression, Name):
        return expression.text.casefold() in typed.collection.folded_families
    if isinstance(expression, Ascribed):
        return reads_metric(expression.operand, typed)
    return any(reads_metric(part, typed) for part in parts(expression))


def parts(node: Node) -> Iterator[Expression]:
    """Yield the values that a node is made of, not theirs."""
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, When):
                yield from (part.condition, part.result)
            elif isinstance(part, Expression):
                yield part


def rebuilt(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return a value with each part that it is made of changed."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            changes[field.name] = tuple(_changed(part, change) for part in value)
        elif isinstance(value, Node):
            changes[field.name] = _changed(value, change)
    return replace(node, **changes) if changes else node


def _changed(part: Any, change: Callable[[Expression], Expression]) -> Any:
    if isinstance(part, When):
        return replace(part, condition=change(part.condition), result=change(part.result))
    return change(part) if isinstance(part, Expression) else part


def leaves(node: Node) -> Iterator[Name | Call]:
    """Yield the names and calls that a value reads, what is inside a reducer left out."""
    match node:
        case Name():
            yield node
            return
        case Ascribed():
            return
        case Call():
            yield node
            if node.function in REDUCER_NAMES:
                return
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield from leaves(part)
