"""The calendar against arithmetic written here on its own."""

from __future__ import annotations

import calendar
import datetime

import pytest
from calendar_oracle import following, is_edge, truncate
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.catalog.calendar import COARSER, FUNCTIONS
from flightframe_server.errors import ArithmeticOverflow, InternalError

D, T = datetime.date, datetime.datetime

MOMENTS = st.one_of(
    st.dates(D(1, 1, 1), D(9998, 12, 31)), st.datetimes(T(1, 1, 1), T(9998, 12, 31))
)


@pytest.mark.parametrize(
    ("function", "value", "start", "after"),
    [
        ("SECOND_OF", T(2024, 2, 3, 4, 5, 6, 7), T(2024, 2, 3, 4, 5, 6), T(2024, 2, 3, 4, 5, 7)),
        ("MINUTE_OF", T(2024, 2, 3, 4, 59, 6, 7), T(2024, 2, 3, 4, 59), T(2024, 2, 3, 5, 0)),
        ("HOUR_OF", T(2024, 2, 3, 23, 5, 6, 7), T(2024, 2, 3, 23), T(2024, 2, 4)),
        ("HOUR_OF", D(2024, 2, 3), T(2024, 2, 3), T(2024, 2, 3, 1)),
        ("DAY_OF", T(2024, 2, 28, 23, 59, 59, 999999), D(2024, 2, 28), D(2024, 2, 29)),
        ("DAY_OF", D(2024, 2, 29), D(2024, 2, 29), D(2024, 3, 1)),
        ("WEEK_OF", D(2025, 1, 1), D(2024, 12, 30), D(2025, 1, 6)),
        ("WEEK_OF", D(2024, 12, 30), D(2024, 12, 30), D(2025, 1, 6)),
        ("WEEK_OF", T(2025, 1, 5, 23), D(2024, 12, 30), D(2025, 1, 6)),
        ("WEEK_OF", D(1, 1, 3), D(1, 1, 1), D(1, 1, 8)),
        ("MONTH_OF", D(2024, 2, 3), D(2024, 2, 1), D(2024, 3, 1)),
        ("MONTH_OF", T(2024, 12, 31, 12), D(2024, 12, 1), D(2025, 1, 1)),
        ("QUARTER_OF", D(2024, 5, 31), D(2024, 4, 1), D(2024, 7, 1)),
        ("QUARTER_OF", D(2024, 12, 31), D(2024, 10, 1), D(2025, 1, 1)),
        ("YEAR_OF", D(2024, 2, 29), D(2024, 1, 1), D(2025, 1, 1)),
    ],
)
def test_by_hand(function: str, value: D, start: D, after: D) -> None:
    assert truncate(function, value) == start
    assert type(truncate(function, value)) is type(start)
    assert following(function, value) == after
    assert type(following(function, value)) is type(after)


def microseconds(value: D) -> int:
    """Count microseconds from the year 1, by day numbers alone."""
    clock = (0, 0, 0, 0)
    if isinstance(value, T):
        clock = (value.hour, value.minute, value.second, value.microsecond)
    hour, minute, second, micro = clock
    return (((value.toordinal() * 24 + hour) * 60 + minute) * 60 + second) * 10**6 + micro


def period(function: str, value: D) -> tuple[int, int]:
    """Return the period that holds a moment as microseconds, end excluded."""
    day = 86_400 * 10**6
    sizes = {"SECOND_OF": 10**6, "MINUTE_OF": 60 * 10**6, "HOUR_OF": 3600 * 10**6, "DAY_OF": day}
    if function in sizes:
        start = microseconds(value) // sizes[function] * sizes[function]
        return start, start + sizes[function]
    if function == "WEEK_OF":
        # Day 1 of the proleptic Gregorian calendar is a Monday.
        start = ((value.toordinal() - 1) // 7 * 7 + 1) * day
        return start, start + 7 * day
    months = {"MONTH_OF": 1, "QUARTER_OF": 3, "YEAR_OF": 12}[function]
    first = (value.month - 1) // months * months + 1
    days = sum(calendar.monthrange(value.year, month)[1] for month in range(first, first + months))
    start = D(value.year, first, 1).toordinal() * day
    return start, start + days * day


@given(st.sampled_from(FUNCTIONS), MOMENTS)
def test_a_period_is_what_the_day_numbers_say(function: str, value: D) -> None:
    start, end = period(function, value)
    assert microseconds(truncate(function, value)) == start
    assert microseconds(following(function, value)) == end
    assert is_edge(function, value) == (microseconds(value) == start)


@given(st.sampled_from(FUNCTIONS), MOMENTS)
def test_truncating_twice_is_truncating_once(function: str, value: D) -> None:
    start = truncate(function, value)
    assert truncate(function, start) == start
    assert is_edge(function, start)
    assert is_edge(function, following(function, value))


@given(st.sampled_from(FUNCTIONS), st.sampled_from(FUNCTIONS), MOMENTS)
def test_coarser_periods_may_be_taken_of_finer_ones(finer: str, coarser: str, value: D) -> None:
    if coarser in COARSER[finer]:
        assert truncate(coarser, truncate(finer, value)) == truncate(coarser, value)


def test_the_order_of_periods() -> None:
    assert COARSER["DAY_OF"] == {"WEEK_OF", "MONTH_OF", "QUARTER_OF", "YEAR_OF"}
    assert COARSER["WEEK_OF"] == set()
    assert COARSER["MONTH_OF"] == {"QUARTER_OF", "YEAR_OF"}
    assert COARSER["YEAR_OF"] == set()
    assert len(COARSER["SECOND_OF"]) == 7


def test_a_zoned_timestamp_is_cut_on_its_own_clock() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=-5))
    value = T(2024, 2, 1, 0, 30, tzinfo=zone)
    assert truncate("MONTH_OF", value) == D(2024, 2, 1)
    assert truncate("HOUR_OF", value) == T(2024, 2, 1, tzinfo=zone)
    assert is_edge("DAY_OF", T(2024, 2, 1, tzinfo=zone))
    assert not is_edge("DAY_OF", value)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_follows_the_last_period(function: str) -> None:
    with pytest.raises(ArithmeticOverflow, match="past the year 9999"):
        following(function, T(9999, 12, 31, 23, 59, 59, 999999))


@pytest.mark.parametrize("function", ["month_of", "DECADE_OF", ""])
def test_an_unknown_function_is_a_mistake_of_the_caller(function: str) -> None:
    with pytest.raises(InternalError):
        truncate(function, D(2024, 1, 1))
