"""What the engine stands on: a collection typed, attested and measured on one version of the data.

What comes in: a collection and a back-end. What goes out: a frozen `Ground`, in which types, edge
maps, broken edges and sizes all belong to the same fingerprints. It must never mix two versions: if
the source moves while it is surveyed, it is surveyed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from flightframe_server.backends.protocol import Backend
from flightframe_server.catalog.collection import Collection, StoredColumn, TableMap
from flightframe_server.errors import BackendError, shown
from flightframe_server.planner.plan import Statistics
from flightframe_server.planner.source import TableHop, hop_of
from flightframe_server.resolver.typed import TypedCollection, type_collection

log = structlog.get_logger(__name__)

ATTEMPTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """One collection on one version of its data.

    Attributes:
        typed: the collection with its types.
        versions: the fingerprint of each table.
        maps: for each table edge, its distinct map.
        withdrawn: for each edge that the data breaks, a row that shows it, in words.
        statistics: rows of tables, members of levels.
    """

    typed: TypedCollection
    versions: Mapping[str, str | None]
    maps: Mapping[str, pa.Table]
    withdrawn: Mapping[str, str]
    statistics: Statistics


def tables_read(collection: Collection) -> tuple[str, ...]:
    """Return every table of a collection, sorted."""
    return tuple(sorted({schema.table for schema in collection.schemas.values()}))


def survey(collection: Collection, backend: Backend) -> Ground:
    """Type, attest and measure a collection on the data as it is now.

    Raises:
        CatalogError: the collection does not fit the database.
        BackendError: the source moved at every attempt.
    """
    tables = tables_read(collection)
    for _ in range(ATTEMPTS):
        before = backend.fingerprints(tables)
        typed = type_collection(collection, backend.tables())
        maps: dict[str, pa.Table] = {}
        withdrawn: dict[str, str] = {}
        statistics = Statistics()
        if backend.capabilities().answers:
            maps, withdrawn = _attest(typed, backend)
            statistics = _measure(typed, backend)
        if backend.fingerprints(tables) == before:
            return Ground(typed, before, maps, withdrawn, statistics)
        log.info("ground.moved", collection=collection.name)
    raise BackendError("the source changes faster than it can be read")


def _table_hops(typed: TypedCollection) -> Iterator[TableHop]:
    for family in typed.collection.dimension_families.values():
        for edge in family.edges:
            if isinstance(edge.map, TableMap):
                hop = hop_of(typed, edge)
                assert isinstance(hop, TableHop)
                yield hop


def _attest(typed: TypedCollection, backend: Backend) -> tuple[dict[str, pa.Table], dict[str, str]]:
    maps: dict[str, pa.Table] = {}
    withdrawn: dict[str, str] = {}
    for hop in _table_hops(typed):
        known = backend.edge_map(hop).combine_chunks()
        maps[hop.edge] = known
        broken = counter_example(known)
        if broken is not None:
            source, targets = broken
            listed = " and ".join(shown(target) for target in targets)
            withdrawn[hop.edge] = f"{shown(source)} has {listed}"
            log.warning("edge.withdrawn", edge=hop.edge, table=hop.table)
    return maps, withdrawn


def counter_example(known: pa.Table) -> tuple[object, list[object]] | None:
    """Return a source with several targets, NULL counted as one, and those targets; or None."""
    counts = known.group_by("source").aggregate([([], "count_all")])
    several = counts.filter(pc.greater(counts["count_all"], 1))
    if several.num_rows == 0:
        return None
    source = min(several["source"].to_pylist())
    rows = known.filter(pc.equal(known["source"], pa.scalar(source, known["source"].type)))
    targets = sorted(rows["target"].to_pylist(), key=lambda value: (value is None, str(value)))
    return source, ["NULL" if value is None else value for value in targets[:3]]


def _measure(typed: TypedCollection, backend: Backend) -> Statistics:
    rows: dict[str, int] = {}
    members: dict[str, int] = {}
    for schema in typed.collection.schemas.values():
        own = {
            level: column.source
            for level, name in typed.graph.own_levels(schema.name).items()
            if isinstance(column := schema.columns[name], StoredColumn)
        }
        found = backend.statistics(schema.table, tuple(own.values()))
        rows[schema.table] = found.rows
        for level, column_name in own.items():
            members[level] = max(members.get(level, 0), found.members.get(column_name, found.rows))
    for family in typed.collection.dimension_families.values():
        for edge in family.edges:
            finer = members.get(edge.source)
            if finer is not None:
                # A level has no more members than one that determines it, NULL aside.
                members[edge.target] = min(members.get(edge.target, finer), finer)
    return Statistics(rows, members)
