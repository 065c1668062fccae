"""One call, as every layer sees it: who makes it, under which options, and how long it waits.

What comes in: what a surface has checked and knows of its client. What goes out: one frozen value
that goes down with the question, and one check that everything which takes long makes in between.
It must never hold a credential: a call is compared, logged and kept beside what belongs to it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from flightframe_server.errors import BackendCancelled, BackendTimeout, FlightframeError

POLL_SECONDS = 0.05
"""How often a client is asked whether it is still there, while a statement runs for it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes one call.

    Attributes:
        user: the name that was proven; empty where the server asks for none.
        session: what the calls of one Handshake have in common, and those of no other; None where
            a call belongs to none. It opens nothing: it is the name of a session, not its token.
        peer: where the call comes from (`access/peers.py`); whose it is does not depend on it.
    """

    user: str
    session: bytes | None = None
    peer: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """Whose share of the bounds the call takes: its user's, else that of where it comes from.

        Empty for the server itself, which has no bound but the total.

        >>> Caller("alice", peer="192.0.2.7").key, Caller("", peer="192.0.2.7").key, Caller("").key
        ('user alice', 'peer 192.0.2.7', '')
        """
        if self.user:
            return f"user {self.user}"
        return f"peer {self.peer}" if self.peer else ""


ANONYMOUS = Caller("")
"""The caller of a server that asks for no names."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session has set; None and False: nothing.

    Attributes:
        schema: the collection asked where a request names none.
        max_staleness: seconds.
        only_if_cached: whether nothing may be fetched.
        no_cache: whether everything must be.
        statement_timeout: seconds.
        sum_is_metric: whether SQL's SUM of a metric that declares none means the metric.
        bare_is_measure: whether a metric without an aggregate beside GROUP BY means itself.
    """

    schema: str | None = None
    max_staleness: float | None = None
    only_if_cached: bool = False
    no_cache: bool = False
    statement_timeout: float | None = None
    sum_is_metric: bool = False
    bare_is_measure: bool = False


NO_OPTIONS = SessionOptions()


def _stays() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class CallContext:
    """One call, and what it may take.

    Attributes:
        caller: who makes it.
        options: what the caller's session has set.
        is_cancelled: whether the client wants no answer any more; asked only while a statement
            runs, and never once the call has ended.
        deadline: when everything asked for must be answered, as `time.monotonic` counts.
        query_id: the name that the statements of its question go by.
        counted: whether the entries that it reads are hit by it; not where the server asks itself.
    """

    caller: Caller = ANONYMOUS
    options: SessionOptions = NO_OPTIONS
    is_cancelled: Callable[[], bool] = _stays
    deadline: float = math.inf
    query_id: str = ""
    counted: bool = True

    def within(self, seconds: float) -> CallContext:
        """Return the call with a deadline, that many seconds from now unless it has an earlier one.

        A session's time limit for statements holds where it is shorter.
        """
        limit = self.options.statement_timeout
        allowed = seconds if limit is None else min(limit, seconds)
        return replace(self, deadline=min(self.deadline, time.monotonic() + allowed))

    def named(self, query_id: str) -> CallContext:
        """Return the call with a name for the statements of its question."""
        return self if self.query_id == query_id else replace(self, query_id=query_id)

    def uncounted(self) -> CallContext:
        """Return the call as one that no statistics tell of."""
        return replace(self, counted=False)

    def over(self) -> FlightframeError | None:
        """Return why the call ends unanswered, or None while it waits."""
        if self.is_cancelled():
            return BackendCancelled("the client waits for the answer no more")
        if time.monotonic() >= self.deadline:
            return BackendTimeout(
                "the statement ran past its time limit", hint="ask for less, or allow it more time"
            )
        return None

    def check(self) -> None:
        """Raise `BackendCancelled` or `BackendTimeout` where the call waits no longer."""
        reason = self.over()
        if reason is not None:
            raise reason


SERVER_CALL = CallContext()
"""A question of the server's own, or of a program that holds the engine: it stays."""


def idle_over(since: float, seconds: float) -> FlightframeError | None:
    """Return why a reader that took nothing since a moment is waited for no longer."""
    if time.monotonic() - since < seconds:
        return None
    return BackendTimeout(
        f"the reader took none of the answer for {seconds:g} seconds",
        hint="read it without pauses, or ask for less",
    )
