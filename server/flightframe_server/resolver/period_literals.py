"""Periods as people write them: `year = 2023`, `quarter = '2023-Q2'`, `week >= '2023-W14'`.

What comes in: the syntax of a statement, and its collection. What goes out: the statement in which
such a literal beside a calendar level is the date that names that level's member, the first day of
the period. It must never read a literal as a period of another size than the level's, nor touch one
that stands beside anything else.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flightframe_server.algebra.types import Kind
from flightframe_server.catalog.collection import FunctionMap
from flightframe_server.errors import TypeMismatch, shown
from flightframe_server.language.syntax import (
    AdHocLevel,
    Between,
    Compare,
    DistinctFrom,
    Expression,
    IsIn,
    Literal,
    LiteralKind,
    Name,
    Statement,
)
from flightframe_server.language.trees import with_parts
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class Period:
    """One size of period.

    Attributes:
        function: the calendar function whose values name it.
        word: what it is called.
        form: how a literal of it is written.
        start: gives its first day from the numbers of a literal.
    """

    function: str
    word: str
    form: re.Pattern[str]
    start: Callable[..., datetime.date]


def _form(written: str) -> re.Pattern[str]:
    return re.compile(written, re.ASCII | re.IGNORECASE)


# Finest first.
PERIODS = (
    Period("DAY_OF", "day", _form(r"(\d{4})-(\d\d)-(\d\d)"), datetime.date),
    Period("WEEK_OF", "week", _form(r"(\d{4})-W(\d\d)"), lambda y, w: _week(y, w)),
    Period("MONTH_OF", "month", _form(r"(\d{4})-(\d\d)"), lambda y, m: datetime.date(y, m, 1)),
    Period("QUARTER_OF", "quarter", _form(r"(\d{4})-Q([1-4])"), lambda y, q: _quarter(y, q)),
    Period("YEAR_OF", "year", _form(r"(\d{4})"), lambda y: datetime.date(y, 1, 1)),
)
_BY_FUNCTION: Mapping[str, Period] = {period.function: period for period in PERIODS}
_DAY = PERIODS[0]


def with_periods(statement: Statement, typed: TypedCollection) -> Statement:
    """Return a statement whose periods are dates.

    Raises:
        TypeMismatch: a literal is a period of another size than the level that it stands beside,
            or a day inside of the level's period.
    """
    if statement.dates_only or not statement.compares_literals:
        return statement
    outputs = frozenset(item.alias.casefold() for item in statement.items if item.alias)
    reader, answers = _Reader(typed), _Reader(typed, outputs)
    rest: Statement = reader.rewritten(replace(statement, having=None, order_by=()))
    return replace(
        rest,
        having=answers.rewritten(statement.having),
        order_by=answers.rewritten(statement.order_by),
    )


class _Reader:
    """Rewrites the comparisons of one statement; names of columns of the answer are no levels."""

    def __init__(self, typed: TypedCollection, outputs: frozenset[str] = frozenset()) -> None:
        self._scope, self._outputs = Scope(typed, Binding(None)), outputs

    def rewritten(self, node: Any) -> Any:
        """Return a node in which literals beside calendar levels are dates."""
        match node:
            case Compare() | DistinctFrom():
                left, right = node.left, node.right
                if isinstance(left, Name) and isinstance(right, Literal):
                    return replace(node, right=self._dated(left, right))
                if isinstance(left, Literal) and isinstance(right, Name):
                    return replace(node, left=self._dated(right, left))
            case Between(operand=Name() as name, low=low, high=high):
                return replace(node, low=self._dated(name, low), high=self._dated(name, high))
            case IsIn(operand=Name() as name, members=members):
                return replace(node, members=tuple(self._dated(name, one) for one in members))
            case AdHocLevel(expression=expression):
                return replace(node, expression=self.rewritten(expression))
            case Name():
                return node
        return with_parts(node, self.rewritten)

    def _dated(self, name: Name, literal: Expression) -> Expression:
        """Return the date that a literal beside a name stands for; itself where it is none."""
        written = _written(literal)
        if written is None or name.text.casefold() in self._outputs:
            return literal
        level = self._scope.level(name)
        own = None if level is None else period_of(self._scope.typed, level)
        if own is None or level is None:
            return literal
        for period in PERIODS:
            read = period.form.fullmatch(written)
            if read is not None:
                break
        else:
            return literal
        try:
            day = period.start(*map(int, read.groups()))
        except ValueError:
            return literal
        if period is not own and not (period is _DAY and _starts(day, own)):
            raise self._mismatch(level, own, written, period, literal)
        return Literal(day, LiteralKind.DATE, place=literal.place)

    def _mismatch(
        self, level: str, own: Period, written: str, period: Period, literal: Expression
    ) -> TypeMismatch:
        typed = self._scope.typed
        alike = [one for one in typed.graph.level_names if period_of(typed, one) is period]
        return TypeMismatch(
            f"{shown(written)} is a {period.word}, and {shown(level)} a {own.word}",
            place=literal.place,
            hint=f"compare {shown(alike[0])} with it" if len(alike) == 1 else None,
        )


def period_of(typed: TypedCollection, level: str) -> Period | None:
    """Return the size of a level's periods; None where it is no calendar level of whole days.

    A level of dates that no function gives is one of days where another level is derived from it.
    """
    if typed.level_types[level].kind is not Kind.DATE:
        return None
    functions, is_source = set(), False
    for family in typed.collection.dimension_families.values():
        for edge in family.edges:
            if edge.target == level:
                functions.add(edge.map.function if isinstance(edge.map, FunctionMap) else None)
            is_source |= edge.source == level and isinstance(edge.map, FunctionMap)
    if not functions:
        return _DAY if is_source else None
    function = functions.pop() if len(functions) == 1 else None
    return None if function is None else _BY_FUNCTION.get(function)


def _written(literal: Expression) -> str | None:
    """Return a literal that may be a period, as it is written."""
    if not isinstance(literal, Literal):
        return None
    if literal.kind is LiteralKind.TEXT:
        return str(literal.value).strip()
    # 2023, and no number with a sign or of other digits: those are no years.
    return str(literal.value) if literal.kind is LiteralKind.INTEGER else None


def _week(year: int, week: int) -> datetime.date:
    return datetime.date.fromisocalendar(year, week, 1)


def _quarter(year: int, quarter: int) -> datetime.date:
    return datetime.date(year, 3 * quarter - 2, 1)


def _starts(day: datetime.date, period: Period) -> bool:
    """Whether a day is the first of a period."""
    match period.word:
        case "week":
            return day.isoweekday() == 1
        case "month":
            return day.day == 1
        case "quarter":
            return day.day == 1 and day.month % 3 == 1
        case "year":
            return (day.day, day.month) == (1, 1)
    return True
