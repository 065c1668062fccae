"""Where the clocks that are built into DuckDB are wrong, by the rules of `catalog.zones`.

What comes in: the name of a zone. What goes out: the stretches of time in which DuckDB's clock
shows another time, with what is right there. It must never open a user's file: which rules DuckDB
has depends on its version alone.

Laws about clocks change every year, and each program brings a copy of the rules that is as old as
itself. A day must not have one value from an entry and another from the database.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import duckdb

from flightframe_server.backends.duckdb.sql_moments import REFUSED, Stretch
from flightframe_server.catalog.zones import Clock, clock

_DAY = 86_400_000_000
# From 1830 to 2100; and apart from that, what is right at the edges is right beyond them.
_FIRST, _LAST = -51_134 * _DAY, 47_482 * _DAY
_APART = 731 * _DAY
_SECOND = 1_000_000
_SHOWN = """
    SELECT epoch_us(timezone($zone, make_timestamptz(instant))) - instant
    FROM (SELECT unnest($instants) AS instant)
"""


@lru_cache(maxsize=64)
def corrections(zone: str) -> tuple[Stretch, ...]:
    """Return where DuckDB's clock of a zone is wrong: stretches that are ours, then its own again.

    A zone that DuckDB does not know is ours throughout.
    """
    known = clock(zone)
    jumps = [jump for jump in known.jumps if _FIRST <= jump < _LAST]
    edges = {near for jump in jumps for near in (jump - _SECOND, jump)}
    instants = sorted({*range(_FIRST, _LAST, _DAY), *edges})
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(_SHOWN, {"zone": zone, "instants": instants}).fetchall()
    except duckdb.NotImplementedException:
        return _stretches(known, known.jumps[0], None)
    offsets = (known.offsets[bisect_right(known.jumps, at) - 1] for at in instants)
    wrong = [
        at for at, row, offset in zip(instants, rows, offsets, strict=True) if row[0] != offset
    ]
    stretches: list[Stretch] = []
    for start, end in _spans(wrong):
        stretches += _stretches(known, start - _DAY, end + _DAY if end + _APART < _LAST else None)
    return tuple(stretches)


def _spans(wrong: list[int]) -> list[tuple[int, int]]:
    """Return the first and last instant of each stretch in which something is wrong every year."""
    spans: list[tuple[int, int]] = []
    for at in wrong:
        if spans and at - spans[-1][1] < _APART:
            spans[-1] = spans[-1][0], at
        else:
            spans.append((at, at))
    return spans


def _stretches(known: Clock, start: int, end: int | None) -> tuple[Stretch, ...]:
    """Return our clock from an instant to another, from where on it is the database's own."""
    at = bisect_right(known.jumps, start) - 1
    until = bisect_right(known.jumps, _LAST if end is None else end)
    pieces = [Stretch(start, known.offsets[at])]
    pieces += [
        Stretch(jump, offset)
        for jump, offset in zip(
            known.jumps[at + 1 : until], known.offsets[at + 1 : until], strict=True
        )
    ]
    if end is not None:
        return (*pieces, Stretch(end, None))
    return (*pieces, Stretch(_LAST, REFUSED)) if until < len(known.jumps) else tuple(pieces)
