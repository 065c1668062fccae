"""Casts of SQL: those that keep every value exactly, and no other.

What comes in: a CAST over a value. What goes out: the value, cast where Frame-QL casts it to the
same. It must never round: the reference dialect rounds a decimal cast to fewer places or to an
integer, and where Frame-QL would refuse the row, the text is refused as a whole.
"""

from __future__ import annotations

from typing import Protocol

from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.errors import NotSupported, Place
from flightframe_server.language.syntax import (
    Cast,
    Expression,
    Extract,
    Literal,
    Name,
    Parameter,
)
from flightframe_server.sql.date_moves import is_date
from flightframe_server.sql.reading import Reading

MOMENT = "timestamp"
_TEXTS = frozenset({exp.DType.VARCHAR, exp.DType.TEXT})
WRITTEN = frozenset({Kind.INTEGER, Kind.DATE, Kind.BOOLEAN})
"""The kinds of values whose text is the same in Frame-QL and in the reference dialect."""
_MOMENTS = frozenset({exp.DType.TIMESTAMP, exp.DType.DATETIME})
_WHOLE = frozenset({exp.DType.INT, exp.DType.BIGINT})
_FRAME_TYPES = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys(_MOMENTS, MOMENT),
    **dict.fromkeys(_WHOLE, "integer"),
    exp.DType.DATE: "date",
    exp.DType.DOUBLE: "double",
    exp.DType.BOOLEAN: "boolean",
}


class Values(Protocol):
    """What a cast needs of the place in which it stands."""

    @property
    def reading(self) -> Reading:
        """The text's."""

    def value(self, node: exp.Expr) -> Expression:
        """Return a value."""

    def level(self, node: Expression) -> str | None:
        """Return the level of moments that a value is, or None."""

    def truncated(self, level: str, function: str, place: Place) -> Name:
        """Return the level that holds the periods of a level."""


def cast(values: Values, node: exp.Cast, place: Place) -> Expression:
    """Return a cast value.

    Raises:
        NotSupported: the cast could change a value.
    """
    inner = values.value(node.this)
    type_ = node.args["to"]
    kind = type_.this
    if kind is exp.DType.DECIMAL:
        return _decimal(inner, type_, place)
    if type_.expressions or kind not in _FRAME_TYPES:
        raise _refused(type_, place)
    if kind is exp.DType.DATE:
        return date_of(values, inner, place)
    level = _level_type(values, inner)
    if kind in _MOMENTS and isinstance(inner, Cast) and inner.type == MOMENT:
        return inner
    if kind in _MOMENTS and level is None and is_date(values.reading.typed, inner):
        return Cast(inner, MOMENT, place=place)
    if kind in _TEXTS and isinstance(inner, Extract):
        return Cast(inner, "text", place=place)
    if level is not None:
        return _of_level(inner, level, type_, place)
    if isinstance(inner, Parameter):
        return Cast(inner, _FRAME_TYPES[kind], place=place)
    if isinstance(inner, Literal | Cast) or kind not in {*_WHOLE, exp.DType.DOUBLE}:
        raise _refused(type_, place)
    # Over numbers that were reduced: a value that the type does not hold is refused row by row.
    return Cast(inner, _FRAME_TYPES[kind], place=place)


def _of_level(inner: Expression, level: Kind, type_: exp.DataType, place: Place) -> Expression:
    kind = type_.this
    if kind in _MOMENTS:
        if level is Kind.DATE:
            return Cast(inner, MOMENT, place=place)
        if level is Kind.TIMESTAMP:
            return inner
    if kind in _TEXTS and level in WRITTEN:
        return Cast(inner, "text", place=place)
    same = {Kind.TEXT: _TEXTS, Kind.INTEGER: _WHOLE, Kind.DOUBLE: {exp.DType.DOUBLE}}
    if kind in same.get(level, ()):
        return inner
    raise _refused(type_, place)


def date_of(values: Values, inner: Expression, place: Place) -> Expression:
    """Return the date of a date or timestamp.

    Raises:
        NotSupported: it is none.
    """
    typed = values.reading.typed
    if isinstance(inner, Cast) and inner.type == MOMENT and is_date(typed, inner.operand):
        return inner.operand
    if not isinstance(inner, Name) and is_date(typed, inner):
        return inner
    level = values.level(inner)
    if level is not None and isinstance(inner, Name):
        if values.reading.typed.level_types[level].kind is Kind.DATE:
            return inner
        return values.truncated(level, "DAY_OF", place)
    if isinstance(inner, Parameter):
        return Cast(inner, "date", place=place)
    raise NotSupported("CAST to DATE takes a level that is a date or a timestamp", place=place)


def _level_type(values: Values, inner: Expression) -> Kind | None:
    if not isinstance(inner, Name):
        return None
    level = values.reading.typed.graph.find(inner.text)
    return None if level is None else values.reading.typed.level_types[level].kind


def _decimal(inner: Expression, type_: exp.DataType, place: Place) -> Expression:
    if type_.expressions:
        digits = [parameter.this for parameter in type_.expressions]
        if len(digits) == 2 and all(isinstance(d, exp.Literal) and d.is_int for d in digits):
            precision, scale = (int(digit.name) for digit in digits)
            return Cast(inner, f"decimal({precision},{scale})", place=place)
        raise _refused(type_, place)
    # The dialect's own default would round to three places.
    return inner


def _refused(type_: exp.DataType, place: Place) -> NotSupported:
    return NotSupported(
        f"a CAST to {str(type_.this.value).upper()} is answered only where it keeps every value",
        place=place,
        hint="leave the CAST out, or cast to DOUBLE or to a DECIMAL with as many places",
    )
