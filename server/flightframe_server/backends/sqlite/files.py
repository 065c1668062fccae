"""Files that are read beside SQLite: what tells their content apart, and descriptors that are kept.

What comes in: paths. What goes out: identities by `stat`, and files with their first bytes. It must
never write, nor close a descriptor of a file to which this process holds a connection: POSIX drops
all of a process's locks on a file when any descriptor of it is closed, SQLite's own among them.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from flightframe_server.errors import BackendError

_DESCRIPTORS = "/proc/self/fd"

SETTLED_SECONDS = 0.02
"""The clock of file times ticks at least this often; two writes within a tick may look alike."""


class Identity(NamedTuple):
    """What tells the contents of a file apart: every write moves `changed`; nothing sets it back.

    The times are nanoseconds since 1970.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @property
    def file(self) -> tuple[int, int]:
        """Which file it is, whatever it holds."""
        return self.device, self.inode

    def same_content(self, other: Identity) -> bool:
        """Whether no more than a name, an owner or a permission changed between the two."""
        return self[:4] == other[:4]


def _identity(status: os.stat_result) -> Identity:
    return Identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def identity_at(path: Path) -> Identity | None:
    """Return the identity of the file that a path names now, or None where it names none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _identity(status) if stat.S_ISREG(status.st_mode) else None


class Settling:
    """Tells whether a later write must give a file another identity.

    It must once the time of change is older than a tick of the clock. A time in the future, as
    after the clock was set back, counts from when it was first seen.
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._seen: tuple[Identity, float] | None = None

    def settled(self, now: Identity) -> bool:
        """Return whether every later write shows."""
        if time.time_ns() - now.changed >= SETTLED_SECONDS * 1e9:
            return True
        seen, moment = self._seen, time.monotonic()
        if seen is None or seen[0] != now:
            self._seen = (now, moment)
            return False
        return moment - seen[1] >= SETTLED_SECONDS


def _file_of(descriptor: int) -> tuple[int, int] | None:
    try:
        return _identity(os.fstat(descriptor)).file
    except OSError:
        return None


@dataclass(slots=True, eq=False)
class OpenFile:
    """A file whose descriptors are kept: the first one is read, all are closed together."""

    file: tuple[int, int]
    descriptors: list[int]
    users: int = 0

    @property
    def identity(self) -> Identity:
        """The identity of the file itself, wherever its name has gone."""
        return _identity(os.fstat(self.descriptors[0]))

    def read(self, size: int) -> bytes:
        """Return the first bytes."""
        return os.pread(self.descriptors[0], size, 0)

    def opened_elsewhere(self) -> bool:
        """Return whether this process has the file open under a descriptor of SQLite's too.

        True where the system does not tell.
        """
        try:
            numbers = {int(name) for name in os.listdir(_DESCRIPTORS)}
        except OSError:
            return True
        return any(_file_of(number) == self.file for number in numbers - set(self.descriptors))


class Descriptors:
    """The files that one process reads beside SQLite, counted over their users."""

    def __init__(self) -> None:
        """Hold none."""
        self._lock = threading.Lock()
        self._files: dict[tuple[int, int], OpenFile] = {}

    def open(self, path: Path) -> OpenFile:
        """Return the file that a path names, for one more user; raises `OSError`."""
        with self._lock:
            status = path.stat()
            file = self._files.get((status.st_dev, status.st_ino))
            if file is None:
                opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                status = os.fstat(opened)
                key = (status.st_dev, status.st_ino)
                # The name may have moved meanwhile to a file that is held: both are kept then.
                file = self._files.setdefault(key, OpenFile(key, []))
                file.descriptors.append(opened)
            file.users += 1
            return file

    def share(self, file: OpenFile) -> OpenFile:
        """Return a file that is held, for one more user."""
        with self._lock:
            file.users += 1
            return file

    def close(self, file: OpenFile) -> None:
        """End one use of a file."""
        with self._lock:
            file.users -= 1
            if file.users:
                return
            del self._files[file.file]
            for descriptor in file.descriptors:
                os.close(descriptor)


DESCRIPTORS = Descriptors()


def gone() -> BackendError:
    """Return the error of a path that names no file."""
    return BackendError("the database file is gone")
