"""Periods of calendars, moved one by one: written from the definition, and not from the product.

What comes in: days. What goes out: the first day of the period that holds one, of the next, and of
the one that lies so many periods back. It must never use what it is to judge.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}


def begin(level: str, day: date) -> date:
    """Return the first day of the period that holds a day."""
    match level:
        case "day":
            return day
        case "week":
            return day - day.weekday() * DAY
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "year":
            return date(day.year, 1, 1)
        case "iso_year":
            return date.fromisocalendar(day.isocalendar().year, 1, 1)
    raise ValueError(level)


def following(level: str, first: date) -> date:
    """Return the first day of the next period."""
    if level in DAYS:
        return first + DAYS[level] * DAY
    if level in MONTHS:
        return back_by_months(first, -MONTHS[level])
    return date.fromisocalendar(first.isocalendar().year + 1, 1, 1)


def back_by_months(day: date, months: int) -> date:
    """Return the same day so many months back, or the last one of a month that lacks it."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def back(grain: str, first: date, level: str, count: int) -> date | None:
    """Return the first day of the period that lies so many periods of a level back.

    Args:
        grain: of the period that is moved.
        first: its first day.
        level: by whose periods it is moved; the grain's own, or a coarser one.
        count: by how many.

    Returns:
        None where there is no such period: week 53 in a year of 52.

    Raises:
        ValueError: one period of the grain does not become one period.
    """
    if level in DAYS and grain in DAYS and DAYS[level] >= DAYS[grain]:
        return first - count * DAYS[level] * DAY
    if level in MONTHS and (grain == "day" or MONTHS.get(grain, 99) <= MONTHS[level]):
        return back_by_months(first, count * MONTHS[level])
    if level == "iso_year" and grain in ("week", "iso_year"):
        year, week, _ = first.isocalendar()
        try:
            return date.fromisocalendar(year - count, week, 1)
        except ValueError:
            return None
    raise ValueError(f"{grain} by {level}")


def moved(grain: str, first: date, level: str, count: int) -> tuple[date, date] | None:
    """Return the days, the last excluded, that a period reads when it looks so many periods back.

    By a finer level than its grain the interval itself is moved. None and raises as `back`.
    """
    end = following(grain, first)
    finer_days = level in DAYS and (grain not in DAYS or DAYS[level] < DAYS[grain])
    finer_months = level in MONTHS and MONTHS.get(grain, 0) > MONTHS[level]
    if finer_days:
        step = count * DAYS[level] * DAY
        return first - step, end - step
    if finer_months:
        months = count * MONTHS[level]
        return back_by_months(first, months), back_by_months(end, months)
    before = back(grain, first, level, count)
    return None if before is None else (before, following(grain, before))


def window(grain: str, first: date, level: str, count: int) -> tuple[date, date]:
    """Return the days, the last excluded, of the last periods of a level that end with a period."""
    end = following(grain, first)
    if level == grain:
        before = back(grain, first, level, count - 1)
    elif level in DAYS and grain not in DAYS:
        before = end - count * DAYS[level] * DAY
    elif level in MONTHS and MONTHS.get(grain, 0) > MONTHS[level]:
        before = back_by_months(end, count * MONTHS[level])
    elif (level, grain) == ("day", "week"):
        before = end - count * DAY
    else:
        start = back(grain, first, level, count)
        before = None if start is None else following(grain, start)
    assert before is not None
    return before, end
