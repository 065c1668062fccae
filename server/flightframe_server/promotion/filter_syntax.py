"""The filter of an entry, as syntax that can be asked again.

What comes in: canonical texts of conditions, as `resolver.terms.text` writes them into keys. What
goes out: Frame-QL's syntax for the same conditions. It must never be trusted to mean the same: the
caller resolves it anew and compares the texts, and so it may give up wherever it does not know.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from flightframe_server.algebra.functions import CALLED
from flightframe_server.language.syntax import (
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Expression,
    Extract,
    Interval,
    IsIn,
    IsKnown,
    IsNull,
    Junction,
    Like,
    Literal,
    LiteralKind,
    Name,
    Not,
    Unary,
    When,
)
from flightframe_server.resolver.known_levels import known_of

_TOKEN = re.compile(
    r"""(?P<moment>date|timestamp)[ ]'(?P<value>[^']*)'
    | '(?P<text>(?:[^']|'')*)'
    | "(?P<quoted>(?:[^"]|"")*)"
    | (?P<double>-?0x[0-9a-f.]+p[+-]\d+|-?nan|-?inf(?![^\W\d]))
    | (?P<number>-?\d+(?:\.\d+)?(?:E[+-]?\d+)?)
    | (?P<plain>[^\W\d]\w*)
    | (?P<sign>[(),])
    | [ ]as[ ](?P<type>[a-z]+(?:\(\d+,\d+\))?(?:\[[^\]]*\])?)""",
    re.VERBOSE,
)
_AND = " and "

Arguments = tuple[Expression, ...]


class Unreadable(Exception):
    """A text is not of the kind that is read here; no client gets it."""


def filter_syntax(texts: Iterable[str]) -> Expression | None:
    """Return conditions as one expression, None where there are none.

    Args:
        texts: canonical texts of conjuncts.

    Raises:
        Unreadable: one of them has no syntax that is known here.
    """
    conditions = tuple(_Reader(text).expression() for text in texts)
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return Junction("AND", conditions)


def split_conditions(text: str) -> tuple[str, ...]:
    """Return the conjuncts of a family's own filter, which stand in one text.

    >>> split_conditions("eq(region,'here and there') and gt(day,date '2024-01-01')")
    ("eq(region,'here and there')", "gt(day,date '2024-01-01')")
    """
    parts: list[str] = []
    begin = place = depth = 0
    while place < len(text):
        if depth == 0 and text.startswith(_AND, place):
            parts.append(text[begin:place])
            begin = place = place + len(_AND)
            continue
        match = _TOKEN.match(text, place)
        sign = match["sign"] if match is not None else None
        depth += {"(": 1, ")": -1}.get(sign or "", 0)
        place = match.end() if match is not None else place + 1
    return (*parts, text[begin:]) if text else ()


class _Reader:
    """Reads one canonical text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text, self._place = text, 0

    def expression(self) -> Expression:
        """Return the whole text as an expression."""
        term = self._term()
        if self._place != len(self._text):
            raise Unreadable
        return term

    def _next(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._place)
        if match is None:
            raise Unreadable
        self._place = match.end()
        return match

    def _takes(self, sign: str) -> bool:
        """Whether a sign stands next, which is passed over then."""
        if not self._text.startswith(sign, self._place):
            return False
        self._place += len(sign)
        return True

    def _term(self) -> Expression:
        token = self._next()
        if token["plain"] is not None and self._takes("("):
            return self._applied(token["plain"])
        return _leaf(token)

    def _applied(self, function: str) -> Expression:
        if function == "cast":
            operand, target = self._term(), self._next()["type"]
            if target is None or not self._takes(")"):
                raise Unreadable
            return Cast(operand, target)
        arguments: list[Expression] = [self._term()]
        while self._takes(","):
            arguments.append(self._term())
        if not self._takes(")"):
            raise Unreadable
        return _call(function, tuple(arguments))


