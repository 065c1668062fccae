"""Counters and durations of one running installation, as Prometheus counts.

What comes in: one call for each answer, refusal and statement, from many threads. What goes out: a
registry that can be written as text. It must never hold a text of a user's, a filter or a value:
labels are names of the installation and codes of ours, so that their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

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
        self._questions = _Children(
            Counter(
                "flightframe_questions",
                "Answered questions: what they were served from, and by which route.",
                ("collection", "served_from", "route"),
                registry=self.registry,
            ),
            Counter,
        )
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

    def refused(self, surface: str, code: str) -> None:
        """Count one refused call."""
        self._refusals[surface, code].inc()

    def statement(self, kind: str, seconds: float) -> None:
        """Count one statement of the database: `query`, `stream`, or `look` for a fact of it."""
        self._statements[(kind,)].observe(seconds)


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
