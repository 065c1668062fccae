"""The questions under way: whose they are, since when, and how each is cancelled.

What comes in: questions, for as long as they are being answered. What goes out: those of one user,
and an end to the one that its user names. It must never show or end another user's question, nor
end the statement that another caller waits for too: who cancels leaves, and the last one to leave
ends it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from flightframe_server.call_context import CallContext

SOURCE_LENGTH = 2000


@dataclass(frozen=True, slots=True, eq=False)
class RunningQuestion:
    """One question under way.

    Attributes:
        query_id: its name, which its statements and its answer have too.
        source: its text, at most `SOURCE_LENGTH` characters of it.
        user: whose it is.
        started: when, seconds since 1970 UTC.
        since: the same, as `time.monotonic` counts.
        cancelled: set once it is to end.
    """

    query_id: str
    source: str
    user: str
    started: float
    since: float
    cancelled: threading.Event = field(default_factory=threading.Event)


class RunningQuestions:
    """The questions of one installation that are being answered. Thread-safe."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._running: dict[str, RunningQuestion] = {}

    @contextmanager
    def running(self, source: str, context: CallContext) -> Iterator[CallContext]:
        """List a question for as long as the block lasts.

        Args:
            source: its text.
            context: the call that waits for it, named after it.

        Yields:
            The call, which ends also where its user cancels the question.
        """
        name = context.query_id
        question = RunningQuestion(
            name, source[:SOURCE_LENGTH], context.caller.user, time.time(), time.monotonic()
        )
        leaves, cancelled = context.is_cancelled, question.cancelled.is_set
        with self._lock:
            self._running[name] = question
        try:
            yield replace(context, is_cancelled=lambda: cancelled() or leaves())
        finally:
            with self._lock:
                self._running.pop(name, None)

    def of(self, user: str) -> tuple[RunningQuestion, ...]:
        """Return the questions of a user, oldest first."""
        with self._lock:
            own = [question for question in self._running.values() if question.user == user]
        return tuple(sorted(own, key=lambda question: question.since))

    def cancel(self, query_id: str, user: str) -> bool:
        """Cancel a question of a user's and return whether there was one of that name."""
        with self._lock:
            question = self._running.get(query_id)
        if question is None or question.user != user:
            return False
        question.cancelled.set()
        return True
