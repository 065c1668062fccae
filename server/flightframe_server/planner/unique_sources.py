"""Look-ups along columns that have no value twice, marked in the queries that make them.

What comes in: queries, and the columns that are unique on the version at hand. What goes out: the
same queries, whose look-ups say so. It must never take for unique what was not looked at.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from flightframe_server.planner.hops import Hop, TableHop
from flightframe_server.planner.source import LevelRead, SourceQuery
from flightframe_server.resolver.terms import ComputedLevel


def with_unique_sources(query: SourceQuery, unique: AbstractSet[tuple[str, str]]) -> SourceQuery:
    """Return a query whose look-ups say where their source column is unique.

    Args:
        query: what is read.
        unique: the columns that have no value twice, with their tables.
    """
    sources = {
        (hop.table, hop.source_column)
        for read in query.levels
        for hop in read.hops
        if isinstance(hop, TableHop)
    }
    if not unique & sources:
        return query

    def marked(hop: Hop) -> Hop:
        if not isinstance(hop, TableHop) or not hop.is_plain:
            return hop
        return replace(hop, unique=(hop.table, hop.source_column) in unique)

    def read_by(read: LevelRead) -> LevelRead:
        return replace(read, hops=tuple(map(marked, read.hops)))

    anchor = tuple(
        level if isinstance(level, ComputedLevel) else read_by(level) for level in query.anchor
    )
    return replace(query, anchor=anchor, filter_levels=tuple(map(read_by, query.filter_levels)))
