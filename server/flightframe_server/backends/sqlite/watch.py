"""One path watched: which version of a database it names, and whether that can be told at all.

What comes in: a path. What goes out: the version by `stat`, the file's header and its log. It must
never take a write-ahead log for that of a file to which it does not belong: SQLite would play the
frames of the old file into the new one.

A version moves with every write, lawful or not: a commit, a checkpoint, a file renamed over it, a
file copied into it. A checkpoint moves it although the data are the same: some entries are then
made again, and none is wrong.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.backends.sqlite.files import (
    DESCRIPTORS,
    SETTLED_SECONDS,
    Identity,
    OpenFile,
    Settling,
    gone,
    identity_at,
)
from flightframe_server.backends.sqlite.log import Header, Log, beside, header_of, log_of, salts_of
from flightframe_server.errors import BackendError

PATIENCE_SECONDS = 5 * SETTLED_SECONDS
_PAUSE_SECONDS = SETTLED_SECONDS / 8
_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a database file.

    Attributes:
        main: the identity of the file.
        counter: the change counter of its header.
        committed: the last commit of its log, b"" where the log holds none.
        beside: which files its log and the log's index are; none without a log.
    """

    main: Identity
    counter: bytes
    committed: bytes = b""
    beside: tuple[tuple[int, int], ...] = ()

    @property
    def sign(self) -> str:
        """The fingerprint; it is the same in the next process."""
        parts = (*self.main, self.counter.hex(), self.committed.hex())
        return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a path found: the version, and its log with the log's index."""

    version: Version
    log: Log | None = None
    index: OpenFile | None = None


class Watch:
    """A path, watched.

    Args:
        path: the database file.
        connect: opens a connection and has read through it; it keeps the index of a log alive.
        leave: ends what this process reads of a file; returns whether nothing of it is left.
    """

    def __init__(
        self,
        path: Path,
        connect: Callable[[], sqlite3.Connection],
        leave: Callable[[tuple[int, int]], bool],
    ) -> None:
        """Watch from the first look on."""
        self._path, self._connect, self._leave = path, connect, leave
        self._lock = threading.Lock()
        self._settling = Settling()
        self._main: OpenFile | None = None
        self._handle: sqlite3.Connection | None = None
        self._index: OpenFile | None = None
        self._last: Look | None = None
        self._foreign: bytes | None = None
        self._closed = False

    def look(self) -> Look | None:
        """Return what the path names now, or None while it is being written.

        Raises:
            BackendError: the file is gone, no database, or has the log of another one beside it.
        """
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            for _ in range(_LOOKS):
                main = identity_at(self._path)
                if main is None:
                    raise gone()
                look = self._look(main)
                if look is not None and identity_at(self._path) == main:
                    self._last = look
                    return look
            return None

    def settled(self, version: Version) -> bool:
        """Return whether every later write gives another version."""
        return self._settling.settled(version.main)

    def sign(self) -> str | None:
        """Return the fingerprint, or None while a writer never lets it settle; see `look`."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            look = self.look()
            if look is not None and self.settled(look.version):
                return look.version.sign
            if time.monotonic() >= until:
                return None
            time.sleep(_PAUSE_SECONDS)

    def _look(self, main: Identity) -> Look | None:
        file = self._open_main(main)
        if file is None:
            return None
        header = header_of(file)
        log, _ = beside(self._path)
        left = identity_at(log)
        if not header.logged:
            if left is not None and left.size:
                raise _foreign_log()
            self._end_log()
            return Look(Version(main, header.counter))
        return self._logged(main, header)

    def _open_main(self, main: Identity) -> OpenFile | None:
        if self._main is not None and self._main.file != main.file:
            self._end_file()
        if self._main is None:
            try:
                self._main = DESCRIPTORS.open(self._path)
            except OSError as error:
                raise gone() from error
        return self._main if self._main.file == main.file else None

    def _logged(self, main: Identity, header: Header) -> Look | None:
        files = self._files_beside()
        if self._index is None or len(files) < 2 or self._index.file != files[1]:
            self._end_log()
            # SQLite has one index of one file in a process: as long as anything here reads with the
            # index of a log which was removed, all would.
            if not self._leave(main.file) or not self._begin_log(main, files):
                return None
            files = self._files_beside()
        index = self._index
        if index is None or len(files) < 2 or index.file != files[1]:
            return None
        log = log_of(index)
        if log is None:
            return None
        if log.frames and salts_of(beside(self._path)[0]) != log.salts:
            if log_of(index) != log:
                return None
            raise _foreign_log()
        committed = log.committed if log.frames else b""
        look = Look(Version(main, header.counter, committed, files), log, index)
        self._refuse_foreign(look, log)
        return look

    def _refuse_foreign(self, look: Look, log: Log) -> None:
        """Raise where the file was changed beside a log that went on as if nothing had happened."""
        last = self._last
        if not log.frames or log.salts != self._foreign:
            self._foreign = None
        if log.frames and last is not None and last.log is not None:
            before, now = last.version, look.version
            same_log = last.log.salts == log.salts
            checkpoint = before.beside == now.beside and log.checkpointed_since(last.log)
            lawful = before.main.file == now.main.file and checkpoint
            if same_log and not (before.main.same_content(now.main) or lawful):
                self._foreign = log.salts
        if self._foreign is not None:
            raise _foreign_log()

    def _files_beside(self) -> tuple[tuple[int, int], ...]:
        identities = [identity_at(path) for path in beside(self._path)]
        return tuple(each.file for each in identities if each is not None)

    def _begin_log(self, main: Identity, files: tuple[tuple[int, int], ...]) -> bool:
        """Keep the index of the log alive; return whether it is the one that stands there now."""
        try:
            self._handle = self._connect()
            self._index = DESCRIPTORS.open(beside(self._path)[1])
        except (sqlite3.Error, OSError) as error:
            self._end_log()
            if identity_at(self._path) != main or self._files_beside() != files:
                return False
            raise BackendError("the database's write-ahead log cannot be read") from error
        if not self._index.opened_elsewhere():
            self._end_log()
            return False
        return True

    def _end_log(self) -> None:
        if self._handle is not None:
            self._handle.close()
        if self._index is not None:
            DESCRIPTORS.close(self._index)
        self._handle = self._index = None

    def _end_file(self) -> None:
        self._end_log()
        if self._main is not None:
            DESCRIPTORS.close(self._main)
        self._main = None

    def close(self) -> None:
        """Give everything back; idempotent."""
        with self._lock:
            self._closed = True
            self._end_file()


def _foreign_log() -> BackendError:
    return BackendError(
        "the write-ahead log beside the database belongs to another file",
        hint="remove the -wal and -shm files of a database that is replaced",
    )
