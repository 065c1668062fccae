"""The units of DATE_TRUNC as the calendar's functions, and the levels that hold their periods.

What comes in: a unit, and a level. What goes out: the level whose members are the first instants of
those periods, and what has to hold of the rows for it. It must never take a level for a period that
the collection does not compute from that very level: a stored month may say something else.
"""

from __future__ import annotations

import datetime
from collections import deque
from dataclasses import dataclass

from flightframe_server.algebra.types import Kind
from flightframe_server.catalog.calendar import COARSER
from flightframe_server.catalog.collection import Edge, FunctionMap
from flightframe_server.errors import NotSupported, Place, shown
from flightframe_server.resolver.typed import TypedCollection

_UNITS = {
    **{unit: f"{unit}_OF" for unit in ("SECOND", "MINUTE", "HOUR", "DAY")},
    **{unit: f"{unit}_OF" for unit in ("WEEK", "MONTH", "QUARTER", "YEAR")},
    "QTR": "QUARTER_OF",
}
"""DATE_TRUNC's units; 'qtr' is Snowflake's and Redshift's word, of one meaning wherever it is."""

_BELOW_A_DAY = frozenset({"SECOND_OF", "MINUTE_OF", "HOUR_OF"})


@dataclass(frozen=True, slots=True)
class Fold:
    """A truncation read as a level.

    Attributes:
        level: the level that is truncated.
        period: the level that holds the periods; the same where every member begins one.
        function: the function whose value the period is, None where nothing has to be computed.
        place: of the truncation in the text.
    """

    level: str
    period: str
    function: str | None
    place: Place

    def holds_on(self, typed: TypedCollection, schema: str) -> bool:
        """Whether rows of a schema have the period computed from the level, and from no other."""
        if self.function is None:
            return True
        path = typed.graph.schema_path(schema, self.period)
        if path is None:
            return False
        if self.level == self.period:
            return bool(path) and _function(path[-1]) is not None
        sources = [edge.source for edge in path]
        if self.level not in sources:
            return False
        return all(_function(edge) for edge in path[sources.index(self.level) :])


def function_of(unit: str, place: Place) -> str:
    """Return the calendar's function of a unit.

    Raises:
        NotSupported: there is none.
    """
    function = _UNITS.get(unit.upper())
    if function is None:
        raise NotSupported(
            f"{shown(unit)} is no unit of the calendar",
            place=place,
            hint="second, minute, hour, day, week, month, quarter and year are",
        )
    return function


def fold(typed: TypedCollection, level: str, function: str, place: Place) -> Fold:
    """Return the level that a truncation of a level is.

    Raises:
        NotSupported: the collection declares no such level.
    """
    type_ = typed.level_types[level]
    if type_.kind is Kind.DATE and function in (*_BELOW_A_DAY, "DAY_OF"):
        return Fold(level, level, None, place)
    if type_.is_moment and type_.zone is None:
        own = _own_function(typed, level)
        if own is not None and (own == function or own in COARSER[function]):
            return Fold(level, level, own, place)
        period = _period(typed, level, function)
        if period is not None:
            return Fold(level, period, function, place)
    raise NotSupported(
        f"{shown(level)} has no level of its {function.removesuffix('_OF').lower()}s",
        place=place,
        hint=f"a level derived from {shown(level)} by {function} would be one",
    )


def first_instant(function: str, moment: datetime.date) -> datetime.datetime:
    """Return the first instant of the period that holds a date or timestamp."""
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.combine(moment, datetime.time())
    match function:
        case "SECOND_OF":
            return moment.replace(microsecond=0)
        case "MINUTE_OF":
            return moment.replace(second=0, microsecond=0)
        case "HOUR_OF":
            return moment.replace(minute=0, second=0, microsecond=0)
    day = datetime.datetime.combine(moment.date(), datetime.time())
    match function:
        case "WEEK_OF":
            return day - datetime.timedelta(days=day.weekday())
        case "MONTH_OF":
            return day.replace(day=1)
        case "QUARTER_OF":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "YEAR_OF":
            return day.replace(month=1, day=1)
    return day


def _function(edge: Edge) -> str | None:
    return edge.map.function if isinstance(edge.map, FunctionMap) else None


def _own_function(typed: TypedCollection, level: str) -> str | None:
    """Return the function that a level's members are values of; None where edges differ or lack."""
    functions = {
        _function(edge)
        for source in typed.graph.level_names
        for edge in typed.graph.edges_from(source)
        if edge.target == level
    }
    return functions.pop() if len(functions) == 1 else None


def _period(typed: TypedCollection, level: str, function: str) -> str | None:
    """Return the nearest level computed from a level, whose last step is a function."""
    queue: deque[tuple[str, str]] = deque([(level, "")])
    seen = {level}
    while queue:
        at, last = queue.popleft()
        for edge in typed.graph.edges_from(at):
            step = _function(edge)
            if step is None or edge.target in seen or (last and step not in COARSER[last]):
                continue
            if step == function:
                return edge.target
            seen.add(edge.target)
            queue.append((edge.target, step))
    return None
