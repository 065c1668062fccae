"""How many questions were answered, and from where: the figures of the engine.

What comes in: the provenance of each answer. What goes out: counts since the server started. It
must never count by what a question says: a figure tells nothing of who asked what.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from flightframe_server.provenance import Provenance, Route, ServedFrom


@dataclass(slots=True)
class AnswerCount:
    """The answers of one collection; each is counted once.

    Attributes:
        hot_hits: answers that were given again as they were.
        hits: those from exact entries alone.
        rollups: those from entries, of which some were rolled up.
        misses: those for which the back-end was asked, for some part at least.
    """

    hot_hits: int = 0
    hits: int = 0
    rollups: int = 0
    misses: int = 0

    @property
    def questions(self) -> int:
        """How many answers there were."""
        return self.hot_hits + self.hits + self.rollups + self.misses


class AnswerCounts:
    """Counts the answers of every collection. Thread-safe."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._counts: dict[str, AnswerCount] = {}

    def add(self, provenance: Provenance, *, hot: bool) -> None:
        """Count one answer; a plan that EXPLAIN shows is none.

        Args:
            provenance: where it came from.
            hot: whether it was given again as it was.
        """
        if not provenance.columns:
            return
        with self._lock:
            count = self._counts.setdefault(provenance.collection, AnswerCount())
            if hot:
                count.hot_hits += 1
                return
            routes = {part.route for column in provenance.columns for part in column.parts}
            if provenance.served_from is not ServedFrom.ENGINE_CACHE:
                count.misses += 1
            elif Route.ROLLUP in routes:
                count.rollups += 1
            else:
                count.hits += 1

    def of(self, collection: str) -> AnswerCount:
        """Return the counts of a collection, as a copy."""
        with self._lock:
            return replace(self._counts.get(collection, AnswerCount()))
