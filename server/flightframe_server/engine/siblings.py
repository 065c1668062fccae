"""Siblings attested: a coarser table holds the numbers of the family's root, or is not used.

What comes in: a typed collection and a back-end. What goes out: for each sibling None, or the row
in which it differs. Equal means: at the sibling's grain the same keys, NULL-safe, and the same
values. It must never call a sibling equal that could not be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa

from flightframe_server.backends.protocol import Backend
from flightframe_server.catalog.collection import MetricFamily, RootedMetric, Sibling
from flightframe_server.errors import FlightframeError, shown
from flightframe_server.planner.siblings import root_metric, sibling_metric
from flightframe_server.planner.source import SourceQuery, source_query
from flightframe_server.resolver.typed import TypedCollection


def attest_siblings(
    typed: TypedCollection, backend: Backend, broken: Mapping[str, str]
) -> dict[tuple[str, str], str | None]:
    """Return, for each (family, sibling schema), None where they are equal, else a row."""
    found: dict[tuple[str, str], str | None] = {}
    for family, root, sibling in _siblings(typed):
        try:
            difference = _difference(typed, backend, family, root, sibling)
        except FlightframeError as error:
            difference = error.message
        found[family.name, sibling.schema] = difference
    return found


def _siblings(typed: TypedCollection) -> Iterator[tuple[MetricFamily, RootedMetric, Sibling]]:
    for family in typed.collection.metric_families.values():
        if isinstance(family.meaning, RootedMetric):
            for sibling in family.meaning.siblings:
                yield family, family.meaning, sibling


def _difference(
    typed: TypedCollection,
    backend: Backend,
    family: MetricFamily,
    root: RootedMetric,
    sibling: Sibling,
) -> str | None:
    grain = tuple(sorted(typed.schema(sibling.schema).grain))
    one = root_metric(typed, family, root, sibling.operator)
    other = sibling_metric(typed, one, sibling)
    if other.type != one.type:
        return f"it holds {other.type}, and the root {one.type}"
    detail = _table(backend, source_query(typed, root.schema, grain, (), (one,)))
    summary = _table(backend, source_query(typed, sibling.schema, grain, (), (other,)))
    return _first_difference(detail, summary, grain)


def _table(backend: Backend, query: SourceQuery) -> pl.DataFrame:
    running = backend.run(query)
    table = pa.Table.from_batches(list(running), schema=running.schema)
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
