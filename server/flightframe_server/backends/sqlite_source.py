"""One SQLite file: connections that only read, and the signs of its change.

What comes in: a path. What goes out: connections with our functions, and a fingerprint that moves
when the data moves and is the same in the next process. It must never write, and never close a
descriptor of the file while a connection to it lives.

The fingerprint is read from what SQLite itself goes by:

- without a write-ahead log: inode, size and modification time of the file, and the change counter
  in its header, which every transaction raises, however fast they follow each other;
- with one (journal mode WAL): also the number of committed frames, their running checksum and the
  salts, from the log's shared index. The log's own size and time would not do: they move before a
  commit is visible, and old rows would be kept under the new sign. A checkpoint moves the sign
  although the data is the same: some entries are then made again, and none is wrong;
- `PRAGMA data_version` of a connection held open, as a second witness: where it moves and the rest
  does not, the fingerprint is unknown until the rest moves too.

POSIX drops all of a process's locks on a file when any descriptor of it is closed, SQLite's own
among them; so the two descriptors that are read here are kept until the connections are closed.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.backends.sqlite_functions import Fault, register
from flightframe_server.errors import BackendError, SetupError

BUSY_SECONDS = 10.0
KEPT_IDLE = 4
PAGES_KIB = 64 * 1024

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_READ_VERSION = 19
_WAL = 2
_COUNTER = slice(24, 28)
_INDEX_COPY_BYTES = 48
_INDEX_COMMITTED = slice(16, 40)
_FRAMES = slice(0, 4)
_INDEX_READS = 50


@dataclass(slots=True, eq=False)
class Connection:
    """One connection to one version of the file, and the fault of its functions."""

    handle: sqlite3.Connection
    fault: Fault
    inode: int


class _Descriptors:
    """Descriptors that are read here, one for each file of the process, counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: dict[tuple[int, int], int] = {}
        self._users: dict[int, int] = {}

    def open(self, path: Path) -> int:
        with self._lock:
            found = path.stat()
            opened = self._by_file.get((found.st_dev, found.st_ino))
            if opened is None:
                opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                found = os.fstat(opened)
                self._by_file[found.st_dev, found.st_ino] = opened
            self._users[opened] = self._users.get(opened, 0) + 1
            return opened

    def close(self, opened: int) -> None:
        with self._lock:
            self._users[opened] -= 1
            if not self._users[opened]:
                del self._users[opened]
                self._by_file = {key: kept for key, kept in self._by_file.items() if kept != opened}
                os.close(opened)


_DESCRIPTORS = _Descriptors()


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
        self._taken: set[Connection] = set()
        self._closed = False
        if not path.is_file():
            raise SetupError(
                f"there is no database file {path.name}",
                hint="check backend.source in the installation; it is relative to that file",
            )
        try:
            self._watch = _Watch(path, self._open())
        except (sqlite3.Error, OSError, BackendError) as error:
            raise SetupError(
                f"the database file {path.name} cannot be opened",
                hint="it is locked by a writer, damaged, or not a SQLite database",
            ) from error

    def _open(self) -> Connection:
        inode = self._path.stat().st_ino
        handle = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={self._mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            handle.execute("PRAGMA query_only = 1")
            # A view of the file may then not call functions that are not SQLite's own.
            handle.execute("PRAGMA trusted_schema = 0")
            handle.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
            handle.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            handle.close()
            raise
        return Connection(handle, register(handle), inode)

    def take(self) -> Connection:
        """Lend a connection to the file that the path names now; `give_back` ends it.

        Raises:
            BackendError: the source is closed, or the file is gone or busy.
        """
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            inode = self._inode()
            for kept in [kept for kept in self._idle if kept.inode != inode]:
                self._idle.remove(kept)
                kept.handle.close()
            taken = self._idle.pop() if self._idle else None
            if taken is not None:
                self._taken.add(taken)
                return taken
        try:
            taken = self._open()
        except (sqlite3.Error, OSError) as error:
            raise BackendError("the database file cannot be opened") from error
        with self._lock:
            self._taken.add(taken)
        return taken

    def give_back(self, taken: Connection) -> None:
        """End a lent connection."""
        taken.fault.error = None
        with self._lock:
            self._taken.discard(taken)
            if self._closed or len(self._idle) >= KEPT_IDLE:
                taken.handle.close()
                if self._closed and not self._taken:
                    self._watch.close()
            else:
                self._idle.append(taken)

    def _inode(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError as error:
            raise BackendError("the database file is gone") from error

    def fingerprint(self) -> str | None:
        """Return the sign of the data, or None while it cannot be told.

        Raises:
            BackendError: the file is gone or damaged.
        """
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            try:
                if self._watch.connection.inode != self._inode():
                    fresh = _Watch(self._path, self._open())
                    self._watch.close()
                    self._watch = fresh
                return self._watch.sign()
            except (sqlite3.Error, OSError) as error:
                raise BackendError("the database file cannot be read") from error

    def close(self) -> None:
        """Interrupt what runs and close what is idle; idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for kept in self._idle:
                kept.handle.close()
            self._idle.clear()
            for taken in self._taken:
                taken.handle.interrupt()
            if not self._taken:
                self._watch.close()


class _Watch:
    """One version of the file, watched: a connection held open, and two descriptors."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.connection = connection
        self._path = path
        self._index: int | None = None
        self._seen: tuple[str, int] | None = None
        self._doubtful: str | None = None
        self._file = _DESCRIPTORS.open(path)
        if os.pread(self._file, len(_MAGIC), 0) not in (b"", _MAGIC):
            raise BackendError("the file is no SQLite database")

    def sign(self) -> str | None:
        """Return the sign of what is committed now, or None while it cannot be told."""
        version = int(self.connection.handle.execute("PRAGMA data_version").fetchone()[0])
        found = self._persistent()
        if found is None or found == self._doubtful:
            return None
        if self._seen is not None and self._seen[0] == found and self._seen[1] != version:
            self._doubtful = found
            return None
        self._seen = (found, version)
        return found

    def _persistent(self) -> str | None:
        stat = os.fstat(self._file)
        header = os.pread(self._file, _HEADER_BYTES, 0)
        logged = b""
        if len(header) == _HEADER_BYTES and header[_READ_VERSION] == _WAL:
            committed = self._committed()
            if committed is None:
                return None
            logged = committed if any(committed[_FRAMES]) else b""
        parts = (stat.st_ino, stat.st_size, stat.st_mtime_ns, header[_COUNTER].hex(), logged.hex())
        return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()

    def _committed(self) -> bytes | None:
        """Return frames, checksum and salts of the log from its index, read whole; see wal.c."""
        if self._index is None:
            index = self._path.with_name(self._path.name + "-shm")
            if not index.exists():
                return b""
            self._index = _DESCRIPTORS.open(index)
        for _ in range(_INDEX_READS):
            both = os.pread(self._index, 2 * _INDEX_COPY_BYTES, 0)
            first, second = both[:_INDEX_COPY_BYTES], both[_INDEX_COPY_BYTES:]
            if first == second:
                return first[_INDEX_COMMITTED]
        return None

    def close(self) -> None:
        """Close the connection, then the descriptors."""
        self.connection.handle.close()
        _DESCRIPTORS.close(self._file)
        if self._index is not None:
            _DESCRIPTORS.close(self._index)
