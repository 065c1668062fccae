"""The sessions of the HTTP API: an id under which one user looks at one collection.

What comes in: users who begin and end sessions. What goes out: the session of an id. It must never
tell a user of another's session, not even that there is one, nor hold more than the limits allow.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from flightframe_server.call_context import Caller
from flightframe_server.catalog.limits import tenth
from flightframe_server.errors import LimitExceeded, UnknownName
from flightframe_server.statements.runner import Statements

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class WebSession:
    """One session: its id, whose it is, whose share it takes, and the collection it looks at."""

    id: str
    user: str
    share: str
    collection: str


class WebSessions:
    """The sessions of one server. Thread-safe.

    Args:
        statements: has the installation's limits, which a reload may change: how many of all
            users, how many of one, and for how long.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(self, statements: Statements, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without any."""
        self._statements, self._clock = statements, clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[WebSession, float]] = OrderedDict()

    @property
    def seconds(self) -> float:
        """How long a session lasts after its last use."""
        return self._statements.limits.session_seconds

    def begin(self, caller: Caller, collection: str) -> WebSession:
        """Begin a session; a caller who has too many loses the one not used for longest.

        Raises:
            LimitExceeded: the other callers have too many.
        """
        session = WebSession(secrets.token_urlsafe(ID_BYTES), caller.user, caller.key, collection)
        limits = self._statements.limits
        most_of_one = limits.sessions_per_caller or tenth(limits.sessions)
        with self._lock:
            self._drop_expired()
            own = [one.id for one, _ in self._sessions.values() if one.share == session.share]
            for oldest in own[: max(0, len(own) + 1 - most_of_one)]:
                del self._sessions[oldest]
            if len(self._sessions) >= limits.sessions:
                raise LimitExceeded("there are too many sessions", hint="ask again later")
            self._sessions[session.id] = (session, self._clock() + self.seconds)
        return session

    def find(self, session_id: str, caller: Caller) -> WebSession:
        """Return a caller's session, which lasts anew from now on.

        Raises:
            UnknownName: it has ended, never was, or is another user's.
        """
        with self._lock:
            self._drop_expired()
            session, _ = self._sessions.get(session_id, (None, 0.0))
            if session is None or session.user != caller.user:
                raise UnknownName(
                    "there is no session of that id", hint="begin one: POST /sessions"
                )
            self._sessions[session_id] = (session, self._clock() + self.seconds)
            self._sessions.move_to_end(session_id)
        return session

    def end(self, session_id: str, caller: Caller) -> None:
        """End a caller's session; raises as `find`."""
        self.find(session_id, caller)
        with self._lock:
            self._sessions.pop(session_id, None)

    def shares(self) -> Counter[str]:
        """Return how many sessions each caller has."""
        with self._lock:
            return Counter(session.share for session, _ in self._sessions.values())

    def _drop_expired(self) -> None:
        now = self._clock()
        while self._sessions:
            # The one not used for longest stands first.
            session_id, (_, until) = next(iter(self._sessions.items()))
            if until > now:
                return
            del self._sessions[session_id]
