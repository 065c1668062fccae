"""Dates in a zone and as text, as tools write them that know no CAST of a date to a text.

What comes in: `AT TIME ZONE` and TO_CHAR over a date. What goes out: the same date, and its text.
It must never move a date: where the session's clock is not that of the zone which is named, and
where a value is a moment within a day, both are refused.

`CAST(day AS timestamptz)` is a day's beginning by the session's clock, which is that of the
collection's zone. TO_CHAR is PostgreSQL's: its templates begin with `YYYY-MM-DD` here, which is how
a date is written, and what follows of a day's beginning is noughts.
"""

from __future__ import annotations

import re
from typing import Protocol

from sqlglot import exp

from flightframe_server.errors import NotSupported, Place
from flightframe_server.language.syntax import (
    Binary,
    Cast,
    Expression,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.sql.date_moves import is_date
from flightframe_server.sql.folding import folded
from flightframe_server.sql.reading import Reading

MOMENT = "timestamp"
_UTC = frozenset({"utc", "etc/utc", "etc/uct", "uct", "zulu", "etc/zulu", "universal"})
_INSTANT = exp.DType.TIMESTAMPTZ
_DAY = "YYYY-MM-DD"
_TIME = re.compile(r'(HH24|MI|SS|US|MS)|([ :.,/-]+)|"([^"\\]*)"')
_ZEROS = {"HH24": "00", "MI": "00", "SS": "00", "MS": "000", "US": "000000"}


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


def written(values: Values, node: exp.ToChar, place: Place) -> Expression:
    """Return the text of a date by a template.

    Raises:
        NotSupported: the value is no date, or the template says it otherwise.
    """
    value, written_as = values.value(node.this), node.args.get("format")
    template = None if written_as is None else folded(written_as, values.reading)
    day = value.operand if isinstance(value, Cast) and value.type == MOMENT else value
    if not is_date(values.reading.typed, day):
        raise NotSupported("TO_CHAR takes a level that is a date", place=place)
    rest = _rest(template.value if isinstance(template, Literal) else None)
    if rest is None:
        raise NotSupported(
            f"TO_CHAR takes a template that begins with {_DAY}, and HH24, MI, SS, MS or US",
            place=place,
        )
    text = Cast(day, "text", place=place)
    if not rest:
        return text
    return Binary("||", text, Literal(rest, LiteralKind.TEXT, place=place), place=place)


def _rest(template: object) -> str | None:
    """Return what a template writes after a day, at its beginning; None: it is another."""
    if not isinstance(template, str) or not template.startswith(_DAY):
        return None
    at, rest = len(_DAY), ""
    while at < len(template):
        part = _TIME.match(template, at)
        if part is None:
            return None
        sign, quoted = part[2], part[3]
        rest += _ZEROS[part[1]] if part[1] else sign or quoted
        at = part.end()
    return rest


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