def _leaf(token: re.Match[str]) -> Expression:
    """Return a name or a literal."""
    if token["quoted"] is not None:
        return Name((token["quoted"].replace('""', '"'),))
    if token["plain"] is not None:
        word = token["plain"]
        return _WORDS[word] if word in _WORDS else Name((word,))
    if token["text"] is not None:
        return Literal(token["text"].replace("''", "'"), LiteralKind.TEXT)
    if token["double"] is not None:
        return Literal(float.fromhex(token["double"]), LiteralKind.DOUBLE)
    if token["number"] is not None:
        return _number(token["number"])
    if token["moment"] is not None:
        return _moment(token["moment"], token["value"])
    raise Unreadable


_WORDS: Mapping[str, Literal] = {
    "null": Literal(None, LiteralKind.NULL),
    "True": Literal(True, LiteralKind.BOOLEAN),
    "False": Literal(False, LiteralKind.BOOLEAN),
}


def _number(written: str) -> Literal:
    if written.lstrip("-").isdecimal():
        return Literal(int(written), LiteralKind.INTEGER)
    return Literal(Decimal(written), LiteralKind.DECIMAL)


def _moment(kind: str, written: str) -> Literal:
    try:
        if kind == "date":
            return Literal(datetime.date.fromisoformat(written), LiteralKind.DATE)
        return Literal(datetime.datetime.fromisoformat(written), LiteralKind.TIMESTAMP)
    except ValueError:
        raise Unreadable from None


def _call(function: str, arguments: Arguments) -> Expression:
    """Return the syntax of a function that was applied."""
    if function in _JUNCTIONS:
        return Junction(function.upper(), arguments)
    if function in _INTERVALS and len(arguments) == 2 and isinstance(arguments[1], Literal):
        count = arguments[1].value
        if isinstance(count, int):
            return Binary("+", arguments[0], Interval(count, _INTERVALS[function]))
    if function in _OF_TWO and len(arguments) == 2:
        return _OF_TWO[function](*arguments)
    if function in _OF_ONE and len(arguments) == 1:
        return _OF_ONE[function](*arguments)
    if function == "in":
        return IsIn(arguments[0], arguments[1:])
    if function == "case":
        return _case(arguments)
    if function == "extract":
        return _extract(arguments)
    if function.upper() in CALLED:
        return Call(function.upper(), arguments)
    raise Unreadable


# A number of days moves a date alone, an interval a timestamp as well.
_INTERVALS = {"add_days": "day", "add_months": "month"}
_JUNCTIONS = frozenset({"and", "or"})

_COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "modulo": "%",
    "concat": "||",
    "add_days": "+",
    "days_between": "-",
}


def _comparing(operator: str) -> Callable[[Expression, Expression], Expression]:
    return lambda left, right: Compare(operator, left, right)


def _computing(operator: str) -> Callable[[Expression, Expression], Expression]:
    return lambda left, right: Binary(operator, left, right)


_OF_TWO: Mapping[str, Callable[[Expression, Expression], Expression]] = {
    **{name: _comparing(operator) for name, operator in _COMPARISONS.items()},
    **{name: _computing(operator) for name, operator in _ARITHMETIC.items()},
    "distinct": DistinctFrom,
    "like": Like,
}


def _as_it_is(operand: Expression) -> Expression:
    """Return a date beside a timestamp: the resolver makes it one again."""
    return operand


def _is_null(operand: Expression) -> Expression:
    """Return a test for NULL, or the word for that of a level which tells of another one."""
    level = known_of(operand.text) if isinstance(operand, Name) else None
    return IsNull(operand) if level is None else IsKnown(Name((level,)), negated=True)


_OF_ONE: Mapping[str, Callable[[Expression], Expression]] = {
    "not": Not,
    "is_null": _is_null,
    "negate": lambda operand: Unary("-", operand),
    "to_timestamp": _as_it_is,
}


def _case(arguments: Arguments) -> Case:
    if len(arguments) % 2 == 0:
        raise Unreadable
    pairs = zip(arguments[0:-1:2], arguments[1:-1:2], strict=True)
    whens = tuple(When(condition, result) for condition, result in pairs)
    return Case(None, whens, arguments[-1])


def _extract(arguments: Arguments) -> Extract:
    match arguments:
        case (Literal(value=str(field)), operand):
            return Extract(field, operand)
    raise Unreadable
