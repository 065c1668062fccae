"""What the engine stands on: a collection typed, attested and measured on one version of the data.

What comes in: a collection and a back-end. What goes out: a frozen `Ground`, in which types, edge
maps, broken edges and sizes all belong to the same fingerprints. It must never mix two versions: if
the source moves while it is surveyed, it is surveyed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from flightframe_server.backends.protocol import Backend
from flightframe_server.catalog.collection import Collection, StoredColumn
from flightframe_server.engine.attest import Attested, attest
from flightframe_server.errors import BackendError
from flightframe_server.planner.plan import Statistics
from flightframe_server.resolver.typed import TypedCollection, type_collection

log = structlog.get_logger(__name__)

ATTEMPTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """One collection on one version of its data.

    Attributes:
        typed: the collection with its types.
        versions: the fingerprint of each table.
        attested: the maps of edges, and what the data breaks.
        statistics: rows of tables, members of levels.
    """

    typed: TypedCollection
    versions: Mapping[str, str | None]
    attested: Attested
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
        typed = type_collection(collection, backend.tables(), lambda: backend.unanswered(tables))
        attested, statistics = Attested(), Statistics()
        if backend.capabilities().answers:
            attested, statistics = attest(typed, backend), _measure(typed, backend)
        if backend.fingerprints(tables) == before:
            return Ground(typed, before, attested, statistics)
        log.info("ground.moved", collection=collection.name)
    raise BackendError("the source changes faster than it can be read")


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
