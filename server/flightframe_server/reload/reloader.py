"""The reload of an installation: read and checked whole, then swapped whole, or left as it is.

What comes in: the word that files changed. What goes out: what became of it. It must never serve a
part of what the files say, nor stop serving what they said before: whatever is wrong is found
before anything is changed, and nothing that follows can fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from flightframe_server.access.access import Access
from flightframe_server.access.credential_files import CredentialFiles
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import Installation
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError, SetupError
from flightframe_server.reload.files import EngineOpener, check_fit, read_files
from flightframe_server.reload.outcome import ReloadOutcome, ReloadStatus, mistakes_of
from flightframe_server.reload.reading import FileReader, Stamp
from flightframe_server.reload.settings import check_live
from flightframe_server.reload.warming import BackgroundWarmUp
from flightframe_server.runtime import Runtime

log = structlog.get_logger(__name__)

WRITING_SECONDS = 2.0
"""How long a reload waits for a process that has a file open for writing."""

POLL_SECONDS = 0.05


class Reloader:
    """Reloads one installation. Thread-safe: one reload goes on at a time.

    Args:
        manifest: the path of `installation.yaml`.
        installation: as it was opened.
        opener: opens engines.
        runtime: whose engines are replaced.
        access: how surfaces are entered.
        stamps: those of the files that it was opened from.

    Attributes:
        warms: whether hints of new collections are made after a swap.
        warm_up: what makes them.
    """

    def __init__(
        self,
        manifest: Path,
        installation: Installation,
        opener: EngineOpener,
        runtime: Runtime,
        access: Access,
        stamps: Mapping[Path, Stamp],
    ) -> None:
        """Serve what was opened; see the class."""
        self._manifest, self._opener = manifest, opener
        self._runtime, self._access = runtime, access
        self._installation, self._stamps = installation, stamps
        self._lock, self._closed = threading.Lock(), False
        self._status = ReloadStatus()
        self.warms = True
        self.warm_up = BackgroundWarmUp(runtime)

    @property
    def installation(self) -> Installation:
        """The settings that are served now."""
        return self._installation

    @property
    def status(self) -> ReloadStatus:
        """How the last reload ended."""
        return self._status

    @property
    def stamps(self) -> Mapping[Path, Stamp]:
        """The stamps of the files as they were read last, of missing ones as well."""
        return self._stamps

    def reload(self) -> ReloadOutcome:
        """Read the files anew and serve what they say, or go on as before and say why.

        When it returns, every question that begins is answered by what it reports.
        """
        with self._lock:
            try:
                changed = self._reloaded()
            except FlightframeError as error:
                return self._refused(error)
            names = frozenset(self._runtime.engines)
            outcome = ReloadOutcome(
                tuple(sorted(changed)),
                tuple(sorted(names - changed)),
                tuple(sorted(names)),
                (),
                time.time(),
            )
            self._status = ReloadStatus("ok", outcome.at)
            log.info("reload.done", changed=outcome.changed, collections=outcome.collections)
        if self.warms and changed & names:
            self.warm_up.begin(sorted(changed & names))
        return outcome

    def close(self) -> None:
        """Change nothing more, and make nothing more in the background; idempotent."""
        self._closed = True
        self.warm_up.stop()

    def _refused(self, error: FlightframeError) -> ReloadOutcome:
        names = tuple(sorted(self._runtime.engines))
        outcome = ReloadOutcome((), names, names, mistakes_of(error), time.time())
        self._status = ReloadStatus("failed", outcome.at, outcome.errors)
        for mistake in outcome.errors:
            log.error(
                "reload.failed",
                code=mistake.code,
                file=mistake.file,
                line=mistake.line,
                text=mistake.message,
                hint=mistake.hint,
            )
        return outcome

    def _reloaded(self) -> frozenset[str]:
        """Check everything, then change everything; return the collections that changed."""
        installation, text, collections = self._read()
        check_live(self._installation, installation, text)
        credentials = self._credentials(installation)
        before = self._runtime.engines
        anew = self._anew(installation, collections, before)
        check_fit(anew, self._opener.backend)
        opened = self._opener.open(anew, installation.metric_engine)
        if self._closed:
            self._opener.close(opened.values())
            raise SetupError("the server is ending")
        # From here on nothing can fail.
        engines = {one.name: opened.get(one.name) or before[one.name] for one in collections}
        if credentials is not None and self._access.credential_files is not None:
            self._access.credential_files.replace(credentials)
        if installation.server.auth is not None:
            self._access.operators.change(installation.server.auth.operators)
        self._access.audit.change(installation.audit)
        self._runtime.statements.change_limits(installation.limits)
        self._runtime.shadow.share = installation.sql.shadow
        for engine in engines.values():
            if engine.store is not None:
                engine.store.change_budget(installation.metric_engine.max_bytes_per_ac)
        self._installation = installation
        self._runtime.sets.replace(engines)
        return frozenset(opened) | (before.keys() - engines.keys())

    def _anew(
        self,
        installation: Installation,
        collections: tuple[Collection, ...],
        before: Mapping[str, MetricEngine],
    ) -> list[Collection]:
        """Return the collections that need an engine of their own."""
        served = self._installation.metric_engine
        if installation.metric_engine.enabled != served.enabled:
            return list(collections)
        return [
            one
            for one in collections
            if one.name not in before
            or before[one.name].collection.source_hash != one.source_hash
            or before[one.name].collection.file != one.file
        ]

    def _credentials(self, installation: Installation) -> CredentialFiles | None:
        """Read the files of users and tokens where other ones are named; raises as they do."""
        now, served = installation.server.auth, self._installation.server.auth
        if now is None or served is None:
            return None
        if (now.users, now.tokens) == (served.users, served.tokens):
            return None
        return CredentialFiles(now, self._manifest.parent)

    def _read(self) -> tuple[Installation, str, tuple[Collection, ...]]:
        """Return what the files say, all of one moment; waits for those that are being written.

        Raises:
            SetupError: a file is missing, or is being written for long.
            CatalogError: a file is wrong.
        """
        until = time.monotonic() + WRITING_SECONDS
        while True:
            reader = FileReader()
            failure: FlightframeError | None = None
            try:
                installation, collections = read_files(self._manifest, reader.read)
            except FlightframeError as error:
                failure = error
            restless = reader.restless()
            # What was not at rest is worth another look, whatever becomes of its stamp.
            self._stamps = {**reader.stamps, **dict.fromkeys(restless)}
            if failure is None and not restless:
                return installation, reader.texts[self._manifest], collections
            if failure is not None and not restless:
                raise failure
            if time.monotonic() >= until:
                raise SetupError(
                    f"{' and '.join(path.name for path in restless)} is being written",
                    hint="reload again once it is written; better write beside it and rename",
                )
            time.sleep(POLL_SECONDS)
