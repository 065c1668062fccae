"""What SQLite lacks, as functions of ours that its statements call: exact, and loud.

What comes in: SQLite's plain values. What goes out: the same kinds of value. It must never round,
wrap or turn an integer into a double: SQLite's own arithmetic does so silently, which is why none
of it is used on numbers that must be exact. NULL in is NULL out.

Decimals are scaled integers in a statement, however they are stored. Only a finished sum may pass
64 bits; it comes back as its digits, as text. A NaN is the text 'NaN', which SQLite orders above
every number, as we do; its own NaN turns into NULL.
"""

from __future__ import annotations

import datetime
import math
import re
import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from flightframe_server import row_values
from flightframe_server.backends.sqlite.decimals import digits_of_number, digits_of_scaled
from flightframe_server.backends.sqlite.row_functions import (
    MAY_FAIL,
    NEVER_FAIL,
    Value,
    microseconds,
    moment_at,
)
from flightframe_server.errors import BackendError, FlightframeError
from flightframe_server.row_values import INT64_MAX, INT64_MIN, fitting, power

NAN = "NaN"
_HALF = 32
_like_pattern = lru_cache(maxsize=256)(row_values.like_pattern)


class Fault:
    """The error that a function of one connection raised: SQLite passes on no more than that."""

    def __init__(self) -> None:
        """Start without one."""
        self.error: FlightframeError | None = None


def add(left: int, right: int) -> int:
    """Return the exact sum."""
    return fitting(left + right)


def subtract(left: int, right: int) -> int:
    """Return the exact difference."""
    return fitting(left - right)


def multiply(left: int, right: int) -> int:
    """Return the exact product."""
    return fitting(left * right)


def absolute(value: int | float | str) -> int | float | str:
    """Return the absolute value."""
    if isinstance(value, int):
        return fitting(abs(value))
    return value if isinstance(value, str) else abs(value)


def rescale(value: int | str, scale: int, new_scale: int, precision: int) -> int:
    """Return a scaled integer at another scale, of at most `precision` digits, without loss."""
    return fitting(row_values.rescale(int(value), scale, new_scale, precision))


def compare(value: int | str, scale: int, other: int | str, other_scale: int) -> int:
    """Return -1, 0 or 1 for two scaled integers of any scales."""
    left, right = int(value) * power(other_scale), int(other) * power(scale)
    return (left > right) - (left < right)


def real(value: int | str, scale: int) -> float:
    """Return a scaled integer as the nearest double."""
    return int(value) / power(scale)


def like(text: str, pattern: str) -> int:
    """Return whether text has the pattern: `%` any text, `_` one code point, case counts."""
    return int(_like_pattern(pattern).fullmatch(text) is not None)


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?")


def moment_of(text: str, column: str) -> int:
    """Return stored text as microseconds since 1970; raises `BackendError` where it is none."""
    try:
        if _MOMENT.fullmatch(text) is None:
            raise ValueError
        seconds, dot, fraction = text.partition(".")
        moment = datetime.datetime.fromisoformat(f"{seconds}.{fraction:0<6}" if dot else seconds)
    except (TypeError, ValueError):
        raise misfit(column, "timestamp") from None
    return microseconds(moment)


def day_of(moment: int) -> str:
    """Return the day of a moment."""
    return moment_at(moment).date().isoformat()


def misfit(column: str, declared: str) -> BackendError:
    """Return the error of a stored value that is not what its column was declared to hold."""
    return BackendError(
        f"{column} is declared {declared} and holds a value that is none",
        hint="see how each type stands in a SQLite file",
    )


def refuse(column: str, declared: str) -> None:
    """Raise `misfit`."""
    raise misfit(column, declared)


def total(high: int | None, low: int | None, widest: int) -> int | str | None:
    """Return the sum of numbers whose upper and lower 32 bits were summed apart.

    Args:
        high: the sum of `number >> 32`.
        low: the sum of `number & 0xFFFFFFFF`.
        widest: 0 for an integer of 64 bits, else the digits that the sum may have.
    """
    if high is None or low is None:
        return None
    value = (high << _HALF) + low
    if INT64_MIN <= value <= INT64_MAX:
        return value
    if not widest or abs(value) >= power(widest):
        raise row_values.misfit()
    return str(value)


def small(value: int | str | None) -> int | None:
    """Return a finished sum to compute with: one of more than 64 bits is refused."""
    if isinstance(value, str):
        raise row_values.misfit()
    return value


def double_sum(value: float | None, count: int, highest: float | str | None) -> float | str | None:
    """Return the sum of doubles, from SQLite's sum of them, their count and their maximum.

    SQLite adds the text NaN as 0, and infinity less infinity as NULL.
    """
    if not count:
        return None
    return NAN if value is None or highest == NAN else value


def arithmetic(operation: str, value: float | str, other: float | str) -> float | str | None:
    """Return an operation on two doubles; a divisor of 0 gives NULL."""
    left, right = float(value), float(other)
    match operation:
        case "add":
            return _double(left + right)
        case "subtract":
            return _double(left - right)
        case "multiply":
            return _double(left * right)
    return _double(left / right) if right else None


