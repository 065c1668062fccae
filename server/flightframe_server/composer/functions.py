"""The table of functions over Arrow columns: one implementation for each row function.

What comes in: a function of terms, and the array of each of its arguments. What goes out: an array
of the declared type. It must never lose SQL's three-valued logic: a comparison with NULL is
unknown, and AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server import row_values
from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.arrow_types import arrow_type
from flightframe_server.composer import row_functions
from flightframe_server.composer.doubles import compare
from flightframe_server.composer.exact import combine, overflow, to_double
from flightframe_server.resolver.terms import Apply, Constant
from flightframe_server.resolver.values import common_type

Function = Callable[[Apply, list[pa.Array]], pa.Array]
"""Gives the values of a term from those of its arguments; raises `ArithmeticOverflow`."""

_COMPARE = {
    "eq": pc.equal,
    "ne": pc.not_equal,
    "lt": pc.less,
    "le": pc.less_equal,
    "gt": pc.greater,
    "ge": pc.greater_equal,
}


def boolean(side: pa.Array) -> pa.Array:
    """Return truth values; NULL without a type is unknown."""
    return side.cast(pa.bool_()) if pa.types.is_null(side.type) else side


def _combined(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return combine(term.function, sides[0], sides[1], arrow_type(term.type))


def _divide(term: Apply, sides: list[pa.Array]) -> pa.Array:
    left, right = (to_double(side) for side in sides)
    zero = pc.equal(right, 0.0)
    return pc.divide(left, pc.if_else(zero, pa.scalar(None, pa.float64()), right))


def _modulo(term: Apply, sides: list[pa.Array]) -> pa.Array:
    pairs = zip(*(side.to_pylist() for side in sides), strict=True)
    return pa.array([_remainder(dividend, divisor) for dividend, divisor in pairs], pa.int64())


def _remainder(dividend: int | None, divisor: int | None) -> int | None:
    if dividend is None or not divisor:
        return None
    # SQL's remainder takes the sign of the dividend; Python's that of the divisor.
    return abs(dividend) % abs(divisor) * (-1 if dividend < 0 else 1)


def _negate(term: Apply, sides: list[pa.Array]) -> pa.Array:
    try:
        is_integer = pa.types.is_integer(arrow_type(term.type))
        return pc.negate_checked(sides[0]) if is_integer else pc.negate(sides[0])
    except pa.ArrowInvalid as error:
        raise overflow() from error


def _absolute(term: Apply, sides: list[pa.Array]) -> pa.Array:
    try:
        is_integer = pa.types.is_integer(sides[0].type)
        return pc.abs_checked(sides[0]) if is_integer else pc.abs(sides[0])
    except pa.ArrowInvalid as error:
        raise overflow() from error


def _compared(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return _comparison(term.function, *_comparable(sides, _types(term)))


def _comparison(function: str, left: pa.Array, right: pa.Array) -> pa.Array:
    if pa.types.is_floating(left.type):
        return compare(function, left, right)
    return _COMPARE[function](left, right)


def _types(term: Apply) -> list[DataType]:
    return [argument.type for argument in term.arguments]


def _comparable(sides: list[pa.Array], types: list[DataType]) -> tuple[pa.Array, pa.Array]:
    shared = common_type(types[0], types[1])
    if shared is None or shared.kind is Kind.NULL:
        return sides[0], sides[1]
    if shared.kind is Kind.DECIMAL:
        # 76 digits hold both sides exactly; in 38 a large one would not fit the other's scale.
        wide = pa.decimal256(76, shared.scale)
        left, right = (_as_type(side, wide) for side in sides)
    else:
        left, right = (_as_type(side, arrow_type(shared)) for side in sides)
    return left, right


def _as_type(side: pa.Array, target: pa.DataType) -> pa.Array:
    if side.type == target:
        return side
    if pa.types.is_floating(target):
        return to_double(side)
    if pa.types.is_decimal(target) and pa.types.is_integer(side.type):
        side = side.cast(pa.decimal128(19, 0))
    try:
        return side.cast(target)
    except pa.ArrowInvalid as error:
        raise overflow() from error


def _and(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return reduce(pc.and_kleene, map(boolean, sides))


def _or(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return reduce(pc.or_kleene, map(boolean, sides))


def _not(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return pc.invert(boolean(sides[0]))


def _is_null(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return pc.is_null(sides[0])


def _distinct(term: Apply, sides: list[pa.Array]) -> pa.Array:
    left, right = _comparable(sides, _types(term))
    differ = pc.fill_null(_comparison("ne", left, right), True)
    return pc.and_(differ, pc.invert(pc.and_(pc.is_null(left), pc.is_null(right))))


def _isin(term: Apply, sides: list[pa.Array]) -> pa.Array:
    subject, types = sides[0], _types(term)
    tests = [
        _comparison("eq", *_comparable([subject, member], [types[0], of]))
        for member, of in zip(sides[1:], types[1:], strict=True)
    ]
    return reduce(pc.or_kleene, tests)


def _like(term: Apply, sides: list[pa.Array]) -> pa.Array:
    subject, pattern = sides[0], term.arguments[1]
    assert isinstance(pattern, Constant)
    if pattern.value is None or pa.types.is_null(subject.type):
        return pa.nulls(len(subject), pa.bool_())
    body = row_values.like_regex(str(pattern.value))
    return pc.match_substring_regex(subject, rf"(?s)\A{body}\z")


def _nullif(term: Apply, sides: list[pa.Array]) -> pa.Array:
    type_ = arrow_type(term.type)
    left, right = _comparable(sides, _types(term))
    same = pc.fill_null(pc.equal(left, right), False)
    return pc.if_else(same, pa.scalar(None, type_), _as_type(sides[0], type_))


def _to_timestamp(term: Apply, sides: list[pa.Array]) -> pa.Array:
    return sides[0].cast(arrow_type(term.type))


FUNCTIONS: Mapping[str, Function] = {
    **dict.fromkeys(("add", "subtract", "multiply"), _combined),
    "divide": _divide,
    "modulo": _modulo,
    "negate": _negate,
    "abs": _absolute,
    **dict.fromkeys(_COMPARE, _compared),
    "and": _and,
    "or": _or,
    "not": _not,
    "is_null": _is_null,
    "distinct": _distinct,
    "in": _isin,
    "like": _like,
    "nullif": _nullif,
    "to_timestamp": _to_timestamp,
    "cast": row_functions.cast_term,
    "concat": row_functions.joined,
    "round": row_functions.rounded,
    "floor": row_functions.without_fraction,
    "ceil": row_functions.without_fraction,
    "sqrt": row_functions.square_root,
    "length": row_functions.by_value(row_values.length),
    "lower": row_functions.by_value(row_values.lower),
    "upper": row_functions.by_value(row_values.upper),
    "substr": row_functions.by_value(row_values.substr),
    "left": row_functions.by_value(row_values.left),
    "right": row_functions.by_value(row_values.right),
    "trim": row_functions.by_value(row_values.trim),
    "replace": row_functions.by_value(row_values.replace),
    "position": row_functions.by_value(row_values.position),
    "extract": row_functions.by_value(row_values.extract),
    "make_date": row_functions.by_value(row_values.make_date),
    "add_days": row_functions.by_value(row_values.add_days),
    "add_months": row_functions.by_value(row_values.add_months),
    "days_between": row_functions.by_value(row_values.days_between),
}
"""Every row function but CASE and COALESCE, which `evaluate` computes row by row of their ways."""
