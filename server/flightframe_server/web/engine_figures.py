"""The figures of the engines: what is held, how much of it, and how questions were answered.

What comes in: the engines of an installation. What goes out: numbers. It must never tell of a
question, a filter or a user.
"""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass

from flightframe_server.answer import Runtime, engine_named
from flightframe_server.engine.engine import MetricEngine

FRESH_SECONDS = 0.5
"""How long figures are given again: a listener more costs nothing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some engines; the last two are of the whole server.

    Attributes:
        entries: how many are held.
        bytes: what their files take.
        budget_bytes: what they may take.
        hits: answers from exact entries alone, since the server started.
        misses: answers for which the back-end was asked.
        rollups: answers from entries of which some were rolled up.
        hot_hits: answers given again as they were.
        running: statements that the database works on.
        waiting: statements that wait for a place.
    """

    entries: int = 0
    bytes: int = 0
    budget_bytes: int = 0
    hits: int = 0
    misses: int = 0
    rollups: int = 0
    hot_hits: int = 0
    running: int = 0
    waiting: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the figures as JSON values."""
        return asdict(self)


class EngineFigures:
    """Counts, and remembers for a moment. Thread-safe.

    Args:
        runtime: the running installation.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Count nothing yet."""
        self._runtime = runtime
        self._lock = threading.Lock()
        self._last: dict[str | None, tuple[float, Figures]] = {}

    def now(self, collection: str | None = None) -> Figures:
        """Return the figures of one collection, or of all.

        Raises:
            UnknownName: there is no such collection.
        """
        engines = list(self._runtime.engines.values())
        if collection is not None:
            engines = [engine_named(self._runtime, collection)]
            collection = engines[0].collection.name
        with self._lock:
            counted, figures = self._last.get(collection, (0.0, Figures()))
            if time.monotonic() - counted > FRESH_SECONDS:
                figures = self._counted(engines)
                self._last[collection] = (time.monotonic(), figures)
        return figures

    def _counted(self, engines: list[MetricEngine]) -> Figures:
        entries = size = budget = hits = misses = rollups = hot_hits = 0
        for engine in engines:
            if engine.store is not None:
                budget += engine.store.max_bytes
                for entry in engine.store.holdings():
                    entries, size = entries + 1, size + entry.bytes
            count = self._runtime.metrics.answers_of(engine.collection.name)
            hits, misses = hits + count.hits, misses + count.misses
            rollups, hot_hits = rollups + count.rollups, hot_hits + count.hot_hits
        running = self._runtime.statements.running()
        admitted = sum(statement.admitted.is_set() for statement in running)
        waiting = len(running) - admitted
        return Figures(entries, size, budget, hits, misses, rollups, hot_hits, admitted, waiting)
