"""Dates that move: a level of dates with an interval or days, and the periods that hold the result.

What comes in: a sum or difference. What goes out: the date, as a value over the level. It must
never move a date by what has no whole number of days, a month or an hour, nor take for a date what
is a moment within one.

A date and an interval give a timestamp in SQL, its first instant: it is written as a cast of the
date, as the period of a DATE_TRUNC is.
"""

from __future__ import annotations

import re

from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.errors import NotSupported, Place
from flightframe_server.language.syntax import (
    Binary,
    Call,
    Cast,
    Expression,
    Extract,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.folding import folded
from flightframe_server.sql.reading import Reading

_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,6})\s*")
_DAYS = {"DAY": 1, "WEEK": 7}
_MAKE_DATE = "MAKE_DATE"


def is_date(typed: TypedCollection, value: Expression) -> bool:
    """Whether a value over levels is a date, and no moment within one."""
    match value:
        case Name():
            level = typed.graph.find(value.text)
            return level is not None and typed.level_types[level].kind is Kind.DATE
        case Binary(operator="+" | "-", left=left, right=right):
            between = is_date(typed, right) or _is_moment(right)
            return is_date(typed, left) and not between
        case Call(function=function):
            return function == _MAKE_DATE
    return False


def days_of(interval: exp.Interval, reading: Reading, place: Place) -> int:
    """Return the days of an interval.

    Raises:
        NotSupported: it is no whole number of them.
    """
    count = None if interval.this is None else folded(interval.this, reading)
    written = interval.args.get("unit")
    unit = "" if written is None else written.name.upper().removesuffix("S")
    number = _WHOLE.fullmatch(str(count.value)) if isinstance(count, Literal) else None
    if number is None or unit not in _DAYS:
        raise NotSupported(
            "a level moves by a whole number of days or weeks",
            place=place,
            hint="write INTERVAL '7 days'; a constant moves by months and hours as well",
        )
    return int(number[1]) * _DAYS[unit]


def moved(day: Expression, days: int, place: Place) -> Binary:
    """Return a date so many days later, or earlier where they are below 0."""
    return _plus("+" if days >= 0 else "-", day, abs(days), place)


def period_of(day: Expression, function: str, place: Place) -> Expression:
    """Return the first day of the period that holds a date, by one of the calendar's functions."""

    def part(field: str) -> Extract:
        return Extract(field, day, place=place)

    def first(month: Expression) -> Call:
        return Call(_MAKE_DATE, (part("year"), month, _number(1, place)), place=place)

    match function:
        case "YEAR_OF":
            return first(_number(1, place))
        case "MONTH_OF":
            return first(part("month"))
        case "QUARTER_OF":
            months = Binary("*", part("quarter"), _number(3, place), place=place)
            return first(_plus("-", months, 2, place))
        case "WEEK_OF":
            since = _plus("-", part("isodow"), 1, place)
            return Binary("-", day, since, place=place)
    return day


def _plus(operator: str, left: Expression, right: int, place: Place) -> Binary:
    return Binary(operator, left, _number(right, place), place=place)


def _number(value: int, place: Place) -> Literal:
    return Literal(value, LiteralKind.INTEGER, place=place)


def _is_moment(value: Expression) -> bool:
    return isinstance(value, Cast) or (
        isinstance(value, Literal) and value.kind in (LiteralKind.DATE, LiteralKind.TIMESTAMP)
    )
