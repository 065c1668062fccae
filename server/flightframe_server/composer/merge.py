"""Frames of one anchor side by side.

What comes in: tables of states, each sorted by the same levels. What goes out: one table with every
point of any of them, or of the first alone. It must never drop a point or double one: NULL keys are
points, and every join is null-safe and outer (law 2, docs/laws.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl
import pyarrow as pa

from flightframe_server.arrow_types import conform_array
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.order import sort_points


def merge(tables: Sequence[pa.Table], levels: tuple[str, ...]) -> pa.Table:
    """Return the tables joined on `levels` (sorted), sorted by them.

    Tables of one schema have the same points; their columns are set side by side without a join.

        region  amount       region  on_hand          region  amount  on_hand
        East        30   +   East         11    ->    East        30       11
        NULL         3       West          9          West      NULL        9
                                                      NULL         3     NULL
    """
    merged = tables[0]
    for table in tables[1:]:
        merged = _beside(merged, table, levels) or _joined(merged, table, levels, "full")
    return merged


def attach(table: pa.Table, others: Sequence[pa.Table], levels: tuple[str, ...]) -> pa.Table:
    """Return a table with the states that others have at its points; it gains no point.

    All are sorted by `levels`; a point that another lacks has NULL for its states.

        region  amount       region  on_hand          region  amount  on_hand
        East        30   +   East         11    ->    East        30       11
        NULL         3       West          9          NULL         3     NULL
    """
    for other in others:
        table = _beside(table, other, levels) or _joined(table, other, levels, "left")
    return table


def combine_points(table: pa.Table) -> pa.Table:
    """Return the distinct rows of a table of levels, NULL keys as points."""
    names = table.column_names
    return table.group_by(names, use_threads=False).aggregate([]).select(names)


def rows_at(points: pa.Table, table: pa.Table) -> pa.Array:
    """Return for each row of `table` the number of the row of `points` that has the same levels."""
    levels = points.column_names
    known, rows = pl.from_arrow(points), pl.from_arrow(table.select(levels))
    assert isinstance(known, pl.DataFrame)
    assert isinstance(rows, pl.DataFrame)
    numbered = known.with_row_index(" row")
    joined = rows.join(numbered, on=levels, how="left", nulls_equal=True, maintain_order="left")
    return as_array(joined[" row"].to_arrow())


def _beside(left: pa.Table, right: pa.Table, levels: tuple[str, ...]) -> pa.Table | None:
    if left.num_rows != right.num_rows:
        return None
    if any(not left[level].equals(right[level]) for level in levels):
        return None
    for name in right.column_names:
        if name not in levels:
            left = left.append_column(name, right[name])
    return left


def _joined(
    left: pa.Table, right: pa.Table, levels: tuple[str, ...], how: Literal["full", "left"]
) -> pa.Table:
    left_frame, right_frame = pl.from_arrow(left), pl.from_arrow(right)
    assert isinstance(left_frame, pl.DataFrame)
    assert isinstance(right_frame, pl.DataFrame)
    joined = left_frame.join(right_frame, on=list(levels), how=how, nulls_equal=True, coalesce=True)
    fields = [*left.schema, *(field for field in right.schema if field.name not in levels)]
    schema = pa.schema([field.remove_metadata() for field in fields])
    arrow = joined.select(schema.names).to_arrow()
    columns = [conform_array(as_array(arrow[field.name]), field.type) for field in schema]
    return sort_points(pa.Table.from_arrays(columns, schema=schema), levels)
