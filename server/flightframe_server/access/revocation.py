"""The sessions that users ended before they expired: the tokens of these are no longer valid.

What comes in: sessions that their users end. What goes out: whether a session was revoked. It must
never forget one while its token would be valid, nor keep more for one user than a bound.

A token is signed and not stored, so that a revocation must be remembered until the token expires.
Past the bound of one user, the older half of the revocations becomes one moment: all sessions of
that user that expire by then are revoked. That revokes sessions that the same user has not ended,
and no session of another user.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from flightframe_server.access.revocation_file import Revocation, RevocationFile

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
        self._file = None if file is None else RevocationFile(file)
        self._clock = clock
        self._lock = threading.Lock()
        self._by_user: dict[str, _UserSessions] = {}
        self._next_check = 0.0

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
        try:
            self._file.append(Revocation(user, session, ends), self._clock())
        except OSError as error:
            # The session is revoked here; only a restart, or a server beside this one, would let
            # its token in.
            name = self._file.path.name
            log.error("access.revocation_not_written", file=name, why=error.strerror)

    def _refresh(self) -> None:
        """Read the lines written since, once a second."""
        now = time.monotonic()
        if self._file is None or now < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        try:
            lines = self._file.new_lines()
        except OSError as error:
            name = self._file.path.name
            log.error("access.revocations_not_read", file=name, why=error.strerror)
            return
        for line in lines:
            self._add_line(line)

    def _add_line(self, line: bytes) -> None:
        try:
            one = Revocation.of_line(line)
            self._add(one.user, one.session, one.ends)
        except ValueError:
            log.error("access.revocations_not_read", why="a line of the file is not of ours")
