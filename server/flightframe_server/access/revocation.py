"""The sessions that users ended before they expired: the tokens of these are no longer valid.

What comes in: sessions that their users end. What goes out: whether a session was revoked. It must
never forget one while its token would be valid, nor keep more for one user than a bound.

A token is signed and not stored, so that a revocation must be remembered until the token expires.
Past the bound of one user, the older half of the revocations becomes one moment: all sessions of
that user that expire by then are revoked. That revokes sessions that the same user has not ended,
and no session of another user.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

MAX_PER_USER = 1000
CHECK_SECONDS = 1.0


@dataclass(slots=True)
class _UserSessions:
    """The revocations of one user: sessions with their expiry, and all that expire by `until`."""

    sessions: dict[bytes, float] = field(default_factory=dict)
    until: float = 0.0


class RevokedSessions:
    """The revoked sessions of one server, thread-safe, and of all servers that share its file.

    Args:
        file: where they are written as well, so that they stay revoked over a restart; None: the
            tokens do not outlive the process either.
        clock: seconds since 1970 UTC.
    """

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Read nothing yet."""
        self._file, self._clock = file, clock
        self._lock = threading.Lock()
        self._by_user: dict[str, _UserSessions] = {}
        self._read_bytes, self._next_check = 0, 0.0

    def revoke(self, user: str, session: bytes, ends: float) -> None:
        """Revoke a session that would expire at `ends`."""
        with self._lock:
            self._refresh()
            self._add(user, session, ends)
            self._write(user, session, ends)

    def is_revoked(self, user: str, session: bytes, ends: float) -> bool:
        """Return whether a session was revoked before it expired."""
        with self._lock:
            self._refresh()
            entry = self._by_user.get(user)
            return entry is not None and (session in entry.sessions or ends <= entry.until)

    def _add(self, user: str, session: bytes, ends: float) -> None:
        now = self._clock()
        if ends <= now:
            return
        entry = self._by_user.setdefault(user, _UserSessions())
        if ends <= entry.until:
            return
        entry.sessions[session] = ends
        if len(entry.sessions) > MAX_PER_USER:
            entry.sessions = {name: end for name, end in entry.sessions.items() if end > now}
        if len(entry.sessions) > MAX_PER_USER:
            entry.until = max(
                entry.until, sorted(entry.sessions.values())[len(entry.sessions) // 2]
            )
            entry.sessions = {
                name: end for name, end in entry.sessions.items() if end > entry.until
            }

    def _write(self, user: str, session: bytes, ends: float) -> None:
        if self._file is None:
            return
        line = f"{ends:.0f} {session.hex()} {user.encode().hex()}\n".encode()
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            # The session is revoked here; only a restart, or a server beside this one, would let
            # its token in.
            log.error("access.revocation_not_written", file=self._file.name, why=error.strerror)

    def _refresh(self) -> None:
        """Read the lines written since, once a second."""
        now = time.monotonic()
        if self._file is None or now < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        try:
            size = self._file.stat().st_size
            if size == self._read_bytes:
                return
            with self._file.open("rb") as file:
                file.seek(self._read_bytes if size > self._read_bytes else 0)
                new = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("access.revocations_not_read", file=self._file.name, why=error.strerror)
            return
        # A line that another server is just writing is read when it is complete.
        complete = new[: new.rfind(b"\n") + 1]
        self._read_bytes = (self._read_bytes if size > self._read_bytes else 0) + len(complete)
        for line in complete.splitlines():
            self._add_line(line)

    def _add_line(self, line: bytes) -> None:
        try:
            ends, session, user = line.decode("ascii").split()
            self._add(bytes.fromhex(user).decode(), bytes.fromhex(session), float(ends))
        except ValueError:
            log.error("access.revocations_not_read", why="a line of the file is not of ours")
