"""Columns of a collection that nothing else in it uses.

What comes in: a collection and its graph of levels. What goes out: the columns of each schema that
are no level, no metric's, and no part of another column. It must never call one a mistake: a column
may wait for a metric that is still to be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from flightframe_server.catalog.collection import (
    Collection,
    ComputedColumn,
    LookupColumn,
    RootedMetric,
    Schema,
    TableMap,
)
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.language import format_expression
from flightframe_server.language.syntax import Expression

_NAME = re.compile(r"\w+")


def unused_columns(collection: Collection, graph: LevelGraph) -> Iterator[tuple[str, str]]:
    """Yield the schema and the name of each column that no query can use."""
    used = {(schema, column.casefold()) for schema, column in _used(collection)}
    for schema in collection.schemas.values():
        own = set(graph.own_levels(schema.name).values())
        for column in schema.columns:
            if column not in own and (schema.name, column.casefold()) not in used:
                yield schema.name, column


def _used(collection: Collection) -> Iterator[tuple[str, str]]:
    for family in collection.metric_families.values():
        if isinstance(family.meaning, RootedMetric):
            yield from _by_metric(family.meaning)
    for dimension in collection.dimension_families.values():
        for edge in dimension.edges:
            if isinstance(edge.map, TableMap):
                yield edge.map.schema, edge.map.source_column
                yield edge.map.schema, edge.map.target_column
    for schema in collection.schemas.values():
        yield from _by_columns(schema)


def _by_metric(root: RootedMetric) -> Iterator[tuple[str, str]]:
    if root.column is not None:
        yield root.schema, root.column
    if root.filter is not None:
        yield from _named(root.schema, root.filter)
    for sibling in root.siblings:
        yield sibling.schema, sibling.column


def _by_columns(schema: Schema) -> Iterator[tuple[str, str]]:
    for column in schema.columns.values():
        match column:
            case ComputedColumn(expression=expression):
                yield from _named(schema.name, expression)
            case LookupColumn(column=target, schema=other, on=on):
                yield other, target
                for key in on:
                    yield schema.name, key
                    yield other, key


def _named(schema: str, expression: Expression) -> Iterator[tuple[str, str]]:
    """Yield every word of an expression: one too many only leaves a column unmentioned."""
    for word in _NAME.findall(format_expression(expression)):
        yield schema, word
