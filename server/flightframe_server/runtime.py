"""The running parts of an installation, as surfaces have them.

What comes in: engines, statements. What goes out: one value for all surfaces, whose engines can be
replaced while they answer. It must never show one question two sets of engines: a question pins the
set that it begins with.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from flightframe_server.engine.engine_sets import Engines, EngineSet, EngineSets
from flightframe_server.engine.query_log import QueryLog
from flightframe_server.engine.result_cache import ResultCache
from flightframe_server.resolved_questions import ResolvedQuestions
from flightframe_server.statements.questions import RunningQuestions
from flightframe_server.statements.runner import Statements
from flightframe_server.telemetry.metrics import Metrics
from flightframe_server.telemetry.shadow import ShadowSampler
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
        questions: those that are being answered.
        resolved: those whose meaning is known.
        sets: the sets of engines, of which the current one can be replaced.
        shadow: checks a share of the answers of SQL.
    """

    __slots__ = (
        "_pinned",
        "_view",
        "installation_id",
        "query_log",
        "questions",
        "resolved",
        "results",
        "sets",
        "shadow",
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
        self.questions = RunningQuestions()
        self.resolved = ResolvedQuestions()
        self.sets = EngineSets(engines)
        self.shadow = ShadowSampler(self.statements.metrics)
        self._pinned: Engines | None = None
        self._view: Runtime | None = None

    @property
    def engines(self) -> Engines:
        """The engines by collection name: those of now, or those that a question has pinned."""
        return self.sets.current if self._pinned is None else self._pinned

    @property
    def metrics(self) -> Metrics:
        """What the installation counts."""
        return self.statements.metrics

    def pinned(self) -> Pin:
        """Return the runtime as one question sees it, to be entered: with one set of engines.

        The engines stay open until the block ends. To pin what is pinned changes nothing.
        """
        return Pin(self)

    def over(self, engines: Engines) -> Runtime:
        """Return the same parts over engines that are not replaced."""
        view = Runtime.__new__(Runtime)
        for name in Runtime.__slots__:
            setattr(view, name, getattr(self, name))
        view._pinned, view._view = engines, None
        return view

    def view_of(self, engines: Engines) -> Runtime:
        """Return the same parts over a set of engines: the same value for all of its questions."""
        view = self._view
        if view is None or view._pinned is not engines:
            view = self._view = self.over(engines)
        return view

    def close(self) -> None:
        """End what is checked, and close every engine."""
        self.shadow.close()
        self.sets.close()


class Pin:
    """A runtime for one question; a context manager of its own, for each question pays for it.

    Args:
        runtime: the runtime of an installation.
    """

    __slots__ = ("_runtime", "_used")

    def __init__(self, runtime: Runtime) -> None:
        """Pin nothing yet."""
        self._runtime = runtime
        self._used: EngineSet | None = None

    def __enter__(self) -> Runtime:
        """Pin the engines of now."""
        runtime = self._runtime
        if runtime._pinned is not None:
            return runtime
        used = self._used = runtime.sets.begin()
        return runtime.view_of(used.engines)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Use them no more."""
        if self._used is not None:
            self._runtime.sets.end(self._used)
