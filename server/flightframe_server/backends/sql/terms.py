"""Terms to SQL expressions.

What comes in: a typed term and, for the levels, columns and metrics in it, the expressions that
stand for them here. What goes out: one sqlglot expression with its values bound. It must never
change three-valued logic: NULL stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from sqlglot import exp

from flightframe_server.algebra.types import DOUBLE, TIMESTAMP
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.resolver.terms import Apply, Constant, Term

Leaf = Callable[[Term], exp.Expr]

_BINARY: dict[str, type[exp.Binary]] = {
    "add": exp.Add,
    "subtract": exp.Sub,
    "multiply": exp.Mul,
    "eq": exp.EQ,
    "ne": exp.NEQ,
    "lt": exp.LT,
    "le": exp.LTE,
    "gt": exp.GT,
    "ge": exp.GTE,
    "distinct": exp.NullSafeNEQ,
}
_ARITHMETIC = frozenset({"add", "subtract", "multiply"})


def compile_term(term: Term, leaf: Leaf, dialect: SqlDialect, bound: Bound) -> exp.Expr:
    """Return a term as SQL; `leaf` gives levels, columns and metrics."""
    bound.spend()
    if isinstance(term, Constant):
        return dialect.constant(term, bound)
    if not isinstance(term, Apply):
        return leaf(term)
    own = dialect.apply(term, lambda part: compile_term(part, leaf, dialect, bound), bound)
    if own is not None:
        return own
    sides = [compile_term(argument, leaf, dialect, bound) for argument in computed_arguments(term)]
    return _applied(term, sides, dialect)


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


def _applied(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    if term.function in _BINARY:
        left, right = (exp.Paren(this=side) for side in sides)
        joined: exp.Expr = _BINARY[term.function](this=left, expression=right)
        return dialect.cast(joined, term.type) if term.function in _ARITHMETIC else joined
    match term.function:
        case "and":
            return exp.Paren(this=reduce(lambda a, b: exp.And(this=a, expression=b), sides))
        case "or":
            return exp.Paren(this=reduce(lambda a, b: exp.Or(this=a, expression=b), sides))
        case "not":
            return exp.Not(this=exp.Paren(this=sides[0]))
        case "is_null":
            return exp.Is(this=exp.Paren(this=sides[0]), expression=exp.Null())
        case "in":
            return exp.In(this=exp.Paren(this=sides[0]), expressions=sides[1:])
        case "like":
            return exp.Like(this=sides[0], expression=sides[1])
    return _function(term, sides, dialect)


def _function(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    match term.function:
        case "divide":
            left, right = (dialect.cast(side, DOUBLE) for side in sides)
            return exp.Div(this=left, expression=_nullif_zero(right))
        case "modulo":
            return exp.Mod(this=exp.Paren(this=sides[0]), expression=_nullif_zero(sides[1]))
        case "negate":
            return dialect.cast(exp.Neg(this=exp.Paren(this=sides[0])), term.type)
        case "abs":
            return exp.Abs(this=sides[0])
        case "coalesce":
            return dialect.cast(exp.Coalesce(this=sides[0], expressions=sides[1:]), term.type)
        case "case":
            return dialect.cast(chosen(sides), term.type)
        case "nullif":
            return exp.Nullif(this=sides[0], expression=sides[1])
        case "to_timestamp":
            return dialect.cast(sides[0], TIMESTAMP)
        case "cast":
            return dialect.cast(sides[0], term.type, term.arguments[0].type)
    return dialect.row_function(term, sides)


def chosen(sides: list[exp.Expr]) -> exp.Expr:
    """Return a CASE of test, result, test, result, ..., otherwise."""
    *pairs, otherwise = sides
    case = exp.Case()
    for test, result in zip(pairs[::2], pairs[1::2], strict=True):
        case = case.when(test, result, copy=False)
    return exp.Paren(this=case.else_(otherwise, copy=False))


def _nullif_zero(side: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=exp.Paren(this=side), expression=exp.Literal.number(0))
