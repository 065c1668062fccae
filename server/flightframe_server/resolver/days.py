"""Dates and whole numbers of days: `day + 7`, `day - 7`, `day - other_day`.

What comes in: two typed terms, one of them a date. What goes out: a date, or a whole number of
days; of values written out the value itself, so that conditions on them are known by it. It must
never count hours: a moment is no date, and days in a zone are not all of one length.
"""

from __future__ import annotations

import datetime

from flightframe_server.algebra.types import DATE, INTEGER, Kind
from flightframe_server.errors import ArithmeticOverflow, Place, TypeMismatch
from flightframe_server.resolver.terms import Apply, Constant, Term


def day_arithmetic(operator: str, left: Term, right: Term, place: Place | None = None) -> Term:
    """Return a date moved by whole days, or the days from one date to another.

    Raises:
        TypeMismatch: the operands are no such pair.
        ArithmeticOverflow: a date written out would lie outside the years 1 to 9999.
    """
    kinds = left.type.kind, right.type.kind
    match operator, kinds:
        case "-", (Kind.DATE, Kind.DATE):
            return _folded("days_between", left, right, place)
        case "+" | "-", (Kind.DATE, Kind.INTEGER | Kind.NULL):
            count = _count(right)
            return _folded("add_days", left, count if operator == "+" else _less(count), place)
        case "+", (Kind.INTEGER | Kind.NULL, Kind.DATE):
            return _folded("add_days", right, _count(left), place)
    raise TypeMismatch(
        f"{left.type} {operator} {right.type} has no meaning",
        place=place,
        hint="a date takes + or - a whole number of days, and - another date",
    )


def _count(term: Term) -> Term:
    return Constant(INTEGER, None) if term.type.kind is Kind.NULL else term


def _less(count: Term) -> Term:
    if isinstance(count, Constant):
        value = count.value
        return Constant(INTEGER, -value if isinstance(value, int) else None)
    return Apply(INTEGER, "negate", (count,))


def _folded(function: str, one: Term, other: Term, place: Place | None) -> Term:
    type_ = INTEGER if function == "days_between" else DATE
    if not (isinstance(one, Constant) and isinstance(other, Constant)):
        return Apply(type_, function, (one, other))
    if one.value is None or other.value is None:
        return Constant(type_, None)
    day = one.value
    assert isinstance(day, datetime.date)
    if isinstance(other.value, datetime.date):
        return Constant(INTEGER, (day - other.value).days)
    assert isinstance(other.value, int)
    try:
        return Constant(DATE, day + datetime.timedelta(days=other.value))
    except OverflowError:
        raise ArithmeticOverflow(
            f"{day} and {other.value} days is no date of the years 1 to 9999", place=place
        ) from None
