"""Parts to an answer: merge, finish states, evaluate formulas, HAVING, ORDER BY, LIMIT.

What comes in: for each metric of a question, the table of its states at the anchor. What goes out:
the answer's table, of exactly the declared schema. It must never do input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import polars as pl
import pyarrow as pa

from flightframe_server.arrow_types import arrow_schema
from flightframe_server.composer.answer_columns import column_values, filtered, ordering_values
from flightframe_server.composer.frame import Cells, Frame
from flightframe_server.composer.merge import merge
from flightframe_server.composer.order import cut, sort_by
from flightframe_server.composer.stacked import stacked, the_one_point, with_absent_levels
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Question, Window
from flightframe_server.resolver.terms import Metric

FrameExpression = Callable[[pl.LazyFrame], pl.LazyFrame]


def answer_schema(question: Question) -> pa.Schema:
    """Return the declared schema of a question's answer."""
    return arrow_schema((column.name, column.term.type) for column in question.columns)


def compose(question: Question, needs: Sequence[Need], tables: Sequence[pa.Table]) -> pa.Table:
    """Return the answer of a question.

    Args:
        question: what is asked.
        needs: what was read, in the order of `tables`.
        tables: for each its states beside the anchor's levels, sorted by them.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type.
    """
    listed = dict(zip(question.listed, tables, strict=False))
    cells = Cells(dict(zip(needs, tables, strict=True)))
    if question.sets:
        frames = [_framed(one, cells, listed) for one in question.sets]
        return stacked(question, answer_schema(question), frames)
    frame = _framed(question, cells, listed)
    if question.ordering or question.anchor != tuple(sorted(question.anchor)):
        keys = [
            (ordering_values(frame, key), key.descending, key.nulls_first)
            for key in question.ordering
        ]
        frame = frame.over(sort_by(frame.table, keys, question.anchor))
    return _projected(frame.over(cut(frame.table, question.window)), question)


def _framed(
    question: Question, cells: Cells, listed: Mapping[tuple[str, tuple[str, ...]], pa.Table]
) -> Frame:
    """Return the points of a question that HAVING keeps."""
    levels = tuple(sorted(question.anchor))
    lists = [listed[schema, levels] for schema in question.members_of]
    frame = cells.frame(
        question.selected,
        levels,
        question.filter,
        hidden=question.hidden,
        points=merge(lists, levels) if lists else the_one_point(question),
        places=dict(question.places),
    )
    frame = with_absent_levels(frame, question)
    return frame if question.having is None else filtered(frame, question.having)


def compose_stream(
    question: Question, metrics: Sequence[Metric], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the answer of a question batch by batch, from merged states in the asked order.

    The memory it takes does not depend on the rows that go through, except one counter for each
    member of PER.
    """
    window = question.window
    cutter = _Cutter(window) if window is not None else None
    index = {metric: at for at, metric in enumerate(metrics)}
    for batch in batches:
        frame = Frame(pa.Table.from_batches([batch]), index, {})
        if question.having is not None:
            frame = filtered(frame, question.having)
        if cutter is not None:
            frame = frame.over(cutter.cut(frame.table))
        if frame.table.num_rows:
            yield from _projected(frame, question).combine_chunks().to_batches()
        if cutter is not None and cutter.full:
            return


def _projected(frame: Frame, question: Question) -> pa.Table:
    schema = answer_schema(question)
    columns = [
        column_values(frame, column, field.type)
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
        mask: list[bool] = []
        for key in zip(*(table[level].to_pylist() for level in window.per), strict=True):
            rank = self._seen.get(key, 0)
            self._seen[key] = rank + 1
            mask.append(window.offset <= rank < last)
        return table.filter(pa.array(mask, pa.bool_()))


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
