"""The functions of one row over Arrow arrays.

What comes in: arrays of the argument types that the resolver settled. What goes out: an array of
the declared type, NULL where an argument is. It must never define a function anew: what one gives
for a value is said in `row_values`, and only what Arrow does to the last bit alike is left to it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Context, Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server import row_values
from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.arrow_types import arrow_type
from flightframe_server.composer import moments
from flightframe_server.composer.exact import to_double
from flightframe_server.resolver.terms import Apply, places_of

_DIGITS = Context(prec=100)
_EXACT = (Kind.INTEGER, Kind.DECIMAL)
_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: row_values.text_to_integer,
    Kind.DOUBLE: row_values.text_to_double,
    Kind.BOOLEAN: row_values.text_to_boolean,
    Kind.DATE: row_values.text_to_date,
    Kind.TIMESTAMP: row_values.text_to_moment,
}


def by_value(function: Callable[..., Any]) -> Callable[[Apply, list[pa.Array]], pa.Array]:
    """Return a function of plain values as one over arrays."""
    return lambda term, sides: mapped(function, arrow_type(term.type), *sides)


def joined(term: Apply, sides: list[pa.Array]) -> pa.Array:
    """Return texts joined."""
    return pc.binary_join_element_wise(*sides, "", null_handling="emit_null")


def cast_term(term: Apply, sides: list[pa.Array]) -> pa.Array:
    """Return a CAST; see `cast`."""
    return cast(sides[0], term.arguments[0].type, term.type)


def square_root(term: Apply, sides: list[pa.Array]) -> pa.Array:
    """Return square roots, the nearest doubles; raises `ArithmeticOverflow` below zero."""
    numbers = to_double(sides[0])
    if pc.any(pc.less(numbers, 0.0)).as_py():
        raise row_values.misfit()
    return pc.sqrt(numbers)


def mapped(function: Callable[..., Any], type_: pa.DataType, *sides: pa.Array) -> pa.Array:
    """Return a function of plain values over arrays, each combination of values computed once."""
    known: dict[tuple[Any, ...], Any] = {}
    results: list[Any] = []
    for values in zip(*(side.to_pylist() for side in sides), strict=True):
        if values not in known:
            missing = any(value is None for value in values)
            known[values] = None if missing else function(*values)
        results.append(known[values])
    return pa.array(results, type_)


def rounded(term: Apply, sides: list[pa.Array]) -> pa.Array:
    """Return numbers rounded half away from zero; raises `ArithmeticOverflow`."""
    source, places = term.arguments[0].type, places_of(term)
    if source.kind is Kind.DOUBLE:
        return _rounded_double(sides[0], places)
    have = source.scale

    def round_one(number: int | Decimal) -> int | Decimal:
        digits = row_values.round_digits(_digits(number, have), have, places)
        if term.type.kind is Kind.INTEGER:
            return row_values.fitting(digits)
        return _decimal(row_values.narrow(digits, term.type.precision), term.type.scale)

    return mapped(round_one, arrow_type(term.type), sides[0])


def without_fraction(term: Apply, sides: list[pa.Array]) -> pa.Array:
    """Return numbers without their fractions, by FLOOR or by CEIL."""
    source, down = term.arguments[0].type, term.function == "floor"
    if source.kind is Kind.DOUBLE:
        return pc.floor(sides[0]) if down else pc.ceil(sides[0])
    change = row_values.floor_digits if down else row_values.ceil_digits

    def cut(number: Decimal) -> Decimal:
        return _decimal(change(_digits(number, source.scale), source.scale), 0)

    return mapped(cut, arrow_type(term.type), sides[0])


def _rounded_double(side: pa.Array, places: int) -> pa.Array:
    unit = 10.0 ** abs(places)
    scaled = pc.multiply(side, unit) if places >= 0 else pc.divide(side, unit)
    rounded = pc.round(scaled, 0, "half_towards_infinity")
    back = pc.divide(rounded, unit) if places >= 0 else pc.multiply(rounded, unit)
    small = pc.less(pc.abs(scaled), float(row_values.EXACT_DOUBLE))
    return pc.if_else(small, back, side)


def cast(side: pa.Array, source: DataType, declared: DataType) -> pa.Array:
    """Return values of one declared type as another's; raises `ArithmeticOverflow`."""
    target = arrow_type(declared)
    if source == declared:
        return side
    if source.zone:
        return moments.days(side) if declared.kind is Kind.DATE else moments.wall(side)
    match source.kind, declared.kind:
        case ((Kind.INTEGER | Kind.DECIMAL), Kind.DOUBLE):
            return to_double(side)
        case Kind.TEXT, Kind.DECIMAL:
            read = partial(_text_to_decimal, declared)
            return mapped(read, target, side)
        case Kind.TEXT, _:
            return mapped(_READERS[declared.kind], target, side)
        case (Kind.DATE, Kind.TIMESTAMP) | (Kind.BOOLEAN, Kind.INTEGER):
            return side.cast(target)
        case Kind.TIMESTAMP, Kind.DATE:
            return mapped(row_values.moment_to_date, target, side)
        case _, Kind.TEXT:
            return mapped(partial(_to_text, source), target, side)
        case Kind.DOUBLE, Kind.INTEGER:
            return mapped(row_values.double_to_integer, target, side)
    return mapped(partial(_to_number, source, declared), target, side)


def _to_number(source: DataType, declared: DataType, number: float | Decimal) -> int | Decimal:
    if isinstance(number, float):
        digits = row_values.double_to_digits(number, declared.precision, declared.scale)
    else:
        precision = declared.precision if declared.kind is Kind.DECIMAL else 38
        digits = _digits(number, source.scale)
        digits = row_values.rescale(digits, source.scale, declared.scale, precision)
    if declared.kind is Kind.INTEGER:
        return row_values.fitting(digits)
    return _decimal(digits, declared.scale)


def _text_to_decimal(declared: DataType, text: str) -> Decimal:
    digits = row_values.text_to_digits(text, declared.precision, declared.scale)
    return _decimal(digits, declared.scale)


def _to_text(source: DataType, value: Any) -> str:
    if source.kind in _EXACT:
        return row_values.digits_to_text(_digits(value, source.scale), source.scale)
    if source.kind is Kind.BOOLEAN:
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return row_values.moment_to_text(value)
    return str(value.isoformat())


def _digits(number: int | Decimal, scale: int) -> int:
    return int(Decimal(number).scaleb(scale, context=_DIGITS))


def _decimal(digits: int, scale: int) -> Decimal:
    return Decimal(digits).scaleb(-scale, context=_DIGITS)
