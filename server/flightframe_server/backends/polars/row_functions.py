"""Row functions and checked casts as Polars expressions.

What comes in: values of the types that the resolver settled. What goes out: values that are what
`row_values` says, or that make the query fail. It must never use a function of Polars that reads a
text generously, rounds another way, or knows the letters of a newer Unicode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from flightframe_server import row_values
from flightframe_server.algebra.types import DOUBLE, INTEGER, TEXT, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.casts import checked_cast, failing_where
from flightframe_server.backends.polars.dates import (
    add_days,
    add_months,
    days_between,
    extract,
    make_date,
)
from flightframe_server.backends.polars.values import Value, as_double
from flightframe_server.resolver.terms import Apply, Constant, places_of

_FAR = 2**32


def _cast(term: Apply, sides: list[Value]) -> Value:
    return checked_cast(sides[0], term.type)


def _concat(term: Apply, sides: list[Value]) -> Value:
    return Value(sides[0].expr + sides[1].expr, TEXT)


def _length(term: Apply, sides: list[Value]) -> Value:
    return Value(sides[0].expr.str.len_chars().cast(pl.Int64), INTEGER)


def _lower(term: Apply, sides: list[Value]) -> Value:
    return Value(_replaced(sides[0].expr, row_values.lower_pairs()), TEXT)


def _upper(term: Apply, sides: list[Value]) -> Value:
    return Value(_replaced(sides[0].expr, row_values.upper_pairs()), TEXT)


def _replaced(text: pl.Expr, pairs: dict[str, str]) -> pl.Expr:
    return text.str.replace_many(list(pairs), list(pairs.values()))


def _substr(term: Apply, sides: list[Value]) -> Value:
    text, start, *rest = [side.expr for side in sides]
    first = pl.max_horizontal(start, pl.lit(1, dtype=pl.Int64)) - 1
    if not rest:
        part = text.str.slice(first)
    else:
        # A start and a length together may pass 64 bits.
        end = start.cast(exact.DIGITS) + rest[0].cast(exact.DIGITS) - exact.int128(1)
        length = (end - first.cast(exact.DIGITS)).clip(exact.int128(0), exact.int128(2**40))
        part = text.str.slice(first, length.cast(pl.Int64))
    known = [side.is_not_null() for side in (start, *rest)]
    return Value(pl.when(pl.all_horizontal(known)).then(part), TEXT)


def _left(term: Apply, sides: list[Value]) -> Value:
    return _end(sides, lambda text, count: text.str.head(count))


def _right(term: Apply, sides: list[Value]) -> Value:
    return _end(sides, lambda text, count: text.str.tail(count))


def _end(sides: list[Value], cut: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Value:
    """Return an end of texts; no text has as many code points as the count is cut to."""
    text, count = (side.expr for side in sides)
    end = cut(text, count.clip(-_FAR, _FAR))
    return Value(pl.when(count.is_not_null()).then(end), TEXT)


def _trim(term: Apply, sides: list[Value]) -> Value:
    return Value(sides[0].expr.str.strip_chars(" "), TEXT)


def _replace(term: Apply, sides: list[Value]) -> Value:
    old, new = (part.value for part in term.arguments[1:] if isinstance(part, Constant))
    text = sides[0].expr
    if old:
        text = text.str.replace_all(str(old), str(new), literal=True)
    return Value(text, TEXT)


def _position(term: Apply, sides: list[Value]) -> Value:
    part, text = (side.expr for side in sides)
    # Polars counts bytes: the code points before the part are counted anew.
    before = text.cast(pl.Binary).bin.head(text.str.find(part, literal=True))
    place = before.cast(pl.String).str.len_chars().cast(pl.Int64) + 1
    known = part.is_not_null() & text.is_not_null()
    return Value(pl.when(known).then(place.fill_null(0)), INTEGER)


def _floor(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    if value.type.kind is Kind.DOUBLE:
        return Value(value.expr.floor(), DOUBLE)
    return Value(_floored(value.digits, value.type.scale), term.type)


def _ceil(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    if value.type.kind is Kind.DOUBLE:
        return Value(value.expr.ceil(), DOUBLE)
    return Value(
        exact.negative(_floored(exact.negative(value.digits), value.type.scale)), term.type
    )


def _floored(digits: pl.Expr, scale: int) -> pl.Expr:
    """Return digits cut to their whole part, downwards."""
    unit = exact.int128(row_values.power(scale))
    size = digits.abs()
    up = (size % unit > exact.int128(0)).cast(exact.DIGITS)
    below = exact.negative(size // unit + up)
    return pl.when(digits < exact.int128(0)).then(below).otherwise(size // unit)


def _square_root(term: Apply, sides: list[Value]) -> Value:
    number = as_double(sides[0]).expr
    return Value(failing_where(number < 0.0, number.sqrt()), DOUBLE)


def _round(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    places = places_of(term)
    if value.type.kind is Kind.DOUBLE:
        return Value(_round_double(value.expr, places), DOUBLE)
    drop = value.type.scale - places
    digits = value.digits
    if drop > exact.MAX_DIGITS:
        # No number has half of such a unit.
        rounded = digits * exact.int128(0)
    else:
        rounded = _halves_away(digits, drop)
        if places < 0:
            rounded = exact.multiply(rounded, exact.int128(row_values.power(-places)))
    if term.type.kind is Kind.INTEGER:
        return Value(exact.integer(rounded), INTEGER)
    return Value(exact.checked(rounded, term.type.precision), term.type)


def _halves_away(digits: pl.Expr, drop: int) -> pl.Expr:
    """Return digits without the last `drop`, halves rounded away from zero."""
    unit = exact.int128(row_values.power(drop))
    size = digits.abs()
    quotient, rest = size // unit, size % unit
    # Twice the rest might wrap: what is left to the unit is compared with it instead.
    quotient = quotient + (rest >= unit - rest).cast(exact.DIGITS)
    return pl.when(digits < exact.int128(0)).then(exact.negative(quotient)).otherwise(quotient)


def _round_double(number: pl.Expr, places: int) -> pl.Expr:
    unit = pl.lit(10.0 ** abs(places))
    scaled = number * unit if places >= 0 else exact.divide(number, unit)
    rounded = scaled.round(0, mode="half_away_from_zero")
    back = exact.divide(rounded, unit) if places >= 0 else rounded * unit
    small = scaled.abs() < float(row_values.EXACT_DOUBLE)
    return pl.when(small).then(back).otherwise(number)


FUNCTIONS: Mapping[str, Callable[[Apply, list[Value]], Value]] = {
    "cast": _cast,
    "round": _round,
    "sqrt": _square_root,
    "concat": _concat,
    "length": _length,
    "lower": _lower,
    "upper": _upper,
    "substr": _substr,
    "left": _left,
    "right": _right,
    "trim": _trim,
    "replace": _replace,
    "position": _position,
    "floor": _floor,
    "ceil": _ceil,
    "extract": extract,
    "make_date": make_date,
    "add_days": add_days,
    "add_months": add_months,
    "days_between": days_between,
}
"""The functions of text, dates and rounding."""
