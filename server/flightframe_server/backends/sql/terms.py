"""Terms to SQL expressions, and the words that all SQL databases share.

What comes in: a typed term and, for the levels, columns and metrics in it, the expressions that
stand for them here. What goes out: one sqlglot expression with its values bound. It must never
change three-valued logic: NULL stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from sqlglot import exp

from flightframe_server.algebra.types import DOUBLE, TIMESTAMP
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.resolver.terms import Apply, Constant, Term

Leaf = Callable[[Term], exp.Expr]

Word = Callable[[Apply, list[exp.Expr], SqlDialect], exp.Expr]
"""Gives the expression of a function from those of its arguments."""

_COMPARE: dict[str, type[exp.Binary]] = {
    "eq": exp.EQ,
    "ne": exp.NEQ,
    "lt": exp.LT,
    "le": exp.LTE,
    "gt": exp.GT,
    "ge": exp.GTE,
    "distinct": exp.NullSafeNEQ,
}
_ARITHMETIC: dict[str, type[exp.Binary]] = {
    "add": exp.Add,
    "subtract": exp.Sub,
    "multiply": exp.Mul,
}


def compile_term(term: Term, leaf: Leaf, dialect: SqlDialect, bound: Bound) -> exp.Expr:
    """Return a term as SQL; `leaf` gives levels, columns, metrics and states."""
    bound.spend()
    if isinstance(term, Constant):
        return dialect.constant(term, bound)
    if not isinstance(term, Apply):
        return leaf(term)
    return dialect.apply(term, lambda part: compile_term(part, leaf, dialect, bound), bound)


def computed_arguments(term: Apply) -> tuple[Term, ...]:
    """Return the arguments that are values; the places of ROUND and the field of EXTRACT are not.

    Those are part of the statement's text: nothing may be bound that does not stand in it.
    """
    match term.function:
        case "round":
            return term.arguments[:1]
        case "extract":
            return term.arguments[1:]
    return term.arguments


def _compared(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    left, right = (exp.Paren(this=side) for side in sides)
    return _COMPARE[term.function](this=left, expression=right)


def _computed(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    left, right = (exp.Paren(this=side) for side in sides)
    return dialect.cast(_ARITHMETIC[term.function](this=left, expression=right), term.type)


def _divide(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    left, right = (dialect.cast(side, DOUBLE) for side in sides)
    return exp.Div(this=left, expression=_nullif_zero(right))


def _modulo(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Mod(this=exp.Paren(this=sides[0]), expression=_nullif_zero(sides[1]))


def _nullif_zero(side: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=exp.Paren(this=side), expression=exp.Literal.number(0))


def _negate(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return dialect.cast(exp.Neg(this=exp.Paren(this=sides[0])), term.type)


def _and(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Paren(this=reduce(lambda a, b: exp.And(this=a, expression=b), sides))


def _or(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Paren(this=reduce(lambda a, b: exp.Or(this=a, expression=b), sides))


def _not(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Not(this=exp.Paren(this=sides[0]))


def _is_null(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Is(this=exp.Paren(this=sides[0]), expression=exp.Null())


def _isin(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.In(this=exp.Paren(this=sides[0]), expressions=sides[1:])


def _like(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Like(this=sides[0], expression=sides[1])


def _absolute(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Abs(this=sides[0])


def _coalesce(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return dialect.cast(exp.Coalesce(this=sides[0], expressions=sides[1:]), term.type)


def _case(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return dialect.cast(chosen(sides), term.type)


def _nullif(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return exp.Nullif(this=sides[0], expression=sides[1])


def _to_timestamp(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return dialect.cast(sides[0], TIMESTAMP)


def _cast(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return dialect.cast(sides[0], term.type, term.arguments[0].type)


def chosen(sides: list[exp.Expr]) -> exp.Expr:
    """Return a CASE of test, result, test, result, ..., otherwise."""
    *pairs, otherwise = sides
    case = exp.Case()
    for test, result in zip(pairs[::2], pairs[1::2], strict=True):
        case = case.when(test, result, copy=False)
    return exp.Paren(this=case.else_(otherwise, copy=False))


def joined(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    """Return texts joined."""
    left, right = (exp.Paren(this=side) for side in sides)
    return exp.Paren(this=exp.DPipe(this=left, expression=right))


SHARED: Mapping[str, Word] = {
    **dict.fromkeys(_COMPARE, _compared),
    **dict.fromkeys(_ARITHMETIC, _computed),
    "divide": _divide,
    "modulo": _modulo,
    "negate": _negate,
    "and": _and,
    "or": _or,
    "not": _not,
    "is_null": _is_null,
    "in": _isin,
    "like": _like,
    "abs": _absolute,
    "coalesce": _coalesce,
    "case": _case,
    "nullif": _nullif,
    "to_timestamp": _to_timestamp,
    "cast": _cast,
    "concat": joined,
}
"""The words of every database that knows the types of its values."""
