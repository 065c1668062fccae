"""Moments beside moments: the one instant of a literal, or the reason why there is none."""

import datetime

import pytest

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
)
from flightframe_server.errors import NOWHERE, ArithmeticOverflow, TypeMismatch
from flightframe_server.resolver.functions import call, case
from flightframe_server.resolver.moments import aligned, compared, in_zone, listed
from flightframe_server.resolver.terms import Apply, Constant, LevelTerm
from flightframe_server.resolver.values import constant

BERLIN = "Europe/Berlin"
OF_BERLIN = DataType(Kind.TIMESTAMP, zone=BERLIN)
INSTANT, WALL, DAY = LevelTerm(OF_BERLIN, "at"), LevelTerm(TIMESTAMP, "wall"), LevelTerm(DATE, "d")


def at(written: str) -> Constant:
    """A literal: a date, a time of a wall clock, or an instant, by what is written."""
    if len(written) == len("2024-07-01"):
        return constant(datetime.date.fromisoformat(written))
    return constant(datetime.datetime.fromisoformat(written))


def of_berlin(written: str) -> Constant:
    """An instant of Berlin's zone, written in UTC."""
    return Constant(OF_BERLIN, datetime.datetime.fromisoformat(written + "+00:00"))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LevelTerm(INTEGER, "i"), LevelTerm(TEXT, "s")),
        (WALL, at("2024-07-01 12:00")),
        (DAY, at("2024-07-01")),
        (DAY, WALL),
        (INSTANT, INSTANT),
        (INSTANT, Constant(NULL, None)),
    ],
)
def test_what_needs_no_zone_stays(left, right):
    assert compared("eq", left, right, BERLIN) == (left, right)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2024-07-01 12:00", "2024-07-01T10:00"),
        ("2024-01-01 12:00", "2024-01-01T11:00"),
        # A date is the first instant of its day.
        ("2024-07-01", "2024-06-30T22:00"),
        # One with an offset says itself which instant it is.
        ("2024-07-01T12:00-04:00", "2024-07-01T16:00"),
    ],
)
def test_beside_an_instant_a_literal_is_read_by_the_clock_of_the_zone(written, instant):
    read = of_berlin(instant)
    assert compared("lt", INSTANT, at(written), BERLIN) == (INSTANT, read)
    assert compared("lt", at(written), INSTANT, BERLIN) == (read, INSTANT)
    assert read.value.tzinfo is datetime.UTC


@pytest.mark.parametrize(
    ("column", "written", "shown"),
    [
        (WALL, "2024-07-01T10:00Z", "2024-07-01 12:00"),
        # Midnight in Berlin is a day, another time of that day is not.
        (DAY, "2024-06-30T22:00Z", "2024-07-01"),
        (DAY, "2024-06-30T23:00Z", "2024-07-01 01:00"),
        (WALL, "2024-06-30T22:00Z", "2024-07-01 00:00"),
    ],
)
def test_beside_what_has_no_zone_an_instant_is_what_the_clock_shows(column, written, shown):
    assert compared("ge", column, at(written), BERLIN) == (column, at(shown))
    assert compared("ge", at(written), column, BERLIN) == (at(shown), column)


@pytest.mark.parametrize("column", [WALL, DAY])
def test_a_column_without_a_zone_is_never_read_as_instants(column):
    with pytest.raises(TypeMismatch) as found:
        compared("eq", INSTANT, column, BERLIN)
    assert found.value.message == (
        f"a timestamp[{BERLIN}] and a {column.type} cannot be compared: only one of them has a zone"
    )


def test_a_time_that_the_clock_shows_twice_is_refused_with_both():
    for function in ("eq", "lt"):
        with pytest.raises(TypeMismatch) as found:
            compared(function, INSTANT, at("2024-10-27 02:30"), BERLIN)
        assert found.value.message == "the clock of Europe/Berlin shows 2024-10-27 02:30:00 twice"
        assert found.value.hint == (
            "write '2024-10-27T02:30:00+02:00' or '2024-10-27T02:30:00+01:00'"
        )


