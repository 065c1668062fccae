"""Terms evaluated over Arrow columns.

What comes in: a term, and the array that stands for each level and metric in it. What goes out: an
array of the term's declared type. It must never lose SQL's three-valued logic: a comparison with
NULL is unknown, and AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.arrow_types import arrow_type
from flightframe_server.composer.doubles import compare
from flightframe_server.composer.exact import combine, to_double
from flightframe_server.composer.row_functions import apply_function
from flightframe_server.errors import ArithmeticOverflow
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import common_type

Columns = Callable[[Term], pa.Array]
"""Gives the array of a level, column or metric term."""

_COMPARE = {
    "eq": pc.equal,
    "ne": pc.not_equal,
    "lt": pc.less,
    "le": pc.less_equal,
    "gt": pc.greater,
    "ge": pc.greater_equal,
}

_OF_ROWS = frozenset(
    {"round", "lower", "upper", "substr", "concat", "extract", "make_date", "cast"}
)


def evaluate(term: Term, columns: Columns, rows: int) -> pa.Array:
    """Return the values of a term, one for each of `rows` rows.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type.
    """
    wanted = arrow_type(term.type)
    match term:
        case Constant(value=value):
            return pa.repeat(pa.scalar(value, wanted), rows)
        case Apply(function="case" | "coalesce"):
            return _chosen(term, columns, rows)
        case Apply():
            return _apply(term, [evaluate(part, columns, rows) for part in term.arguments], wanted)
    return whole(columns(term))


def whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a chunked array as one array."""
    if isinstance(array, pa.ChunkedArray):
        return array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return array


def _chosen(term: Apply, columns: Columns, rows: int) -> pa.Array:
    """Return a CASE or COALESCE; each value is computed only for the rows that come to it."""
    left = pa.array(range(rows), pa.int64())
    places: list[pa.Array] = []
    values: list[pa.Array] = [pa.array([], arrow_type(term.type))]
    *ways, last = _ways(term)
    for test, result in ways:
        if test is None:
            found = evaluate(result, _only(columns, left), len(left))
            taken = pc.is_valid(found)
            values.append(found.filter(taken))
        else:
            tested = _boolean(evaluate(test, _only(columns, left), len(left)))
            taken = pc.fill_null(tested, False)
            here = left.filter(taken)
            values.append(evaluate(result, _only(columns, here), len(here)))
        places.append(left.filter(taken))
        left = left.filter(pc.invert(taken))
    places.append(left)
    values.append(evaluate(last[1], _only(columns, left), len(left)))
    order = pc.sort_indices(pa.concat_arrays(places))
    return pa.concat_arrays(values).take(order)


def _ways(term: Apply) -> list[tuple[Term | None, Term]]:
    """Return what is tested and what comes of it, in order; without a test: whether it is NULL."""
    if term.function == "coalesce":
        return [(None, argument) for argument in term.arguments]
    *pairs, otherwise = term.arguments
    return [*zip(pairs[::2], pairs[1::2], strict=True), (None, otherwise)]


def _only(columns: Columns, rows: pa.Array) -> Columns:
    return lambda term: whole(columns(term)).take(rows)


def _apply(term: Apply, sides: list[pa.Array], wanted: pa.DataType) -> pa.Array:
    types = [argument.type for argument in term.arguments]
    function = term.function
    if function in ("add", "subtract", "multiply"):
        return combine(function, sides[0], sides[1], wanted)
    if function in _COMPARE:
        return _compared(function, *_comparable(sides, types))
    if function in _OF_ROWS:
        return apply_function(term, sides)
    tested = _tested(term, sides, types)
    return tested if tested is not None else _scalar(function, sides, types, wanted)


def _tested(term: Apply, sides: list[pa.Array], types: list[DataType]) -> pa.Array | None:
    match term.function:
        case "and":
            return reduce(pc.and_kleene, map(_boolean, sides))
        case "or":
            return reduce(pc.or_kleene, map(_boolean, sides))
        case "not":
            return pc.invert(_boolean(sides[0]))
        case "is_null":
            return pc.is_null(sides[0])
        case "distinct":
            return _distinct(*_comparable(sides, types))
        case "in":
            return _isin(sides, types)
        case "like":
            return _like(sides[0], term.arguments[1])
    return None


