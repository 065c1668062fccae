"""What a calendar function gives for one date or timestamp, by Python's own calendar."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from flightframe_server.errors import ArithmeticOverflow, InternalError

Moment = datetime.date | datetime.datetime


def truncate(function: str, value: Moment) -> Moment:
    """Return the first instant of the period that holds `value`.

    Args:
        function: one of `FUNCTIONS`, upper case.
        value: a date, which counts as its midnight, or a timestamp.

    Returns:
        A timestamp for SECOND_OF, MINUTE_OF and HOUR_OF (zoned if `value` is), else a date.

    Raises:
        InternalError: there is no such function; collections are checked for that when read.

    """
    start = _STARTS.get(function)
    if start is None:
        raise InternalError("there is no such calendar function")
    return start(value)


def is_edge(function: str, value: Moment) -> bool:
    """Return whether `value` is itself the first instant of its period; raises as `truncate`."""
    return _wall(truncate(function, value)) == _wall(value)


def following(function: str, value: Moment) -> Moment:
    """Return the first instant of the period after the one that holds `value`.

    Raises:
        ArithmeticOverflow: that would be past the year 9999.
        InternalError: as `truncate`.
    """
    start = truncate(function, value)
    try:
        if function in _MONTHS:
            return _months_later(start, _MONTHS[function])
        return start + _STEPS[function]
    except (OverflowError, ValueError):
        raise ArithmeticOverflow(f"the period after {start} lies past the year 9999") from None


_STARTS: Mapping[str, Callable[[Moment], Moment]] = {
    "SECOND_OF": lambda value: _at_clock(value).replace(microsecond=0),
    "MINUTE_OF": lambda value: _at_clock(value).replace(second=0, microsecond=0),
    "HOUR_OF": lambda value: _at_clock(value).replace(minute=0, second=0, microsecond=0),
    "DAY_OF": lambda value: _day(value),
    "WEEK_OF": lambda value: _day(value) - datetime.timedelta(days=value.weekday()),
    "MONTH_OF": lambda value: _day(value).replace(day=1),
    "QUARTER_OF": lambda value: _day(value).replace(
        month=value.month - (value.month - 1) % 3, day=1
    ),
    "YEAR_OF": lambda value: _day(value).replace(month=1, day=1),
}

_STEPS: Mapping[str, datetime.timedelta] = {
    "SECOND_OF": datetime.timedelta(seconds=1),
    "MINUTE_OF": datetime.timedelta(minutes=1),
    "HOUR_OF": datetime.timedelta(hours=1),
    "DAY_OF": datetime.timedelta(days=1),
    "WEEK_OF": datetime.timedelta(days=7),
}

_MONTHS: Mapping[str, int] = {"MONTH_OF": 1, "QUARTER_OF": 3, "YEAR_OF": 12}


def _day(value: Moment) -> datetime.date:
    return value.date() if isinstance(value, datetime.datetime) else value


def _at_clock(value: Moment) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    return datetime.datetime.combine(value, datetime.time())


def _wall(value: Moment) -> datetime.datetime:
    return _at_clock(value).replace(tzinfo=None)


def _months_later(start: datetime.date, months: int) -> datetime.date:
    count = start.year * 12 + start.month - 1 + months
    return datetime.date(count // 12, count % 12 + 1, 1)
