"""Functions of dates and moments as Polars expressions: fields, days made and moved.

What comes in: dates, and moments in microseconds since 1970. What goes out: values that are what
`row_values` says, or that make the query fail: a day outside of the years 1 to 9999 is no day.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.algebra.types import DATE, INTEGER, DataType, Kind
from flightframe_server.backends.polars.values import Value, day_number, dtype_of
from flightframe_server.resolver.terms import Apply, field_of

MICROS_A_DAY = 86_400_000_000

_AGES = 4_000_000

_DAYS = -719_162, 2_932_896
"""The days since 1970 of the first day of year 1 and the last of 9999."""

_FIELDS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "isoyear": "iso_year",
    "day": "day",
    "doy": "ordinal_day",
    "isodow": "weekday",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
}


def extract(term: Apply, sides: list[Value]) -> Value:
    """Return a field of a date or moment, as `algebra.functions` numbers it."""
    field, moment = field_of(term), sides[1].expr
    if field == "dow":
        return Value(moment.dt.weekday().cast(pl.Int64) % 7, INTEGER)
    part: pl.Expr = getattr(moment.dt, _FIELDS[field])()
    return Value(part.cast(pl.Int64), INTEGER)


def make_date(term: Apply, sides: list[Value]) -> Value:
    """Return the day of a year, a month and a day; none such makes the query fail."""
    return Value(date_of(*(side.expr for side in sides)), DATE)


def add_days(term: Apply, sides: list[Value]) -> Value:
    """Return a date or moment some days later; one out of bounds makes the query fail."""
    day, rest = _day_and_time(sides[0])
    number = day + sides[1].expr.clip(-_AGES, _AGES)
    return _on_day(number, ~number.is_between(*_DAYS), rest, term.type)


def add_months(term: Apply, sides: list[Value]) -> Value:
    """Return a date or moment some months later, on the last day of a shorter month."""
    moment, count = sides[0].expr, sides[1].expr
    _, rest = _day_and_time(sides[0])
    year, month, day = (
        part.cast(pl.Int64) for part in (moment.dt.year(), moment.dt.month(), moment.dt.day())
    )
    months = year * 12 + month - 1 + count.clip(-_AGES, _AGES)
    inside = months.is_between(12, 12 * 10_000 - 1)
    safe = pl.when(inside).then(months).otherwise(12)
    year, month = safe // 12, safe % 12 + 1
    first = _days(year, month, pl.lit(1, dtype=pl.Int64))
    after = safe + 1
    length = _days(after // 12, after % 12 + 1, pl.lit(1, dtype=pl.Int64)) - first
    number = first + pl.min_horizontal(day, length) - 1
    known = day.is_not_null() & count.is_not_null()
    return _on_day(pl.when(known).then(number), ~inside, rest, term.type)


def _day_and_time(value: Value) -> tuple[pl.Expr, pl.Expr | None]:
    """Return the day of a date or moment since 1970, and of a moment the time within it."""
    number = value.expr.to_physical().cast(pl.Int64)
    if value.type.kind is Kind.DATE:
        return number, None
    day = number.floordiv(MICROS_A_DAY)
    return day, number - day * MICROS_A_DAY


def _on_day(day: pl.Expr, wrong: pl.Expr, rest: pl.Expr | None, type_: DataType) -> Value:
    """Return a date, or a moment with its time of the day; makes the query fail where wrong."""
    date = day_number(day, wrong=wrong)
    if rest is None:
        return Value(date, DATE)
    micros = date.to_physical().cast(pl.Int64) * MICROS_A_DAY + rest
    return Value(micros.cast(dtype_of(type_)), type_)


def days_between(term: Apply, sides: list[Value]) -> Value:
    """Return the days from the second of two dates to the first."""
    later, earlier = (side.expr.to_physical().cast(pl.Int64) for side in sides)
    return Value(later - earlier, INTEGER)


def date_of(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return a day of the calendar, of the years 1 to 9999; none such makes the query fail."""
    inside = year.is_between(1, 9999) & month.is_between(1, 12) & day.is_between(1, 31)
    # The sums below might wrap for a year out of bounds, so that it is taken for another.
    safe = [pl.when(inside).then(part).otherwise(1) for part in (year, month, day)]
    number = _days(*safe)
    back = number.cast(pl.Int32).cast(pl.Date)
    same = inside & (back.dt.day().cast(pl.Int64) == safe[2])
    known = pl.all_horizontal(*(part.is_not_null() for part in (year, month, day)))
    return pl.when(known).then(day_number(number, wrong=~same))


def _days(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return the days since 1970 of a date, in years that start in March."""
    late = (month <= 2).cast(pl.Int64)
    shifted = year - late
    months = month + 12 * late - 3
    before = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    return before + (153 * months + 2) // 5 + day - 719_469
