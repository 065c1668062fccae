"""Constants of SQL folded to one literal, without an engine.

What comes in: a tree. What goes out: the literal that it is, typed as the reference dialect types
it, or nothing where it is none. It must never fold what could overflow or lose a fraction: that is
refused, or left to the resolver.

A moment with an offset becomes UTC without a zone, as a cast to TIMESTAMP has it. A date and an
interval give a timestamp. The clock is the collection's, and tells what a text depended on.
"""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from flightframe_server import row_values
from flightframe_server.errors import (
    ArithmeticOverflow,
    FrameQLSyntaxError,
    LimitExceeded,
    Place,
    TypeMismatch,
)
from flightframe_server.language import literals
from flightframe_server.language.literals import literal_of
from flightframe_server.language.syntax import Expression, Literal, LiteralKind, Parameter
from flightframe_server.resolver.days import months_later
from flightframe_server.sql.periods import first_instant, function_of
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading

MAX_TEXT = 64 * 1024
"""How many characters REPLACE may make of a constant."""

_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,6})\s*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT_FORMATS = frozenset({"YYYY-MM-DD HH24:MI:SS"})
_COMPARED: Mapping[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_ORDERED = frozenset({LiteralKind.INTEGER, LiteralKind.DECIMAL, LiteralKind.TEXT})
_DAYS: Mapping[str, datetime.timedelta] = {
    "DAY": datetime.timedelta(days=1),
    "WEEK": datetime.timedelta(weeks=1),
    "HOUR": datetime.timedelta(hours=1),
    "MINUTE": datetime.timedelta(minutes=1),
    "SECOND": datetime.timedelta(seconds=1),
}
_MONTHS: Mapping[str, int] = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def folded(node: exp.Expr, reading: Reading) -> Literal | Parameter | None:
    """Return the literal that a tree is; None where it is no constant that is folded here.

    Raises:
        QueryError: a constant that the reference dialect would refuse as well, or could round.
    """
    match node:
        case exp.Paren():
            return folded(node.this, reading)
        case exp.Literal():
            return _literal(node)
        case exp.Boolean(this=value):
            return Literal(bool(value), LiteralKind.BOOLEAN, place=place_of(node))
        case exp.Null():
            return Literal(None, LiteralKind.NULL, place=place_of(node))
        case exp.Placeholder():
            value = reading.parameter(node)
            assert isinstance(value, Literal | Parameter)
            return value
        case exp.Neg():
            return _signed(folded(node.this, reading), place_of(node))
        case exp.CurrentDate():
            return literal_of(reading.clock.today(), place_of(node))
        case exp.CurrentTimestamp():
            return literal_of(reading.clock.moment(), place_of(node))
        case exp.Anonymous():
            return _called(node, reading)
    return _combined(node, reading)


def constant_truth(node: exp.Expr, reading: Reading) -> Literal | None:
    """Return TRUE, FALSE or NULL where a condition is one whatever the row; else None."""
    match node:
        case exp.Paren():
            return constant_truth(node.this, reading)
        case exp.Not():
            inner = constant_truth(node.this, reading)
            if inner is None or inner.value is None:
                return inner
            return Literal(not inner.value, LiteralKind.BOOLEAN, place=inner.place)
    value = folded(node, reading)
    if isinstance(value, Literal) and value.kind in (LiteralKind.BOOLEAN, LiteralKind.NULL):
        return value
    return None


def _signed(inner: Expression | None, place: Place) -> Literal | None:
    if isinstance(inner, Literal) and literals.is_number(inner):
        return literals.signed("-", inner, place)
    return None


def _literal(node: exp.Literal) -> Literal | None:
    place = place_of(node)
    if node.is_string:
        return Literal(node.name, LiteralKind.TEXT, place=place)
    if not _NUMBER.fullmatch(node.name):
        return None
    return (literals.integer if node.name.isdecimal() else literals.number)(node.name, place)


def _called(node: exp.Anonymous, reading: Reading) -> Literal | None:
    place, arguments = place_of(node), node.expressions
    match node.name.upper(), len(arguments):
        case "NOW", 0:
            return literal_of(reading.clock.moment(), place)
        case "TODAY", 0:
            return literal_of(reading.clock.today(), place)
        case "TO_TIMESTAMP", 2:
            text, form = (_text(argument, reading) for argument in arguments)
            if text is not None and form is not None and form.upper() in _MOMENT_FORMATS:
                return _moment(text, place)
    return None


def _combined(node: exp.Expr, reading: Reading) -> Literal | None:
    match node:
        case exp.Cast():
            return _cast(node, reading)
        case exp.Date():
            return _to_date(folded(node.this, reading), place_of(node))
        case exp.DateTrunc():
            return _truncated(node, reading)
        case exp.Add() | exp.Sub():
            return _moved(node, reading)
        case exp.DPipe() | exp.Replace() | exp.Lower() | exp.Upper():
            return _joined(node, reading)
    compared = _COMPARED.get(type(node))
    if compared is None:
        return None
    return _compared(folded(node.this, reading), folded(node.expression, reading), compared, node)


def _compared(
    left: Expression | None,
    right: Expression | None,
    holds: Callable[[Any, Any], bool],
    node: exp.Expr,
) -> Literal | None:
    if not isinstance(left, Literal) or not isinstance(right, Literal):
        return None
    place = place_of(node)
    if LiteralKind.NULL in (left.kind, right.kind):
        return Literal(None, LiteralKind.NULL, place=place)
    numbers = {LiteralKind.INTEGER, LiteralKind.DECIMAL}
    alike = left.kind is right.kind or {left.kind, right.kind} == numbers
    known = left.kind in _ORDERED or (
        left.kind is LiteralKind.BOOLEAN and type(node) in (exp.EQ, exp.NEQ)
    )
    if not alike or not known:
        return None
    return Literal(holds(left.value, right.value), LiteralKind.BOOLEAN, place=place)


def _text(node: exp.Expr, reading: Reading) -> str | None:
    value = folded(node, reading)
    if isinstance(value, Literal) and value.kind is LiteralKind.TEXT:
        return str(value.value)
    return None


def _joined(node: exp.Expr, reading: Reading) -> Literal | None:
    texts: dict[str, str] = {}
    for name, part in node.args.items():
        text = _text(part, reading) if isinstance(part, exp.Expr) else None
        if isinstance(part, exp.Expr) and text is None:
            return None
        texts[name] = text or ""
    place = place_of(node)
    match node:
        case exp.DPipe():
            joined = texts["this"] + texts["expression"]
        case exp.Replace(args={"replacement": exp.Expr()}):
            joined = _replaced(texts, place)
        case exp.Lower():
            joined = row_values.lower(texts["this"])
        case exp.Upper():
            joined = row_values.upper(texts["this"])
        case _:
            return None
    return Literal(joined, LiteralKind.TEXT, place=place)


def _replaced(texts: Mapping[str, str], place: Place) -> str:
    text, old, new = texts["this"], texts["expression"], texts["replacement"]
    if not old:
        # An empty text is found nowhere.
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise LimitExceeded(f"a constant has at most {MAX_TEXT:,} characters", place=place)
    return text.replace(old, new)


def _cast(node: exp.Cast, reading: Reading) -> Literal | None:
    value, place = folded(node.this, reading), place_of(node)
    if not isinstance(value, Literal):
        return None
    type_ = node.args["to"]
    if type_.expressions:
        return None
    match type_.this:
        case exp.DType.DATE:
            return _to_date(value, place)
        case exp.DType.TIMESTAMP | exp.DType.DATETIME:
            return _to_moment(value, place)
        case exp.DType.VARCHAR | exp.DType.TEXT if value.kind is LiteralKind.TEXT:
            return value
        case exp.DType.INT | exp.DType.BIGINT if value.kind is LiteralKind.INTEGER:
            return value
    return None


def _to_date(value: Expression | None, place: Place) -> Literal | None:
    if not isinstance(value, Literal):
        return None
    match value.kind, value.value:
        case LiteralKind.DATE, _:
            return value
        case LiteralKind.TIMESTAMP, datetime.datetime() as moment if moment.tzinfo is None:
            return literal_of(moment.date(), place)
        case LiteralKind.TEXT, str() as text:
            return literals.date(text.strip(), place)
    return None


def _to_moment(value: Literal, place: Place) -> Literal | None:
    match value.kind, value.value:
        case LiteralKind.TIMESTAMP, _:
            return value
        case LiteralKind.DATE, datetime.date() as day:
            return literal_of(datetime.datetime.combine(day, datetime.time()), place)
        case LiteralKind.TEXT, str() as text:
            return _moment(text.strip(), place)
    return None


def _moment(text: str, place: Place) -> Literal:
    if _DAY.fullmatch(text):
        text = f"{text} 00:00:00"
    moment = literals.timestamp(text, place).value
    assert isinstance(moment, datetime.datetime)
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return literal_of(moment, place)


def _truncated(node: exp.DateTrunc, reading: Reading) -> Literal | None:
    value = folded(node.this, reading)
    unit = unit_of(node, reading)
    if not isinstance(value, Literal) or unit is None:
        return None
    if not isinstance(value.value, datetime.date):
        return None
    if isinstance(value.value, datetime.datetime) and value.value.tzinfo is not None:
        return None
    return literal_of(first_instant(function_of(unit, place_of(node)), value.value), place_of(node))


def unit_of(node: exp.DateTrunc, reading: Reading) -> str | None:
    """Return the unit of a DATE_TRUNC; None where it is a parameter that is not bound yet.

    Raises:
        TypeMismatch: it is no text.
    """
    unit = node.args["unit"]
    match unit:
        case exp.Placeholder():
            return reading.shaping_text(unit)
        case exp.Literal(is_string=True) | exp.Var():
            return str(unit.name)
    raise TypeMismatch(
        "DATE_TRUNC takes the name of a unit", place=place_of(node), hint="write 'month'"
    )


def _moved(node: exp.Add | exp.Sub, reading: Reading) -> Literal | None:
    """Return a date or timestamp plus or less an interval or days."""
    value = folded(node.this, reading)
    if not isinstance(value, Literal) or not isinstance(value.value, datetime.date):
        return None
    sign = -1 if isinstance(node, exp.Sub) else 1
    place = place_of(node)
    try:
        if isinstance(node.expression.unnest(), exp.Interval):
            return literal_of(_plus(value.value, node.expression.unnest(), sign, reading), place)
        days = folded(node.expression, reading)
        whole_number = days.value if isinstance(days, Literal) else None
        if isinstance(whole_number, int) and value.kind is LiteralKind.DATE:
            return literal_of(value.value + datetime.timedelta(days=sign * whole_number), place)
    except (OverflowError, ValueError):
        raise ArithmeticOverflow("a date is of the years 1 to 9999", place=place) from None
    return None


def _plus(
    day: datetime.date, interval: exp.Interval, sign: int, reading: Reading
) -> datetime.datetime:
    count = _text(interval.this, reading) if interval.this is not None else None
    whole_number = _WHOLE.fullmatch(count or "")
    written = interval.args.get("unit")
    unit = "" if written is None else written.name.upper().removesuffix("S")
    if whole_number is None or unit not in {*_DAYS, *_MONTHS}:
        raise FrameQLSyntaxError(
            "an interval is a whole number of one unit",
            place=place_of(interval),
            hint="write INTERVAL '7 days'",
        )
    number = sign * int(whole_number[1])
    moment = (
        day
        if isinstance(day, datetime.datetime)
        else datetime.datetime.combine(day, datetime.time())
    )
    if unit in _DAYS:
        return moment + number * _DAYS[unit]
    later = months_later(moment, number * _MONTHS[unit])
    assert isinstance(later, datetime.datetime)
    return later
