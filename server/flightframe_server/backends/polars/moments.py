"""Moments as Polars expressions: periods of a zone's clock, days, nanoseconds.

What comes in: values of moments. What goes out: values that are what `local_time` says, or that
make the query fail. It must never let Polars read a zone: an instant is held in UTC, whatever the
zone of its type, and whatever a file says of it.
"""

from __future__ import annotations

import polars as pl

from flightframe_server import local_time
from flightframe_server.algebra.types import DataType, Kind, in_micros
from flightframe_server.backends.misfits import no_whole_microsecond

_WALL = pl.Datetime("us")


def moment_dtype(declared: DataType) -> pl.Datetime:
    """Return the Polars type that holds timestamps or instants."""
    return pl.Datetime("ns" if declared.is_fine else "us", "UTC" if declared.zone else None)


def starts(function: str, moment: pl.Expr, moment_type: DataType, declared: DataType) -> pl.Expr:
    """Return the first instant of a period of a moment; weeks start on Monday."""
    if not moment_type.zone:
        return local_time.naive_starts(function, moment, moment_type.kind is Kind.DATE)
    target = pl.Date() if declared.kind is Kind.DATE else moment_dtype(moment_type)

    def first(moments: pl.Series) -> pl.Series:
        return local_time.starts(function, moments, moment_type.zone)

    return moment.map_batches(first, return_dtype=target, is_elementwise=True)


def wall(instant: pl.Expr, zone: str) -> pl.Expr:
    """Return what a zone's clock shows at an instant."""

    def local(instants: pl.Series) -> pl.Series:
        return local_time.wall(instants, zone)

    return instant.map_batches(local, return_dtype=_WALL, is_elementwise=True)


def within_day(moment: pl.Expr, zone: str | None) -> pl.Expr:
    """Return whether a moment is not the first instant of its day."""

    def later(moments: pl.Series) -> pl.Series:
        return ~local_time.first_of_day(moments, zone)

    return moment.map_batches(later, return_dtype=pl.Boolean(), is_elementwise=True)


def floored(moment: pl.Expr, stored_type: DataType) -> pl.Expr:
    """Return nanoseconds as the microseconds that hold them."""
    return (moment.to_physical() // 1000).cast(moment_dtype(in_micros(stored_type)))


def narrowed(moment: pl.Expr, stored_type: DataType, column: str) -> pl.Expr:
    """Return nanoseconds as microseconds, or a failing query that says where they do not fit."""
    before, after = no_whole_microsecond(column)
    wrong = moment.to_physical() % 1000 != 0
    zone = "+00" if stored_type.zone else ""
    written = moment.dt.replace_time_zone(None).dt.to_string(f"%Y-%m-%d %H:%M:%S%.9f{zone}")
    # There is a text only where a moment does not fit, and no text of ours is a number.
    failure = pl.when(wrong).then(pl.lit(before) + written + pl.lit(after)).cast(pl.Int64)
    micros = pl.when(wrong).then(failure).otherwise(moment.to_physical() // 1000)
    return micros.cast(moment_dtype(in_micros(stored_type)))
