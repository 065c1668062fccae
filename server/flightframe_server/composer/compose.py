"""Parts to an answer: merge, finish states, evaluate formulas, HAVING, ORDER BY, LIMIT.

What comes in: for each metric of a question, the table of its states at the anchor. What goes out:
the answer's table, of exactly the declared schema. It must never do input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.arrow_types import arrow_schema, conform_array
from flightframe_server.composer.evaluate import evaluate, whole
from flightframe_server.composer.merge import merge
from flightframe_server.composer.order import cut, sort_by
from flightframe_server.composer.states import finish
from flightframe_server.errors import InternalError
from flightframe_server.planner.source import state_name
from flightframe_server.resolver.question import Metric, Question, Window
from flightframe_server.resolver.terms import LevelTerm, MetricTerm, Term

FrameExpression = Callable[[pl.LazyFrame], pl.LazyFrame]


def answer_schema(question: Question) -> pa.Schema:
    """Return the declared schema of a question's answer."""
    return arrow_schema((column.name, column.term.type) for column in question.columns)


def named_states(table: pa.Table, index: int, metric: Metric) -> pa.Table:
    """Return a metric's table with its state columns named for the merged frame."""
    own = {state.name: state_name(index, state.name) for state in metric.reducer.state}
    return table.rename_columns([own.get(name, name) for name in table.column_names])


def compose(question: Question, metrics: Sequence[Metric], tables: Sequence[pa.Table]) -> pa.Table:
    """Return the answer of a question.

    Args:
        question: what is asked.
        metrics: the metrics, in the order of `tables`.
        tables: for each its states beside the anchor's levels, sorted by the sorted anchor.

    Raises:
        ArithmeticOverflow: a number does not fit its declared type.
    """
    levels = tuple(sorted(question.anchor))
    named = [
        named_states(table, index, metric)
        for index, (metric, table) in enumerate(zip(metrics, tables, strict=True))
    ]
    frame = _Frame(merge(named, levels), metrics)
    if question.having is not None:
        frame = frame.where(question.having)
    table = frame.table
    if question.ordering or question.anchor != levels:
        keys = [
            (frame.values(key.term), key.descending, key.nulls_first) for key in question.ordering
        ]
        table = sort_by(table, keys, question.anchor)
    return _projected(_Frame(cut(table, question.window), metrics), question)


def compose_stream(
    question: Question, metrics: Sequence[Metric], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the answer of a question batch by batch, from merged states in the asked order.

    The memory it takes does not depend on the rows that go through, except one counter for each
    member of PER.
    """
    window = question.window
    cutter = _Cutter(window) if window is not None else None
    for batch in batches:
        frame = _Frame(pa.Table.from_batches([batch]), metrics)
        if question.having is not None:
            frame = frame.where(question.having)
        if cutter is not None:
            frame = _Frame(cutter.cut(frame.table), metrics)
        if frame.table.num_rows:
            yield from _projected(frame, question).combine_chunks().to_batches()
        if cutter is not None and cutter.full:
            return


class _Frame:
    """Merged states with the values of metrics, each finished once."""

    def __init__(self, table: pa.Table, metrics: Sequence[Metric]) -> None:
        self.table = table
        self._metrics = metrics
        self._index = {metric: index for index, metric in enumerate(metrics)}
        self._finished: dict[Metric, pa.Array] = {}

    def values(self, term: Term) -> pa.Array:
        return evaluate(term, self._column, self.table.num_rows)

    def where(self, predicate: Term) -> _Frame:
        kept = pc.fill_null(self.values(predicate), False)
        return _Frame(self.table.filter(kept), self._metrics)

    def _column(self, term: Term) -> pa.Array:
        match term:
            case LevelTerm(level=level):
                return whole(self.table[level])
            case MetricTerm(metric=metric):
                if metric not in self._finished:
                    index = self._index[metric]
                    names = {
                        state.name: state_name(index, state.name) for state in metric.reducer.state
                    }
                    self._finished[metric] = finish(self.table, names, metric)
                return self._finished[metric]
        raise InternalError("a frame holds levels and metrics only")


def _projected(frame: _Frame, question: Question) -> pa.Table:
    schema = answer_schema(question)
    columns = [
        conform_array(frame.values(column.term), field.type)
        for column, field in zip(question.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class _Cutter:
    """LIMIT over a stream: rows counted for each member of PER."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._seen: dict[tuple[object, ...], int] = {}

    @property
    def full(self) -> bool:
        window = self._window
        if window.per:
            return window.count == 0
        return self._seen.get((), 0) >= window.offset + window.count

    def cut(self, table: pa.Table) -> pa.Table:
        window = self._window
        last = window.offset + window.count
        if not window.per:
            seen = self._seen.get((), 0)
            self._seen[()] = seen + table.num_rows
            first = max(0, window.offset - seen)
            return table.slice(first, max(0, last - seen - first))
        kept: list[bool] = []
        for key in zip(*(table[level].to_pylist() for level in window.per), strict=True):
            rank = self._seen.get(key, 0)
            self._seen[key] = rank + 1
            kept.append(window.offset <= rank < last)
        return table.filter(pa.array(kept, pa.bool_()))


def derive(
    frames: Sequence[pl.LazyFrame],
    anchor: tuple[str, ...],
    frame_expression: FrameExpression | None = None,
) -> pl.DataFrame:
    """Merge Polars frames of one anchor, apply an expression of the caller's, and collect.

    Args:
        frames: each with the anchor's levels and its own metric columns.
        anchor: the levels they share; NULL keys match.
        frame_expression: any Polars transformation of the merged frame.
    """
    merged = frames[0]
    for frame in frames[1:]:
        if anchor:
            merged = merged.join(
                frame, on=list(anchor), how="full", nulls_equal=True, coalesce=True
            )
        else:
            merged = pl.concat([merged, frame], how="horizontal")
    if frame_expression is not None:
        merged = frame_expression(merged)
    ordered = merged.sort(list(anchor), nulls_last=True) if anchor else merged
    return ordered.collect()
