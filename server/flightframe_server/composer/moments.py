"""Moments over Arrow arrays: first instants of periods, wall clocks, days.

What comes in: arrays of dates, timestamps or instants; an instant's zone is that of its type. What
goes out: arrays of the same length. It must never ask Arrow for a zone's rules: `local_time` says
what a clock shows.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server import local_time, row_values
from flightframe_server.arrow_types import conform_array

_INSTANTS = pa.timestamp("us", "UTC")


def truncate(function: str, moments: pa.Array) -> pa.Array:
    """Return the first instant of each moment's period; weeks start on Monday.

    Dates, or timestamps of the zone of `moments`, below DAY_OF; days may come as their midnights.
    """
    zone = _zone(moments)
    if zone is not None:
        starts = local_time.starts(function, _series(moments), zone)
        return _array(starts, pa.timestamp("us", zone))
    unit = function.removesuffix("_OF").lower()
    return pc.floor_temporal(moments, unit=unit, week_starts_monday=True)


def is_first(function: str, moments: pa.Array) -> pa.Array:
    """Return whether each moment is the first instant of its period: that before is of another."""
    if pa.types.is_date(moments.type):
        before = pc.subtract(moments.cast(pa.int32()), pa.scalar(1, pa.int32())).cast(moments.type)
    else:
        before = pc.subtract(moments.cast(pa.int64()), 1).cast(moments.type)
    return pc.not_equal(truncate(function, moments), truncate(function, before))


def wall(instants: pa.Array) -> pa.Array:
    """Return what the zone's clock shows at instants, as timestamps without a zone."""
    clock = local_time.wall(_series(instants), str(_zone(instants)))
    return _array(clock, pa.timestamp("us"))


def days(instants: pa.Array) -> pa.Array:
    """Return instants as days of their zone.

    Raises:
        ArithmeticOverflow: one is not the first instant of its day.
    """
    if not pc.all(is_first("DAY_OF", instants), min_count=0).as_py():
        raise row_values.misfit()
    return conform_array(truncate("DAY_OF", instants), pa.date32())


def _zone(moments: pa.Array) -> str | None:
    zone: str | None = moments.type.tz if pa.types.is_timestamp(moments.type) else None
    return zone


def _series(instants: pa.Array) -> pl.Series:
    # Polars may not know the zone by name, and need not.
    series = pl.from_arrow(instants.cast(_INSTANTS))
    assert isinstance(series, pl.Series)
    return series


def _array(series: pl.Series, target: pa.DataType) -> pa.Array:
    array = series.to_arrow()
    return array if pa.types.is_date(array.type) else array.cast(target)
