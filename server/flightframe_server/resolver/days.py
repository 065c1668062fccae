"""Dates that move: `day + 7`, `day - INTERVAL 1 month`, `day - other_day`.

What comes in: two typed terms, one of them a date, or a date or timestamp and an interval. What
goes out: a date, a timestamp, or a whole number of days; of values written out the value itself, so
that conditions on them are known by it. It must never count hours: an instant is no date, and days
in a zone are not all of one length.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Callable, Mapping

from flightframe_server.algebra.types import DATE, INTEGER, TIMESTAMP, DataType, Kind
from flightframe_server.errors import (
    ArithmeticOverflow,
    Place,
    TypeMismatch,
    did_you_mean,
    shown,
)
from flightframe_server.language.syntax import Interval
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import read_as

UNITS: Mapping[str, tuple[str, int]] = {
    "day": ("add_days", 1),
    "week": ("add_days", 7),
    "month": ("add_months", 1),
    "quarter": ("add_months", 3),
    "year": ("add_months", 12),
}
"""What each unit of an interval adds, and how many of those it is."""

_MOST = 10_000_000
"""More than any unit has in the years 1 to 9999."""


def days_later(day: datetime.date, count: int) -> datetime.date:
    """Return the day or moment so many days later; raises `OverflowError` past 1 to 9999."""
    return day + datetime.timedelta(days=count)


def months_later(day: datetime.date, count: int) -> datetime.date:
    """Return the same day so many months later, the last of the month where it has no such day.

    A moment keeps its time of day. Raises `OverflowError` past the years 1 to 9999.
    """
    months = day.year * 12 + day.month - 1 + count
    year, month = months // 12, months % 12 + 1
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise OverflowError
    last = calendar.monthrange(year, month)[1]
    return day.replace(year=year, month=month, day=min(day.day, last))


_MOVES: Mapping[str, Callable[[datetime.date, int], datetime.date]] = {
    "add_days": days_later,
    "add_months": months_later,
}


def day_arithmetic(operator: str, left: Term, right: Term, place: Place | None = None) -> Term:
    """Return a date moved by whole days, or the days from one date to another.

    Raises:
        TypeMismatch: the operands are no such pair.
        ArithmeticOverflow: a date written out would lie outside the years 1 to 9999.
    """
    kinds = left.type.kind, right.type.kind
    match operator, kinds:
        case "-", (Kind.DATE, Kind.DATE):
            return _between(left, right)
        case "+" | "-", (Kind.DATE, Kind.INTEGER | Kind.NULL):
            count = _count(right)
            return _moved("add_days", left, count if operator == "+" else _less(count), place)
        case "+", (Kind.INTEGER | Kind.NULL, Kind.DATE):
            return _moved("add_days", right, _count(left), place)
    raise TypeMismatch(
        f"{left.type} {operator} {right.type} has no meaning",
        place=place,
        hint="a date takes + or - a whole number of days or an interval, and - another date",
    )


def moved_by(operator: str, moment: Term, interval: Interval, place: Place | None = None) -> Term:
    """Return a date or timestamp plus or less an interval.

    Months are those of the calendar: where the month has no such day, it is the last that it has.

    Raises:
        TypeMismatch: it is neither, or there is no such unit.
        ArithmeticOverflow: what is written out would lie outside the years 1 to 9999.
    """
    if interval.unit not in UNITS:
        raise TypeMismatch(
            f"there is no unit {shown(interval.unit)}",
            place=interval.place,
            hint=did_you_mean(interval.unit, UNITS) or f"one of {', '.join(UNITS)}",
        )
    function, each = UNITS[interval.unit]
    if abs(interval.count) > _MOST:
        raise _past(f"{interval.count} {interval.unit}s", place)
    if isinstance(moment, Constant):
        moment = read_as(moment, TIMESTAMP, place)
    if moment.type.kind is Kind.NULL:
        moment = Constant(DATE, None)
    if moment.type.zone:
        raise TypeMismatch(
            "an instant is not moved: days in a zone are not all of one length",
            place=place,
            hint="CAST(x AS timestamp) is what the collection's clock shows at an instant",
        )
    if not moment.type.is_moment:
        raise TypeMismatch(
            f"an interval moves a date or a timestamp, not {moment.type}", place=place
        )
    count = interval.count * each * (1 if operator == "+" else -1)
    return _moved(function, moment, Constant(INTEGER, count), place)


def _count(term: Term) -> Term:
    return Constant(INTEGER, None) if term.type.kind is Kind.NULL else term


def _less(count: Term) -> Term:
    if isinstance(count, Constant):
        value = count.value
        return Constant(INTEGER, -value if isinstance(value, int) else None)
    return Apply(INTEGER, "negate", (count,))


def _between(later: Term, earlier: Term) -> Term:
    if not (isinstance(later, Constant) and isinstance(earlier, Constant)):
        return Apply(INTEGER, "days_between", (later, earlier))
    one, other = later.value, earlier.value
    if not isinstance(one, datetime.date) or not isinstance(other, datetime.date):
        return Constant(INTEGER, None)
    return Constant(INTEGER, (one - other).days)


def _moved(function: str, moment: Term, count: Term, place: Place | None) -> Term:
    type_: DataType = moment.type
    if not (isinstance(moment, Constant) and isinstance(count, Constant)):
        return Apply(type_, function, (moment, count))
    if moment.value is None or count.value is None:
        return Constant(type_, None)
    assert isinstance(moment.value, datetime.date)
    assert isinstance(count.value, int)
    try:
        return Constant(type_, _MOVES[function](moment.value, count.value))
    except OverflowError:
        unit = function.removeprefix("add_")
        raise _past(f"{moment.value} and {count.value} {unit}", place) from None


def _past(what: str, place: Place | None) -> ArithmeticOverflow:
    return ArithmeticOverflow(f"{what} is no date of the years 1 to 9999", place=place)
