"""The clocks of zones: when they jump, and which instants a wall clock time or a day stands for."""

import datetime

import pytest

from flightframe_server.catalog.zones import (
    clock,
    instants_of,
    jump_over,
    micros,
    start_of_day,
    wall_clock,
    zone_names,
)
from flightframe_server.zone_rules import zoned_text

BERLIN = "Europe/Berlin"
HOUR = 3_600_000_000


def utc(*parts: int) -> datetime.datetime:
    """An instant."""
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


def wall(*parts: int) -> datetime.datetime:
    """What a clock shows."""
    return datetime.datetime(*parts)


def last_sunday(year: int, month: int) -> int:
    """The day of the last Sunday of a month of 31 days."""
    return 31 - datetime.date(year, month, 31).isoweekday() % 7


def test_zones_are_places_named_in_order_each_once() -> None:
    names = zone_names()
    assert {"UTC", BERLIN, "America/Sao_Paulo", "Asia/Kathmandu"} <= set(names)
    assert not {"Factory", "localtime"} & set(names)
    assert list(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        (utc(1970, 1, 1), 0),
        (utc(1970, 1, 2, 0, 0, 1), 86_401_000_000),
        (utc(1969, 12, 31, 23, 59, 59, 999_999), -1),
    ],
)
def test_an_instant_is_counted_in_microseconds(instant: datetime.datetime, count: int) -> None:
    assert micros(instant) == count


def test_a_clock_that_never_jumps_has_one_offset() -> None:
    assert clock("UTC").offsets == (0,)
    (jump,) = clock("UTC").jumps
    assert jump < micros(utc(1, 1, 1))


def test_a_clock_keeps_its_local_mean_time_and_every_law_after_it() -> None:
    """Kathmandu: the sun's 5:41:16 until 1920, then 5:30, and 5:45 since 1986."""
    found = clock("Asia/Kathmandu")
    seconds = (5 * 3600 + 41 * 60 + 16, 5 * 3600 + 30 * 60, 5 * 3600 + 45 * 60)
    assert found.offsets == tuple(second * 1_000_000 for second in seconds)
    assert found.jumps[1:] == (
        micros(utc(1919, 12, 31, 18, 18, 44)),
        micros(utc(1985, 12, 31, 18, 30)),
    )


@pytest.mark.parametrize(
    "year", [1997, 2024, 2039, 2040, 2099, 2100, 2424, 2499, 2500, 6000, 9598, 9998]
)
def test_a_rule_without_an_end_goes_on_to_the_end_of_time(year: int) -> None:
    """By the law of the Union: the last Sundays of March and of October, at 1:00 UTC."""
    berlin = clock(BERLIN)
    span = range(micros(utc(year, 1, 1)), micros(utc(year + 1, 1, 1)))
    every = list(zip(berlin.jumps, berlin.offsets, strict=True))
    assert [offset for jump, offset in every if jump < span.start][-1] == HOUR
    assert [(jump, offset) for jump, offset in every if jump in span] == [
        (micros(utc(year, 3, last_sunday(year, 3), 1)), 2 * HOUR),
        (micros(utc(year, 10, last_sunday(year, 10), 1)), HOUR),
    ]


def test_a_clock_begins_with_the_sun_of_its_town() -> None:
    """Berlin's noon before the first law: 53 minutes and 28 seconds."""
    assert clock(BERLIN).offsets[0] == (53 * 60 + 28) * 1_000_000


def test_jumps_ascend_and_each_changes_the_clock() -> None:
    found = clock(BERLIN)
    assert list(found.jumps) == sorted(set(found.jumps))
    assert all(one != next_ for one, next_ in zip(found.offsets, found.offsets[1:], strict=False))


def test_a_clock_that_is_put_back_for_some_weeks_jumps_twice() -> None:
    """Morocco left summer time for Ramadan, in 2017 from 21 May to 2 July."""
    found = clock("Africa/Casablanca")
    span = range(micros(utc(2017, 5, 1)), micros(utc(2017, 8, 1)))
    jumps = [jump for jump in found.jumps if jump in span]
    assert jumps == [micros(utc(2017, 5, 21, 2)), micros(utc(2017, 7, 2, 2))]


