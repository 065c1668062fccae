"""Dates that move: a level of dates with an interval or days, and the periods that hold the result.

What comes in: a sum or difference. What goes out: the date, as a value over the level. It must
never move a date by what is no whole number of days or months, nor take for a date what is a moment
within one.

A date and an interval give a timestamp in SQL, its first instant: it is written as a cast of the
date, as the period of a DATE_TRUNC is.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.errors import NotSupported, Place
from flightframe_server.language.syntax import (
    Binary,
    Call,
    Cast,
    Expression,
    Extract,
    Interval,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.resolver.days import UNITS
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.folding import folded
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading

_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,6})\s*")
_MAKE_DATE = "MAKE_DATE"
WHOLE_DAYS = frozenset({"DAY_OF", "WEEK_OF", "MONTH_OF", "QUARTER_OF", "YEAR_OF"})
"""The functions of the calendar whose periods are of whole days."""


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


def interval_beside(node: exp.Expr) -> tuple[exp.Expr, exp.Interval] | None:
    """Return what an interval is added to or taken from, and the interval; None: there is none."""
    if not isinstance(node, exp.Add | exp.Sub):
        return None
    left, right = node.this, node.expression
    if isinstance(node, exp.Add) and isinstance(left.unnest(), exp.Interval):
        left, right = right, left
    interval = right.unnest()
    return (left, interval) if isinstance(interval, exp.Interval) else None


def interval_of(node: exp.Interval, reading: Reading) -> Interval:
    """Return an interval of whole days, weeks, months, quarters or years.

    Raises:
        NotSupported: it is no whole number of them.
    """
    place = place_of(node)
    count = None if node.this is None else folded(node.this, reading)
    written = node.args.get("unit")
    unit = "" if written is None else written.name.lower().removesuffix("s")
    number = _WHOLE.fullmatch(str(count.value)) if isinstance(count, Literal) else None
    if number is None or unit not in UNITS:
        raise NotSupported(
            "a date moves by a whole number of days, weeks, months, quarters or years",
            place=place,
            hint="write INTERVAL '7 days'; a constant moves by hours as well",
        )
    return Interval(int(number[1]), unit, place=place)


def moved(day: Expression, interval: Interval, place: Place, *, less: bool) -> Binary:
    """Return a date or timestamp plus or less an interval; a date by days as a number of them."""
    count = -interval.count if less else interval.count
    function, each = UNITS[interval.unit]
    if function == "add_days":
        return _plus("+" if count >= 0 else "-", day, abs(count) * each, place)
    size = replace(interval, count=abs(count))
    return Binary("+" if count >= 0 else "-", day, size, place=place)


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


def day_of(moment: Expression, place: Place) -> Call:
    """Return the day of a timestamp."""
    parts = tuple(Extract(field, moment, place=place) for field in ("year", "month", "day"))
    return Call(_MAKE_DATE, parts, place=place)


def _plus(operator: str, left: Expression, right: int, place: Place) -> Binary:
    return Binary(operator, left, _number(right, place), place=place)


def _number(value: int, place: Place) -> Literal:
    return Literal(value, LiteralKind.INTEGER, place=place)


def _is_moment(value: Expression) -> bool:
    return isinstance(value, Cast) or (
        isinstance(value, Literal) and value.kind in (LiteralKind.DATE, LiteralKind.TIMESTAMP)
    )
