"""The file of revoked sessions, shared by the servers that have one signing key.

What comes in: revocations, appended line by line. What goes out: those that were written since, by
whatever server. It must never lose a line while its session would be valid: a line is appended, and
the file is rewritten without those that have expired, under a lock that every server takes.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

COMPACTED_BYTES = 256 * 1024
"""From this size on the file is rewritten when it has doubled since it was rewritten last."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One session that its user ended: it would expire at `ends`, seconds since 1970 UTC."""

    user: str
    session: bytes
    ends: float

    def to_line(self) -> bytes:
        """Return it as a line of the file."""
        return f"{self.ends:.0f} {self.session.hex()} {self.user.encode().hex()}\n".encode()

    @classmethod
    def of_line(cls, line: bytes) -> Revocation:
        """Return what a line says.

        Raises:
            ValueError: it is not of ours.
        """
        ends, session, user = line.decode("ascii").split()
        return cls(bytes.fromhex(user).decode(), bytes.fromhex(session), float(ends))


class RevocationFile:
    """Appends to the file, and reads what was appended; for one thread at a time.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path
        self._inode, self._read_bytes = 0, 0
        self._next_size = COMPACTED_BYTES

    def append(self, revocation: Revocation, now: float) -> None:
        """Write one line, and rewrite the file where most of it has expired.

        Args:
            revocation: what is written.
            now: seconds since 1970 UTC.

        Raises:
            OSError: the disk refused.
        """
        with self._locked() as (descriptor, alone):
            os.write(descriptor, revocation.to_line())
            os.fsync(descriptor)
            size = os.fstat(descriptor).st_size
            if alone and size >= self._next_size:
                self._next_size = 2 * size
                # The line is written: where the disk has no room for another file, this one grows.
                with suppress(OSError):
                    self._next_size = max(2 * self._compact(now), COMPACTED_BYTES)

    def new_lines(self) -> list[bytes]:
        """Return the lines that were written since this was called last; all of a new file.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return []
        with file:
            facts = os.fstat(file.fileno())
            if facts.st_ino != self._inode or facts.st_size < self._read_bytes:
                self._inode, self._read_bytes = facts.st_ino, 0
            if facts.st_size == self._read_bytes:
                return []
            file.seek(self._read_bytes)
            new = file.read()
        # A line that another server is just writing is read when it is complete.
        complete = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(complete)
        return complete.splitlines()

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, bool]]:
        """Open the file to append to it; yields whether the lock was had as well.

        A file that was rewritten while its lock was waited for is another one, and opened anew.
        """
        while True:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # Some network file systems have no locks: the file is appended to, and grows.
                alone = False
                with suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                    alone = True
                if not alone or os.path.samestat(os.fstat(descriptor), self.path.stat()):
                    yield descriptor, alone
                    return
            finally:
                os.close(descriptor)

    def _compact(self, now: float) -> int:
        """Rewrite the file without what has expired, and return its size; under the lock."""
        lines = [line for line in self.path.read_bytes().splitlines() if _is_valid(line, now)]
        text = b"".join(line + b"\n" for line in lines)
        with tempfile.NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
            unfinished = Path(file.name)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                unfinished.replace(self.path)
            except OSError:
                unfinished.unlink(missing_ok=True)
                raise
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return len(text)


def _is_valid(line: bytes, now: float) -> bool:
    try:
        return Revocation.of_line(line).ends > now
    except ValueError:
        return False
