"""Checked casts as Polars expressions, and how a value is written as a text.

What comes in: values of one declared type. What goes out: values of another, as `row_values` says,
or that make the query fail. It must never read a text generously.
"""

from __future__ import annotations

import polars as pl

from flightframe_server import row_values
from flightframe_server.algebra.types import INTEGER, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.dates import MICROS_A_DAY, date_of
from flightframe_server.backends.polars.values import Value, cast, dtype_of

_NO_NUMBER = "no number"


def checked_cast(value: Value, target: DataType) -> Value:
    """Return a value of one declared type as another's; what does not fit fails the query."""
    match value.type.kind, target.kind:
        case Kind.TEXT, kind if kind is not Kind.TEXT:
            return Value(_read(value.expr, target), target)
        case kind, Kind.TEXT if kind is not Kind.TEXT:
            return Value(_written(value), TEXT)
        case Kind.BOOLEAN, Kind.INTEGER:
            return Value(value.expr.cast(pl.Int64), INTEGER)
        case Kind.DOUBLE, Kind.INTEGER:
            # Polars' strict cast lets no number through that is out of bounds, but cuts off.
            integral = value.expr.floor() == value.expr
            number = pl.when(integral).then(value.expr).cast(pl.Int64)
            return Value(_numberfailing_where(~integral, number, pl.Int64()), INTEGER)
        case Kind.DOUBLE, Kind.DECIMAL:
            return Value(_double_digits(value.expr, target), target)
    return cast(value, target)


def _numberfailing_where(wrong: pl.Expr, number: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return numbers of a type, failing the query where `wrong` is true."""
    text = pl.when(wrong).then(pl.lit(_NO_NUMBER)).otherwise(number.cast(pl.String))
    return text.cast(kind)


def _double_digits(number: pl.Expr, target: DataType) -> pl.Expr:
    """Return the digits of the decimal whose nearest double it is; past 2^53 nothing is."""
    unit = pl.lit(10.0**target.scale)
    digits = (number * unit).round(0, mode="half_away_from_zero")
    fits = (digits.abs() <= float(row_values.EXACT_DOUBLE)) & (exact.divide(digits, unit) == number)
    exact_digits = pl.when(fits).then(digits).cast(exact.DIGITS)
    exact_digits = _numberfailing_where(~fits & number.is_not_null(), exact_digits, exact.DIGITS)
    return exact.checked(exact_digits, target.precision)


def _written(value: Value) -> pl.Expr:
    match value.type.kind:
        case Kind.INTEGER:
            return value.expr.cast(pl.String)
        case Kind.BOOLEAN:
            return pl.when(value.expr).then(pl.lit("true")).when(~value.expr).then(pl.lit("false"))
        case Kind.DATE:
            return value.expr.dt.to_string("%Y-%m-%d")
        case Kind.TIMESTAMP:
            written = value.expr.dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
            return written.str.replace(r"\.000000$", "")
    scale = value.type.scale
    size = value.expr.abs().cast(pl.String).str.pad_start(scale + 1, "0")
    if scale:
        size = size.str.replace(rf"^([0-9]+)([0-9]{{{scale}}})$", "${1}.${2}")
    sign = pl.when(value.expr < exact.int128(0)).then(pl.lit("-")).otherwise(pl.lit(""))
    return sign + size


def _read(text: pl.Expr, target: DataType) -> pl.Expr:
    match target.kind:
        case Kind.INTEGER:
            return _matched(text, row_values.INTEGER_TEXT).cast(pl.Int64)
        case Kind.DECIMAL:
            return _read_decimal(text, target)
        case Kind.DOUBLE:
            number = _matched(text, row_values.DOUBLE_TEXT).cast(pl.Float64)
            return _finite(number)
        case Kind.BOOLEAN:
            # The digits of a truth value: a text of another form is no number.
            word = _matched(text, row_values.BOOLEAN_TEXT).str.to_lowercase()
            digits = word.replace({"true": "1", "false": "0"})
            return digits.cast(pl.Int64) == 1
        case Kind.DATE:
            return _read_date(_matched(text, f" *({row_values.DATE_TEXT}) *"))
    pattern = f" *({row_values.DATE_TEXT}(?:[ T]{row_values.TIME_TEXT})?) *"
    return _read_moment(_matched(text, pattern))


def _matched(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return what a pattern's group holds, and what no cast lets through where it does not fit."""
    return _unlike(text, pattern, text.str.extract(f"^(?:{pattern})$", 1))


def _unlike(text: pl.Expr, pattern: str, result: pl.Expr) -> pl.Expr:
    wrong = ~text.str.contains(f"^(?:{pattern})$")
    return pl.when(wrong).then(pl.lit(_NO_NUMBER)).otherwise(result)


def _finite(number: pl.Expr) -> pl.Expr:
    return failing_where(number.is_infinite(), number)


def failing_where(wrong: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return doubles, failing the query where `wrong` is true."""
    # The cast fails where there is a text at all, which is where it is wrong.
    text = pl.when(wrong).then(pl.lit(_NO_NUMBER))
    return pl.when(text.cast(pl.Float64).is_null()).then(number)


def _read_decimal(text: pl.Expr, target: DataType) -> pl.Expr:
    pattern = f"^(?:{row_values.DECIMAL_TEXT})$"
    sign, integer, fraction = (text.str.extract(pattern, at) for at in (1, 2, 3))
    places = fraction.fill_null("").str.strip_chars_end("0")
    digits = sign.replace({"+": ""}) + integer + places.str.pad_end(target.scale, "0")
    digits = (
        pl.when(places.str.len_bytes() > target.scale).then(pl.lit(_NO_NUMBER)).otherwise(digits)
    )
    return exact.checked(
        _unlike(text, row_values.DECIMAL_TEXT, digits).cast(exact.DIGITS), target.precision
    )


def _read_date(text: pl.Expr) -> pl.Expr:
    parts = [text.str.slice(start, length).cast(pl.Int64) for start, length in _OF_A_DATE]
    return date_of(*parts)


_OF_A_DATE = ((0, 4), (5, 2), (8, 2))


def _read_moment(text: pl.Expr) -> pl.Expr:
    """Return a moment in its parts: a missing one is 0."""

    def part(start: int, length: int) -> pl.Expr:
        digits = text.str.slice(start, length)
        return pl.when(digits == "").then(pl.lit("0")).otherwise(digits)

    days = _read_date(text).to_physical().cast(pl.Int64)
    clock = [part(start, 2).cast(pl.Int64) for start in (11, 14, 17)]
    micros = part(20, 6).str.pad_end(6, "0").cast(pl.Int64)
    seconds = (clock[0] * 60 + clock[1]) * 60 + clock[2]
    moment = days * MICROS_A_DAY + seconds * 1_000_000 + micros
    return moment.cast(dtype_of(TIMESTAMP))
