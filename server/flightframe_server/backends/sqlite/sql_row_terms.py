"""Row functions and casts as SQLite expressions.

What comes in: a function of typed terms and its compiled arguments. What goes out: one expression,
in which each argument stands once. It must never leave anything to SQLite's own casts and text
functions, which guess, cut off, and know the letters A to Z only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.backends.sql.terms import chosen
from flightframe_server.errors import InternalError
from flightframe_server.resolver.terms import Apply, field_of, places_of

_READERS = {
    Kind.INTEGER: "ff_read_integer",
    Kind.DOUBLE: "ff_read_double",
    Kind.BOOLEAN: "ff_read_boolean",
    Kind.DATE: "ff_read_date",
    Kind.TIMESTAMP: "ff_read_timestamp",
}

RowTerm = Callable[[Apply, list[exp.Expr]], exp.Expr]
"""Gives the expression of a function from those of its arguments."""


def called(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return a call of a function by its own name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def integer(value: int) -> exp.Expr:
    """Return a whole number as it stands in the text."""
    return exp.Literal.number(value)


def _case(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    return chosen(sides)


def _concat(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    left, right = (exp.Paren(this=side) for side in sides)
    return exp.Paren(this=exp.DPipe(this=left, expression=right))


def _substr(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    return called("ff_substr" if sides[2:] else "ff_rest", *sides)


def _extract(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    return called("ff_extract", exp.Literal.string(field_of(term)), sides[0])


def _own(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    return called(f"ff_{term.function}", *sides)


def _round(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    value = sides[0]
    type_, places = term.arguments[0].type, integer(places_of(term))
    if type_.kind is Kind.DOUBLE:
        return called("ff_round_double", value, places)
    return called("ff_round", value, integer(type_.scale), places)


def _without_fraction(term: Apply, sides: list[exp.Expr]) -> exp.Expr:
    type_ = term.arguments[0].type
    if type_.kind is Kind.DOUBLE:
        return called(f"ff_{term.function}_double", sides[0])
    return called(f"ff_{term.function}", sides[0], integer(type_.scale))


def row_cast(value: exp.Expr, source: DataType, target: DataType) -> exp.Expr:
    """Return a cast from or to text, or from a double or boolean."""
    match source.kind, target.kind:
        case Kind.TEXT, Kind.DECIMAL:
            return called("ff_read_decimal", value, *map(integer, (target.precision, target.scale)))
        case Kind.TEXT, _:
            return called(_READERS[target.kind], value)
        case Kind.INTEGER, Kind.TEXT:
            return called("ff_digits_text", value, integer(0))
        case Kind.DECIMAL, Kind.TEXT:
            return called("ff_digits_text", value, integer(source.scale))
        case (Kind.DATE, Kind.TEXT) | (Kind.BOOLEAN, Kind.INTEGER):
            return value
        case Kind.TIMESTAMP, Kind.TEXT:
            return called("ff_moment_text", value)
        case Kind.BOOLEAN, Kind.TEXT:
            return called("ff_boolean_text", value)
        case Kind.DOUBLE, Kind.INTEGER:
            return called("ff_double_integer", value)
        case Kind.DOUBLE, Kind.DECIMAL:
            places = map(integer, (target.precision, target.scale))
            return called("ff_double_decimal", value, *places)
    raise InternalError(f"no way from {source} to {target}")


ROW_TERMS: Mapping[str, RowTerm] = {
    "case": _case,
    "concat": _concat,
    "substr": _substr,
    "round": _round,
    "extract": _extract,
    **dict.fromkeys(("floor", "ceil"), _without_fraction),
    **dict.fromkeys(("abs", "length", "lower", "upper", "make_date"), _own),
    **dict.fromkeys(("left", "right", "trim", "replace", "position"), _own),
    **dict.fromkeys(("add_days", "add_months", "days_between"), _own),
}
"""Functions that take their arguments as they stand."""
