"""Literals: the text of a constant to its exact Python value.

What comes in: the letters of one literal and its place. What goes out: a `Literal` whose value is
what was written: integers of any size, decimals with their scale, doubles only where there is an
exponent. It must never round, and never read a date that ISO 8601 would not.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal

from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded, Place
from flightframe_server.language.bounds import MAX_DIGITS, echo
from flightframe_server.language.syntax import Interval, Literal, LiteralKind, LiteralValue

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_INTERVAL = re.compile(r"\s*([+-]?[0-9]+)\s+([A-Za-z_][A-Za-z0-9_]*)\s*")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r"(?:(Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


def integer(text: str, place: Place) -> Literal:
    """Return the literal of digits alone.

    Raises:
        LimitExceeded: there are more than `MAX_DIGITS` of them.
    """
    _check_digits(text, place)
    return Literal(int(text), LiteralKind.INTEGER, place=place)


def number(text: str, place: Place) -> Literal:
    """Return the literal of digits with a point, an exponent, or both.

    Raises:
        LimitExceeded: there are more than `MAX_DIGITS` characters.
        FrameQLSyntaxError: no finite double is near it.
    """
    _check_digits(text, place)
    exact = Decimal(text) if "e" not in text.lower() else None
    if exact is not None:
        return Literal(exact, LiteralKind.DECIMAL, place=place)
    value = float(text)
    mantissa = text.lower().partition("e")[0]
    if math.isinf(value) or (value == 0 and mantissa.strip("0.")):
        raise FrameQLSyntaxError(f"{echo(text)} does not fit a double", place=place)
    return Literal(value, LiteralKind.DOUBLE, place=place)


def signed(operator: str, literal: Literal, place: Place) -> Literal:
    """Return a number literal with its sign folded in; a decimal or integer has no negative zero.

    Args:
        operator: `-` or `+`.
        literal: of kind INTEGER, DECIMAL or DOUBLE.
        place: of the sign and the number together.
    """
    value = literal.value
    if operator == "-":
        if isinstance(value, Decimal):
            value = value.copy_negate() if value else value.copy_abs()
        elif isinstance(value, int | float):
            value = -value
    return Literal(value, literal.kind, place=place)


def is_number(literal: object) -> bool:
    """Return whether it is a literal that takes a sign."""
    return isinstance(literal, Literal) and literal.kind in (
        LiteralKind.INTEGER,
        LiteralKind.DECIMAL,
        LiteralKind.DOUBLE,
    )


def unquoted(text: str) -> str:
    """Return what stands between quotes, single or double, with doubled ones made one."""
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def date(text: str, place: Place) -> Literal:
    """Return the literal of `YYYY-MM-DD`.

    Raises:
        FrameQLSyntaxError: it is not such a date, or not a day of the calendar.
    """
    return Literal(_day(text, text, "DATE", place), LiteralKind.DATE, place=place)


def timestamp(text: str, place: Place) -> Literal:
    """Return the literal of `YYYY-MM-DD HH:MM[:SS[.ffffff]][Z|+HH:MM]`, `T` for the space too.

    Raises:
        FrameQLSyntaxError: it is not such a moment.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise _bad("TIMESTAMP", text, place)
    day, hour, minute, second, fraction, zulu, sign, zone_hour, zone_minute = match.groups()
    written = _day(day, text, "TIMESTAMP", place)
    zone = datetime.UTC if zulu else None
    if sign:
        hours, minutes = int(zone_hour), int(zone_minute or 0)
        if hours > 23 or minutes > 59:
            raise _bad("TIMESTAMP", text, place)
        offset = datetime.timedelta(hours=hours, minutes=minutes)
        zone = datetime.timezone(-offset if sign == "-" else offset)
    try:
        time = datetime.time(
            int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0"))
        )
    except ValueError:
        raise _bad("TIMESTAMP", text, place) from None
    moment = datetime.datetime.combine(written, time, zone)
    return Literal(moment, LiteralKind.TIMESTAMP, place=place)


def interval(count: int, named: str, place: Place) -> Interval:
    """Return the interval of so many units, named in the singular or the plural."""
    return Interval(count, unit(named), place=place)


def unit(named: str) -> str:
    """Return a unit in lower case and the singular.

    >>> unit("Days"), unit("month")
    ('day', 'month')
    """
    one = named.lower()
    return one[:-1] if len(one) > 1 and one.endswith("s") else one


def written_interval(text: str, place: Place) -> Interval:
    """Return the interval that a text is: a whole number and a unit.

    Raises:
        FrameQLSyntaxError: it is no such pair.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        raise FrameQLSyntaxError(
            "an interval is a whole number of one unit",
            hint="write INTERVAL 1 month, or INTERVAL '1 month'",
            place=place,
        )
    return interval(int(match[1]), match[2], place)


def _check_digits(text: str, place: Place) -> None:
    if len(text) > MAX_DIGITS:
        raise LimitExceeded(f"a number has more than {MAX_DIGITS:,} digits", place=place)


def _day(text: str, literal: str, kind: str, place: Place) -> datetime.date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise _bad(kind, literal, place)
    try:
        return datetime.date(*(int(part) for part in match.groups()))
    except ValueError:
        raise _bad(kind, literal, place) from None


def _bad(kind: str, text: str, place: Place) -> FrameQLSyntaxError:
    form = "YYYY-MM-DD" if kind == "DATE" else "YYYY-MM-DD HH:MM:SS[.ffffff][Z or +HH:MM]"
    return FrameQLSyntaxError(
        f"'{echo(text)}' is not a {kind.lower()}", hint=f"write {kind} '{form}'", place=place
    )


_KINDS: tuple[tuple[type, LiteralKind], ...] = (
    (bool, LiteralKind.BOOLEAN),
    (int, LiteralKind.INTEGER),
    (float, LiteralKind.DOUBLE),
    (str, LiteralKind.TEXT),
    (datetime.datetime, LiteralKind.TIMESTAMP),
    (datetime.date, LiteralKind.DATE),
)


def literal_of(value: LiteralValue, place: Place) -> Literal:
    """Return a value as a literal of the kind it would be written as."""
    if value is None:
        return Literal(None, LiteralKind.NULL, place=place)
    kind = next((kind for type_, kind in _KINDS if isinstance(value, type_)), LiteralKind.DECIMAL)
    return Literal(value, kind, place=place)
