"""Siblings compared: a coarser table holds the numbers of the family's root, or is not used.

What comes in: a family, its root and a sibling, and the version to look at. What goes out: None, or
the row in which they differ. Equal means: at the sibling's grain the same keys, NULL-safe, and the
same values. It must never call a sibling equal that could not be compared.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.catalog.collection import MetricFamily, RootedMetric, Sibling
from flightframe_server.engine.reading import VersionReader
from flightframe_server.errors import QueryError, shown
from flightframe_server.planner.siblings import compared
from flightframe_server.planner.source import SourceQuery
from flightframe_server.resolver.typed import TypedCollection


def difference(
    typed: TypedCollection,
    reader: VersionReader,
    family: MetricFamily,
    root: RootedMetric,
    sibling: Sibling,
) -> str | None:
    """Return the first row in which a sibling differs from its root, in words, or None.

    Raises:
        SourceMoved: the data are of another version.
        BackendError: the database failed, or has too much to do.
    """
    try:
        detail, summary, unlike = compared(typed, family, root, sibling)
        if unlike is not None:
            return unlike
        grain = tuple(read.level for read in detail.anchor)
        return _first_difference(_frame(reader, detail), _frame(reader, summary), grain)
    except QueryError as error:
        return error.message


def _frame(reader: VersionReader, query: SourceQuery) -> pl.DataFrame:
    table = reader.collect(query)
    frame = pl.from_arrow(table.rename_columns([*table.column_names[:-1], " value"]))
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.lit(True).alias(" there"))


def _first_difference(
    detail: pl.DataFrame, summary: pl.DataFrame, grain: tuple[str, ...]
) -> str | None:
    keys = list(grain)
    both = detail.join(
        summary, on=keys, how="full", nulls_equal=True, coalesce=True, suffix=" of sibling"
    )
    differs = (
        pl.col(" there").is_null()
        | pl.col(" there of sibling").is_null()
        | pl.col(" value").ne_missing(pl.col(" value of sibling"))
    )
    rows = both.filter(differs).sort(keys, nulls_last=True).head(1).to_dicts()
    if not rows:
        return None
    row = rows[0]
    where = ", ".join(f"{level} {word(row[level])}" for level in grain)
    there = "no row" if row[" there of sibling"] is None else word(row[" value of sibling"])
    here = "no row" if row[" there"] is None else word(row[" value"])
    return f"at {where} it has {there}, and the root {here}"


def word(value: object) -> str:
    """Return a value of the data as the row that breaks a promise shows it."""
    return "NULL" if value is None else shown(value)