@pytest.mark.parametrize(
    ("zone", "instant", "shown", "written"),
    [
        (BERLIN, utc(2024, 1, 1, 12), wall(2024, 1, 1, 13), "2024-01-01T13:00:00+01:00"),
        (BERLIN, utc(2024, 7, 1, 12), wall(2024, 7, 1, 14), "2024-07-01T14:00:00+02:00"),
        (BERLIN, utc(2024, 6, 30, 22, 30), wall(2024, 7, 1, 0, 30), "2024-07-01T00:30:00+02:00"),
        (BERLIN, utc(2024, 1, 1), wall(2024, 1, 1, 1), "2024-01-01T01:00:00+01:00"),
        ("UTC", utc(2024, 7, 1, 12), wall(2024, 7, 1, 12), "2024-07-01T12:00:00+00:00"),
    ],
)
def test_what_a_clock_shows_at_an_instant(
    zone: str, instant: datetime.datetime, shown: datetime.datetime, written: str
) -> None:
    assert wall_clock(instant, zone) == shown
    assert zoned_text(instant, zone) == written


def test_a_clock_shows_nothing_past_the_end_of_time() -> None:
    with pytest.raises(OverflowError):
        wall_clock(utc(9999, 12, 31, 23, 30), BERLIN)


@pytest.mark.parametrize(
    ("shown", "instants"),
    [
        (wall(2024, 7, 1, 14), (utc(2024, 7, 1, 12),)),
        (wall(2024, 7, 1), (utc(2024, 6, 30, 22),)),
        # At 3:00 the clock is put back to 2:00, at 2:00 forward to 3:00.
        (wall(2024, 10, 27, 2, 30), (utc(2024, 10, 27, 0, 30), utc(2024, 10, 27, 1, 30))),
        (wall(2024, 10, 27, 3), (utc(2024, 10, 27, 2),)),
        (wall(2024, 3, 31, 2, 30), ()),
        (wall(2024, 3, 31, 3), (utc(2024, 3, 31, 1),)),
    ],
)
def test_the_instants_at_which_a_clock_shows_a_time(
    shown: datetime.datetime, instants: tuple[datetime.datetime, ...]
) -> None:
    assert instants_of(shown, BERLIN) == instants


def test_there_are_no_instants_before_time_begins() -> None:
    with pytest.raises(OverflowError):
        instants_of(wall(1, 1, 1), BERLIN)


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_a_time_that_is_skipped_stands_for_the_jump(minute: int) -> None:
    assert jump_over(wall(2024, 3, 31, 2, minute), BERLIN) == utc(2024, 3, 31, 1)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("UTC", (2024, 2, 29), utc(2024, 2, 29)),
        ("Asia/Tokyo", (2024, 1, 1), utc(2023, 12, 31, 15)),
        (BERLIN, (2024, 7, 1), utc(2024, 6, 30, 22)),
        (BERLIN, (2024, 3, 31), utc(2024, 3, 30, 23)),
        # Midnight was skipped: the day began at 1:00, which is 3:00 UTC.
        ("America/Sao_Paulo", (2018, 11, 4), utc(2018, 11, 4, 3)),
        # Midnight came twice: the day began at the first, an hour before the second.
        ("America/Havana", (2024, 11, 3), utc(2024, 11, 3, 4)),
        # Samoa crossed the date line, and had no 30 December: the 31st began at its place.
        ("Pacific/Apia", (2011, 12, 30), utc(2011, 12, 30, 10)),
        ("Pacific/Apia", (2011, 12, 31), utc(2011, 12, 30, 10)),
    ],
)
def test_the_first_instant_of_a_day(
    zone: str, day: tuple[int, int, int], start: datetime.datetime
) -> None:
    assert start_of_day(datetime.date(*day), zone) == start
