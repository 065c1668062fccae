"""Queries whose rows are points already: what groups by a key has nothing to group.

What comes in: a query, and the schemas whose grain is a key on the version at hand. What goes out:
the same query, which says so where it holds. It must never take a promise that is only trusted for
one that was looked at, nor members for values that two stored ones may share.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import Kind
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FetchedRead, LevelRead, SourceQuery, StoredRead
from flightframe_server.resolver.terms import Metric
from flightframe_server.resolver.typed import TypedCollection

PLAIN = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.TEXT, Kind.DATE, Kind.BOOLEAN})
"""Kinds of which two values that differ where they are stored are two members."""

OF_ONE_VALUE = frozenset(
    {Primitive.SUM, Primitive.COUNT, Primitive.MIN, Primitive.MAX, Primitive.COUNT_DISTINCT}
)
"""What is known of a single value without reducing it."""


def with_row_points(
    query: SourceQuery, typed: TypedCollection, keys: AbstractSet[str]
) -> SourceQuery:
    """Return a query that says whether each of its rows is a point of its own.

    Args:
        query: what is read.
        typed: the collection.
        keys: the schemas whose grain was looked at, and stands on no two rows.
    """
    if query.schema not in keys or not all(map(_is_of_one_value, query.metrics)):
        return query
    trusts = any(isinstance(column, FetchedRead) and column.trusted for column in query.columns)
    trusts |= any(
        isinstance(hop, TableHop) and hop.trusted for read in query.levels for hop in read.hops
    )
    grain = {typed.graph.find(level) or level for level in typed.schema(query.schema).grain}
    if trusts or not grain <= _as_stored(query):
        return query
    return replace(query, rows_are_points=True)


def _is_of_one_value(metric: Metric) -> bool:
    if metric.order or metric.snapshot is not None:
        return False
    return all(state.primitive in OF_ONE_VALUE for state in metric.reducer.state)


def _as_stored(query: SourceQuery) -> frozenset[str]:
    """Return the levels of the anchor whose members are the stored values themselves."""
    stored = {
        column.name: column.stored_type
        for column in query.columns
        if isinstance(column, StoredRead)
    }
    return frozenset(
        read.level
        for read in query.anchor
        if isinstance(read, LevelRead)
        and not read.hops
        and not read.others
        and read.type.kind in PLAIN
        and stored.get(read.column) == read.type
    )
