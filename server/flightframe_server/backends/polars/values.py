"""Typed Polars expressions: how each declared type is held, written and cast.

What comes in: declared types, constants, expressions. What goes out: values, each an expression
with the declared type that it holds. It must never cast with loss: what does not fit makes the
query fail.

INTEGER is held as Int64, DECIMAL as Int128 digits, DOUBLE as Float64, TEXT as String, DATE as Date,
TIMESTAMP as Datetime in microseconds, in UTC where it has a zone, BOOLEAN as Boolean.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Context, Decimal

import polars as pl

from flightframe_server.algebra.types import BOOLEAN, DOUBLE, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.moments import moment_dtype, wall, within_day
from flightframe_server.errors import InternalError
from flightframe_server.language.syntax import LiteralValue

_TYPES: dict[Kind, pl.DataType] = {
    Kind.INTEGER: pl.Int64(),
    Kind.DECIMAL: pl.Int128(),
    Kind.DOUBLE: pl.Float64(),
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.Date(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.NULL: pl.Null(),
}
_EXACT = Context(prec=100)
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NO_DAY = 1 << 40


@dataclass(frozen=True, slots=True)
class Value:
    """An expression and the declared type of what it holds."""

    expr: pl.Expr
    type: DataType

    @property
    def digits(self) -> pl.Expr:
        """An integer or decimal as 128-bit digits of the type's scale."""
        return self.expr.cast(exact.DIGITS) if self.type.kind is Kind.INTEGER else self.expr


def dtype_of(declared: DataType) -> pl.DataType:
    """Return the Polars type that holds a declared type."""
    if declared.kind is Kind.TIMESTAMP:
        return moment_dtype(declared)
    return _TYPES[declared.kind]


def constant(value: LiteralValue, declared: DataType) -> Value:
    """Return a constant of a declared type."""
    if value is None:
        return Value(pl.lit(None, dtype=dtype_of(declared)), declared)
    if declared.kind is Kind.TIMESTAMP:
        micros = pl.lit(physical(value, declared), dtype=pl.Int64)
        return Value(micros.cast(dtype_of(declared)), declared)
    return Value(pl.lit(physical(value, declared), dtype=dtype_of(declared)), declared)


def physical(value: LiteralValue, declared: DataType) -> LiteralValue:
    """Return a Python value as Polars stores it: decimals as digits, timestamps as microseconds.

    Raises:
        InternalError: it is no value of that type.
    """
    match declared.kind, value:
        case Kind.DECIMAL, int() | Decimal():
            digits = _EXACT.scaleb(Decimal(value), declared.scale)
            if digits == digits.to_integral_value(context=_EXACT):
                return int(digits)
        case Kind.DOUBLE, int() | float() | Decimal():
            return float(value)
        case Kind.TIMESTAMP, datetime.datetime():
            if value.tzinfo is not None:
                value = value.astimezone(datetime.UTC).replace(tzinfo=None)
            return (value - _EPOCH) // _MICROSECOND
        case Kind.TIMESTAMP, datetime.date():
            midnight = datetime.datetime.combine(value, datetime.time())
            return (midnight - _EPOCH) // _MICROSECOND
        case (
            (Kind.INTEGER, int())
            | (Kind.TEXT, str())
            | (Kind.DATE, datetime.date())
            | (Kind.BOOLEAN, bool())
        ):
            return value
    raise InternalError(f"a constant is no {declared.kind}")


def cast(value: Value, target: DataType) -> Value:
    """Return a value as another declared type; the query fails where it does not fit.

    Raises:
        InternalError: the types allow no such cast.
    """
    source = value.type
    if source == target:
        return value
    if source.kind is Kind.NULL:
        return constant(None, target)
    match source.kind, target.kind:
        case ((Kind.INTEGER | Kind.DECIMAL), Kind.DECIMAL):
            digits = exact.rescale(value.digits, source.scale, target.scale)
            return Value(exact.checked(digits, target.precision), target)
        case Kind.DECIMAL, Kind.INTEGER:
            return Value(exact.integer(exact.rescale(value.digits, source.scale, 0)), target)
        case ((Kind.INTEGER | Kind.DECIMAL), Kind.DOUBLE):
            return as_double(value)
        case Kind.DATE, Kind.TIMESTAMP if not target.zone:
            return Value(value.expr.cast(pl.Datetime("us")), target)
        case Kind.TIMESTAMP, Kind.DATE:
            return Value(_day(value), target)
        case Kind.TIMESTAMP, Kind.TIMESTAMP if source.zone:
            return Value(value.expr if target.zone else wall(value.expr, source.zone), target)
    raise InternalError(f"{source} cannot be read as {target}")


def as_double(value: Value) -> Value:
    """Return a number as the nearest double."""
    match value.type.kind:
        case Kind.DOUBLE:
            return value
        case Kind.DECIMAL:
            number = exact.double(value.expr, value.type.scale, value.type.precision)
            return Value(number, DOUBLE)
        case Kind.INTEGER | Kind.NULL:
            return Value(value.expr.cast(pl.Float64), DOUBLE)
    raise InternalError(f"{value.type} is no number")


def as_boolean(value: Value) -> pl.Expr:
    """Return a truth value; NULL of no type is unknown."""
    return cast(value, BOOLEAN).expr


def _day(moment: Value) -> pl.Expr:
    """Return the day of a moment on its zone's clock, failing where it does not begin there."""
    zone = moment.type.zone
    clock = wall(moment.expr, zone) if zone else moment.expr
    days = clock.cast(pl.Date).to_physical().cast(pl.Int64)
    return day_number(days, wrong=within_day(moment.expr, zone))


def day_number(days: pl.Expr, *, wrong: pl.Expr) -> pl.Expr:
    """Return days since 1970 as dates, failing the query where `wrong` is true."""
    return pl.when(wrong).then(pl.lit(_NO_DAY)).otherwise(days).cast(pl.Int32).cast(pl.Date)
