"""One DuckDB instance over one version of a file, which it reads and nothing else.

What comes in: a file and the version that it holds. What goes out: cursors, and after each reading
the word whether the file is still as it was opened. It must never write, reach another file, or
vouch for what it read across a change.

`duckdb.connect(path)` gives back the instance that already reads that path, and an instance keeps
pages of what stood there; so each version has an instance in memory that attaches the file. The
memory's own database is detached: the names of the file's tables and schemas are then its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import duckdb

from flightframe_server.backends.duckdb.version import (
    DatabaseFile,
    Version,
    digest,
    open_to_read,
    stamp_of,
)
from flightframe_server.backends.file_writers import lock_for_reading
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.errors import BackendError

CATALOG = "flightframe_file"
"""The name under which an instance holds the file."""

_LOG_SIZE = f"SELECT wal_size FROM pragma_database_size() WHERE database_name = '{CATALOG}'"

LOCKED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # A table that is gone must never be looked for among Python's variables.
    "python_enable_replacements": "false",
}
"""Settings that are made before the file is attached."""

LOCKED_LAST = {
    # Which zone the process is in must change nothing.
    "TimeZone": "'UTC'",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""Settings that can be said on an open instance alone, or only once the file is attached."""

KEPT_IDLE = 8


class Holder(Protocol):
    """Who a cursor is lent to."""

    def evict(self) -> None:
        """Give the cursor back, soon where it is in use."""
        ...


class Instance:
    """A DuckDB instance that reads one version of a file.

    Args:
        file: the file.
        version: what it holds.
        settings: DuckDB settings, such as `memory_limit`.

    Raises:
        SourceMoved: the file is of another version.
        BackendError: it cannot be opened.
    """

    def __init__(self, file: DatabaseFile, version: Version, settings: Mapping[str, str]) -> None:
        """Open it; see the class. What was opened is closed again where that fails."""
        self.version = version
        self._file = file
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._lent: dict[duckdb.DuckDBPyConnection, Holder] = {}
        self._retired = self._closed = self._moved = False
        try:
            self._descriptor = open_to_read(file.real)
        except FileNotFoundError as error:
            raise SourceMoved from error
        try:
            self._stamp = stamp_of(os.fstat(self._descriptor))
            if self._stamp != version.sign[0]:
                raise SourceMoved
            if not lock_for_reading(self._descriptor):
                raise BackendError("the database file is locked by a writer")
            self._connection = self._connected(settings)
        except BaseException:
            os.close(self._descriptor)
            raise
        try:
            if file.sign() != version.sign or (not any(version.sign[1:]) and self._has_log()):
                raise SourceMoved
        except BaseException:
            self.retire()
            raise

    def _connected(self, settings: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
        try:
            return connected(self._file.real, settings)
        except BackendError:
            # What cannot be opened because it moves may be well a moment later.
            if self._file.sign() != self.version.sign:
                raise SourceMoved from None
            raise

    def _has_log(self) -> bool:
        """Return whether DuckDB read a log with the file.

        One that came, was read and went leaves its trace here alone.
        """
        (size,) = self._connection.execute(_LOG_SIZE).fetchone() or ("",)
        return bool(size != "0 bytes")

    @property
    def usable(self) -> bool:
        """Whether statements may begin here."""
        return not self._retired

    @property
    def lent(self) -> int:
        """How many cursors are out."""
        return len(self._lent)

    @property
    def closed(self) -> bool:
        """Whether everything is given back."""
        return self._closed

    def take(self, holder: Holder) -> duckdb.DuckDBPyConnection | None:
        """Lend a cursor that `give_back` ends; None where the instance is retired."""
        with self._lock:
            if self._retired:
                return None
            cursor = self._idle.pop() if self._idle else self._cursor()
            self._lent[cursor] = holder
            return cursor

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        cursor.execute(f"USE {CATALOG}")
        return cursor

    def give_back(self, cursor: duckdb.DuckDBPyConnection, *, sound: bool) -> None:
        """End the loan of a cursor; one that is not sound is not lent again."""
        with self._lock:
            del self._lent[cursor]
            if sound and not self._retired and len(self._idle) < KEPT_IDLE:
                self._idle.append(cursor)
                return
        with suppress(duckdb.Error):
            cursor.close()
        self._close_if_over()

    def check(self) -> None:
        """Make sure that all that was read until now is of this version.

        Raises:
            SourceMoved: the file was written since it was opened, or may have been.
        """
        status = os.fstat(self._descriptor)
        if stamp_of(status) == self._stamp:
            return
        with self._lock:
            if stamp_of(status) == self._stamp:
                return
            if not self._only_renamed(status):
                raise SourceMoved
            self._stamp = stamp_of(status)

    def _only_renamed(self, status: os.stat_result) -> bool:
        """Whether the file lost its name and nothing else: its change time then moves as well."""
        if stamp_of(status)[:4] != self._stamp[:4] or self._file.names(status):
            return False
        if self.version.file is not None:
            same = digest(self._descriptor) == self.version.file
            return same and stamp_of(os.fstat(self._descriptor)) == stamp_of(status)
        moved, self._moved = self._moved, True
        return not moved

    def retire(self) -> None:
        """Lend no more, and close when the last cursor is back; idempotent."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for cursor in idle:
            cursor.close()
        self._close_if_over()

    def evict(self) -> None:
        """Retire, and have every cursor given back."""
        self.retire()
        for holder in list(self._lent.values()):
            holder.evict()

    def _close_if_over(self) -> None:
        with self._lock:
            if not self._retired or self._lent or self._closed:
                return
            self._closed = True
        with suppress(duckdb.Error):
            self._connection.close()
        os.close(self._descriptor)


def connected(path: str, settings: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """Return an instance that holds a file, read-only, and can reach nothing else."""
    spill = {"temp_directory": f"{path}.tmp"}
    quoted = path.replace("'", "''")
    try:
        connection = duckdb.connect(":memory:", config={**LOCKED, **spill, **settings})
    except duckdb.Error as error:
        raise BackendError("the database does not take its settings") from error
    try:
        connection.execute(f"ATTACH '{quoted}' AS {CATALOG} (READ_ONLY)")
        connection.execute(f"USE {CATALOG}")
        connection.execute("DETACH memory")
        for name, value in LOCKED_LAST.items():
            connection.execute(f"SET GLOBAL {name} = {value}")
    except duckdb.Error as error:
        connection.close()
        raise BackendError("the database file cannot be opened") from error
    return connection
