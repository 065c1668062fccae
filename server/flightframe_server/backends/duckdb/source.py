"""A DuckDB file that may move: the instance that reads what it holds now, and those before it.

What comes in: a path, and the version that a statement must read. What goes out: cursors on exactly
that version. It must never let a reader that stalls, or a file that cannot be opened, keep others
from an answer.

The file is opened anew for every sign it shows, beside the instances that still have readers: they
go on with what they read, and are closed with their last cursor. No more than `INSTANCES` live at
a time; past them the oldest one's readers are sent away.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection
from pathlib import Path

import duckdb

from flightframe_server.backends.duckdb.instance import LOCKED, LOCKED_LAST, Holder, Instance
from flightframe_server.backends.duckdb.version import DatabaseFile
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import BackendError, SetupError

INSTANCES = 4
EVICTION_SECONDS = 5.0
TRIES = 3

MIB = 1 << 20
SPILL_BYTES = 10 << 30
_LOCKED = {name.lower() for name in (*LOCKED, *LOCKED_LAST, "access_mode")}


def bounds(settings: BackendSettings) -> dict[str, str | int]:
    """Return the DuckDB settings that keep what an installation allows its database."""
    memory = settings.memory_bytes or _machine_bytes() // 2
    spill = SPILL_BYTES if settings.spill_bytes is None else settings.spill_bytes
    options: dict[str, str | int] = {
        "memory_limit": f"{max(1, memory // MIB)}MiB",
        "max_temp_directory_size": f"{spill // MIB}MiB",
    }
    if settings.threads is not None:
        options["threads"] = settings.threads
    return options


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class DuckDBSource:
    """A DuckDB file and the instances over it.

    Args:
        path: the database file.
        settings: further DuckDB settings, such as `memory_limit`.

    Raises:
        SetupError: the file is missing, locked, or no database of this version.
    """

    def __init__(self, path: Path, *, settings: dict[str, str]) -> None:
        """Open the file; see the class."""
        for name in settings:
            if name.lower() in _LOCKED:
                raise SetupError(
                    f"the option {name.lower()} is locked", hint="leave it out of backend.options"
                )
        if not path.is_file():
            raise SetupError(
                f"there is no database file {path.name}",
                hint="check backend.source in the installation; it is relative to that file",
            )
        self._settings = settings
        self._file = DatabaseFile(path)
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._current: Instance | None = None
        self._earlier: list[Instance] = []
        self._closed = False
        try:
            self._standing(())
        except (BackendError, SourceMoved) as error:
            raise SetupError(
                f"the database file {path.name} cannot be opened",
                hint="it is locked by a writer, damaged, or of another DuckDB version",
            ) from error

    @property
    def lent(self) -> int:
        """How many cursors are out."""
        return sum(instance.lent for instance in self.instances)

    @property
    def instances(self) -> list[Instance]:
        """The instances that live, the newest last."""
        with self._lock:
            self._earlier = [instance for instance in self._earlier if not instance.closed]
            living = [*self._earlier, *([self._current] if self._current is not None else [])]
        return [instance for instance in living if not instance.closed]

    def fingerprint(self) -> str:
        """Return the version of the file as it is now; see `DatabaseFile.version`.

        Raises:
            BackendError: the file is gone, is no database, or is being written.
        """
        return self._file.version().text

    def lend(
        self, versions: Collection[str], holder: Holder
    ) -> tuple[Instance, duckdb.DuckDBPyConnection]:
        """Lend a cursor on the file as it is now, for `Instance.give_back` to end.

        Args:
            versions: versions that the file must be of, all of them; any where there is none.
            holder: who has it, and is told where it must give it back.

        Raises:
            SourceMoved: the file is of another version, or moved while it was opened.
            BackendError: the source is closed, or the file cannot be opened.
        """
        for _ in range(TRIES):
            instance = self._standing(versions)
            if any(version != instance.version.text for version in versions):
                raise SourceMoved
            cursor = instance.take(holder)
            if cursor is not None:
                return instance, cursor
        raise SourceMoved

    def _standing(self, versions: Collection[str]) -> Instance:
        """Return the instance over the file as it is now, opened where there is none yet."""
        current = self._current
        if current is not None and current.usable and current.version.sign == self._file.sign():
            return current
        with self._opening:
            if self._closed:
                raise BackendError("the database is closed")
            version = self._file.version()
            if any(text != version.text for text in versions):
                raise SourceMoved
            current = self._current
            if current is not None and current.usable and current.version.sign == version.sign:
                return current
            self._make_room()
            fresh = Instance(self._file, version, self._settings)
            with self._lock:
                if self._current is not None:
                    self._earlier.append(self._current)
                self._current = fresh
            if current is not None:
                current.retire()
            if self._closed:
                fresh.evict()
            return fresh

    def _make_room(self) -> None:
        """Have the oldest instances end until one more may be opened."""
        until = time.monotonic() + EVICTION_SECONDS
        while len(living := self.instances) >= INSTANCES:
            # Again and again: DuckDB may overlook an interrupt that comes between two steps.
            living[0].evict()
            if not living[0].closed:
                if time.monotonic() > until:
                    raise BackendError("readers of an earlier database file do not end")
                time.sleep(0.005)

    def close(self) -> None:
        """Stop what runs and close everything; idempotent."""
        self._closed = True
        for instance in self.instances:
            instance.evict()
