"""The sessions that were ended before their time: their tokens are good for nothing any more.

What comes in: sessions whose users have left. What goes out: whether a session has ended. It must
never forget one while its token would be good, nor hold more for one user than a bound.

A token is signed and held nowhere, so that what has ended must be remembered until it would be over
by itself. Where one user has ended more than the bound, the older half is remembered as one moment:
whatever session of that user's would be over by then has ended. That ends sessions of the same user
which nobody has left, and none of anybody else's.
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

MOST_OF_USER = 1000
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class _Of:
    """What one user has ended: sessions with when they would be over, and all over by then."""

    sessions: dict[bytes, float] = field(default_factory=dict)
    until: float = 0.0


class EndedSessions:
    """The ended sessions of one server, thread-safe, and of all that share its file.

    Args:
        file: where they are written as well, so that they stay ended over a restart; None: the
            tokens do not outlive the process either.
        clock: seconds since 1970 UTC.
    """

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Read those that are known."""
        self._file, self._clock = file, clock
        self._lock = threading.Lock()
        self._of: dict[str, _Of] = {}
        self._read, self._next_look = 0, 0.0

    def end(self, user: str, session: bytes, ends: float) -> None:
        """End a session that would be over at `ends`."""
        with self._lock:
            self._look()
            self._note(user, session, ends)
            self._write(user, session, ends)

    def has(self, user: str, session: bytes, ends: float) -> bool:
        """Whether a session has ended before its time."""
        with self._lock:
            self._look()
            of = self._of.get(user)
            return of is not None and (session in of.sessions or ends <= of.until)

    def _note(self, user: str, session: bytes, ends: float) -> None:
        now = self._clock()
        if ends <= now:
            return
        of = self._of.setdefault(user, _Of())
        if ends <= of.until:
            return
        of.sessions[session] = ends
        if len(of.sessions) > MOST_OF_USER:
            of.sessions = {name: end for name, end in of.sessions.items() if end > now}
        if len(of.sessions) > MOST_OF_USER:
            of.until = max(of.until, sorted(of.sessions.values())[len(of.sessions) // 2])
            of.sessions = {name: end for name, end in of.sessions.items() if end > of.until}

    def _write(self, user: str, session: bytes, ends: float) -> None:
        if self._file is None:
            return
        line = f"{ends:.0f} {session.hex()} {user.encode().hex()}\n".encode()
        try:
            taken = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(taken, line)
                os.fsync(taken)
            finally:
                os.close(taken)
        except OSError as error:
            # The session has ended here; only a restart, or a server beside this one, would let
            # its token in.
            log.error("access.end_not_kept", file=self._file.name, why=error.strerror)

    def _look(self) -> None:
        """Read what was written since, once a second."""
        now = time.monotonic()
        if self._file is None or now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        try:
            size = self._file.stat().st_size
            if size == self._read:
                return
            with self._file.open("rb") as file:
                file.seek(self._read if size > self._read else 0)
                new = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("access.ended_not_read", file=self._file.name, why=error.strerror)
            return
        # A line that another server is just writing is read when it is whole.
        whole = new[: new.rfind(b"\n") + 1]
        self._read = (self._read if size > self._read else 0) + len(whole)
        for line in whole.splitlines():
            self._note_line(line)

    def _note_line(self, line: bytes) -> None:
        try:
            ends, session, user = line.decode("ascii").split()
            self._note(bytes.fromhex(user).decode(), bytes.fromhex(session), float(ends))
        except ValueError:
            log.error("access.ended_not_read", why="a line of the file is not of ours")
