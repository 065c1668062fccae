"""DuckDB's words for moments: what a zone's clock shows, first instants of periods, nanoseconds.

What comes in: expressions of moments and their declared types. What goes out: expressions that do
not depend on the session's zone, and neither round nor cut where a moment is to be kept. It must
never let a statement be volatile: DuckDB orders no window by what may change from row to row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.algebra.types import DATE, TEXT, TIMESTAMP, DataType, in_micros
from flightframe_server.backends.duckdb.sql_functions import (
    bound,
    called,
    cast,
    let,
    let_all,
    number,
    refused,
    text,
)
from flightframe_server.backends.misfits import no_whole_microsecond
from flightframe_server.catalog.zones import UTC, clock

REFUSED = 1 << 62
"""It stands in place of an offset: the statement fails at such an instant."""

_UNITS = {"SECOND_OF": 1_000_000, "MINUTE_OF": 60_000_000, "HOUR_OF": 3_600_000_000}


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far a clock is ahead of UTC from an instant on.

    Attributes:
        start: the instant, in microseconds since 1970.
        offset: in microseconds; None: as the database itself has it; REFUSED: it is not known.
    """

    start: int
    offset: int | None


Corrections = Callable[[str], tuple[Stretch, ...]]
"""The stretches of a zone where the database's clock is not ours, ascending; none where it is."""


def uncorrected(zone: str) -> tuple[Stretch, ...]:
    """Return no correction: the database's clocks are taken to be ours."""
    return ()


class Clocks:
    """What the clocks of zones show, in one database.

    Args:
        corrections: where its clocks are wrong.
    """

    def __init__(self, corrections: Corrections = uncorrected) -> None:
        """Keep what is to be put right."""
        self._corrections = corrections

    def wall(self, instant: exp.Expr, zone: str) -> exp.Expr:
        """Return what a zone's clock shows at an instant, as a timestamp without a zone."""
        if not self._corrections(zone):
            return _at_zone(instant, zone)
        return let(instant, self._bound_wall(zone))

    def _bound_wall(self, zone: str) -> exp.Expr:
        """Return the wall clock at the instant that `let` binds."""
        native = _at_zone(bound(), zone)
        case = exp.Case()
        for stretch in reversed(self._corrections(zone)):
            wall = native.copy()
            if stretch.offset == REFUSED:
                wall = _failing_cast(bound(), TIMESTAMP, f"the clock of {zone}")
            elif stretch.offset is not None:
                wall = exp.Add(
                    this=_at_zone(bound(), UTC), expression=_duration(number(stretch.offset))
                )
            case = case.when(_from(stretch.start), wall, copy=False)
        return exp.Paren(this=case.else_(native)) if case.args.get("ifs") else native

    def truncated(self, function: str, moment: exp.Expr, moment_type: DataType) -> exp.Expr:
        """Return the first instant of a period: a date from DAY_OF up, of the type given below."""
        if function not in _UNITS:
            wall = self.wall(moment, moment_type.zone) if moment_type.zone else moment
            return cast(_cut(function, wall), DATE)
        if not moment_type.zone:
            return cast(_cut(function, moment), TIMESTAMP)
        return let(moment, self._bound_start(moment_type.zone, _UNITS[function]))

    def _bound_start(self, zone: str, unit: int) -> exp.Expr:
        """Return the full hour of a zone's clock, or the jump since: that hour begins there."""
        time = exp.Cast(this=self._bound_wall(zone), to=exp.DataType.build("TIME"))
        rest = _duration(exp.Mod(this=called("epoch_us", time), expression=number(unit)))
        full: exp.Expr = exp.Paren(this=exp.Sub(this=bound(), expression=rest))
        # Infinity has no clock; it stays what it is.
        case = exp.Case().when(exp.Not(this=called("isfinite", bound())), bound())
        jumps = _within(zone, unit)
        if not jumps:
            return exp.Paren(this=case.else_(full))
        # A zone may jump thousands of times: they are looked through only where one lies between.
        same = exp.EQ(
            this=called("epoch_us", self.wall(full.copy(), zone)),
            expression=called("epoch_us", exp.Sub(this=self._bound_wall(zone), expression=rest)),
        )
        case = case.when(same, full)
        return exp.Paren(this=case.else_(called("greatest", full.copy(), _last_of(jumps))))

    def cast(self, instant: exp.Expr, source: DataType, target: DataType) -> exp.Expr:
        """Return an instant as another moment: its own day where it begins one, or its wall clock.

        The statement fails at an instant within a day where a date is wanted.
        """
        if target.zone or not source.zone:
            return instant
        if target != DATE:
            return self.wall(instant, source.zone)
        before = exp.Paren(this=exp.Sub(this=instant, expression=_duration(number(1))))
        days = {"d": (instant.copy(), DATE), "e": (before, DATE)}
        walls = {name: cast(self.wall(at, source.zone), day) for name, (at, day) in days.items()}
        first = exp.NEQ(this=bound("d"), expression=bound("e"))
        absent = exp.Is(this=bound("d"), expression=exp.Null())
        case = exp.Case().when(absent, exp.Null()).when(first, bound("d"))
        return let_all(walls, case.else_(refused()))


