"""Moments by a zone's clock, over Polars series: what it shows, and where its periods begin.

What comes in: series of dates, timestamps or instants in microseconds, and the name of a zone. What
goes out: series of the same length, NULL for NULL. It must never ask Polars for a zone's rules: it
has a copy of its own, and `catalog.zones` says which copy counts.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from flightframe_server.catalog.zones import clock

_UNITS = {
    "SECOND_OF": "1s",
    "MINUTE_OF": "1m",
    "HOUR_OF": "1h",
    "DAY_OF": "1d",
    "WEEK_OF": "1w",
    "MONTH_OF": "1mo",
    "QUARTER_OF": "1q",
    "YEAR_OF": "1y",
}
_MICROS = {"SECOND_OF": 1_000_000, "MINUTE_OF": 60_000_000, "HOUR_OF": 3_600_000_000}
_DAY = 86_400_000_000
# The day before the year 1 and the day after the year 9999: no answer holds them, and Polars breaks
# off where it is given a moment far beyond.
_FIRST, _LAST = -719_163, 2_932_897
_WALL = pl.Datetime("us")


def wall(instants: pl.Series, zone: str) -> pl.Series:
    """Return what a zone's clock shows at instants, as timestamps without a zone."""
    ticks = _ticks(instants)
    return (ticks + _since(ticks, zone)[1]).cast(_WALL)


def starts(function: str, moments: pl.Series, zone: str | None = None) -> pl.Series:
    """Return the first instant of each moment's period; weeks start on Monday.

    Args:
        function: a calendar function, such as MONTH_OF.
        moments: dates, timestamps without a zone, or instants.
        zone: whose periods they are, for instants.

    Returns:
        Timestamps, instants if `moments` are, for SECOND_OF, MINUTE_OF and HOUR_OF, else dates.
        A moment outside the years 1 to 9999 gives one that is outside as well.
    """
    if zone is None:
        is_date = moments.dtype == pl.Date
        return pl.select(naive_starts(function, pl.lit(moments), is_date)).to_series()
    if function in _MICROS:
        return _local_starts(_MICROS[function], moments, zone)
    return wall(moments, zone).dt.truncate(_UNITS[function]).cast(pl.Date)


def naive_starts(function: str, moments: pl.Expr, is_date: bool) -> pl.Expr:
    """Return `starts` of dates, or of timestamps without a zone, as an expression."""
    ticks = moments.to_physical()
    if is_date:
        near = ticks.clip(_FIRST, _LAST).cast(pl.Date)
    else:
        near = ticks.clip(_FIRST * _DAY, _LAST * _DAY).cast(_WALL)
    if function in _MICROS:
        return near.cast(_WALL).dt.truncate(_UNITS[function])
    return near.dt.truncate(_UNITS[function]).cast(pl.Date)


def first_of_day(instants: pl.Series, zone: str | None = None) -> pl.Series:
    """Return whether each moment is the first instant of its day."""
    ticks = _ticks(instants)
    days = [starts("DAY_OF", at.cast(instants.dtype), zone) for at in (ticks, ticks - 1)]
    return days[0] != days[1]


def _local_starts(unit: int, instants: pl.Series, zone: str) -> pl.Series:
    """Return where a zone's clock showed the full unit, or the jump since: it begins there."""
    ticks = _ticks(instants)
    jumps, offsets = _since(ticks, zone)
    full = ticks - (ticks + offsets) % unit
    starts = pl.select(pl.max_horizontal(full, jumps)).to_series()
    # NULL is no instant, but it has a jump before it.
    return starts.set(ticks.is_null(), None).cast(instants.dtype)


def _since(ticks: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """Return, for each instant, the last jump of a zone's clock, and how far ahead it is since."""
    jumps, offsets = _clock(zone)
    at = jumps.search_sorted(ticks.fill_null(0), side="right").cast(pl.Int64) - 1
    return jumps.gather(at.clip(0)), offsets.gather(at.clip(0))


@lru_cache(maxsize=64)
def _clock(zone: str) -> tuple[pl.Series, pl.Series]:
    known = clock(zone)
    return pl.Series(known.jumps, dtype=pl.Int64), pl.Series(known.offsets, dtype=pl.Int64)


def _ticks(moments: pl.Series) -> pl.Series:
    return moments.to_physical().cast(pl.Int64).clip(_FIRST * _DAY, _LAST * _DAY)
