"""The running parts of an installation, as surfaces have them.

What comes in: engines, statements. What goes out: one value for all surfaces, whose engines can be
replaced while they answer. It must never show one question two sets of engines: a question pins the
set that it begins with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flightframe_server.engine.answer_counts import AnswerCounts
from flightframe_server.engine.engine_sets import Engines, EngineSets
from flightframe_server.engine.query_log import QueryLog
from flightframe_server.engine.result_cache import ResultCache
from flightframe_server.statements.questions import RunningQuestions
from flightframe_server.statements.runner import Statements
from flightframe_server.telemetry.metrics import Metrics
from flightframe_server.telemetry.tracing import NO_TRACING, Tracing


class Runtime:
    """The running parts of an installation: its engines, statements and hot answers.

    Args:
        installation_id: as its manifest says.
        engines: by collection name.
        statements: what runs the engines' statements, and the limits that hold for all.
        results: hot answers.
        query_log: what was answered lately.
        tracing: makes the spans of calls.

    Attributes:
        counts: how many answers there were, and from where.
        questions: those that are being answered.
        sets: the sets of engines, of which the current one can be replaced.
    """

    __slots__ = (
        "_pinned",
        "counts",
        "installation_id",
        "query_log",
        "questions",
        "results",
        "sets",
        "statements",
        "tracing",
    )

    def __init__(
        self,
        installation_id: str,
        engines: Engines,
        statements: Statements | None = None,
        results: ResultCache[Any] | None = None,
        query_log: QueryLog | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """Serve the engines; see the class."""
        self.installation_id = installation_id
        self.statements = statements if statements is not None else Statements()
        self.results: ResultCache[Any] = results if results is not None else ResultCache()
        self.query_log = query_log if query_log is not None else QueryLog()
        self.tracing = tracing
        self.counts, self.questions = AnswerCounts(), RunningQuestions()
        self.sets = EngineSets(engines)
        self._pinned: Engines | None = None

    @property
    def engines(self) -> Engines:
        """The engines by collection name: those of now, or those that a question has pinned."""
        return self.sets.current if self._pinned is None else self._pinned

    @property
    def metrics(self) -> Metrics:
        """What the installation counts."""
        return self.statements.metrics

    @contextmanager
    def pinned(self) -> Iterator[Runtime]:
        """Yield the runtime as one question sees it: with one set of engines, open to the end."""
        if self._pinned is not None:
            yield self
            return
        with self.sets.in_use() as engines:
            view = Runtime.__new__(Runtime)
            view.installation_id, view.statements = self.installation_id, self.statements
            view.results, view.query_log = self.results, self.query_log
            view.counts, view.questions = self.counts, self.questions
            view.sets, view._pinned, view.tracing = self.sets, engines, self.tracing
            yield view

    def close(self) -> None:
        """Close every engine."""
        self.sets.close()
