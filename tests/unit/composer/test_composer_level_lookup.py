"""Levels from finer levels: first instants, maps with plain equality, listed values."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.algebra.types import DATE, TEXT
from flightframe_server.composer.level_lookup import follow, roll_to
from flightframe_server.composer.moments import truncate
from flightframe_server.errors import InternalError
from flightframe_server.planner.hops import FunctionHop, TableHop, ValueHop
from flightframe_server.planner.plan import LevelLookup

DAY = datetime.date
REGION = TableHop("store -> region", "region", "stores", "id", "region", TEXT, TEXT)
MONTH = FunctionHop("day -> month", "month", "MONTH_OF", DATE)
COAST = ValueHop("region -> coast", "coast", (("East", "Atlantic"),), "Inland", None, TEXT, TEXT)
MAPS = {
    "store -> region": pa.table({"source": ["S1", "S2", "S3"], "target": ["East", None, "West"]})
}


@pytest.mark.parametrize(
    ("function", "day", "first"),
    [
        ("MONTH_OF", DAY(2024, 2, 3), DAY(2024, 2, 1)),
        ("QUARTER_OF", DAY(2024, 12, 31), DAY(2024, 10, 1)),
        ("YEAR_OF", DAY(2024, 12, 31), DAY(2024, 1, 1)),
        # Weeks start on Monday: the Sunday before belongs to the week before.
        ("WEEK_OF", DAY(2024, 2, 5), DAY(2024, 2, 5)),
        ("WEEK_OF", DAY(2024, 2, 4), DAY(2024, 1, 29)),
        ("WEEK_OF", DAY(2025, 1, 1), DAY(2024, 12, 30)),
        # Before 1970 too.
        ("WEEK_OF", DAY(1969, 12, 31), DAY(1969, 12, 29)),
        ("MONTH_OF", DAY(1969, 12, 31), DAY(1969, 12, 1)),
        ("YEAR_OF", None, None),
    ],
)
def test_a_period_is_its_first_instant(function, day, first):
    found = follow(pa.array([day], pa.date32()), FunctionHop("edge", "period", function, DATE), {})
    assert found.to_pylist() == [first]
    assert found.type == pa.date32()


@given(st.dates(DAY(1583, 1, 1), DAY(2500, 1, 1)))
def test_a_week_starts_on_the_monday_before(day):
    found = truncate("WEEK_OF", pa.array([day], pa.date32())).to_pylist()[0]
    assert found == day - datetime.timedelta(days=day.weekday())


def test_a_member_without_a_row_or_without_a_parent_goes_to_null():
    found = follow(pa.array(["S3", "S9", None, "S2", "S1"]), REGION, MAPS)
    assert found.to_pylist() == ["West", None, None, None, "East"]


def test_null_never_matches_a_row_of_the_map():
    maps = {"store -> region": pa.table({"source": ["S1"], "target": ["East"]})}
    assert follow(pa.array([None], pa.string()), REGION, maps).to_pylist() == [None]


def test_a_map_that_is_not_at_hand_is_our_own_mistake():
    with pytest.raises(InternalError):
        follow(pa.array(["S1"]), REGION, {})


def test_listed_values_an_unlisted_one_and_null():
    members = pa.array(["East", "West", None])
    assert follow(members, COAST, {}).to_pylist() == ["Atlantic", "Inland", None]
    known = ValueHop("e", "coast", (("East", "Atlantic"),), None, "Nowhere", TEXT, TEXT)
    assert follow(members, known, {}).to_pylist() == ["Atlantic", None, "Nowhere"]


def test_every_climb_adds_a_column_hop_by_hop_and_leaves_the_rest():
    table = pa.table(
        {
            "day": pa.array([DAY(2024, 2, 3), None], pa.date32()),
            "store": ["S1", "S9"],
            " value": [1, 2],
        }
    )
    steps = (
        LevelLookup("coast", TEXT, "store", (REGION, COAST)),
        LevelLookup("month", DATE, "day", (MONTH,)),
    )
    found = roll_to(table, steps, MAPS)
    assert found.select(table.column_names).equals(table)
    # A store without a region has none of the coasts either: NULL maps to NULL, not to `default`.
    assert found["coast"].to_pylist() == ["Atlantic", None]
    assert found["month"].to_pylist() == [DAY(2024, 2, 1), None]
