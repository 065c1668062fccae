"""Points moved along the calendar: by months, by days, none onto another."""

import datetime

import pyarrow as pa
import pytest

from flightframe_server.composer.shift import move_points
from flightframe_server.errors import ArithmeticOverflow, InternalError
from flightframe_server.resolver.needs import Shift

BY_MONTH = ("month", "region")


def day(text):
    return None if text is None else datetime.date.fromisoformat(text)


def states(members, regions=None, name="month"):
    columns = {name: pa.array([day(text) for text in members], pa.date32())}
    if regions is not None:
        columns["region"] = pa.array(regions, pa.string())
    return pa.table({**columns, " value": pa.array(range(len(members)), pa.int64())})


def moved(members, shift, name="month"):
    found = move_points(states(members, name=name), (name,), shift)
    return [(str(row[name]), row[" value"]) for row in found.to_pylist()]


@pytest.mark.parametrize(
    ("start", "months", "days", "end"),
    [
        ("2024-01-01", 12, 0, "2025-01-01"),
        ("2024-03-01", -1, 0, "2024-02-01"),
        ("2023-11-01", 3, 0, "2024-02-01"),
        # 2024 is a leap year: 365 days after its 60th day is the 59th of 2025.
        ("2024-02-29", 0, 365, "2025-02-28"),
        ("2024-12-30", 0, 7 * 52, "2025-12-29"),
        ("2024-03-31", 0, -1, "2024-03-30"),
        # The months first, then the days.
        ("2024-01-31", 1, 1, "2024-03-01"),
    ],
)
def test_a_point_moves_by_calendar_months_and_then_by_days(start, months, days, end):
    assert moved([start], Shift("month", months, days)) == [(end, 0)]


def test_states_go_with_their_points_and_null_stays():
    table = states(["2023-12-01", "2024-01-01", "2024-01-01", None], ["East", "East", None, "West"])
    found = move_points(table, BY_MONTH, Shift("month", 1))
    assert found.column_names == table.column_names
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (day("2024-01-01"), "East", 0),
        (day("2024-02-01"), "East", 1),
        (day("2024-02-01"), None, 2),
        (None, "West", 3),
    ]


def test_no_two_points_become_one():
    with pytest.raises(InternalError, match="two members of day are moved to one"):
        moved(["2024-02-28", "2024-02-29"], Shift("day", 12), "day")


def test_only_days_are_moved():
    table = pa.table({"hour": pa.array([0], pa.timestamp("us")), " value": [1]})
    with pytest.raises(InternalError, match="the members of hour are no days"):
        move_points(table, ("hour",), Shift("hour", 1))


@pytest.mark.parametrize(("start", "months"), [("9999-12-01", 1), ("0001-01-01", -1)])
def test_a_point_does_not_leave_the_calendar(start, months):
    with pytest.raises(ArithmeticOverflow):
        moved([start], Shift("month", months))


def test_a_shift_is_told_in_words():
    assert str(Shift("month", 12)) == "month moved by 12 months"
    assert str(Shift("day", -1, 2)) == "day moved by -1 months and 2 days"
