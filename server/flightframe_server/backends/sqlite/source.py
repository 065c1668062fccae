"""One SQLite file: connections that only read, each to one version of it.

What comes in: a path. What goes out: read transactions that begin at a known version, and the sign
of the version that the path names now. It must never write, nor let a connection that holds pages
of one content of the file read another: SQLite takes a file for unchanged whose change counter and
size are, and a file that was copied into may well have both.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.backends.sqlite.files import DESCRIPTORS, gone, identity_at
from flightframe_server.backends.sqlite.functions import register
from flightframe_server.backends.sqlite.log import beside
from flightframe_server.backends.sqlite.reading import Connection, Reading, SchemaRow
from flightframe_server.backends.sqlite.watch import Look, Version, Watch
from flightframe_server.errors import BackendError, SetupError

log = structlog.get_logger(__name__)

BUSY_SECONDS = 10.0
KEPT_IDLE = 4
PAGES_KIB = 64 * 1024

_BUSY_STEP_SECONDS = 0.05
_BEGINNINGS = 8
_PAUSE_SECONDS = 0.005
_SCHEMA = "SELECT type, name, sql FROM sqlite_schema"


class SQLiteSource:
    """A SQLite file.

    Args:
        path: the database file.
        read_only: whether the file is opened so. Otherwise SQLite may finish what a crashed
            writer left behind; statements of ours never write either way.

    Raises:
        SetupError: the file is missing, or no SQLite database.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Open the file; see the class."""
        self._path = path
        self._mode = "ro" if read_only else "rw"
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._in_use: set[Connection] = set()
        self._closed = False
        self._watch = Watch(path, self._watching, self._leave)
        if not path.is_file():
            raise SetupError(
                f"there is no database file {path.name}",
                hint="check backend.source in the installation; it is relative to that file",
            )
        try:
            self.end(self.begin())
        except (BackendError, SourceMoved) as error:
            self.close()
            raise SetupError(
                f"the database file {path.name} cannot be opened",
                hint="it is locked by a writer, damaged, or not a SQLite database",
            ) from error

    def sign(self) -> str | None:
        """Return the fingerprint of what the path names now, or None while it cannot be told.

        Raises:
            BackendError: the file is gone or no database, or the source is closed.
        """
        self._forget_other_files()
        return self._watch.sign()

    def begin(self, sign: str | None = None, token: CancelToken | None = None) -> Reading:
        """Begin a read transaction; `end` ends it.

        Args:
            sign: the sign of the version that it must read; None: any one version.
            token: its cancellation.

        Raises:
            SourceMoved: the file is of another version, or is being written to.
            BackendError: the file is gone, damaged, locked, or the source is closed.
        """
        # The first lock keeps lawful writers out while the time of change grows old. What it is of
        # may hold pages from before an unlawful write, and is not read from.
        unread: list[Connection] = []
        try:
            for _ in range(_BEGINNINGS):
                before = self._look(sign)
                connection, schema = self._started(before, token)
                if schema is None:
                    continue
                unread.append(connection)
                after = self._watch.look()
                same = after is not None and after.version == before.version
                if after is not None and same and self._watch.settled(after.version):
                    self._hold(connection, after)
                    unread.pop()
                    return Reading(self._path, connection, after, schema)
                if len(unread) > 1:
                    self._discard(unread.pop())
                if after is not None:
                    self._settle(after.version, token)
            raise SourceMoved
        finally:
            for connection in unread:
                self._discard(connection)

    @contextmanager
    def reading(
        self, sign: str | None = None, token: CancelToken | None = None
    ) -> Iterator[Reading]:
        """Read in a transaction; what was read is of one version where no error is raised."""
        reading = self.begin(sign, token)
        try:
            yield reading
            reading.check()
        except (sqlite3.Error, OverflowError):
            reading.check()
            raise
        finally:
            self.end(reading)

    def end(self, reading: Reading) -> None:
        """End a read transaction."""
        connection = reading.connection
        connection.fault.error = connection.give_up = None
        moved = reading.moved()
        try:
            connection.handle.execute("ROLLBACK")
        except sqlite3.Error:
            moved = True
        with self._lock:
            self._in_use.discard(connection)
            if not (moved or self._closed or len(self._idle) >= KEPT_IDLE):
                self._idle.append(connection)
                return
        _close(connection)

    def close(self) -> None:
        """Interrupt what runs and close what is idle; idempotent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for connection in self._in_use:
                connection.handle.interrupt()
        for connection in idle:
            _close(connection)
        self._watch.close()

    def _look(self, sign: str | None) -> Look:
        self._forget_other_files()
        look = self._watch.look()
        if look is None or (sign is not None and look.version.sign != sign):
            raise SourceMoved
        self._refuse_shared_log(look)
        return look

    def _started(
        self, look: Look, token: CancelToken | None
    ) -> tuple[Connection, tuple[SchemaRow, ...] | None]:
        """Return a connection in a transaction with what it read first, None where that failed."""
        connection = self._take(look.version)
        try:
            return connection, self._first_read(connection, look, token)
        except sqlite3.Error as error:
            self._discard(connection)
            now = self._watch.look()
            if now is None or now.version != look.version:
                return connection, None
            log.error("backend.failed", kind=type(error).__name__, text=str(error)[:2000])
            raise BackendError("the database file is damaged") from error
        except BaseException:
            self._discard(connection)
            raise

    def _first_read(
        self, connection: Connection, look: Look, token: CancelToken | None
    ) -> tuple[SchemaRow, ...]:
        """Begin the transaction, once no writer locks the file, and return the schema."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            if token is not None:
                token.check()
            try:
                connection.handle.execute("BEGIN")
                return tuple(connection.handle.execute(_SCHEMA).fetchall())
            except sqlite3.OperationalError as error:
                if connection.handle.in_transaction:
                    connection.handle.execute("ROLLBACK")
                now = identity_at(self._path)
                if not _busy(error) or now is None or now.file != look.version.main.file:
                    raise
                if time.monotonic() >= until:
                    raise BackendError("the database file is locked by a writer") from error

    def _take(self, version: Version) -> Connection:
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            others = [connection for connection in self._idle if not connection.fits(version)]
            self._idle = [connection for connection in self._idle if connection.fits(version)]
            chosen = self._idle.pop() if self._idle else None
            if chosen is not None:
                self._in_use.add(chosen)
        for other in others:
            _close(other)
        if chosen is None:
            chosen = self._connected()
            with self._lock:
                self._in_use.add(chosen)
        return chosen

    def _connected(self) -> Connection:
        """Return a new connection; its file is held before and after, and not locked yet."""
        try:
            main = DESCRIPTORS.open(self._path)
        except OSError as error:
            raise gone() from error
        handle: sqlite3.Connection | None = None
        try:
            handle = self._opened(_BUSY_STEP_SECONDS)
            return Connection(handle, register(handle), main)
        except sqlite3.Error as error:
            if handle is not None:
                handle.close()
            DESCRIPTORS.close(main)
            raise BackendError("the database file cannot be opened") from error

    def _opened(self, timeout: float) -> sqlite3.Connection:
        handle = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={self._mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            handle.execute("PRAGMA query_only = 1")
            # A view of the file may then not call functions that are not SQLite's own.
            handle.execute("PRAGMA trusted_schema = 0")
        except sqlite3.Error:
            handle.close()
            raise
        return handle

    def _watching(self) -> sqlite3.Connection:
        handle = self._opened(1.0)
        try:
            handle.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            handle.close()
            raise
        return handle

    def _hold(self, connection: Connection, look: Look) -> None:
        if connection.holds is None:
            connection.handle.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
            if look.index is not None:
                connection.index = DESCRIPTORS.share(look.index)
        connection.holds = look.version

    def _settle(self, version: Version, token: CancelToken | None) -> None:
        for _ in range(20):
            if token is not None:
                token.check()
            if self._watch.settled(version):
                return
            time.sleep(_PAUSE_SECONDS)

    def _discard(self, connection: Connection) -> None:
        with self._lock:
            self._in_use.discard(connection)
        _close(connection)

    def _forget_other_files(self) -> None:
        """Close what is idle on other files before these are opened.

        Two files may share a log; and SQLite makes no new index for a log while a connection of the
        process has the old one open.
        """
        main, index = (identity_at(path) for path in (self._path, beside(self._path)[1]))
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            others = [
                connection
                for connection in self._idle
                if main is None
                or connection.main.file != main.file
                or (connection.index and (index is None or connection.index.file != index.file))
            ]
            self._idle = [connection for connection in self._idle if connection not in others]
        for other in others:
            _close(other)

    def _leave(self, file: tuple[int, int]) -> bool:
        """End everything that reads a file; return whether nothing of it is left."""
        with self._lock:
            idle = [connection for connection in self._idle if connection.main.file == file]
            self._idle = [connection for connection in self._idle if connection not in idle]
            give_ups = [
                connection.give_up for connection in self._in_use if connection.main.file == file
            ]
        for connection in idle:
            _close(connection)
        for give_up in give_ups:
            if give_up is not None:
                give_up()
        with self._lock:
            return not any(connection.main.file == file for connection in self._in_use)

    def _refuse_shared_log(self, look: Look) -> None:
        """Refuse a log whose index a statement on the file's predecessor has open.

        POSIX would drop the locks of the one file's connections with the end of the other's.
        """
        if look.index is None:
            return
        with self._lock:
            shared = any(
                connection.main.file != look.version.main.file
                and connection.index is not None
                and connection.index.file == look.index.file
                for connection in self._in_use
            )
        if shared:
            raise BackendError(
                "the write-ahead log is in use by statements on the file that was replaced",
                hint="replace a database whose log is closed, and remove its -wal and -shm files",
            )


def _busy(error: sqlite3.Error) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _close(connection: Connection) -> None:
    """Close a connection, and only then the descriptors of its files."""
    connection.handle.close()
    if connection.index is not None:
        DESCRIPTORS.close(connection.index)
    DESCRIPTORS.close(connection.main)
