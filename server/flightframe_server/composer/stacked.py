"""The rows of several sets of levels, one set below the other.

What comes in: a question of several sets, and for each the frame of its points. What goes out: the
answer. It must never take a level that a set leaves out for a member that is NULL: in the order of
rows, and inside PER, the two are apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from flightframe_server.arrow_types import arrow_type, conform_array
from flightframe_server.composer.answer_columns import column_values, ordering_values
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.frame import Frame
from flightframe_server.composer.order import cut, sort_by
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import LevelTerm, metrics_of, nested_of, walk

_SET = " set"


def the_one_point(question: Question) -> pa.Table | None:
    """Return the point of a total of which nothing is read; None where something makes the points.

    It has no level, so that a column which is no level stands for it.
    """
    made = any(metrics_of(term) or nested_of(term) for term in question.selected)
    if made or question.anchor:
        return None
    return pa.table({" point": pa.array([0], pa.int64())})


def with_absent_levels(frame: Frame, question: Question) -> Frame:
    """Return a frame in which the levels that its anchor leaves out are NULL."""
    absent = {
        node.level: node.type
        for term in question.terms
        for node in walk(term)
        if isinstance(node, LevelTerm) and node.level not in question.anchor
    }
    for level, type_ in absent.items():
        nulls = pa.nulls(frame.table.num_rows, arrow_type(type_))
        frame = frame.over(frame.table.append_column(level, nulls))
    return frame


def stacked(question: Question, schema: pa.Schema, frames: Sequence[Frame]) -> pa.Table:
    """Return the answer of a question of several sets of levels.

    Without ORDER BY, and among its equals, rows come in the order of the levels, and what is
    reduced over a level comes after the members of it.

    Args:
        question: with a question for each set.
        schema: of the answer.
        frames: the points of each set that HAVING keeps.
    """
    types = _level_types(question)
    parts = [
        pa.table(dict(_columns(one, number, frame, schema, types)))
        for number, (one, frame) in enumerate(zip(question.sets, frames, strict=True))
    ]
    table = pa.concat_tables(parts)
    keys = [
        (as_array(table[f" k{at}"]), key.descending, key.nulls_first)
        for at, key in enumerate(question.ordering)
    ]
    ties = [name for at in range(len(types)) for name in (f" g{at}", f" l{at}")]
    table = sort_by(table, keys, [*ties, _SET])
    window = question.window
    if window is not None:
        numbers = [list(types).index(level) for level in window.per]
        per = tuple(name for at in numbers for name in (f" g{at}", f" l{at}"))
        table = cut(table, replace(window, per=per))
    columns = [as_array(table[f" c{at}"]) for at in range(len(schema))]
    return pa.Table.from_arrays(columns, schema=schema)


def _columns(
    question: Question,
    number: int,
    frame: Frame,
    schema: pa.Schema,
    types: dict[str, pa.DataType],
) -> Iterator[tuple[str, pa.Array]]:
    """Yield the columns of one set: those of the answer, the keys, and what decides ties."""
    rows = frame.table.num_rows
    yield _SET, pa.repeat(pa.scalar(number, pa.int64()), rows)
    for at, (column, field) in enumerate(zip(question.columns, schema, strict=True)):
        yield f" c{at}", column_values(frame, column, field.type)
    for at, key in enumerate(question.ordering):
        yield f" k{at}", conform_array(ordering_values(frame, key), arrow_type(key.term.type))
    for at, (level, type_) in enumerate(types.items()):
        there = level in question.anchor
        yield f" g{at}", pa.repeat(pa.scalar(0 if there else 1, pa.int64()), rows)
        yield f" l{at}", as_array(frame.table[level]) if there else pa.nulls(rows, type_)


def _level_types(question: Question) -> dict[str, pa.DataType]:
    """Return the levels of all sets, in order, with their types."""
    of_columns = {
        column.term.level: arrow_type(column.term.type)
        for column in question.columns
        if isinstance(column.term, LevelTerm)
    }
    return {level: of_columns[level] for level in question.anchor}
