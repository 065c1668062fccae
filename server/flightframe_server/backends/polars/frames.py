"""Queries as lazy frames of the declared columns.

What comes in: the planner's logical queries. What goes out: a lazy frame of the anchor's levels and
the states of the metrics, and their declared types. It must never compute a formula of the answer:
that is the composer's.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.polars.files import OpenTables
from flightframe_server.backends.polars.rows import Rows, level_column
from flightframe_server.backends.polars.states import aggregates, finished
from flightframe_server.backends.polars.terms import compile_term
from flightframe_server.backends.polars.values import Value
from flightframe_server.errors import InternalError
from flightframe_server.planner.source import FrameQuery, SourceQuery, state_name
from flightframe_server.resolver.terms import LevelTerm, Metric, MetricTerm, Term

Columns = tuple[tuple[str, DataType], ...]


@dataclass(frozen=True, slots=True)
class LazyQuery:
    """A lazy frame and, in its columns' order, their declared names and types."""

    frame: pl.LazyFrame
    columns: Columns


def lazy_query(query: SourceQuery | FrameQuery, tables: OpenTables) -> LazyQuery:
    """Return a query as a lazy frame: the anchor's levels, then each metric's states."""
    if isinstance(query, FrameQuery):
        return _frame(query, tables)
    return LazyQuery(_grouped(query, tables, 0), _columns(query, query.metrics))


def _columns(query: SourceQuery, metrics: tuple[Metric, ...]) -> Columns:
    levels = [(read.level, read.type) for read in query.anchor]
    states = [
        (state_name(index, name), declared)
        for index, metric in enumerate(metrics)
        for name, declared in metric.states
    ]
    return (*levels, *states)


def _state_columns(index: int, metric: Metric) -> list[str]:
    # A level may be called `m0_value`, so states are kept apart by a letter of their own.
    return [f"s {state_name(index, name)}" for name, _ in metric.states]


def _grouped(query: SourceQuery, tables: OpenTables, first: int) -> pl.LazyFrame:
    """Return one grouped query; its metrics are numbered from `first`."""
    rows = Rows(query, tables)
    anchor = tuple(read.level for read in query.anchor)
    states = [
        expr.alias(name)
        for index, metric in enumerate(query.metrics)
        for name, expr in zip(
            _state_columns(first + index, metric),
            aggregates(rows, anchor, index, metric),
            strict=True,
        )
    ]
    if not anchor:
        return rows.frame.select(states)
    return rows.frame.group_by([level_column(level) for level in anchor]).agg(states)


def _frame(query: FrameQuery, tables: OpenTables) -> LazyQuery:
    metrics = tuple(metric for source in query.sources for metric in source.metrics)
    levels = [level_column(read.level) for read in query.sources[0].anchor]
    frames: list[pl.LazyFrame] = []
    first = 0
    for source in query.sources:
        frames.append(_grouped(source, tables, first))
        first += len(source.metrics)
    merged = _merged(frames, levels, query.makers)
    states = [name for at, metric in enumerate(metrics) for name in _state_columns(at, metric)]
    merged = merged.select(*levels, *states)
    merged = _ordered(merged, query, metrics)
    return LazyQuery(merged, _columns(query.sources[0], metrics))


def _merged(frames: list[pl.LazyFrame], levels: list[str], makers: int) -> pl.LazyFrame:
    """Return every point of any of the first frames, the makers, NULL keys being points."""
    if not levels:
        return pl.concat(frames, how="horizontal")
    merged = frames[0]
    for frame in frames[1:makers]:
        merged = merged.join(frame, on=levels, how="full", nulls_equal=True, coalesce=True)
    for frame in frames[makers:]:
        merged = merged.join(frame, on=levels, how="left", nulls_equal=True, coalesce=True)
    return merged


def _ordered(frame: pl.LazyFrame, query: FrameQuery, metrics: tuple[Metric, ...]) -> pl.LazyFrame:
    """Return a frame in the order asked, ties by the anchor's levels ascending, NULL last."""
    names = frame.collect_schema().names()
    cells = _Cells(frame, metrics)
    by = [cells.value(key.term).expr for key in query.ordering]
    ties = [pl.col(level_column(level)) for level in query.anchor]
    if not by and not ties:
        return frame
    ordered = cells.frame.sort(
        [*by, *ties],
        descending=[key.descending for key in query.ordering] + [False] * len(ties),
        nulls_last=[not key.nulls_first for key in query.ordering] + [True] * len(ties),
    )
    return ordered.select(names)


class _Cells:
    """The cells of a merged frame, and the values that terms have over them."""

    def __init__(self, frame: pl.LazyFrame, metrics: tuple[Metric, ...]) -> None:
        self.frame = frame
        self._metrics = metrics
        self._number = 0

    def value(self, term: Term) -> Value:
        return self._hold(compile_term(term, self._leaf, self._hold))

    def _leaf(self, term: Term) -> Value:
        match term:
            case LevelTerm(level=level, type=declared):
                return Value(pl.col(level_column(level)), declared)
            case MetricTerm(metric=metric):
                names = _state_columns(self._metrics.index(metric), metric)
                types = [declared for _, declared in metric.states]
                return self._hold(finished(metric, [pl.col(name) for name in names], types))
        raise InternalError("a frame is ordered by levels and metrics only")

    def _hold(self, value: Value) -> Value:
        self._number += 1
        name = f"h{self._number}"
        self.frame = self.frame.with_columns(value.expr.alias(name))
        return Value(pl.col(name), value.type)
