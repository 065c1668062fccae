"""One DuckDB file held open: cursors, the signs of change, and reopening when it is replaced.

What comes in: a path. What goes out: cursors that are counted, so that a replaced file can be
opened anew once the last of them is back. It must never write to the file it reads.

After `os.replace`, DuckDB goes on serving the old file for as long as any connection to that path
lives in the process; so all of them are given back before the new file is opened.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import BackendError, SetupError

DRAIN_SECONDS = 30.0

_LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # A table that is gone must never be looked for among Python's variables.
    "python_enable_replacements": "false",
}
# Which zone the process is in must change nothing; ours can be said on an open connection alone.
_THEN = ("SET GLOBAL TimeZone = 'UTC'", "SET GLOBAL lock_configuration = true")
MIB = 1 << 20
SPILL_BYTES = 10 << 30


def bounds(settings: BackendSettings) -> dict[str, str | int]:
    """Return the DuckDB settings that keep what an installation allows its database."""
    memory = settings.memory_bytes or _machine_bytes() // 2
    spill = SPILL_BYTES if settings.spill_bytes is None else settings.spill_bytes
    found: dict[str, str | int] = {
        "memory_limit": f"{max(1, memory // MIB)}MiB",
        "max_temp_directory_size": f"{spill // MIB}MiB",
    }
    if settings.threads is not None:
        found["threads"] = settings.threads
    return found


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class DuckDBSource:
    """A DuckDB file and its one connection.

    Args:
        path: the database file.
        read_only: whether to open it so; two processes can then read it at once.
        settings: further DuckDB settings, such as `memory_limit`.

    Raises:
        SetupError: the file is missing, locked, or no database of this version.
    """

    def __init__(self, path: Path, *, read_only: bool, settings: dict[str, str]) -> None:
        """Open the file; see the class."""
        self._path = path
        # Plain text and a remembered digest: this is asked once for every answer.
        self._file, self._log = str(path), f"{path}.wal"
        self._last_sign: tuple[tuple[int, ...], str] = ((), "")
        self._read_only = read_only
        for name in settings:
            if name.lower() in (*_LOCKED, "timezone", "lock_configuration"):
                raise SetupError(
                    f"the option {name.lower()} is locked", hint="leave it out of backend.options"
                )
        self._settings = {**_LOCKED, **settings}
        self._changed = threading.Condition()
        self._active = 0
        self._closed = False
        self._connection, self._inode = self._open()

    def _open(self) -> tuple[duckdb.DuckDBPyConnection, int]:
        if not self._path.is_file():
            raise SetupError(
                f"there is no database file {self._path.name}",
                hint="check backend.source in the installation; it is relative to that file",
            )
        inode = self._path.stat().st_ino
        try:
            connection = duckdb.connect(
                str(self._path), read_only=self._read_only, config=dict(self._settings)
            )
            _settle(connection)
        except duckdb.Error as error:
            raise SetupError(
                f"the database file {self._path.name} cannot be opened",
                hint="it is locked by a writer, damaged, or of another DuckDB version",
            ) from error
        return connection, inode

    def fingerprint(self) -> str:
        """Return a sign of the file that moves at every commit, checkpoint and replacement.

        The walk is two `stat` calls: modification time, size and inode of the file, and the size
        and time of its write-ahead log.

        Raises:
            BackendError: the file is gone.
        """
        try:
            found = os.stat(self._file)
        except OSError as error:
            raise BackendError("the database file is gone") from error
        try:
            log = os.stat(self._log)
            wal = (log.st_size, log.st_mtime_ns)
        except OSError:
            wal = (0, 0)
        signs = (found.st_mtime_ns, found.st_size, found.st_ino, *wal)
        known, digest = self._last_sign
        if signs != known:
            text = "-".join(str(sign) for sign in signs)
            digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            self._last_sign = signs, digest
        return digest

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor for one statement or stream.

        Raises:
            BackendError: the source is closed, or the old file is not given back in time.
        """
        cursor = self.take()
        try:
            yield cursor
        finally:
            self.give_back(cursor)

    def take(self) -> duckdb.DuckDBPyConnection:
        """Lend a cursor that `give_back` ends; see `cursor`."""
        with self._changed:
            if self._closed:
                raise BackendError("the database is closed")
            if self._replaced():
                self._reopen()
            self._active += 1
            return self._connection.cursor()

    def give_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """End a lent cursor."""
        try:
            cursor.close()
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def _replaced(self) -> bool:
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:
            return False

    def _reopen(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._active:
            if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                raise BackendError("the database file was replaced and its old readers still run")
        if self._replaced():
            self._connection.close()
            self._connection, self._inode = self._open()

    def close(self) -> None:
        """Interrupt what runs and close the connection; idempotent."""
        with self._changed:
            if not self._closed:
                self._closed = True
                self._connection.interrupt()
                self._connection.close()


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Set what cannot be said before a connection is open, unless another one has done so."""
    locked = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    if locked != (True,):
        for statement in _THEN:
            connection.execute(statement)