def _scalar(
    function: str, sides: list[pa.Array], types: list[DataType], wanted: pa.DataType
) -> pa.Array:
    match function:
        case "divide":
            left, right = (to_double(side) for side in sides)
            zero = pc.equal(right, 0.0)
            return pc.divide(left, pc.if_else(zero, pa.scalar(None, pa.float64()), right))
        case "modulo":
            return _modulo(sides[0], sides[1])
        case "negate":
            return _negate(sides[0], wanted)
        case "abs":
            return _absolute(sides[0])
        case "nullif":
            one, other = _comparable(sides, types)
            same = pc.fill_null(pc.equal(one, other), False)
            return pc.if_else(same, pa.scalar(None, wanted), _as_type(sides[0], wanted))
        case "to_timestamp":
            return sides[0].cast(wanted)
    raise AssertionError(function)


def _boolean(side: pa.Array) -> pa.Array:
    return side.cast(pa.bool_()) if pa.types.is_null(side.type) else side


def _as_type(side: pa.Array, wanted: pa.DataType) -> pa.Array:
    if side.type == wanted:
        return side
    if pa.types.is_floating(wanted):
        return to_double(side)
    if pa.types.is_decimal(wanted) and pa.types.is_integer(side.type):
        side = side.cast(pa.decimal128(19, 0))
    try:
        return side.cast(wanted)
    except pa.ArrowInvalid as error:
        raise ArithmeticOverflow("a value does not fit its declared type") from error


def _comparable(sides: list[pa.Array], types: list[DataType]) -> tuple[pa.Array, pa.Array]:
    shared = common_type(types[0], types[1])
    if shared is None or shared.kind is Kind.NULL:
        return sides[0], sides[1]
    if shared.kind is Kind.DECIMAL:
        # 76 digits hold both sides exactly; in 38 a large one would not fit the other's scale.
        wide = pa.decimal256(76, shared.scale)
        one, other = (_as_type(side, wide) for side in sides)
    else:
        one, other = (_as_type(side, arrow_type(shared)) for side in sides)
    return one, other


def _compared(function: str, one: pa.Array, other: pa.Array) -> pa.Array:
    if pa.types.is_floating(one.type):
        return compare(function, one, other)
    return _COMPARE[function](one, other)


def _distinct(one: pa.Array, other: pa.Array) -> pa.Array:
    differ = pc.fill_null(_compared("ne", one, other), True)
    return pc.and_(differ, pc.invert(pc.and_(pc.is_null(one), pc.is_null(other))))


def _isin(sides: list[pa.Array], types: list[DataType]) -> pa.Array:
    subject = sides[0]
    tests = [
        _compared("eq", *_comparable([subject, member], [types[0], of]))
        for member, of in zip(sides[1:], types[1:], strict=True)
    ]
    return reduce(pc.or_kleene, tests)


def _like(subject: pa.Array, pattern: Term) -> pa.Array:
    written = pattern.value if isinstance(pattern, Constant) else None
    if written is None or pa.types.is_null(subject.type):
        return pa.nulls(len(subject), pa.bool_())
    parts = {"%": ".*", "_": "."}
    body = "".join(parts.get(letter, re.escape(letter)) for letter in str(written))
    return pc.match_substring_regex(subject, f"(?s)\\A{body}\\z")


def _modulo(left: pa.Array, right: pa.Array) -> pa.Array:
    pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
    return pa.array([_remainder(one, other) for one, other in pairs], pa.int64())


def _remainder(one: int | None, other: int | None) -> int | None:
    if one is None or not other:
        return None
    # SQL's remainder takes the sign of the dividend; Python's that of the divisor.
    return abs(one) % abs(other) * (-1 if one < 0 else 1)


def _negate(side: pa.Array, wanted: pa.DataType) -> pa.Array:
    try:
        return pc.negate_checked(side) if pa.types.is_integer(wanted) else pc.negate(side)
    except pa.ArrowInvalid as error:
        raise ArithmeticOverflow("a value does not fit its declared type") from error


def _absolute(side: pa.Array) -> pa.Array:
    try:
        return pc.abs_checked(side) if pa.types.is_integer(side.type) else pc.abs(side)
    except pa.ArrowInvalid as error:
        raise ArithmeticOverflow("a value does not fit its declared type") from error
