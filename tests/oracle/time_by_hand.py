"""Windowed metrics by brute force: each value is a reduction of the facts of its interval.

What comes in: facts, an anchor, columns and a view. What goes out: the rows that are right. It must
never share anything with the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from periods_by_hand import begin, following, moved, window

CALENDAR = ("day", "week", "month", "quarter", "year", "iso_year")


@dataclass(frozen=True)
class Fact:
    """One row: where, when, and how much."""

    region: str | None
    store: str | None
    day: date
    value: Decimal | None


@dataclass(frozen=True)
class Column:
    """A metric: plain, or over an interval of its own.

    Attributes:
        kind: plain, prior, running, to_date, start or last.
        reducer: SUM, AVG, MIN, MAX, COUNT of value, COUNT(*), or DISTINCT stores.
        level: of the calendar, where its kind has one.
        count: of periods of it.
    """

    kind: str
    reducer: str
    level: str = ""
    count: int = 1


def reduced(reducer: str, facts: Sequence[Fact]) -> Any:
    """Return what a reducer makes of facts; NULL is no value."""
    values = [fact.value for fact in facts if fact.value is not None]
    match reducer:
        case "COUNT(*)":
            return len(facts)
        case "COUNT":
            return len(values)
        case "DISTINCT":
            return len({fact.store for fact in facts if fact.store is not None})
    if not values:
        return None
    match reducer:
        case "SUM":
            return sum(values)
        case "MIN":
            return min(values)
        case "MAX":
            return max(values)
        case "AVG":
            return float(sum(values)) / len(values)
    raise ValueError(reducer)


def interval(column: Column, grain: str, first: date) -> tuple[date, date] | None:
    """Return the days that a column reads at a period, the last excluded; None: there are none."""
    end = following(grain, first)
    match column.kind:
        case "plain":
            return first, end
        case "prior":
            return moved(grain, first, column.level, column.count)
        case "last":
            return window(grain, first, column.level, column.count)
        case "running":
            return date.min, end
        case "to_date":
            return begin(column.level, first), end
        case "start":
            start = begin(grain, begin(column.level, first))
            if start < begin(column.level, first):
                start = following(grain, start)
            return start, following(grain, start)
    raise ValueError(column.kind)


class Answer:
    """The rows of one question.

    Args:
        facts: those that pass what restricts them.
        anchor: levels, one of them of the calendar.
        columns: the metrics.
        view: the first and the last period that is shown; None: no bound on that side.
        spine: whether each period of the hull is a row.
    """

    def __init__(
        self,
        facts: Sequence[Fact],
        anchor: Sequence[str],
        columns: Sequence[Column],
        view: tuple[date | None, date | None] = (None, None),
        *,
        spine: bool = False,
    ) -> None:
        """Find what is realised; see the class."""
        self._facts, self._columns, self._spine = facts, columns, spine
        (self._grain,) = (level for level in anchor if level in CALENDAR)
        self._others = [level for level in anchor if level not in CALENDAR]
        self._at = list(anchor).index(self._grain)
        realised = [begin(self._grain, fact.day) for fact in facts]
        first, last = view
        self._first = first if first is not None else min(realised, default=None)
        self._last = last if last is not None else max(realised, default=None)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows, in no order."""
        return [row for key in self._keys() for row in self._rows_of(key)]

    def _keys(self) -> Iterable[tuple[Any, ...]]:
        return dict.fromkeys(self._key(fact) for fact in self._facts)

    def _key(self, fact: Fact) -> tuple[Any, ...]:
        return tuple(getattr(fact, level) for level in self._others)

    def _rows_of(self, key: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
        facts = [fact for fact in self._facts if self._key(fact) == key]
        makers = [one for one in self._columns if one.kind in ("plain", "prior")]
        # Windows make no rows: alone they stand at their metrics' own points.
        makers = makers or [Column("plain", one.reducer) for one in self._columns]
        for period in self._hull():
            if not self._spine and not any(self._in(one, period, facts) for one in makers):
                continue
            values = [
                None
                if one.kind in ("prior", "start") and not self._in(one, period, facts)
                else reduced(one.reducer, self._in(one, period, facts))
                for one in self._columns
            ]
            levels = list(key)
            levels.insert(self._at, period)
            yield (*levels, *values)

    def _hull(self) -> Iterable[date]:
        if self._first is None or self._last is None:
            return
        period = begin(self._grain, self._first)
        while period <= self._last:
            yield period
            period = following(self._grain, period)

    def _in(self, column: Column, period: date, facts: Sequence[Fact]) -> list[Fact]:
        days = interval(column, self._grain, period)
        return [] if days is None else [fact for fact in facts if days[0] <= fact.day < days[1]]
