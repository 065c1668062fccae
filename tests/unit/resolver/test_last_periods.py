"""`IN (LAST n unit)`: ranges that end with the period of today, counted by hand on the calendar."""

from __future__ import annotations

import datetime

import pytest
from resolver_shop import typed

from flightframe_server.errors import QueryError
from flightframe_server.language import format_statement, parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.values import Binding

UTC = datetime.UTC
# A Sunday: the ISO week began on 25 March.
SUNDAY = datetime.datetime(2024, 3, 31, 12, tzinfo=UTC)
LEAP = datetime.datetime(2024, 2, 29, 12, tzinfo=UTC)


def asked(condition: str, now: datetime.datetime | None, values=()):
    return resolve(parse(f"SELECT amount WHERE {condition} AT ()"), typed(), Binding({}, now=now))


@pytest.mark.parametrize(
    ("written", "now", "low", "high"),
    [
        ("day IN (LAST 1 day)", SUNDAY, "2024-03-31", "2024-03-31"),
        ("day IN (LAST 30 days)", SUNDAY, "2024-03-02", "2024-03-31"),
        ("day IN (LAST 2 week)", SUNDAY, "2024-03-18", "2024-03-31"),
        # The day after the same day a month back; February has no 31st.
        ("day IN (LAST 1 month)", SUNDAY, "2024-03-01", "2024-03-31"),
        ("day IN (LAST 1 month)", LEAP, "2024-01-30", "2024-02-29"),
        ("day IN (LAST 1 quarter)", SUNDAY, "2024-01-01", "2024-03-31"),
        ("day IN (LAST 1 year)", LEAP, "2023-03-01", "2024-02-29"),
        ("week IN (LAST 1 week)", SUNDAY, "2024-03-25", "2024-03-25"),
        ("week IN (LAST 14 weeks)", SUNDAY, "2023-12-25", "2024-03-25"),
        ("month IN (LAST 3 month)", SUNDAY, "2024-01-01", "2024-03-01"),
        ("month IN (LAST 2 quarter)", LEAP, "2023-09-01", "2024-02-01"),
        ("month IN (LAST 1 year)", SUNDAY, "2023-04-01", "2024-03-01"),
        ("quarter IN (LAST 1 year)", SUNDAY, "2023-04-01", "2024-01-01"),
        ("quarter IN (LAST 2 quarters)", SUNDAY, "2023-10-01", "2024-01-01"),
        ("year IN (LAST 2 years)", SUNDAY, "2023-01-01", "2024-01-01"),
    ],
)
def test_the_range_ends_with_the_period_of_today(written, now, low, high):
    level = written.partition(" ")[0]
    found = asked(written, now)
    meant = asked(f"{level} BETWEEN DATE '{low}' AND DATE '{high}'", now)
    assert found.filter == meant.filter
    # What it means is another tomorrow.
    assert (found.today, meant.today) == (now.date(), None)


def test_not_in_leaves_them_out():
    found = asked("day NOT IN (LAST 30 day)", SUNDAY)
    assert (
        found.filter
        == asked("day NOT BETWEEN DATE '2024-03-02' AND DATE '2024-03-31'", SUNDAY).filter
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("month IN (LAST 30 day)", "are a count from 1 of month, quarter, year"),
        ("week IN (LAST 1 month)", "are a count from 1 of week"),
        ("day IN (LAST 0 day)", "are a count from 1 of day, week, month, quarter, year"),
        ("day IN (LAST 3 hours)", "are a count from 1"),
        ("region IN (LAST 3 day)", "takes periods of a calendar level"),
    ],
)
def test_what_is_no_count_of_its_periods_is_refused(condition, message):
    with pytest.raises(QueryError, match=message) as caught:
        asked(condition, SUNDAY)
    assert caught.value.code == "TYPE"
    assert caught.value.place is not None


@pytest.mark.parametrize("count", [800_000, 10**15])
@pytest.mark.parametrize("unit", ["day", "month", "year"])
def test_a_range_before_the_calendar_is_refused(count, unit):
    with pytest.raises(QueryError, match="before the year 1"):
        asked(f"day IN (LAST {count} {unit})", SUNDAY)


def test_where_there_is_no_moment_it_is_refused_and_typed_where_none_is_needed():
    with pytest.raises(QueryError, match="CURRENT_DATE"):
        asked("day IN (LAST 3 day)", None)
    typed_only = resolve(
        parse("SELECT amount WHERE day IN (LAST 3 day) AT ()"), typed(), Binding(None)
    )
    assert typed_only.columns[0].name == "amount"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT amount WHERE day IN (LAST 30 day) AT ()",
        "SELECT amount WHERE NOT (month NOT IN (LAST 2 quarter)) AT ()",
        "SELECT SUM(amount) FILTER (WHERE day IN (LAST 7 day)) AS week_to_date AT ()",
    ],
)
def test_it_is_printed_as_it_is_read(text):
    assert parse(format_statement(parse(text))) == parse(text)


def test_last_is_a_name_and_a_reducer_still():
    assert parse("SELECT LAST(amount) AS last AT last WHERE last IN ('a')") == parse(
        "SELECT LAST(amount) AS last WHERE last IN ('a') AT last"
    )
