"""The version of a DuckDB file: what names its content, and when that may be believed.

What comes in: a path. What goes out: its *sign*, which is two calls of the system, and its
*version*, which is read from the content where the sign moved. It must never give one version to
two contents, nor a version to a file that is being written.

- The sign is device, inode, size, modification and change time of the file and of its write-ahead
  log. The change time moves with every write and no process can set it back.
- The version is a digest of all bytes. DuckDB's own checksums would be cheaper and do not do: they
  are the XOR of a hash of each word, so that two numbers that change places leave them as they are.
  Files past `WHOLE_BYTES` have the sign for a version: a touch moves it, and nothing is wrong.
- A change time is as coarse as the kernel's tick: a sign is believed once it is `MARGIN` old, so
  that every later write must show, and where no process has the file open for writing.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from dataclasses import dataclass

from flightframe_server.backends.file_writers import open_for_writing
from flightframe_server.errors import BackendError

WHOLE_BYTES = 512 << 20
MARGIN = 0.02
COARSE_MARGIN = 2.0
PATIENCE = 0.2

_BLOCK_BYTES = 1 << 20
_MAGIC_AT, _MAGIC = 8, b"DUCK"
_SECOND = 10**9

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, modification and change time of one file."""

Sign = tuple[Stamp | None, ...]
"""The stamps of the database file, of its log, and of the log that is written at a checkpoint."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a file holds, and the sign under which it was read.

    Attributes:
        sign: the sign before and after the reading.
        text: names the content of the file and its logs.
        file: a digest of the database file alone; None where it is too large to be read.
    """

    sign: Sign
    text: str
    file: str | None


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells one state of a file from another."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def being_written() -> BackendError:
    """Return that the file is in a writer's hands."""
    return BackendError(
        "the database file is being written",
        hint="ask again when its writer is done; a file renamed into place is there at once",
    )


def no_database() -> BackendError:
    """Return that the file is something else."""
    return BackendError("the database file is no DuckDB database")


def unsettled(sign: Sign, now: int) -> float:
    """Return the seconds after which a write must give another sign than this one.

    Args:
        sign: the sign that was seen.
        now: nanoseconds since the epoch.
    """
    changed = max(stamp[4] for stamp in sign if stamp is not None)
    # A file system that keeps whole seconds shows in its times.
    margin = MARGIN if changed % _SECOND else COARSE_MARGIN
    age = (now - changed) / _SECOND
    # A time to come is of another clock, and says only that it has been seen now.
    return max(0.0, margin - max(0.0, age))


class DatabaseFile:
    """The file that a path names, whatever it names at the moment.

    Args:
        path: of the database; links are followed at each question.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Look at nothing yet."""
        self._path = os.path.abspath(path)
        self._resolved: tuple[int, int, str] = (0, 0, self._path)
        self._lock = threading.Lock()
        self._known = Version((), "", None)

    def sign(self) -> Sign:
        """Return the sign of the file as it is now.

        Raises:
            BackendError: there is no such file.
        """
        try:
            status = os.stat(self._path)
            device, inode, real = self._resolved
            if (status.st_dev, status.st_ino) != (device, inode):
                real = self._resolve(status)
        except OSError as error:
            raise BackendError("the database file is gone") from error
        if not os.access(f"{real}.wal", os.F_OK):
            return (stamp_of(status),)
        return (stamp_of(status), _stamp(f"{real}.wal"), _stamp(f"{real}.wal.checkpoint"))

    def _resolve(self, status: os.stat_result) -> str:
        """DuckDB keeps the log beside the file itself, not beside a link to it."""
        real = os.path.realpath(self._path)
        real_status = os.stat(real)
        if (real_status.st_dev, real_status.st_ino) == (status.st_dev, status.st_ino):
            self._resolved = (status.st_dev, status.st_ino, real)
        return real

    @property
    def real(self) -> str:
        """The path of the file itself, as the last sign found it."""
        return self._resolved[2]

    def names(self, status: os.stat_result) -> bool:
        """Return whether the path leads to this very file."""
        try:
            at_path = os.stat(self._path)
        except OSError:
            return False
        return (at_path.st_dev, at_path.st_ino) == (status.st_dev, status.st_ino)

    def version(self) -> Version:
        """Return the version of the file as it is now; two calls of the system where it stands.

        After a change it waits until the change is old enough to be told from the next, some
        hundredths of a second.

        Raises:
            BackendError: the file is gone, is no DuckDB database, or is being written.
        """
        known = self._known
        if known.sign == self.sign():
            return known
        with self._lock:
            return self._read()

    def _read(self) -> Version:
        until = time.monotonic() + PATIENCE
        while True:
            sign = self.sign()
            if sign == self._known.sign:
                return self._known
            if wait := unsettled(sign, time.time_ns()):
                time.sleep(wait)
                settled = self.sign() == sign
            else:
                settled = True
            content = self._content(sign) if settled else None
            if content is not None and self.sign() == sign:
                if isinstance(content, BackendError):
                    raise content
                self._known = content
                return content
            if time.monotonic() > until:
                raise being_written()

    def _content(self, sign: Sign) -> Version | BackendError | None:
        """Return the version of the content, what is wrong with it, or None where it moves."""
        real = self.real
        logs = (f"{real}.wal", f"{real}.wal.checkpoint")
        small = sum(stamp[2] for stamp in sign if stamp is not None) <= WHOLE_BYTES
        digests: list[str] = []
        for index, (path, stamp) in enumerate(zip((real, *logs), sign, strict=False)):
            if stamp is None:
                digests.append("")
                continue
            try:
                descriptor = open_to_read(path)
            except FileNotFoundError:
                return None
            except BackendError as error:
                return error
            try:
                if stamp_of(os.fstat(descriptor)) != stamp or open_for_writing(descriptor):
                    return None
                if not index and os.pread(descriptor, len(_MAGIC), _MAGIC_AT) != _MAGIC:
                    return no_database()
                digests.append(digest(descriptor) if small else str(stamp))
            finally:
                os.close(descriptor)
        text = hashlib.sha256("\n".join((str(small), *digests)).encode()).hexdigest()[:32]
        return Version(sign, text, digests[0] if small else None)


def open_to_read(path: str) -> int:
    """Return a descriptor of a file.

    Raises:
        FileNotFoundError: there is none.
        BackendError: it is no regular file, or may not be read.
    """
    try:
        # Whatever is put in the file's place, a pipe for one, must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BackendError("the database file cannot be read") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise no_database()
    return descriptor


def digest(descriptor: int) -> str:
    """Return a digest of the whole content of an open file.

    Raises:
        BackendError: the file cannot be read.
    """
    hasher = hashlib.sha256()
    buffer = bytearray(_BLOCK_BYTES)
    at = 0
    try:
        while count := os.preadv(descriptor, [buffer], at):
            hasher.update(memoryview(buffer)[:count])
            at += count
    except OSError as error:
        raise BackendError("the database file cannot be read") from error
    return hasher.hexdigest()


def _stamp(path: str) -> Stamp | None:
    try:
        return stamp_of(os.stat(path))
    except OSError:
        return None
