"""Comparisons of a whole number that is cast to DOUBLE: `WHERE CAST(id AS DOUBLE) = 47`.

What comes in: a comparison. What goes out: the same of the number itself, where no row can tell the
two apart. It must never drop a cast beside a constant that doubles do not hold apart from others:
from 2^53 on a double stands for several whole numbers, and for several decimals anywhere.

Below 2^53 the cast changes nothing, and what lies beyond stays beyond: casts keep the order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.language.syntax import Expression, Literal, LiteralKind, Name
from flightframe_server.sql.folding import folded
from flightframe_server.sql.reading import Reading

_COMPARISONS = (
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.In, exp.Between),
)
_EXACT_BELOW = 2**53


class Values(Protocol):
    """What a comparison needs of the place in which it stands."""

    @property
    def reading(self) -> Reading:
        """The text's."""

    def value(self, node: exp.Expr) -> Expression:
        """Return a value."""


def without_cast(values: Values, node: exp.Expr) -> exp.Expr:
    """Return a comparison without the cast of a level, where it means the same; else as it is."""
    if not isinstance(node, _COMPARISONS) or node.args.get("query") is not None:
        return node
    sides = list(node.iter_expressions())
    casts = [side for side in sides if _is_double_of_column(side)]
    if len(casts) != 1 or not _is_whole(values, casts[0].unnest().this.unnest()):
        return node
    at = next(at for at, side in enumerate(sides) if side is casts[0])
    if not all(_is_exact(side, values.reading) for side in sides if side is not casts[0]):
        return node
    made = node.copy()
    cast = list(made.iter_expressions())[at]
    cast.replace(cast.unnest().this.unnest())
    return made


def _is_double_of_column(node: exp.Expr) -> bool:
    inner = node.unnest()
    if not isinstance(inner, exp.Cast) or type(inner) is not exp.Cast:
        return False
    type_ = inner.args["to"]
    to_double = type_.this is exp.DType.DOUBLE and not type_.expressions
    return to_double and isinstance(inner.this.unnest(), exp.Column)


def _is_whole(values: Values, node: exp.Expr) -> bool:
    value, typed = values.value(node), values.reading.typed
    level = typed.graph.find(value.text) if isinstance(value, Name) else None
    return level is not None and typed.level_types[level].kind is Kind.INTEGER


def _is_exact(node: exp.Expr, reading: Reading) -> bool:
    """Whether a constant is a number that its double holds, apart from all others."""
    constant = folded(node, reading)
    if not isinstance(constant, Literal):
        return False
    if constant.kind is LiteralKind.NULL:
        return not isinstance(node.parent, exp.In)
    value = constant.value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return -_EXACT_BELOW < value < _EXACT_BELOW and Decimal(float(value)) == Decimal(value)
