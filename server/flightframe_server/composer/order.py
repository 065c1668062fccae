"""The order of rows: an entry's canonical order, ORDER BY, LIMIT and PER.

What comes in: a table, and what to order or cut it by. What goes out: the table in that order. It
must never leave ties to chance: the anchor's levels ascending decide them, NULL last, so that the
same question gives the same rows in the same order by every route.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.composer.doubles import nan_marks
from flightframe_server.composer.evaluate import as_array
from flightframe_server.resolver.question import Window

_SMALL = 20_000


def sort_points(table: pa.Table, levels: Sequence[str]) -> pa.Table:
    """Return the table sorted by levels ascending, text by code point, NULL last."""
    if not levels or table.num_rows < 2:
        return table
    if table.num_rows <= _SMALL:
        rows = pc.sort_indices(table, sort_keys=[(level, "ascending") for level in levels])
        return table.take(rows)
    frame = pl.from_arrow(table.select(list(levels)))
    assert isinstance(frame, pl.DataFrame)
    numbered = frame.with_row_index(" row")
    rows = numbered.sort(list(levels), nulls_last=True)[" row"].to_arrow()
    return table.take(rows)


def sort_by(
    table: pa.Table, keys: Sequence[tuple[pa.Array, bool, bool]], levels: Sequence[str]
) -> pa.Table:
    """Return the table sorted by computed keys, then by `levels` ascending.

    Args:
        table: the frame.
        keys: for each key its values, whether it descends, and whether NULL comes first.
        levels: columns that decide ties.
    """
    columns: dict[str, pa.Array] = {}
    order: list[tuple[str, str]] = []
    for index, (values, descending, nulls_first) in enumerate(keys):
        columns[f"n{index}"] = pc.is_null(values)
        order.append((f"n{index}", "descending" if nulls_first else "ascending"))
        if pa.types.is_floating(values.type):
            columns[f"a{index}"] = nan_marks(values)
            order.append((f"a{index}", "descending" if descending else "ascending"))
        columns[f"k{index}"] = values
        order.append((f"k{index}", "descending" if descending else "ascending"))
    for index, level in enumerate(levels):
        columns[f"l{index}"] = as_array(table[level])
        order.append((f"l{index}", "ascending"))
    if not order or table.num_rows < 2:
        return table
    return table.take(pc.sort_indices(pa.table(columns), sort_keys=order))


def cut(table: pa.Table, window: Window | None) -> pa.Table:
    """Return the rows that LIMIT, OFFSET and PER leave; NULL is a member like any other."""
    if window is None:
        return table
    if not window.per:
        return table.slice(window.offset, window.count)
    frame = pl.from_arrow(table.select(list(window.per)))
    assert isinstance(frame, pl.DataFrame)
    rank = frame.select(pl.int_range(pl.len()).over(list(window.per)).alias("rank"))["rank"]
    mask = (rank >= window.offset) & (rank < window.offset + window.count)
    return table.filter(pa.array(mask.to_arrow()))
