"""Sessions: options that hold for the calls of one client, until it closes them or stays away.

What comes in: callers, and options they set. What goes out: the options of a call. It must never
let a call go on without the options that its client has set, nor under those of another client: a
session is known by what a Handshake gave its client alone, or by a cookie, never by the connection,
which clients share behind a proxy and inherit by its port. What cannot be told is refused.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flightframe_server.access.peers import peer_of
from flightframe_server.answer import Runtime
from flightframe_server.call_context import NO_OPTIONS, Caller, SessionOptions
from flightframe_server.catalog.limits import tenth
from flightframe_server.errors import LimitExceeded, NotSupported, TicketRefused
from flightframe_server.flight.cookies import PREFIX, new_session
from flightframe_server.flight.session_options import Error, Value, with_changes

Key = tuple[str, bytes]


@dataclass(slots=True)
class _Session:
    options: SessionOptions
    until: float
    caller: str


class Sessions:
    """The sessions of one server that have options set.

    Args:
        runtime: what the options speak of, and the limits on sessions.
        cookies: whether calls are looked through for cookies.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        cookies: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without any."""
        self._runtime, self._cookies, self._clock = runtime, cookies, clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[Key, _Session] = OrderedDict()
        self._ended: OrderedDict[Key, None] = OrderedDict()
        self._owed: OrderedDict[str, float] = OrderedDict()

    @property
    def _max_sessions(self) -> int:
        return self._runtime.statements.limits.sessions

    @property
    def _seconds(self) -> float:
        return self._runtime.statements.limits.session_seconds

    @property
    def _of_caller(self) -> int:
        limits = self._runtime.statements.limits
        return limits.sessions_per_caller or tenth(limits.sessions)

    def __len__(self) -> int:
        """Return how many are held, with expired ones that were not asked for since."""
        return len(self._sessions)

    def options(self, caller: Caller, peer: Callable[[], str]) -> SessionOptions:
        """Return the options of a call.

        Args:
            caller: who calls.
            peer: tells the connection it came over; asked only while a cookie is owed.

        Raises:
            TicketRefused: its session has ended.
            NotSupported: its client was given a cookie and does not return it.
        """
        if caller.session is None:
            if self._owed:
                self._refuse_owed(peer())
            return NO_OPTIONS
        key = (caller.user, caller.session)
        with self._lock:
            session = self._find(key)
            if session is not None:
                if self._owed and caller.session.startswith(PREFIX):
                    self._owed.pop(peer(), None)
                return session.options
            ended = key in self._ended
        if ended or caller.session.startswith(PREFIX):
            raise TicketRefused(
                "the session has ended, and its options with it",
                hint="set the options again, or connect anew",
            )
        return NO_OPTIONS

    def change(
        self, caller: Caller, peer: str, changes: Mapping[str, Value]
    ) -> tuple[dict[str, Error], bytes | None]:
        """Set and erase options.

        Returns:
            An error for each option that was not set, and the session that the client is to return
            as a cookie, where it has no name yet.

        Raises:
            LimitExceeded: there are too many sessions, or too many of this caller.
            NotSupported: a client without a token, and a server that reads no cookies.
        """
        with self._lock:
            session = caller.session
            existing = None if session is None else self._find((caller.user, session))
            before = NO_OPTIONS if existing is None else existing.options
            options, errors = with_changes(before, changes, self._runtime)
            if existing is not None:
                existing.options = options
                return errors, None
            if len(errors) == len(changes):
                return errors, None
            if session is not None and not session.startswith(PREFIX):
                self._hold((caller.user, session), options, caller.key)
                return errors, None
            new = self._new()
            self._hold((caller.user, new), options, caller.key)
            self._owe(peer)
            return errors, new

    def close(self, caller: Caller, peer: str) -> None:
        """Forget the options of a session; one that there is not is closed already."""
        with self._lock:
            self._owed.pop(peer, None)
            if caller.session is not None:
                self._sessions.pop((caller.user, caller.session), None)
                self._ended.pop((caller.user, caller.session), None)

    def _find(self, key: Key) -> _Session | None:
        session, now = self._sessions.get(key), self._clock()
        if session is None:
            return None
        if session.until <= now:
            self._end(key)
            return None
        session.until = now + self._seconds
        self._sessions.move_to_end(key)
        return session

    def _hold(self, key: Key, options: SessionOptions, caller: str) -> None:
        now = self._clock()
        for old in [old for old, session in self._sessions.items() if session.until <= now]:
            self._end(old)
        if len(self._sessions) >= self._max_sessions:
            raise LimitExceeded("there are too many sessions", hint="ask again later")
        if sum(session.caller == caller for session in self._sessions.values()) >= self._of_caller:
            raise LimitExceeded(
                f"a caller has at most {self._of_caller:,} sessions with options set",
                hint="close those that are done with",
            )
        self._ended.pop(key, None)
        self._sessions[key] = _Session(options, now + self._seconds, caller)

    def _end(self, key: Key) -> None:
        """Remember that there was a session: its client must hear of its end, once it is back."""
        del self._sessions[key]
        self._ended[key] = None
        while len(self._ended) > self._max_sessions:
            self._ended.popitem(last=False)

    def _new(self) -> bytes:
        if not self._cookies:
            raise NotSupported(
                "options are kept for clients with a token, and this server gives none"
            )
        return new_session()

    def _owe(self, peer: str) -> None:
        """Remember that a connection was given a cookie, until a call on it returns one."""
        self._owed[peer] = self._clock() + self._seconds
        if len(self._owed) > self._max_sessions:
            # The address with most of them loses one, so that it cannot push out the others'.
            (fullest, _) = Counter(map(peer_of, self._owed)).most_common(1)[0]
            del self._owed[next(other for other in self._owed if peer_of(other) == fullest)]

    def _refuse_owed(self, peer: str) -> None:
        with self._lock:
            until = self._owed.get(peer)
            if until is None:
                return
            if until <= self._clock():
                del self._owed[peer]
                return
        raise NotSupported(
            "options were set, and this call does not say for which session",
            hint="return cookies (ADBC: adbc.flight.sql.rpc.with_cookie_middleware), or log in",
        )
