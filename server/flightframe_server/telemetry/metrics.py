"""Counters and durations of one running installation, as Prometheus counts.

What comes in: one call for each answer, refusal and statement, from many threads. What goes out: a
registry that can be written as text. It must never hold a text of a user's, a filter or a value:
labels are names of the installation and codes of ours, so that their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from flightframe_server.provenance import Route, ServedFrom

HOT = "hot"
STREAMED = "streamed"
MIXED = "mixed"

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of the histograms: hot answers take less than a millisecond, cold ones may a minute."""


class _Labelled(Protocol):
    """A metric that has one child for each tuple of labels."""

    def labels(self, *values: str) -> object:
        """Return the child of some labels."""


Child = TypeVar("Child")


class _Children(Generic[Child]):
    """The children of one metric by their labels, without the checks of `labels` at each call."""

    def __init__(self, metric: _Labelled, kind: type[Child]) -> None:
        self._metric, self._kind = metric, kind
        self._known: dict[tuple[str, ...], Child] = {}

    def __getitem__(self, values: tuple[str, ...]) -> Child:
        child = self._known.get(values)
        if child is None:
            made = self._metric.labels(*values)
            assert isinstance(made, self._kind)
            child = self._known.setdefault(values, made)
        return child


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """The answers of one collection since the server started; each is counted once.

    Attributes:
        hits: those from exact entries alone.
        rollups: those from entries, of which some were rolled up.
        misses: those for which the back-end was asked, for some part at least.
        hot_hits: answers that were given again as they were.
    """

    hits: int = 0
    rollups: int = 0
    misses: int = 0
    hot_hits: int = 0


class Metrics:
    """What one installation counts.

    Attributes:
        registry: everything, to be written by `generate_latest`.
    """

    def __init__(self) -> None:
        """Start at nothing, with the facts of the process beside."""
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._answers = Counter(
            "flightframe_questions",
            "Answered questions: what they were served from, and by which route.",
            ("collection", "served_from", "route"),
            registry=self.registry,
        )
        self._questions = _Children(self._answers, Counter)
        self._seconds = _Children(
            Histogram(
                "flightframe_question_seconds",
                "Seconds until a question was answered, by route; streams until their first row.",
                ("route",),
                registry=self.registry,
                buckets=SECONDS,
            ),
            Histogram,
        )
        self._refusals = _Children(
            Counter(
                "flightframe_refusals",
                "Calls that were refused, by the code of the error and by surface.",
                ("surface", "code"),
                registry=self.registry,
            ),
            Counter,
        )
        self._shadows = _Children(
            Counter(
                "flightframe_shadow_answers",
                "Answers of SQL that were asked again from the facts, by how they compare.",
                ("collection", "outcome"),
                registry=self.registry,
            ),
            Counter,
        )
        self._statements = _Children(
            Histogram(
                "flightframe_backend_seconds",
                "Seconds that statements had a permit of the database, by kind.",
                ("kind",),
                registry=self.registry,
                buckets=SECONDS,
            ),
            Histogram,
        )

    def answered(self, collection: str, served_from: str, route: str, seconds: float) -> None:
        """Count one answered question."""
        self._questions[collection, served_from, route].inc()
        self._seconds[(route,)].observe(seconds)

    def answers_of(self, collection: str) -> AnswerCounts:
        """Return how the questions of a collection were answered: what Prometheus reads, added up.

        Args:
            collection: its name.
        """
        counts = {"hits": 0, "rollups": 0, "misses": 0, "hot_hits": 0}
        for family in self._answers.collect():
            for sample in family.samples:
                of_questions = sample.name.endswith("_total")
                if of_questions and sample.labels["collection"] == collection:
                    served_from, route = sample.labels["served_from"], sample.labels["route"]
                    counts[_count_of(served_from, route)] += int(sample.value)
        return AnswerCounts(**counts)

    def refused(self, surface: str, code: str) -> None:
        """Count one refused call."""
        self._refusals[surface, code].inc()

    def shadowed(self, collection: str, outcome: str) -> None:
        """Count one answer that was chosen to be asked again: `same`, `mismatch`, `skipped`, ..."""
        self._shadows[collection, str(outcome)].inc()

    def statement(self, kind: str, seconds: float) -> None:
        """Count one statement of the database: `query`, `stream`, or `look` for a fact of it."""
        self._statements[(kind,)].observe(seconds)


def _count_of(served_from: str, route: str) -> str:
    """Return which of the fields of `AnswerCounts` some labels count for."""
    if route == HOT:
        return "hot_hits"
    if served_from != ServedFrom.ENGINE_CACHE:
        return "misses"
    return "hits" if route == Route.EXACT else "rollups"


def route_of(routes: Iterable[str], *, streamed: bool) -> str:
    """Return the one word for the routes of an answer's parts.

    >>> route_of(["exact", "exact"], streamed=False), route_of([], streamed=False)
    ('exact', 'exact')
    >>> route_of(["exact", "backend"], streamed=False), route_of(["backend"], streamed=True)
    ('mixed', 'streamed')
    """
    if streamed:
        return STREAMED
    distinct = set(routes)
    if len(distinct) > 1:
        return MIXED
    return distinct.pop() if distinct else "exact"
