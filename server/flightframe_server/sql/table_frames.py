"""The frame that a schema's table stands for, so that `SELECT * FROM "stores"` means something.

What comes in: a schema of a typed collection. What goes out: its columns that can be asked, each
with the Frame-QL that asks it, and the statement of them all. It must never show a column that the
statement does not answer, nor answer one by a reducer that could change a single row's value.

A level among the columns is asked as it stands. A column of facts is asked through a metric rooted
in it, or held by it as a sibling: where the anchor is every level of the row, SUM, MIN and MAX of a
row are the row's own value. A metric with a filter, a fill or a snapshot says something else than
its column does. A column that no metric gives a meaning to has none here, and is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS
from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousReducer, QueryError
from flightframe_server.language.syntax import Anchor, Call, Item, Name, Statement
from flightframe_server.resolver.metrics import default_operator
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection

_VALUE_OF_ONE_ROW = tuple(name for name in REDUCER_NAMES if REDUCERS[name].keeps_one_row)


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """One column of a schema's table.

    Attributes:
        name: as the schema declares it.
        type: of what is answered.
        item: how it is asked.
        level: the level that it is, or None.
        family: the metric family that it is asked through, or None.
        operator: that family's reducer; empty for a level.
    """

    name: str
    type: DataType
    item: Item
    level: str | None = None
    family: MetricFamily | None = None
    operator: str = ""


def frame_columns(typed: TypedCollection, schema: str) -> tuple[FrameColumn, ...]:
    """Return the columns of a schema that can be asked, in the order declared."""
    by_column = {column: level for level, column in typed.graph.own_levels(schema).items()}
    columns: list[FrameColumn] = []
    for column in typed.schema(schema).columns:
        level = by_column.get(column)
        if level is not None:
            item = Item(Name((level,)), None if column == level else column)
            columns.append(FrameColumn(column, typed.level_types[level], item, level=level))
        elif (fact := _fact(typed, schema, column)) is not None:
            columns.append(fact)
    return tuple(columns)


def frame_statement(
    typed: TypedCollection, schema: str, columns: tuple[FrameColumn, ...]
) -> Statement:
    """Return the Frame-QL statement that answers columns of a schema, one row for each row."""
    items = tuple(column.item for column in columns)
    return Statement(items, _anchor(typed, schema), source=Name((schema,)))


def _anchor(typed: TypedCollection, schema: str) -> Anchor:
    return Anchor(tuple(Name((level,)) for level in typed.graph.own_levels(schema)))


def _fact(typed: TypedCollection, schema: str, column: str) -> FrameColumn | None:
    """Return a column of facts as the first metric that gives its rows' own values."""
    levels = tuple(Item(name) for name in _anchor(typed, schema).levels)
    for family, operator in _metrics_on(typed, schema, column):
        item = Item(Call(operator, (Name((family.name,)),)), column)
        statement = Statement((*levels, item), _anchor(typed, schema), source=Name((schema,)))
        try:
            answered = resolve(statement, typed).columns[-1].term
        except QueryError:
            continue
        return FrameColumn(column, answered.type, item, family=family, operator=operator)
    return None


def _metrics_on(
    typed: TypedCollection, schema: str, column: str
) -> Iterator[tuple[MetricFamily, str]]:
    for family in typed.collection.metric_families.values():
        root = family.meaning
        if not isinstance(root, RootedMetric) or root.filter is not None or root.fill is not None:
            continue
        if (root.schema, root.column) == (schema, column):
            picked = {reducer.operator for reducer in root.reducers if reducer.snapshot is not None}
            for operator in _default_first(family, root):
                if operator not in picked:
                    yield family, operator
        for sibling in root.siblings:
            matches = (sibling.schema, sibling.column) == (schema, column)
            if matches and sibling.operator in _VALUE_OF_ONE_ROW:
                yield family, sibling.operator


def _default_first(family: MetricFamily, root: RootedMetric) -> Iterator[str]:
    try:
        default = default_operator(family, root)
    except AmbiguousReducer:
        default = ""
    yield from sorted(_VALUE_OF_ONE_ROW, key=lambda operator: operator != default)
