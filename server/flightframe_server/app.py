"""The composition root: the only place where files, database, engines and surfaces meet.

What comes in: the path of an installation manifest and what the command line overrides. What goes
out: an open installation, ready to be served. Nothing else knows where files of the user's are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flightframe_server.access.access import Access
from flightframe_server.access.open_access import open_access
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.registry import open_backend
from flightframe_server.catalog.installation import Installation
from flightframe_server.engine.engine import STREAM_ROWS
from flightframe_server.engine.warm_up import Warmed, warm_up
from flightframe_server.operations import Operations
from flightframe_server.reload import Reloader
from flightframe_server.reload.files import EngineOpener
from flightframe_server.reload.files import read_files as read_files
from flightframe_server.reload.reading import FileReader
from flightframe_server.runtime import Runtime
from flightframe_server.statements.runner import Statements
from flightframe_server.telemetry.collector import RuntimeCollector
from flightframe_server.telemetry.exporter import open_provider
from flightframe_server.telemetry.tracing import Tracing


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
        reloader: reads the files anew and replaces the engines while they serve.
    """

    installation: Installation
    folder: Path
    backend: Backend
    runtime: Runtime
    opened: float
    access: Access
    reloader: Reloader

    def operations(self) -> Operations:
        """Return what an operator does with it."""

        def files() -> tuple[Path, ...]:
            listed = self.reloader.installation.collections
            return tuple(self.folder / path for path in listed)

        return Operations(self.runtime, files)

    def warm_up(self, names: Iterable[str] | None = None) -> Iterator[tuple[str, Warmed]]:
        """Make what the hints of collections ask for, yielding the collection and each event.

        Args:
            names: the collections; None: all of them.
        """
        with self.runtime.pinned() as pinned:
            for name in pinned.engines if names is None else names:
                for warmed in warm_up(pinned.engines[name]):
                    yield name, warmed

    def close(self) -> None:
        """Close engines, stores and the database; idempotent."""
        self.reloader.close()
        self.runtime.close()
        self.backend.close()


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
    reader = FileReader()
    installation, collections = read_files(manifest, reader.read)
    folder = manifest.parent
    settings = installation.metric_engine
    root = store if store is not None else folder / settings.store
    access = open_access(installation.server, folder, installation.audit)
    statements = Statements(installation.limits)
    backend = open_backend(installation.backend, folder)
    opener = EngineOpener(root, backend, statements, stream_rows)
    try:
        engines = opener.open(collections, settings)
    except BaseException:
        backend.close()
        raise
    provider = None if installation.traces is None else open_provider(installation.traces)
    runtime = Runtime(installation.id, engines, statements, tracing=Tracing(provider))
    runtime.shadow.share = installation.sql.shadow
    runtime.metrics.registry.register(RuntimeCollector(runtime))
    sharing = replace(opener, store_at=runtime.sets.store_at)
    reloader = Reloader(manifest, installation, sharing, runtime, access, reader.stamps)
    return OpenInstallation(installation, folder, backend, runtime, time.time(), access, reloader)
