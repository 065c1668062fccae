"""Moments beside moments: which instant, or which time of a wall clock, a literal stands for.

What comes in: typed terms, and the zone of the collection. What goes out: terms that are all
instants or all without a zone. It must never choose between two instants, nor read a column without
a zone as instants: the data do not say in which zone they were written.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from flightframe_server.algebra.types import DATE, TIMESTAMP, DataType, Kind
from flightframe_server.catalog.zones import instants_of, jump_over, start_of_day, wall_clock
from flightframe_server.errors import ArithmeticOverflow, Place, TypeMismatch
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.terms import Constant, Term
from flightframe_server.resolver.values import common_type, constant
from flightframe_server.zone_rules import zoned_text

_ORDERED = frozenset({"lt", "le", "gt", "ge"})


def compared(
    function: str, left: Term, right: Term, zone: str, place: Place | None = None
) -> tuple[Term, Term]:
    """Return two moments as they are compared; other terms, and moments without zones, stay.

    Beside an instant, a literal without an offset is read in the collection's zone; beside a date
    or a timestamp without a zone, a literal with one is what that zone's clock shows at it.

    Raises:
        TypeMismatch: a literal is no instant or two, or one side has a zone and the other has not.
        ArithmeticOverflow: a literal is past the end of time in that zone.
    """
    if common_type(left.type, right.type) is None:
        return left, right
    sides = aligned((left, right), zone, exact=function not in _ORDERED, place=place)
    if sides is not None:
        return sides[0], sides[1]
    for one, other, turned in ((left, right, False), (right, left, True)):
        if isinstance(one, Constant) and one.type.zone:
            local = _on_the_wall(one, other.type, zone, place)
            return (other, local) if turned else (local, other)
    raise TypeMismatch(
        f"a {left.type} and a {right.type} cannot be compared: only one of them has a zone",
        place=place,
        hint="CAST(x AS timestamp) is what the collection's clock shows at an instant",
    )


def aligned(
    terms: Sequence[Term],
    zone: str | None = None,
    *,
    exact: bool = True,
    place: Place | None = None,
) -> tuple[Term, ...] | None:
    """Return moments as instants of one zone where one of them has a zone; None: they do not mix.

    Args:
        terms: of types that go together.
        zone: the collection's, in which literals are read that stand beside literals alone.
        exact: whether a wall clock time that is skipped is refused, or stands for the jump.
        place: where they stand.

    Raises:
        TypeMismatch, ArithmeticOverflow: see `compared`.
    """
    zones = {term.type.zone for term in terms if term.type.zone}
    if not zones:
        return tuple(terms)
    fixed = {term.type.zone for term in terms if not isinstance(term, Constant)} - {None}
    clock = fixed.pop() if fixed else zone or zones.pop()
    assert clock is not None
    instants: list[Term] = []
    for term in terms:
        if isinstance(term, Constant) and term.type.kind is not Kind.NULL:
            instants.append(in_zone(term, clock, exact=exact, place=place))
        elif term.type.zone or term.type.kind is Kind.NULL:
            instants.append(term)
        else:
            return None
    return tuple(instants)


def in_zone(
    moment: Constant, zone: str, *, exact: bool = True, place: Place | None = None
) -> Constant:
    """Return a moment as the instant that it is by a zone's clock; see `aligned`."""
    type_ = DataType(Kind.TIMESTAMP, zone=zone)
    value = moment.value
    if not isinstance(value, datetime.date):
        return Constant(type_, None)
    try:
        if isinstance(value, datetime.datetime):
            if value.tzinfo is not None:
                return Constant(type_, value.astimezone(datetime.UTC))
            return Constant(type_, _instant(value, zone, exact, place))
        start = start_of_day(value, zone)
        if exact and wall_clock(start, zone).date() != value:
            raise _skipped(str(value), zone, place)
        return Constant(type_, start)
    except OverflowError:
        raise ArithmeticOverflow(
            f"{value} in {zone} is no instant of the years 1 to 9999", place=place
        ) from None


def listed(value: LiteralValue, declared: DataType) -> LiteralValue:
    """Return a value that a mapping lists, as a level of that type holds it."""
    if declared.zone and isinstance(value, datetime.date):
        return in_zone(constant(value), declared.zone).value
    return value


def _instant(
    wall: datetime.datetime, zone: str, exact: bool, place: Place | None
) -> datetime.datetime:
    instants = instants_of(wall, zone)
    if len(instants) == 1:
        return instants[0]
    if instants:
        both = " or ".join(f"'{zoned_text(instant, zone)}'" for instant in instants)
        raise TypeMismatch(
            f"the clock of {zone} shows {wall} twice", place=place, hint=f"write {both}"
        )
    if exact:
        raise _skipped(str(wall), zone, place)
    return jump_over(wall, zone)


def _skipped(wall: str, zone: str, place: Place | None) -> TypeMismatch:
    return TypeMismatch(
        f"the clock of {zone} never shows {wall}",
        place=place,
        hint="it jumped over it: write another time, or one with its offset",
    )


def _on_the_wall(moment: Constant, beside: DataType, zone: str, place: Place | None) -> Constant:
    """Return what a zone's clock shows at an instant; beside dates its day, where that begins."""
    instant = moment.value
    assert isinstance(instant, datetime.datetime)
    try:
        wall = wall_clock(instant, zone)
        if beside == DATE and start_of_day(wall.date(), zone) == instant:
            return Constant(DATE, wall.date())
    except OverflowError:
        raise ArithmeticOverflow(
            f"{instant} in {zone} is no moment of the years 1 to 9999", place=place
        ) from None
    return Constant(TIMESTAMP, wall)
