"""Time zones: their names, their clocks, and the instants that wall clocks and days stand for.

What comes in: the name of a zone, and moments. What goes out: when its clock jumps, and instants in
UTC. It must never ask for the zone of the process: a moment without an offset is read in a zone
that is named.

The rules are those of `zone_rules`, whatever copy of them the machine or a database has.
"""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from flightframe_server.zone_rules import rules

UTC = "UTC"
"""The zone of a collection that names none."""

MICROSECOND = datetime.timedelta(microseconds=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# The calendar repeats after 400 years, weekdays included, and so do rules that have no end.
_CYCLE = 146_097 * _DAY
_WEEK = 7 * _DAY
# Local mean time holds before the first law about clocks; laws may list single years, some of them
# with two jumps in a month; and from the last year on there are rules alone, as long as summers.
_SEARCHED = ((1830, _WEEK), (1900, _DAY), (2040, _WEEK), (2100, _WEEK))
_NO_PLACES = frozenset({"Factory", "localtime"})


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a zone's wall clock is ahead of UTC, and since when; in microseconds since 1970.

    Attributes:
        jumps: instants, ascending, from which on an offset holds; the first is before all others.
        offsets: for each of them the offset.
    """

    jumps: tuple[int, ...]
    offsets: tuple[int, ...]


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Return the names of all zones, sorted."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return tuple(sorted(set(listed.split()) - _NO_PLACES))


def micros(moment: datetime.datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (moment - _EPOCH) // MICROSECOND


@lru_cache(maxsize=64)
def clock(zone: str) -> Clock:
    """Return a zone's clock from the year 1 to the year 9999."""
    zone_rules = rules(zone)
    starts = [_new_year(year) for year, _ in _SEARCHED]
    ends = [*starts[1:], starts[-1] + _CYCLE]
    jumps, offsets = [_new_year(1) - _WEEK], [_offset(zone_rules, starts[0])]
    for begin, end, (_, step) in zip(starts, ends, _SEARCHED, strict=True):
        for start in range(begin, end, step):
            _add_jump(zone_rules, start, min(start + step, end), jumps, offsets)
    cycle = [pair for pair in zip(jumps, offsets, strict=True) if pair[0] > starts[-1]]
    for shift in range(_CYCLE, _new_year(9999) - starts[-1], _CYCLE):
        jumps += [jump + shift for jump, _ in cycle]
        offsets += [offset for _, offset in cycle]
    return Clock(tuple(jumps), tuple(offsets))


def _new_year(year: int) -> int:
    return micros(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC))


def _add_jump(
    zone_rules: zoneinfo.ZoneInfo, start: int, end: int, jumps: list[int], offsets: list[int]
) -> None:
    """Note the jump between two instants, if the offset differs."""
    after = _offset(zone_rules, end)
    if after == offsets[-1]:
        return
    while end - start > _SECOND:
        middle = (start + end) // (2 * _SECOND) * _SECOND
        if _offset(zone_rules, middle) == offsets[-1]:
            start = middle
        else:
            end = middle
    jumps.append(end)
    offsets.append(after)


def _offset(zone_rules: zoneinfo.ZoneInfo, instant: int) -> int:
    # It takes a timestamp in seconds, since this is asked for every day of two centuries.
    offset = datetime.datetime.fromtimestamp(instant // _SECOND, zone_rules).utcoffset()
    return _SECOND * int(offset.total_seconds()) if offset is not None else 0


def wall_clock(instant: datetime.datetime, zone: str) -> datetime.datetime:
    """Return what a zone's clock shows at an instant; raises `OverflowError` at the ends of time.

    >>> wall_clock(datetime.datetime(2024, 6, 30, 22, 30, tzinfo=datetime.UTC), "Europe/Berlin")
    datetime.datetime(2024, 7, 1, 0, 30)
    """
    return instant.astimezone(rules(zone)).replace(tzinfo=None)


def instants_of(wall: datetime.datetime, zone: str) -> tuple[datetime.datetime, ...]:
    """Return the instants, in UTC, at which a zone's clock shows a wall clock time.

    None where the clock skips it, two where it shows it twice.

    Raises:
        OverflowError: at the ends of time.

    >>> [str(at) for at in instants_of(datetime.datetime(2024, 10, 27, 2), "Europe/Berlin")]
    ['2024-10-27 00:00:00+00:00', '2024-10-27 01:00:00+00:00']
    """
    zone_rules = rules(zone)
    candidates = {
        wall.replace(tzinfo=zone_rules, fold=fold).astimezone(datetime.UTC): None for fold in (0, 1)
    }
    return tuple(at for at in sorted(candidates) if wall_clock(at, zone) == wall)


def jump_over(wall: datetime.datetime, zone: str) -> datetime.datetime:
    """Return the instant at which a zone's clock jumps over a wall clock time that it skips."""
    zone_rules = rules(zone)
    # The time read with the offset from before the jump is after it, and the other way round.
    ends = [
        micros(wall.replace(tzinfo=zone_rules, fold=fold).astimezone(datetime.UTC))
        for fold in (1, 0)
    ]
    within = [jump for jump in clock(zone).jumps if ends[0] <= jump <= ends[1]]
    return _EPOCH + within[0] * MICROSECOND


def start_of_day(day: datetime.date, zone: str) -> datetime.datetime:
    """Return the first instant of a day in a zone; of a day that it skips, that of the next one.

    Raises:
        OverflowError: at the ends of time.

    >>> str(start_of_day(datetime.date(2018, 11, 4), "America/Sao_Paulo"))
    '2018-11-04 03:00:00+00:00'
    """
    midnight = datetime.datetime.combine(day, datetime.time())
    instants = instants_of(midnight, zone)
    return instants[0] if instants else jump_over(midnight, zone)
