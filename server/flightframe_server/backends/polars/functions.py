"""The table of functions over Polars columns: one implementation for each row function.

What comes in: a function of terms and the values of its arguments. What goes out: one value of the
term's declared type. It must never change three-valued logic: a comparison with NULL is unknown,
AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from flightframe_server.algebra.types import BOOLEAN, DOUBLE, INTEGER, TIMESTAMP, DataType, Kind
from flightframe_server.backends.polars import exact, row_functions
from flightframe_server.backends.polars.values import (
    Value,
    as_boolean,
    as_double,
    cast,
    dtype_of,
    physical,
)
from flightframe_server.errors import InternalError
from flightframe_server.resolver.terms import Apply, Constant
from flightframe_server.resolver.values import common_type
from flightframe_server.row_values import like_regex

Function = Callable[[Apply, list[Value]], Value]
"""Gives the value of a term from those of its arguments."""

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_LISTED = frozenset({Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.BOOLEAN})


def _truth(test: pl.Expr) -> Value:
    return Value(test, BOOLEAN)


def _arithmetic(term: Apply, sides: list[Value]) -> Value:
    function, type_ = term.function, term.type
    left, right = sides
    if type_.kind is Kind.DOUBLE:
        first, second = as_double(left).expr, as_double(right).expr
        plainly = {"add": first + second, "subtract": first - second, "multiply": first * second}
        return Value(plainly[function], DOUBLE)
    left, right = (cast(side, INTEGER) if _untyped(side) else side for side in (left, right))
    if function == "multiply":
        return _number(exact.multiply(left.digits, right.digits), type_)
    scale = max(left.type.scale, right.type.scale)
    scaled = [exact.rescale(side.digits, side.type.scale, scale) for side in (left, right)]
    operation = exact.add if function == "add" else exact.subtract
    return _number(operation(*scaled), type_)


def _untyped(side: Value) -> bool:
    return side.type.kind is Kind.NULL


def _number(digits: pl.Expr, type_: DataType) -> Value:
    return Value(exact.integer(digits) if type_.kind is Kind.INTEGER else digits, type_)


def compare(function: str, left: Value, right: Value) -> pl.Expr:
    """Return `left function right` over their common type; NaN is above every number."""
    shared = common_type(left.type, right.type)
    if shared is None:
        raise InternalError(f"{left.type} and {right.type} cannot be compared")
    if shared.kind is Kind.NULL:
        return pl.lit(None, dtype=pl.Boolean)
    if function == "ne":
        return ~compare("eq", left, right)
    if function in ("gt", "ge"):
        return compare({"gt": "lt", "ge": "le"}[function], right, left)
    if shared.kind is Kind.DECIMAL:
        left, right = (cast(side, INTEGER) if _untyped(side) else side for side in (left, right))
        scales = left.type.scale, right.type.scale
        return exact.compare(function, left.digits, right.digits, *scales)
    left, right = (cast(side, shared) for side in (left, right))
    plainly = {
        "eq": left.expr == right.expr,
        "lt": left.expr < right.expr,
        "le": left.expr <= right.expr,
    }
    return plainly[function]


def _among(term: Apply, sides: list[Value]) -> Value:
    subject, members = sides[0], term.arguments[1:]
    kind = subject.type.kind
    values = [
        physical(member.value, member.type)
        for member in members
        if isinstance(member, Constant) and member.value is not None and member.type.kind is kind
    ]
    if kind in _LISTED and len(values) == len(members):
        listed = pl.Series(values, dtype=dtype_of(subject.type))
        return _truth(subject.expr.is_in(listed.implode()))
    return _truth(pl.any_horizontal(*(compare("eq", subject, side) for side in sides[1:])))


def _signed(term: Apply, sides: list[Value]) -> Value:
    function, side = term.function, sides[0]
    match side.type.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            digits = side.digits
            return _number(
                exact.negative(digits) if function == "negate" else digits.abs(), side.type
            )
        case Kind.DOUBLE:
            return Value(-side.expr if function == "negate" else side.expr.abs(), side.type)
    return side


def _compared(term: Apply, sides: list[Value]) -> Value:
    return _truth(compare(term.function, sides[0], sides[1]))


def _and(term: Apply, sides: list[Value]) -> Value:
    return _truth(pl.all_horizontal(*map(as_boolean, sides)))


def _or(term: Apply, sides: list[Value]) -> Value:
    return _truth(pl.any_horizontal(*map(as_boolean, sides)))


def _not(term: Apply, sides: list[Value]) -> Value:
    return _truth(~as_boolean(sides[0]))


def _is_null(term: Apply, sides: list[Value]) -> Value:
    return _truth(sides[0].expr.is_null())


def _distinct(term: Apply, sides: list[Value]) -> Value:
    absent = [side.expr.is_null() for side in sides]
    same = compare("eq", sides[0], sides[1]).fill_null(value=False)
    return _truth(~(same | (absent[0] & absent[1])))


def _like(term: Apply, sides: list[Value]) -> Value:
    pattern = term.arguments[1]
    assert isinstance(pattern, Constant)
    if pattern.value is None or sides[0].type.kind is Kind.NULL:
        return _truth(pl.lit(None, dtype=pl.Boolean))
    return _truth(sides[0].expr.str.contains(rf"(?s)\A{like_regex(str(pattern.value))}\z"))


def _divide(term: Apply, sides: list[Value]) -> Value:
    left, right = (as_double(side).expr for side in sides)
    return Value(exact.divide(left, pl.when(right != 0.0).then(right)), DOUBLE)


def _modulo(term: Apply, sides: list[Value]) -> Value:
    left, right = (cast(side, INTEGER).digits for side in sides)
    return Value(exact.integer(exact.remainder(left, right)), INTEGER)


def _nullif(term: Apply, sides: list[Value]) -> Value:
    same = compare("eq", sides[0], sides[1]).fill_null(value=False)
    return Value(pl.when(~same).then(cast(sides[0], term.type).expr), term.type)


def _to_timestamp(term: Apply, sides: list[Value]) -> Value:
    return cast(sides[0], TIMESTAMP)


FUNCTIONS: Mapping[str, Function] = {
    **dict.fromkeys(("add", "subtract", "multiply"), _arithmetic),
    "divide": _divide,
    "modulo": _modulo,
    "negate": _signed,
    "abs": _signed,
    **dict.fromkeys(_COMPARISONS, _compared),
    "and": _and,
    "or": _or,
    "not": _not,
    "is_null": _is_null,
    "distinct": _distinct,
    "in": _among,
    "like": _like,
    "nullif": _nullif,
    "to_timestamp": _to_timestamp,
    **row_functions.FUNCTIONS,
}
"""Every row function but CASE and COALESCE, which `terms` computes for the rows that come to it."""
