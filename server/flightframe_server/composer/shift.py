"""Points moved along the calendar: what was read at one period, told at another.

What comes in: the states of a need at its anchor, and its shift. What goes out: the same states at
the moved points, sorted. It must never let two points become one: what they hold would then have to
be combined, and a shift combines nothing.

A shift of twelve months over the level `month`:

    month       SUM(revenue)          month       SUM(revenue)
    2024-01-01  10               ->   2025-01-01  10
    2024-02-01  25                    2025-02-01  25
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from flightframe_server.arrow_types import conform_array, in_years
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.order import sort_points
from flightframe_server.errors import InternalError
from flightframe_server.resolver.needs import Shift


def move_points(table: pa.Table, anchor: tuple[str, ...], shift: Shift) -> pa.Table:
    """Return the states at the points that a shift moves theirs to; NULL stays where it is.

    Args:
        table: the anchor's levels, then states.
        anchor: the levels, sorted.
        shift: along a level of the anchor that holds days.

    Raises:
        ArithmeticOverflow: a day would lie outside the years 1 to 9999.
    """
    members = as_array(table[shift.level])
    if not pa.types.is_date(members.type):
        raise InternalError(f"the members of {shift.level} are no days")
    days = pl.Series(members).dt.offset_by(f"{shift.months}mo").dt.offset_by(f"{shift.days}d")
    moved = conform_array(days.to_arrow(), members.type)
    in_years(pa.record_batch({shift.level: moved}))
    at = table.schema.get_field_index(shift.level)
    shifted = table.set_column(at, table.schema.field(at), moved)
    points = pl.DataFrame(shifted.select(list(anchor)))
    if points.is_duplicated().any():
        raise InternalError(f"two members of {shift.level} are moved to one")
    return sort_points(shifted, anchor)
