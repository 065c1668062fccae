"""Clauses that read alike in every SELECT: DISTINCT, LIMIT, ordinals, parts of a condition.

What comes in: a SELECT and its columns. What goes out: what a clause means, or the error that says
why it means nothing here. It must never drop one: a clause without effect is shown to have none.
"""

from __future__ import annotations

from typing import TypeVar

from sqlglot import exp

from flightframe_server.errors import NotSupported, TypeMismatch
from flightframe_server.language.syntax import (
    Expression,
    Junction,
    Limit,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.unwrapping import Output

T = TypeVar("T")

MOST_ROWS = 2**62
"""What LIMIT counts where only OFFSET stands."""


def check_distinct(select: exp.Select, outputs: tuple[Output, ...], keys: tuple[Name, ...]) -> None:
    """Check that DISTINCT leaves every row: rows that show their keys are all different.

    Raises:
        NotSupported: a key is not shown.
    """
    if select.args.get("distinct") is None:
        return
    missing = {key.text for key in keys} - {output.level for output in outputs}
    if missing:
        raise NotSupported(
            "DISTINCT over values that their keys do not stand beside is not answered",
            place=place_of(select),
            hint=f"add {', '.join(sorted(missing))} to SELECT",
        )


def parts_of(condition: Expression) -> tuple[Expression, ...]:
    """Return the parts of a condition that all have to hold; none where it is TRUE."""
    if isinstance(condition, Junction) and condition.operator == "AND":
        return condition.operands
    always = isinstance(condition, Literal) and condition.value is True
    return () if always else (condition,)


def limit_of(select: exp.Select, reading: Reading) -> Limit | None:
    """Return LIMIT, FETCH and OFFSET.

    Raises:
        TypeMismatch: what they count is no whole number.
        NotSupported: FETCH with a share or with ties.
    """
    limit, offset = select.args.get("limit"), select.args.get("offset")
    skipped = None if offset is None else reading.count(offset.expression)
    match limit:
        case None if skipped is None:
            return None
        case None:
            most = Literal(MOST_ROWS, LiteralKind.INTEGER, place=place_of(offset))
            return Limit(most, skipped, place=place_of(offset))
        case exp.Fetch():
            options = limit.args.get("limit_options")
            if options is not None and (
                options.args.get("percent") or options.args.get("with_ties")
            ):
                raise NotSupported("FETCH counts rows, without ties", place=place_of(limit))
            counted = limit.args.get("count") or exp.Literal.number(1)
        case _:
            counted = limit.expression
    return Limit(reading.count(counted), skipped, place=place_of(limit))


def groups_by_all(clause: exp.Group) -> bool:
    """Whether a GROUP BY is `GROUP BY ALL`: by every entry of SELECT that is not reduced.

    Raises:
        NotSupported: ALL or DISTINCT stands before keys, where it is about their sets.
    """
    all_ = clause.args.get("all")
    if all_ is None or (all_ and not clause.expressions):
        return bool(all_)
    raise NotSupported(
        f"GROUP BY {'ALL' if all_ else 'DISTINCT'} before keys is not answered",
        place=place_of(clause),
    )


def check_ordered(node: exp.Expr) -> None:
    """Check that a key of ORDER BY is no constant, but for a number that is a place.

    Raises:
        TypeMismatch: it is one, and orders nothing.
    """
    inner = node.this if isinstance(node, exp.Neg) else node
    if isinstance(inner, exp.Literal | exp.Null | exp.Boolean) and not is_place(node):
        raise TypeMismatch(
            "ORDER BY takes a column or an expression, not a constant",
            place=place_of(node),
            hint="name the column",
        )


def is_place(node: exp.Expr) -> bool:
    """Whether a key is a number, which names a column of SELECT by its place."""
    return isinstance(node, exp.Literal) and node.is_int


def ordinal(node: exp.Literal, outputs: list[T], clause: str) -> T:
    """Return the column of SELECT that a number names.

    Raises:
        TypeMismatch: there is none.
    """
    at = int(node.name)
    if not 1 <= at <= len(outputs):
        raise TypeMismatch(
            f"{clause} names a column by its place from 1 to {len(outputs)}", place=place_of(node)
        )
    return outputs[at - 1]
