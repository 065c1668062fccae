"""Periods as people write them: `year = 2023`, `quarter = '2023-Q2'`, `week >= '2023-W14'`.

What comes in: the syntax of a statement, and its collection. What goes out: the statement in which
such a literal beside a calendar level is the date that names that level's member, the first day of
the period. It must never read a literal as a period of another size than the level's, nor touch one
that stands beside anything else.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flightframe_server.algebra.types import Kind
from flightframe_server.catalog.collection import FunctionMap
from flightframe_server.errors import ArithmeticOverflow, NotSupported, TypeMismatch, shown
from flightframe_server.language.syntax import (
    AdHocLevel,
    Between,
    Compare,
    DistinctFrom,
    Expression,
    IsIn,
    IsInLast,
    Literal,
    LiteralKind,
    LiteralValue,
    Name,
    Statement,
    compares_literals,
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
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MONTHS_OF = frozenset({("month", "quarter"), ("month", "year"), ("quarter", "year")})


def with_periods(
    statement: Statement, typed: TypedCollection, binding: Binding | None = None
) -> Statement:
    """Return a statement whose periods are dates.

    Args:
        statement: the statement.
        typed: its collection.
        binding: says which day it is, by which the last periods are found.

    Raises:
        TypeMismatch: a literal is a period of another size than the level that it stands beside,
            or a day inside of the level's period; the last periods are no periods of the level.
        NotSupported: the last periods are asked for where there is no such day.
    """
    if statement.dates_only or not statement.compares_literals:
        return statement
    scope = Scope(typed, Binding(None) if binding is None else binding)
    outputs = frozenset(item.alias.casefold() for item in statement.items if item.alias)
    reader, answers = _Reader(scope), _Reader(scope, outputs)
    rest: Statement = reader.rewritten(replace(statement, having=None, order_by=()))
    return replace(
        rest,
        having=answers.rewritten(statement.having),
        order_by=answers.rewritten(statement.order_by),
    )


def filter_with_periods(expression: Expression, scope: Scope) -> Expression:
    """Return the filter of a declared family whose periods are dates.

    Args:
        expression: the filter.
        scope: what its names mean.

    Raises:
        TypeMismatch: as `with_periods`.
        NotSupported: it asks for the last periods, which are others each day.
    """
    if not compares_literals(expression):
        return expression
    rewritten: Expression = _Reader(scope, is_declared=True).rewritten(expression)
    return rewritten


class _Reader:
    """Rewrites the comparisons of one statement; names of columns of the answer are no levels."""

    def __init__(
        self, scope: Scope, outputs: frozenset[str] = frozenset(), *, is_declared: bool = False
    ) -> None:
        self._scope, self._outputs, self._is_declared = scope, outputs, is_declared

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
            case IsInLast(operand=Name() as name):
                return self._last(node, name)
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
        if period is not own and not (period is _DAY and begins_on(own.word, day)):
            raise self._mismatch(level, own, written, period, literal)
        return Literal(day, LiteralKind.DATE, place=literal.place)

    def _last(self, node: IsInLast, name: Name) -> Expression:
        """Return the range of days or periods that ends with today."""
        level = None if name.text.casefold() in self._outputs else self._scope.level(name)
        own = None if level is None else period_of(self._scope.typed, level)
        if own is None or level is None:
            return node
        unit = next((one for one in PERIODS if one.word == node.unit), None)
        if unit is None or node.count < 1 or not covers(own, unit):
            words = ", ".join(one.word for one in PERIODS if covers(own, one))
            raise TypeMismatch(
                f"the last periods of {shown(level)} are a count from 1 of {words}",
                place=node.place,
                hint=None,
            )
        if self._is_declared:
            raise NotSupported(
                "the last periods stand in a query, not in a collection", place=node.place
            )
        zone = self._scope.zone
        today = self._scope.binding.day_asked(zone, node.place).value
        bounds: tuple[LiteralValue, LiteralValue] = (None, None)
        if isinstance(today, datetime.date):
            try:
                bounds = last_periods(own, unit, node.count, today)
            except (ValueError, OverflowError):
                raise ArithmeticOverflow(
                    "the last periods begin before the year 1", place=node.place
                ) from None
        kind = LiteralKind.NULL if bounds[0] is None else LiteralKind.DATE
        low, high = (Literal(bound, kind, place=node.place) for bound in bounds)
        return Between(name, low, high, node.negated, place=node.place)

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


def covers(own: Period, unit: Period) -> bool:
    """Whether periods of one size are some whole periods of a level's size, or days of a level.

    >>> covers(PERIODS[2], PERIODS[4]), covers(PERIODS[1], PERIODS[2])
    (True, False)
    """
    return own in (unit, _DAY) or (own.word, unit.word) in _MONTHS_OF


def last_periods(
    own: Period, unit: Period, count: int, today: datetime.date
) -> tuple[datetime.date, datetime.date]:
    """Return the first and the last member of a level among its last periods.

    Args:
        own: the size of the level's periods.
        unit: the size of those that are counted; months of days slide: they begin the day after
            the same day so many months before, or after the last day of a shorter month.
        count: how many, the one that holds today included.
        today: the day.

    Raises:
        ValueError: they begin before the year 1.
        OverflowError: the same.

    >>> last_periods(PERIODS[0], PERIODS[2], 1, datetime.date(2024, 3, 31))
    (datetime.date(2024, 3, 1), datetime.date(2024, 3, 31))
    >>> last_periods(PERIODS[2], PERIODS[4], 1, datetime.date(2024, 3, 31))
    (datetime.date(2023, 4, 1), datetime.date(2024, 3, 1))
    """
    one_day = datetime.timedelta(days=1)
    if own is _DAY:
        if unit.word in ("day", "week"):
            days = count * (7 if unit.word == "week" else 1)
            return today - (days - 1) * one_day, today
        return _months_before(today, count * _MONTHS[unit.word]) + one_day, today
    if own.word == "week":
        monday = today - today.weekday() * one_day
        return monday - 7 * (count - 1) * one_day, monday
    size, months = _MONTHS[own.word], _MONTHS[unit.word] * count
    start = datetime.date(today.year, (today.month - 1) // size * size + 1, 1)
    return _months_before(start, months - size), start


def _months_before(day: datetime.date, months: int) -> datetime.date:
    """Return the same day so many months before, or the last of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1] if year >= 1 else 0
    return datetime.date(year, month + 1, min(day.day, last))


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


def begins_on(word: str, day: datetime.date) -> bool:
    """Return whether a period, by its word in lower case, begins on a day; any finer one does.

    >>> [begins_on(word, datetime.date(2024, 4, 1)) for word in ("day", "quarter", "year")]
    [True, True, False]
    """
    match word:
        case "week":
            return day.isoweekday() == 1
        case "month":
            return day.day == 1
        case "quarter":
            return day.day == 1 and day.month % 3 == 1
        case "year":
            return day.day == 1 and day.month == 1
    return True