def _within(zone: str, unit: int) -> list[int]:
    """Return the jumps of a zone's clock after which it shows no full unit."""
    known = clock(zone)
    ahead = zip(known.jumps[1:], known.offsets[1:], strict=True)
    return [jump for jump, offset in ahead if (jump + offset) % unit]


def _last_of(instants: list[int]) -> exp.Expr:
    """Return the last of the instants, in microseconds since 1970, up to the bound one."""
    listed = exp.Cast(this=text(str(instants)), to=exp.DataType.build("BIGINT[]"))
    passed = exp.LTE(this=exp.column("jump"), expression=called("epoch_us", bound()))
    before = exp.Lambda(this=passed, expressions=[exp.to_identifier("jump")])
    return called("make_timestamptz", called("list_max", called("list_filter", listed, before)))


def _at_zone(instant: exp.Expr, zone: str) -> exp.Expr:
    return exp.Paren(this=exp.AtTimeZone(this=instant, zone=text(zone)))


def _cut(function: str, moment: exp.Expr) -> exp.Expr:
    return called("date_trunc", text(function.removesuffix("_OF").lower()), moment)


def _duration(micros: exp.Expr) -> exp.Expr:
    return called("to_microseconds", micros)


def _instant(micros: int) -> exp.Expr:
    return called("make_timestamptz", number(micros))


def _from(start: int) -> exp.Expr:
    return exp.GTE(this=bound(), expression=_instant(start))


def floored(value: exp.Expr, stored_type: DataType) -> exp.Expr:
    """Return a column of nanoseconds as the microsecond that holds each moment."""
    return exp.Paren(this=_endless(value, stored_type).else_(_micros(value, stored_type)))


def narrowed(value: exp.Expr, stored_type: DataType, column: str) -> exp.Expr:
    """Return a column of nanoseconds in microseconds, or a failing statement that says where."""
    ticks = called("epoch_ns", _without_zone(value, stored_type))
    even = exp.EQ(this=exp.Mod(this=ticks, expression=number(1000)), expression=number(0))
    case = _endless(value, stored_type).when(even, _micros(value, stored_type))
    return exp.Paren(this=case.else_(_failing_cast(value, stored_type, column)))


def _endless(value: exp.Expr, stored_type: DataType) -> exp.Case:
    """Return a CASE of infinity, which has no microseconds and stays what it is."""
    endless = exp.Not(this=called("isfinite", _without_zone(value, stored_type)))
    return exp.Case().when(endless, cast(value.copy(), in_micros(stored_type)))


def _without_zone(value: exp.Expr, stored_type: DataType) -> exp.Expr:
    return _at_zone(value.copy(), UTC) if stored_type.zone else value.copy()


def _micros(value: exp.Expr, stored_type: DataType) -> exp.Expr:
    # epoch_us floors; DuckDB's casts round.
    ticks = called("epoch_us", _without_zone(value, stored_type))
    return called("make_timestamptz" if stored_type.zone else "make_timestamp", ticks)


def _failing_cast(value: exp.Expr, stored_type: DataType, column: str) -> exp.Expr:
    """Return a cast that fails with a text about the value; NULL for NULL."""
    before, after = no_whole_microsecond(column)
    opening = exp.DPipe(this=text(before), expression=cast(value.copy(), TEXT))
    message = exp.Paren(this=exp.DPipe(this=opening, expression=text(after)))
    return cast(message, in_micros(stored_type))
