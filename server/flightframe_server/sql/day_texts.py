"""Texts of a day by a format: DuckDB's STRFTIME, MONTHNAME and DAYNAME, PostgreSQL's TO_CHAR.

What comes in: a date, and the format. What goes out: its text, as a value over the date, or nothing
where a part of the format is none of these. It must never write a part that another reader of the
same letters writes otherwise: `SSSS` of TO_CHAR is no `SS` twice, and a `Month` has blanks behind.

The text of a date is `YYYY-MM-DD`, so that its numbers are parts of that text; what a format says
of the time is that of a day's beginning, which is noughts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, reduce

from flightframe_server.errors import Place
from flightframe_server.language.syntax import (
    Binary,
    Call,
    Case,
    Cast,
    Expression,
    Extract,
    Literal,
    LiteralKind,
    When,
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = 3


@dataclass(frozen=True, slots=True)
class _Slice:
    """Letters of `YYYY-MM-DD`, from 1."""

    start: int
    length: int


_Made = Callable[[Expression, Place], Expression]
_Part = _Slice | str | _Made


def _field(field: str, day: Expression, place: Place) -> Expression:
    return Cast(Extract(field, day, place=place), "text", place=place)


def _name(field: str, names: tuple[str, ...], day: Expression, place: Place) -> Expression:
    whens = tuple(
        When(
            Literal(at, LiteralKind.INTEGER, place=place),
            Literal(name, LiteralKind.TEXT, place=place),
            place=place,
        )
        for at, name in enumerate(names, 1)
    )
    return Case(Extract(field, day, place=place), whens, place=place)


def _cut(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[:_SHORT] for name in names)


month_name: _Made = partial(_name, "month", _MONTHS)
"""Returns the name of a day's month, in English."""

day_name: _Made = partial(_name, "isodow", _DAYS)
"""Returns the name of a day of the week, in English."""

_DATE = _Slice(1, 10)
_NUMBERS: Mapping[str, _Slice] = {
    "year": _Slice(1, 4),
    "short year": _Slice(3, 2),
    "month": _Slice(6, 2),
    "day": _Slice(9, 2),
}
_STRFTIME: Mapping[str, _Part] = {
    "%Y": _NUMBERS["year"],
    "%y": _NUMBERS["short year"],
    "%m": _NUMBERS["month"],
    "%d": _NUMBERS["day"],
    "%x": _DATE,
    "%-m": partial(_field, "month"),
    "%-d": partial(_field, "day"),
    "%u": partial(_field, "isodow"),
    "%w": partial(_field, "dow"),
    "%B": month_name,
    "%b": partial(_name, "month", _cut(_MONTHS)),
    "%A": day_name,
    "%a": partial(_name, "isodow", _cut(_DAYS)),
    "%H": "00",
    "%M": "00",
    "%S": "00",
    "%f": "000000",
    "%X": "00:00:00",
    "%%": "%",
}
_OF_STRFTIME = re.compile(r"%-?.|[^%]", re.DOTALL)
_TO_CHAR: Mapping[str, _Part] = {
    "YYYY": _NUMBERS["year"],
    "YY": _NUMBERS["short year"],
    "MM": _NUMBERS["month"],
    "DD": _NUMBERS["day"],
    "Q": partial(_field, "quarter"),
    "Mon": partial(_name, "month", _cut(_MONTHS)),
    "Dy": partial(_name, "isodow", _cut(_DAYS)),
    "HH24": "00",
    "MI": "00",
    "SS": "00",
    "MS": "000",
    "US": "000000",
}
# A letter more is another word there: DDD is the day of the year, SSSS the seconds of the day.
_OF_TO_CHAR = re.compile(
    r"YYYY(?!Y)|YY(?!Y)|MM|DD(?!D)|SS(?!S)|HH24|MI|MS|US|Mon|Dy|Q"
    r'|(?P<sign>[ :.,/-])|"(?P<quoted>[^"\\]*)"'
)


def by_strftime(format_: str, day: Expression, place: Place) -> Expression | None:
    """Return a day by a format of DuckDB; None where a part of it is not known."""
    parts: list[_Part] = []
    for piece in _OF_STRFTIME.findall(format_):
        part = _STRFTIME.get(piece) if piece.startswith("%") else piece
        if part is None:
            return None
        parts.append(part)
    # A sign that ends the format begins nothing.
    return None if re.sub(_OF_STRFTIME, "", format_) else _written(parts, day, place)


def by_template(template: str, day: Expression, place: Place) -> Expression | None:
    """Return a day by a template of PostgreSQL; None where a part of it is not known."""
    parts: list[_Part] = []
    at = 0
    while at < len(template):
        piece = _OF_TO_CHAR.match(template, at)
        if piece is None:
            return None
        literal = piece["sign"] or piece["quoted"]
        parts.append(_TO_CHAR[piece[0]] if literal is None else literal)
        at = piece.end()
    return _written(parts, day, place)


def _written(parts: list[_Part], day: Expression, place: Place) -> Expression | None:
    """Return parts joined; None where none of them is of the day, which may be NULL."""
    if all(isinstance(part, str) for part in parts):
        return None
    return reduce(
        lambda left, right: Binary("||", left, right, place=place),
        (_value(part, day, place) for part in _joined(parts)),
    )


def _joined(parts: list[_Part]) -> Iterator[_Part]:
    """Yield parts, what stands side by side in the text of a date as one of them."""
    made: list[_Part] = []
    for part in parts:
        match made, part:
            case [*_, _Slice() as first, "-"], _Slice() as second if _follows(first, second):
                made[-2:] = [_Slice(first.start, first.length + 1 + second.length)]
            case [*_, str() as text], str():
                made[-1] = text + part
            case _:
                made.append(part)
    yield from made


def _follows(first: _Slice, second: _Slice) -> bool:
    return first.start + first.length + 1 == second.start


def _value(part: _Part, day: Expression, place: Place) -> Expression:
    if isinstance(part, str):
        return Literal(part, LiteralKind.TEXT, place=place)
    if not isinstance(part, _Slice):
        return part(day, place)
    text = Cast(day, "text", place=place)
    if part == _DATE:
        return text
    numbers = (Literal(at, LiteralKind.INTEGER, place=place) for at in (part.start, part.length))
    return Call("SUBSTR", (text, *numbers), place=place)
