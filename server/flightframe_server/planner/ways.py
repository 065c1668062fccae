"""Several ways from a schema's columns to one level: lawful while every row has one member by all.

What comes in: a typed collection. What goes out: the levels to which several ways lead, and the
query for rows that the ways lead to different members. It must never pick one way because of what
else is asked: a level's meaning never depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flightframe_server.algebra.types import BOOLEAN
from flightframe_server.catalog.collection import Edge
from flightframe_server.planner.route import members_metric
from flightframe_server.planner.source import (
    LevelRead,
    SourceQuery,
    column_reads,
    read_way,
)
from flightframe_server.resolver.terms import Apply, LevelTerm
from flightframe_server.resolver.typed import TypedCollection

Ways = tuple[tuple[Edge, ...], tuple[Edge, ...]]
"""Two ways to one level."""


def several_ways(typed: TypedCollection) -> Iterator[tuple[str, str]]:
    """Yield each schema and level to which several ways lead from the schema's columns."""
    for schema in typed.collection.schemas:
        for level in sorted(typed.graph.reachable(schema)):
            if len(typed.graph.ways(schema, level)) > 1:
                yield schema, level


def pairs_of_ways(typed: TypedCollection, schema: str, level: str) -> Iterator[Ways]:
    """Yield the way that is taken with each of the others."""
    first, *others = typed.graph.ways(schema, level)
    for other in others:
        yield first, other


def differing_rows(typed: TypedCollection, schema: str, level: str, ways: Ways) -> SourceQuery:
    """Return the query for the rows that two ways lead to different members, NULL being one.

    Its columns: the members by the one way and by the other, under ` 1` and ` 2`, and those of the
    levels where the ways start.
    """
    ends = tuple(
        replace(read_way(typed, schema, level, way), level=f" {at}")
        for at, way in enumerate(ways, 1)
    )
    starts = tuple(read_way(typed, schema, way[0].source, ()) for way in ways)
    differ = Apply(BOOLEAN, "distinct", tuple(LevelTerm(end.type, end.level) for end in ends))
    reads: tuple[LevelRead, ...] = tuple(sorted((*ends, *starts), key=lambda read: read.level))
    columns = column_reads(typed, schema, [read.column for read in reads])
    table = typed.schema(schema).table
    return SourceQuery(schema, table, reads, (), (differ,), (members_metric(schema),), columns)
