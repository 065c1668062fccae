"""DuckDB's words for moments: what a zone's clock shows, first instants of periods, nanoseconds.

What comes in: expressions of moments and their declared types. What goes out: expressions that do
not depend on the session's zone, and neither round nor cut where a moment is to be kept. It must
never let a statement be volatile: DuckDB orders no window by what may change from row to row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.backends.misfits import no_whole_microsecond
from flightframe_server.backends.sql.duckdb_functions import (
    bound,
    called,
    cast,
    let,
    let_all,
    number,
    refused,
    text,
)
from flightframe_server.catalog.types import DATE, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.catalog.zones import UTC, clock

REFUSED = 1 << 62
"""In place of an offset: the statement fails at such an instant."""

_UNITS = {"SECOND_OF": 1_000_000, "MINUTE_OF": 60_000_000, "HOUR_OF": 3_600_000_000}
_ZONED = DataType(Kind.TIMESTAMP, zone=UTC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From an instant on, in microseconds since 1970: how far a clock is ahead of UTC.

    Attributes:
        start: the instant.
        offset: in microseconds; None: as the database itself has it; REFUSED: it is not known.
    """

    start: int
    offset: int | None


Corrections = Callable[[str], tuple[Stretch, ...]]
"""For a zone, where the database's clock is another than ours; ascending, none where it is not."""


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
            shown = native.copy()
            if stretch.offset == REFUSED:
                shown = _told(bound(), TIMESTAMP, f"the clock of {zone}")
            elif stretch.offset is not None:
                shown = exp.Add(
                    this=_at_zone(bound(), UTC), expression=_duration(number(stretch.offset))
                )
            case = case.when(_from(stretch.start), shown, copy=False)
        return exp.Paren(this=case.else_(native)) if case.args.get("ifs") else native

    def truncated(self, function: str, moment: exp.Expr, given: DataType) -> exp.Expr:
        """Return the first instant of a period: a date from DAY_OF up, of the type given below."""
        if function not in _UNITS:
            wall = self.wall(moment, given.zone) if given.zone else moment
            return cast(_cut(function, wall), DATE)
        if not given.zone:
            return cast(_cut(function, moment), TIMESTAMP)
        return let(moment, self._bound_start(given.zone, _UNITS[function]))

    def _bound_start(self, zone: str, unit: int) -> exp.Expr:
        """Return the full hour of a zone's clock, or the jump since: that hour begins there."""
        time = exp.Cast(this=self._bound_wall(zone), to=exp.DataType.build("TIME"))
        rest = exp.Mod(this=called("epoch_us", time), expression=number(unit))
        full = exp.Sub(this=bound(), expression=_duration(rest))
        known = clock(zone)
        jumps = [
            jump
            for jump, offset in zip(known.jumps[1:], known.offsets[1:], strict=True)
            if (jump + offset) % unit
        ]
        if not jumps:
            return full
        last = exp.Case()
        for jump in reversed(jumps):
            last = last.when(_from(jump), _instant(jump), copy=False)
        return called("greatest", full, last.else_(full.copy(), copy=False))

    def cast(self, instant: exp.Expr, given: DataType, wanted: DataType) -> exp.Expr:
        """Return an instant as another moment: its own day where it begins one, or its wall clock.

        The statement fails at an instant within a day where a date is wanted.
        """
        if wanted.zone or not given.zone:
            return instant
        if wanted != DATE:
            return self.wall(instant, given.zone)
        before = exp.Paren(this=exp.Sub(this=instant, expression=_duration(number(1))))
        days = {"d": (instant.copy(), DATE), "e": (before, DATE)}
        held = {name: cast(self.wall(at, given.zone), day) for name, (at, day) in days.items()}
        first = exp.NEQ(this=bound("d"), expression=bound("e"))
        absent = exp.Is(this=bound("d"), expression=exp.Null())
        case = exp.Case().when(absent, exp.Null()).when(first, bound("d"))
        return let_all(held, case.else_(refused()))


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


def floored(value: exp.Expr, given: DataType) -> exp.Expr:
    """Return a column of nanoseconds as the microsecond that holds each moment."""
    whole = called("isfinite", value.copy())
    return exp.Paren(this=exp.Case().when(whole, _micros(value, given)).else_(_told(value, given)))


def narrowed(value: exp.Expr, given: DataType, column: str) -> exp.Expr:
    """Return a column of nanoseconds in microseconds, or a failing statement that says where."""
    ticks = called("epoch_ns", _without_zone(value, given))
    even = exp.EQ(this=exp.Mod(this=ticks, expression=number(1000)), expression=number(0))
    fits = exp.and_(called("isfinite", value.copy()), even)
    told = _told(value, given, column)
    return exp.Paren(this=exp.Case().when(fits, _micros(value, given)).else_(told))


def _without_zone(value: exp.Expr, given: DataType) -> exp.Expr:
    return _at_zone(value.copy(), UTC) if given.zone else value.copy()


def _micros(value: exp.Expr, given: DataType) -> exp.Expr:
    # epoch_us floors; DuckDB's casts round.
    ticks = called("epoch_us", _without_zone(value, given))
    return called("make_timestamptz" if given.zone else "make_timestamp", ticks)


def _told(value: exp.Expr, given: DataType, column: str = "a timestamp") -> exp.Expr:
    """Return a cast that fails with a text about the value; NULL for NULL."""
    before, after = no_whole_microsecond(column)
    held = exp.DPipe(this=text(before), expression=cast(value.copy(), TEXT))
    said = exp.Paren(this=exp.DPipe(this=held, expression=text(after)))
    return cast(said, _ZONED if given.zone else TIMESTAMP)
