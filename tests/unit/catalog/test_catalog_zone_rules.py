"""Clocks of zones: what they show, skip and show twice, by the laws of each zone."""

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
    zoned_text,
)

HOUR = 3_600_000_000


def at(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)  # type: ignore[arg-type, misc]


def offset_at(zone: str, instant: datetime.datetime) -> int:
    found = clock(zone)
    (*_, held) = (
        offset
        for jump, offset in zip(found.jumps, found.offsets, strict=True)
        if jump <= micros(instant)
    )
    return held


def test_zones_are_places_and_utc() -> None:
    names = zone_names()
    assert {"UTC", "Europe/Berlin", "America/Sao_Paulo"} <= set(names)
    assert not {"Factory", "localtime"} & set(names)
    assert list(names) == sorted(names)


def test_an_instant_is_shown_and_written_by_the_zones_clock() -> None:
    # Berlin is two hours ahead in summer and one in winter.
    assert wall_clock(at(2024, 6, 30, 22, 30), "Europe/Berlin") == datetime.datetime(
        2024, 7, 1, 0, 30
    )
    assert zoned_text(at(2024, 6, 30, 22, 30), "Europe/Berlin") == "2024-07-01T00:30:00+02:00"
    assert zoned_text(at(2024, 1, 1), "Europe/Berlin") == "2024-01-01T01:00:00+01:00"


@pytest.mark.parametrize(
    ("wall", "instants"),
    [
        # On the last Sunday of October the hour from two to three comes twice, in March never.
        ((2024, 10, 27, 2, 30), [at(2024, 10, 27, 0, 30), at(2024, 10, 27, 1, 30)]),
        ((2024, 3, 31, 2, 30), []),
        ((2024, 3, 31, 3), [at(2024, 3, 31, 1)]),
        ((2024, 7, 1), [at(2024, 6, 30, 22)]),
    ],
)
def test_a_wall_clock_time_is_shown_once_twice_or_never(
    wall: tuple[int, ...], instants: list[datetime.datetime]
) -> None:
    shown = datetime.datetime(*wall)  # type: ignore[arg-type, misc]
    assert list(instants_of(shown, "Europe/Berlin")) == instants


def test_a_skipped_time_is_jumped_over_at_one_instant() -> None:
    assert jump_over(datetime.datetime(2024, 3, 31, 2, 30), "Europe/Berlin") == at(2024, 3, 31, 1)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("UTC", (2024, 2, 29), at(2024, 2, 29)),
        ("Asia/Tokyo", (2024, 1, 1), at(2023, 12, 31, 15)),
        # Summer began at midnight, so that the day begins at one o'clock.
        ("America/Sao_Paulo", (2018, 11, 4), at(2018, 11, 4, 3)),
        # Winter began at one o'clock, so that midnight came twice.
        ("America/Havana", (2024, 11, 3), at(2024, 11, 3, 4)),
        # Samoa went over the date line and had no 30th of December.
        ("Pacific/Apia", (2011, 12, 30), at(2011, 12, 30, 10)),
        ("Pacific/Apia", (2011, 12, 31), at(2011, 12, 30, 10)),
    ],
)
def test_the_start_of_a_day(zone: str, day: tuple[int, int, int], start: datetime.datetime) -> None:
    assert start_of_day(datetime.date(*day), zone) == start


def test_a_clock_holds_its_jumps_to_the_second_and_for_all_years() -> None:
    found = clock("Europe/Berlin")
    assert list(found.jumps) == sorted(set(found.jumps))
    for year in (2024, 2424, 9598):
        summer = at(year, 7, 1)
        assert (
            offset_at("Europe/Berlin", summer),
            offset_at("Europe/Berlin", at(year, 1, 15)),
        ) == (
            2 * HOUR,
            HOUR,
        )
    assert micros(at(2024, 3, 31, 1)) in found.jumps
    # The rules come back with the weekdays, after 400 years.
    assert micros(at(2424, 3, 31, 1)) in found.jumps
    # Before the first law a town's own noon: 53 minutes and 28 seconds.
    assert found.offsets[0] == (53 * 60 + 28) * 1_000_000


def test_a_clock_that_never_jumps_has_one_offset() -> None:
    assert clock("UTC").offsets == (0,)
    assert len(clock("UTC").jumps) == 1
