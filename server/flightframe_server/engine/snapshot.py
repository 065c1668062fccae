"""The data snapshot: a collection typed on one version of its data, and what is known of that.

What comes in: a collection and a back-end. What goes out: a `DataSnapshot`, taken once for each
question and handed down: names are resolved, the plan is made and carried out on the one version
that it stands for (law 6, docs/laws.md). It must never mix two versions, nor look at the data
themselves to be taken: their promises are attested when a question first rests on them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from flightframe_server.backends.protocol import Backend, Fingerprints, SourceMoved
from flightframe_server.call_context import CallContext
from flightframe_server.catalog.collection import Collection
from flightframe_server.engine.facts import DataFacts, Inspector
from flightframe_server.errors import BackendError
from flightframe_server.planner.identity import Version
from flightframe_server.resolver.saved_frames import fitted_collection
from flightframe_server.resolver.typed import TableTypes, TypedCollection
from flightframe_server.statements.single_flight import SingleFlight

log = structlog.get_logger(__name__)

ATTEMPTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class DataSnapshot:
    """One collection on one version of its data.

    Attributes:
        typed: the collection with its types.
        versions: the fingerprint of each table, which names the version.
        types: what the database declares of each table.
        facts: what is known of the version; it grows as questions ask.
    """

    typed: TypedCollection
    versions: Fingerprints
    types: TableTypes
    facts: DataFacts

    @property
    def key(self) -> tuple[tuple[str, str | None], ...]:
        """The version, as a hashable value."""
        return tuple(self.versions.items())

    def is_of(self, version: Version) -> bool:
        """Whether a version vector is of the very data that the snapshot stands for."""
        return all(self.versions.get(table) == sign for table, sign in version)


def tables_read(collection: Collection) -> tuple[str, ...]:
    """Return every table of a collection, sorted."""
    return tuple(sorted({schema.table for schema in collection.schemas.values()}))


class Snapshots:
    """Takes the snapshots of one collection over one back-end, and holds the last.

    Args:
        collection: the collection.
        backend: its database.
        inspector: looks up what questions rest on.
    """

    def __init__(self, collection: Collection, backend: Backend, inspector: Inspector) -> None:
        """Hold nothing yet; see the class."""
        self._collection, self._backend, self._inspector = collection, backend, inspector
        self._tables = tables_read(collection)
        self._lock = threading.Lock()
        self._last: DataSnapshot | None = None
        self._taking: SingleFlight[DataSnapshot] = SingleFlight()

    def fingerprints(self) -> tuple[tuple[str, str | None], ...]:
        """Return the version of every table, cheaply.

        Raises:
            BackendError: the data are gone.
        """
        return tuple(self._backend.fingerprints(self._tables).items())

    def take(self, context: CallContext) -> DataSnapshot:
        """Return the snapshot of the data as they are.

        Args:
            context: the call that waits.

        Raises:
            CatalogError: the collection does not fit the database.
            BackendError: the database failed, or moved at every attempt; or the call ended.
        """
        versions = self._backend.fingerprints(self._tables)
        last = self._last
        if last is not None and last.versions == versions and None not in versions.values():
            return last
        key = tuple(versions.items())
        return self._taking.do(key, lambda token: self._inspect(), context)

    def _inspect(self) -> DataSnapshot:
        for _ in range(ATTEMPTS):
            versions = self._backend.fingerprints(self._tables)
            last = self._last
            try:
                types = self._backend.tables(at=versions)
            except SourceMoved:
                log.info("snapshot.moved", collection=self._collection.name)
                continue
            used = {table: types[table] for table in self._tables if table in types}
            if last is not None and last.types == used:
                typed = last.typed
            else:
                typed = fitted_collection(
                    self._collection, types, lambda: self._backend.unanswered(self._tables)
                )
            before = None if last is None else last.facts
            facts = DataFacts(typed, versions, self._inspector, before)
            snapshot = DataSnapshot(typed, versions, used, facts)
            with self._lock:
                self._last = snapshot
            return snapshot
        raise BackendError(
            "the source changes faster than it can be read", hint="ask again in a moment"
        )