@pytest.mark.parametrize("function", ["eq", "ne", "distinct"])
def test_a_time_that_the_clock_skips_equals_nothing_and_is_refused(function):
    with pytest.raises(TypeMismatch) as found:
        compared(function, INSTANT, at("2024-03-31 02:30"), BERLIN)
    assert found.value.message == "the clock of Europe/Berlin never shows 2024-03-31 02:30:00"


@pytest.mark.parametrize("function", ["lt", "le", "gt", "ge"])
def test_a_time_that_the_clock_skips_still_has_a_before_and_an_after(function):
    found = compared(function, INSTANT, at("2024-03-31 02:30"), BERLIN)
    assert found == (INSTANT, of_berlin("2024-03-31T01:00"))


def test_a_day_that_a_zone_skips_stands_for_the_next_one_only_in_an_order():
    """Samoa had no 30 December 2011."""
    apia = LevelTerm(DataType(Kind.TIMESTAMP, zone="Pacific/Apia"), "at")
    start = datetime.datetime(2011, 12, 30, 10, tzinfo=datetime.UTC)
    assert compared("lt", apia, at("2011-12-30"), "Pacific/Apia")[1].value == start
    with pytest.raises(TypeMismatch, match="the clock of Pacific/Apia never shows 2011-12-30"):
        compared("eq", apia, at("2011-12-30"), "Pacific/Apia")


@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-01 00:30"])
def test_a_literal_before_the_beginning_of_time_is_refused(written):
    with pytest.raises(ArithmeticOverflow, match="in Europe/Berlin is no instant of the years 1"):
        compared("lt", INSTANT, at(written), BERLIN)


def test_an_instant_that_the_clock_cannot_show_is_refused():
    with pytest.raises(ArithmeticOverflow, match="is no moment of the years 1 to 9999"):
        compared("lt", WALL, at("9999-12-31T23:30Z"), BERLIN)


def test_moments_without_zones_and_instants_beside_nothing_are_aligned_as_they_are():
    assert aligned((WALL, DAY)) == (WALL, DAY)
    assert aligned([INSTANT, Constant(NULL, None)]) == (INSTANT, Constant(NULL, None))


def test_literals_are_aligned_with_the_zone_of_the_column_beside_them():
    found = aligned((at("2024-07-01T10:00Z"), at("2024-07-01 12:00"), INSTANT))
    same = of_berlin("2024-07-01T10:00")
    assert found == (same, same, INSTANT)


def test_a_column_without_a_zone_does_not_mix_with_instants():
    assert aligned((INSTANT, WALL)) is None
    assert aligned((at("2024-07-01T10:00Z"), DAY)) is None


def test_null_is_null_of_the_zone():
    assert in_zone(Constant(TIMESTAMP, None), BERLIN) == Constant(OF_BERLIN, None)


def test_a_value_that_a_mapping_lists_is_held_as_its_level_holds_it():
    noon, instant = datetime.datetime(2024, 7, 1, 12), of_berlin("2024-07-01T10:00").value
    assert listed(noon, OF_BERLIN) == instant
    assert listed(noon, TIMESTAMP) == noon
    assert listed("Berlin", TEXT) == "Berlin"
    assert listed(None, OF_BERLIN) is None


def test_of_two_literals_the_one_without_an_offset_is_read_by_the_clock_of_the_collection():
    noon = of_berlin("2024-07-01T10:00")
    assert compared("eq", at("2024-07-01 12:00"), at("2024-07-01T10:00Z"), BERLIN) == (noon, noon)
    assert compared("eq", at("2024-07-01T06:00-04:00"), at("2024-07-01 12:00"), BERLIN) == (
        noon,
        noon,
    )


def test_values_of_one_function_are_read_by_that_clock_as_well():
    # Noon in Berlin is ten in Greenwich, in summer.
    local, instant, noon = (
        at("2024-07-01 12:00"),
        at("2024-07-01T06:00Z"),
        of_berlin("2024-07-01T10:00"),
    )
    six = of_berlin("2024-07-01T06:00")
    for name in ("COALESCE", "NULLIF"):
        term = call(name, (local, instant), NOWHERE, BERLIN)
        assert term == Apply(OF_BERLIN, name.lower(), (noon, six))
    test = Apply(BOOLEAN, "is_null", (DAY,))
    term = case(((test, local),), instant, NOWHERE, BERLIN)
    assert term == Apply(OF_BERLIN, "case", (test, noon, six))
