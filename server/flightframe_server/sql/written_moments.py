"""Dates in a zone and as text, as tools write them that know no CAST of a date to a text.

What comes in: `AT TIME ZONE`, TO_CHAR, STRFTIME, MONTHNAME and DAYNAME over a date. What goes out:
the same date, and its text. It must never move a date: where the session's clock is not that of the
zone which is named, and where a value is a moment within a day, both are refused.

`CAST(day AS timestamptz)` is a day's beginning by the session's clock, which is that of the
collection's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from flightframe_server.errors import NotSupported, Place
from flightframe_server.language.syntax import Cast, Expression, Literal, Name
from flightframe_server.sql.date_moves import is_date
from flightframe_server.sql.day_texts import by_strftime, by_template, day_name, month_name
from flightframe_server.sql.folding import folded
from flightframe_server.sql.reading import Reading

MOMENT = "timestamp"
_UTC = frozenset({"utc", "etc/utc", "etc/uct", "uct", "zulu", "etc/zulu", "universal"})
_INSTANT = exp.DType.TIMESTAMPTZ


class Values(Protocol):
    """What a date needs of the place in which it stands."""

    @property
    def reading(self) -> Reading:
        """The text's."""

    def value(self, node: exp.Expr) -> Expression:
        """Return a value."""


def in_zone(values: Values, node: exp.AtTimeZone, place: Place) -> Cast:
    """Return a day's beginning by the clock of a zone, which is the session's own.

    Between a clock of UTC and an instant, to and fro, nothing moves.

    Raises:
        NotSupported: the zone is another, or the value is no day's beginning by a clock.
    """
    if not _is_utc(values.reading.clock.zone):
        raise NotSupported("AT TIME ZONE is answered over a collection in UTC", place=place)
    inner: exp.Expr = node
    instant = False
    while isinstance(inner, exp.AtTimeZone) or _is_instant(inner):
        instant = _is_instant(inner)
        if isinstance(inner, exp.AtTimeZone):
            _check_zone(values, inner, place)
        inner = inner.this.unnest()
    value = values.value(inner)
    if instant and isinstance(value, Name):
        value = Cast(value, MOMENT, place=place)
    is_clock = _type_of(node) is not _INSTANT
    if isinstance(value, Cast) and is_date(values.reading.typed, value.operand) and is_clock:
        return value
    raise NotSupported(
        "AT TIME ZONE takes a level that is a date, cast to TIMESTAMPTZ",
        place=place,
        hint="a date has no zone: leave AT TIME ZONE out",
    )


def written(values: Values, node: exp.Expr, place: Place) -> Expression | None:
    """Return the text of a date by a format; None where a node is no such text.

    Raises:
        NotSupported: the value is no date, or the format has parts that are not known.
    """
    match node:
        case exp.ToChar():
            return _formatted(values, _Format("TO_CHAR", by_template, _TO_CHAR), node, place)
        case exp.Anonymous() if node.name.upper() == _STRFTIME and len(node.expressions) == 2:
            # DuckDB takes both in either order.
            first, second = node.expressions
            if isinstance(first.unnest(), exp.Literal):
                first, second = second, first
            called = exp.ToChar(this=first, format=second)
            return _formatted(values, _Format(_STRFTIME, by_strftime, _PARTS), called, place)
        case exp.Monthname() | exp.Dayname():
            name = month_name if isinstance(node, exp.Monthname) else day_name
            return name(_day(values, node.this, node.key.upper(), place), place)
    return None


@dataclass(frozen=True, slots=True)
class _Format:
    """One way to write dates: what reads a format, and what is answered of it."""

    name: str
    read: Callable[[str, Expression, Place], Expression | None]
    takes: str


_STRFTIME = "STRFTIME"
_TO_CHAR = "a template of YYYY, YY, MM, DD, Q, Mon, Dy, HH24, MI, SS, MS and US"
_PARTS = "a format of %Y, %y, %m, %d, %x, %-m, %-d, %u, %w, %B, %b, %A, %a, %H, %M, %S, %f and %X"


def _formatted(values: Values, way: _Format, node: exp.ToChar, place: Place) -> Expression:
    day = _day(values, node.this, way.name, place)
    written_as = node.args.get("format")
    format_ = None if written_as is None else folded(written_as, values.reading)
    made = None
    if isinstance(format_, Literal) and isinstance(format_.value, str):
        made = way.read(format_.value, day, place)
    if made is None:
        raise NotSupported(
            f"{way.name} takes {way.takes}, with one at least of the day", place=place
        )
    return made


def _day(values: Values, node: exp.Expr, function: str, place: Place) -> Expression:
    value = values.value(node)
    day = value.operand if isinstance(value, Cast) and value.type == MOMENT else value
    if not is_date(values.reading.typed, day):
        raise NotSupported(f"{function} takes a level that is a date", place=place)
    return day


def _check_zone(values: Values, node: exp.AtTimeZone, place: Place) -> None:
    zone = folded(node.args["zone"], values.reading)
    if not isinstance(zone, Literal) or not _is_utc(zone.value):
        raise NotSupported("AT TIME ZONE is answered for UTC alone", place=place)


def _is_utc(zone: object) -> bool:
    return isinstance(zone, str) and zone.casefold() in _UTC


def _is_instant(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and node.args["to"].this is _INSTANT


def _type_of(node: exp.Expr) -> exp.DType:
    """Return whether a value is an instant or the time of a clock, which AT TIME ZONE exchange."""
    node = node.unnest()
    if isinstance(node, exp.AtTimeZone):
        return exp.DType.TIMESTAMP if _type_of(node.this) is _INSTANT else _INSTANT
    return _INSTANT if _is_instant(node) else exp.DType.TIMESTAMP
