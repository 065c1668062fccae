"""What a SELECT of one value stands beside: `day >= (SELECT MAX(day) ...)`.

What comes in: a SELECT over rows of a table, and the types of the values in its condition. What
goes out: nothing, or the error that says what is compared with what. It must never be what keeps a
comparison out: it names both sides, and the comparison itself is checked once its value is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.errors import QueryError, TypeMismatch
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import common_type
from flightframe_server.sql.scalar_selects import value_place
from flightframe_server.sql.scopes import LevelColumn, Scope

_COMPARISONS = (
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between),
    *(exp.NullSafeEQ, exp.NullSafeNEQ),
)


def check_values(
    values: Iterable[tuple[exp.Subquery, DataType]], scope: Scope, typed: TypedCollection
) -> None:
    """Check the values of SELECTs beside levels.

    Args:
        values: each SELECT in its place, and the type of its value.
        scope: the columns of the rows.
        typed: the collection.

    Raises:
        TypeMismatch: a level cannot be compared with a value.
    """
    for node, type_ in values:
        for column in _beside(node):
            level = _level(column, scope)
            if level is not None and common_type(typed.level_types[level], type_) is None:
                raise TypeMismatch(
                    f"{level} is a {typed.level_types[level]}, and the SELECT beside it gives a"
                    f" value of {type_}",
                    place=value_place(node),
                )


def _beside(node: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns that a SELECT is compared with."""
    above = node.parent
    while isinstance(above, exp.Paren):
        node, above = above, above.parent
    if isinstance(above, _COMPARISONS):
        for side in above.iter_expressions():
            inner = side.unnest()
            if side is not node and isinstance(inner, exp.Column):
                yield inner


def _level(column: exp.Column, scope: Scope) -> str | None:
    try:
        level_column = scope.column(column)
    except QueryError:
        return None
    return level_column.level if isinstance(level_column, LevelColumn) else None