def _double(value: float) -> float | str:
    return NAN if math.isnan(value) else value


class _Moments:
    """The count, mean and squared deviations of doubles, by Welford's updates."""

    def __init__(self) -> None:
        self.count, self.mean, self.m2 = 0, 0.0, 0.0

    def step(self, argument: float | str | None) -> None:
        if argument is None:
            return
        value = float(argument)
        self.count += 1
        away = value - self.mean
        self.mean += away / self.count
        self.m2 += away * (value - self.mean)


class _Mean(_Moments):
    def finalize(self) -> float | str | None:
        return _double(self.mean) if self.count else None


class _Spread(_Moments):
    def finalize(self) -> float | str | None:
        return _double(self.m2) if self.count else None


class _Quantile:
    """The continuous quantile: between the two nearest values, in proportion; NaN above all."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.nans = 0
        self.q = 0.0

    def step(self, argument: float | str | None, q: float) -> None:
        if argument == NAN:
            self.nans += 1
        elif argument is not None:
            self.values.append(float(argument))
        self.q = q

    def finalize(self) -> float | str | None:
        values = sorted(self.values) + [math.nan] * self.nans
        if not values:
            return None
        at = (len(values) - 1) * self.q
        below, above = values[math.floor(at)], values[math.ceil(at)]
        if below == above:
            return below
        return _double(below + (above - below) * (at - math.floor(at)))


def nullif(value: Value, form: int | str, other: Value, other_form: int | str) -> Value:
    """Return a value, or NULL where it equals another that stands in another form."""
    if value is None or other is None:
        return value
    return None if _equal(value, form, other, other_form) else value


def distinct(value: Value, form: int | str, other: Value, other_form: int | str) -> int:
    """Return whether two values that stand in different forms differ, NULL counted as one."""
    if value is None or other is None:
        return int(value is not other)
    return int(not _equal(value, form, other, other_form))


def _equal(
    value: int | float | str, form: int | str, other: int | float | str, other_form: int | str
) -> bool:
    """Compare two scaled integers, one beside a double, or a date beside a moment."""
    if isinstance(form, int) and isinstance(other_form, int):
        return compare(int(value), form, int(other), other_form) == 0
    if isinstance(form, int):
        return real(int(value), form) == float(other)
    if isinstance(other_form, int):
        return float(value) == real(int(other), other_form)
    return _moment(value) == _moment(other)


def _moment(value: int | float | str) -> int:
    if isinstance(value, str):
        return microseconds(datetime.datetime.fromisoformat(value))
    return int(value)


_STEADY: dict[str, tuple[int, Callable[..., Value]]] = {
    "ff_compare": (4, compare),
    "ff_real": (2, real),
    "ff_double": (3, arithmetic),
    "ff_like": (2, like),
    "ff_day": (1, day_of),
    **NEVER_FAIL,
}
_REFUSING: dict[str, tuple[int, Callable[..., Value]]] = {
    "ff_add": (2, add),
    "ff_subtract": (2, subtract),
    "ff_multiply": (2, multiply),
    "ff_abs": (1, absolute),
    "ff_rescale": (4, rescale),
    "ff_moment": (2, moment_of),
    "ff_refuse": (2, refuse),
    "ff_number": (-1, digits_of_number),
    "ff_scaled": (-1, digits_of_scaled),
    **MAY_FAIL,
}
_WITH_NULL: dict[str, tuple[int, Callable[..., Value]]] = {
    "ff_total": (3, total),
    "ff_small": (1, small),
    "ff_double_sum": (3, double_sum),
    "ff_nullif": (4, nullif),
    "ff_distinct": (4, distinct),
}
_AGGREGATES: dict[str, tuple[int, type[_Mean | _Spread | _Quantile]]] = {
    "ff_mean": (1, _Mean),
    "ff_spread": (1, _Spread),
    "ff_quantile": (2, _Quantile),
}


def register(connection: sqlite3.Connection) -> Fault:
    """Give a connection our functions; what one of them raises is left in the result."""
    fault = Fault()
    # SQLite is free to run a deterministic call on constants before the CASE that guards it.
    for functions, deterministic in ((_STEADY, True), (_REFUSING, False)):
        for name, (count, function) in functions.items():
            call = _noted(function, fault, null_to_null=True)
            connection.create_function(name, count, call, deterministic=deterministic)
    for name, (count, function) in _WITH_NULL.items():
        call = _noted(function, fault, null_to_null=False)
        connection.create_function(name, count, call, deterministic=True)
    for name, (count, aggregate) in _AGGREGATES.items():
        connection.create_aggregate(name, count, cast(Any, aggregate))
    return fault


def _noted(
    function: Callable[..., Value], fault: Fault, *, null_to_null: bool
) -> Callable[..., Value]:
    def call(*values: Value) -> Value:
        if null_to_null and None in values:
            return None
        try:
            return function(*values)
        except FlightframeError as error:
            fault.error = error
            raise

    return call
