"""A SQLite file's header, its write-ahead log and the log's shared index, as frozen values.

What comes in: files that are held. What goes out: the change counter of the file, and what the log
has committed and brought back. It must never take half a write for a whole one. The layouts are
those of https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.backends.sqlite.files import OpenFile
from flightframe_server.errors import BackendError

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_READ_VERSION = 19
_LOGGED = 2
_COUNTER = slice(24, 28)
_COPY_BYTES = 48
_INITIALISED = 12
_COMMITTED = slice(16, 40)
_BACKFILLED, _ATTEMPTED = slice(96, 100), slice(128, 132)
_INDEX_BYTES = 136
_LOG_SALTS = slice(16, 24)
_LOG_HEADER_BYTES = 32
_READS = 50


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a database file: how often it was committed to, and whether it has a log."""

    counter: bytes
    logged: bool


def header_of(main: OpenFile) -> Header:
    """Return the header of a database file.

    Raises:
        BackendError: it is empty, or no SQLite database.
    """
    data = main.read(_HEADER_BYTES)
    if not data:
        raise BackendError("the database file is empty")
    if len(data) < _HEADER_BYTES or not data.startswith(_MAGIC):
        raise BackendError("the file is no SQLite database")
    return Header(data[_COUNTER], data[_READ_VERSION] == _LOGGED)


@dataclass(frozen=True, slots=True)
class Log:
    """What a write-ahead log has committed, by its shared index.

    Attributes:
        committed: frames, pages, running checksum and salts of the last commit.
        backfilled: how many frames stand in the database file too.
        attempted: how many the last checkpoint set out to bring there.
    """

    committed: bytes
    backfilled: int
    attempted: int

    @property
    def frames(self) -> int:
        """How many frames are committed."""
        return _number(self.committed[:4])

    @property
    def salts(self) -> bytes:
        """What every frame carries since the log was last begun anew."""
        return self.committed[16:24]

    @property
    def pending(self) -> bool:
        """Whether a checkpoint has yet to write to the database file."""
        return self.backfilled < self.frames

    def checkpointed_since(self, earlier: Log) -> bool:
        """Return whether a checkpoint began, went on or ended since an earlier look."""
        if self.salts != earlier.salts:
            return False
        return self.backfilled > earlier.backfilled or self.attempted > earlier.attempted


def log_of(index: OpenFile) -> Log | None:
    """Return what a log has committed, or None while its index is being written."""
    for _ in range(_READS):
        data = index.read(_INDEX_BYTES)
        first, second = data[:_COPY_BYTES], data[_COPY_BYTES : 2 * _COPY_BYTES]
        if len(data) == _INDEX_BYTES and first == second and first[_INITIALISED]:
            return Log(first[_COMMITTED], _number(data[_BACKFILLED]), _number(data[_ATTEMPTED]))
    return None


def salts_of(log: Path) -> bytes:
    """Return the salts in the header of a log itself; no locks are ever held on that file."""
    try:
        with log.open("rb") as opened:
            return opened.read(_LOG_HEADER_BYTES)[_LOG_SALTS]
    except OSError:
        return b""


def beside(path: Path) -> tuple[Path, Path]:
    """Return where the write-ahead log of a database stands, and the log's index.

    SQLite keeps them beside the file itself, not beside a link to it.
    """
    # A link that is replaced in between may not be read: what is there then is looked at next.
    with contextlib.suppress(OSError, RuntimeError):
        if path.is_symlink():
            path = path.resolve()
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _number(four: bytes) -> int:
    return int.from_bytes(four, sys.byteorder)
