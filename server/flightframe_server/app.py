"""The composition root: the only place where files, database, engines and surfaces meet.

What comes in: the path of an installation manifest and what the command line overrides. What goes
out: an open installation, ready to be served. Nothing else knows where files of the user's are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.access.access import Access
from flightframe_server.access.open_access import open_access, read_text
from flightframe_server.answer import Runtime
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.registry import open_backend
from flightframe_server.catalog import read_collection, read_installation
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import Installation
from flightframe_server.engine.engine import STREAM_ROWS, MetricEngine
from flightframe_server.engine.warm_up import Warmed, warm_up
from flightframe_server.errors import CatalogError
from flightframe_server.operations import Operations
from flightframe_server.statements.runner import Statements


@dataclass(frozen=True, slots=True, eq=False)
class OpenInstallation:
    """An installation with its database and engines open.

    Attributes:
        installation: the manifest.
        folder: where it stands; its paths are relative to it.
        backend: the database.
        runtime: engines, statements and hot answers, for the surfaces.
        opened: when, seconds since 1970 UTC.
        access: how surfaces are entered.
    """

    installation: Installation
    folder: Path
    backend: Backend
    runtime: Runtime
    opened: float
    access: Access

    def operations(self) -> Operations:
        """Return what an operator does with it."""
        files = tuple(self.folder / listed for listed in self.installation.collections)
        return Operations(self.runtime, lambda: files)

    def warm_up(self, names: Iterable[str] | None = None) -> Iterator[tuple[str, Warmed]]:
        """Make what the hints of collections ask for, yielding the collection and each event.

        Args:
            names: the collections; None: all of them.
        """
        for name in self.runtime.engines if names is None else names:
            for warmed in warm_up(self.runtime.engines[name]):
                yield name, warmed

    def close(self) -> None:
        """Close engines, stores and the database; idempotent."""
        self.runtime.close()
        self.backend.close()


def read_files(manifest: Path) -> tuple[Installation, tuple[Collection, ...]]:
    """Read an installation manifest and its collections, without opening anything.

    Raises:
        SetupError: a file is missing.
        CatalogError: files are wrong; it carries the mistakes of all of them.
    """
    installation = read_installation(read_text(manifest), manifest.name)
    collections: dict[str, Collection] = {}
    mistakes: list[CatalogError] = []
    for listed in installation.collections:
        path = manifest.parent / listed
        try:
            collection = read_collection(read_text(path), path.name)
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


def open_installation(
    manifest: Path, *, store: Path | None = None, stream_rows: int = STREAM_ROWS
) -> OpenInstallation:
    """Open an installation: files, database, one engine for each collection.

    Args:
        manifest: the path of `installation.yaml`.
        store: folder of the entries, in place of the manifest's.
        stream_rows: frames estimated past this many rows are streamed, not collected.

    Raises:
        SetupError: a file is missing, the database or the store cannot be opened.
        CatalogError: a file is wrong, or does not fit the database.
    """
    installation, collections = read_files(manifest)
    folder = manifest.parent
    settings = installation.metric_engine
    root = store if store is not None else folder / settings.store
    access = open_access(installation.server, folder, installation.audit)
    statements = Statements(installation.limits)
    backend = open_backend(installation.backend, folder)
    engines: dict[str, MetricEngine] = {}
    try:
        for collection in collections:
            engines[collection.name] = MetricEngine(
                collection,
                root / collection.name,
                backend,
                enabled=settings.enabled,
                max_bytes=settings.max_bytes_per_ac,
                stream_rows=stream_rows,
                statements=statements,
            )
    except BaseException:
        for engine in engines.values():
            engine.close()
        backend.close()
        raise
    runtime = Runtime(installation.id, engines, statements)
    return OpenInstallation(installation, folder, backend, runtime, time.time(), access)
