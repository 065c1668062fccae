"""The files of an installation read, and an engine opened for each of its collections.

What comes in: the path of a manifest, an open database. What goes out: the installation, its
collections, engines on them. It must never leave an engine open where another could not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.access.open_access import read_text
from flightframe_server.backends.protocol import Backend
from flightframe_server.cache.store import EntryStore
from flightframe_server.catalog import read_collection, read_installation
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import EngineSettings, Installation
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.snapshot import tables_read
from flightframe_server.errors import CatalogError
from flightframe_server.resolver.saved_frames import fitted_collection
from flightframe_server.statements.runner import Statements

StoreAt = Callable[[Path], EntryStore | None]


def read_files(
    manifest: Path, read: Callable[[Path], str] = read_text
) -> tuple[Installation, tuple[Collection, ...]]:
    """Read an installation manifest and its collections, without opening anything.

    Args:
        manifest: the path of `installation.yaml`.
        read: returns the text of a file; raises `SetupError`.

    Raises:
        SetupError: a file is missing.
        CatalogError: files are wrong; it carries the mistakes of all of them.
    """
    installation = read_installation(read(manifest), manifest.name)
    collections: dict[str, Collection] = {}
    mistakes: list[CatalogError] = []
    for listed in installation.collections:
        path = manifest.parent / listed
        try:
            collection = read_collection(read(path), path.name)
        except CatalogError as error:
            mistakes.append(error)
            continue
        if collection.name in collections:
            message = f"two collections are named {collection.name}"
            mistakes.append(CatalogError(message, file=manifest.name))
        collections[collection.name] = collection
    if mistakes:
        raise CatalogError.of_all(mistakes)
    return installation, tuple(collections.values())


def check_fit(collections: Iterable[Collection], backend: Backend) -> None:
    """Refuse collections that do not fit a database, before anything is opened for them.

    Raises:
        CatalogError: tables, columns or types are not what they say; it carries all mistakes.
        BackendError: the database failed.
    """
    collections = tuple(collections)
    if not collections:
        return
    types = backend.tables()
    mistakes: list[CatalogError] = []
    for collection in collections:
        tables = tables_read(collection)
        try:
            fitted_collection(collection, types, lambda tables=tables: backend.unanswered(tables))  # type: ignore[misc]
        except CatalogError as error:
            mistakes.append(error)
    if mistakes:
        raise CatalogError.of_all(mistakes)


@dataclass(frozen=True, slots=True)
class EngineOpener:
    """Opens engines over one database.

    Attributes:
        root: the folder of the stores, one folder in it for each collection.
        backend: the database.
        statements: what runs its statements.
        stream_rows: frames of more rows than this are streamed, not collected.
        store_at: finds the store that is open in a folder already.
    """

    root: Path
    backend: Backend
    statements: Statements
    stream_rows: int
    store_at: StoreAt = lambda root: None

    def open(
        self, collections: Iterable[Collection], settings: EngineSettings
    ) -> dict[str, MetricEngine]:
        """Return an engine for each collection, by name; where one fails, those are closed again.

        Raises:
            CatalogError: a collection does not fit the database.
            SetupError: a store cannot be used.
            BackendError: the database failed.
        """
        opened: dict[str, MetricEngine] = {}
        try:
            for collection in collections:
                opened[collection.name] = self._one(collection, settings)
        except BaseException:
            self.close(opened.values())
            raise
        return opened

    def close(self, engines: Iterable[MetricEngine]) -> None:
        """Close engines that were opened and never served; stores of others stay open."""
        for engine in engines:
            if engine.store is not self.store_at(engine.root):
                engine.close()

    def _one(self, collection: Collection, settings: EngineSettings) -> MetricEngine:
        root = self.root / collection.name
        return MetricEngine(
            collection,
            root,
            self.backend,
            enabled=settings.enabled,
            max_bytes=settings.max_bytes_per_ac,
            stream_rows=self.stream_rows,
            statements=self.statements,
            store=self.store_at(root) if settings.enabled else None,
        )
