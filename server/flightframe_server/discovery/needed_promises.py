"""Which promises the verdicts on some metrics at some levels rest on.

What comes in: families, and levels of an anchor. What goes out: the keys of promises, for the data
to be held against before anything is told. It must never leave out one that a query there needs:
what was not looked at would be told as if it held.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress

from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.discovery.metric_terms import MetricTerms, reducers_of, terms_of
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError
from flightframe_server.planner.source import column_reads, metric_columns, read_level
from flightframe_server.planner.violations import promises
from flightframe_server.resolver.legality import filter_levels
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.terms import Metric, metrics_of, nested_of
from flightframe_server.resolver.typed import TypedCollection

Anchors = dict[tuple[str, frozenset[str]], frozenset[str]]
"""The promises by which the rows of a schema come to some levels, of one request."""


class NeededPromises:
    """The promises of one typed collection. Threads may share it.

    Those of a schema's level are found once, and so are those of a family at every level; what
    depends on the levels of one request is not kept.

    Args:
        terms: what the families mean.
    """

    def __init__(self, terms: MetricTerms) -> None:
        """Know nothing yet; see the class."""
        self.typed, self._terms = terms.typed, terms
        self._every_level = tuple(self.typed.graph.level_names)
        self._levels: dict[tuple[str, str], frozenset[str]] = {}
        self._families: dict[str, frozenset[str]] = {}

    def of(self, families: Iterable[MetricFamily], levels: Iterable[str]) -> frozenset[str]:
        """Return the keys of what verdicts on these families at these levels rest on.

        Args:
            families: metric families; each is asked under each of its reducers.
            levels: levels, each asked with those that a family requires beside it.
        """
        level_names = tuple(levels)
        anchors: Anchors = {}
        if level_names != self._every_level:
            found = (self._of_family(family, level_names, anchors) for family in families)
            return frozenset().union(*found)
        keys: set[str] = set()
        for family in families:
            if family.name not in self._families:
                self._families[family.name] = self._of_family(family, level_names, anchors)
            keys |= self._families[family.name]
        return frozenset(keys)

    def _of_family(
        self, family: MetricFamily, levels: tuple[str, ...], anchors: Anchors
    ) -> frozenset[str]:
        keys: set[str] = set()
        for reducer in reducers_of(family):
            for metric, anchor in self._needs(family, reducer, levels):
                keys |= self._of_metric(metric, anchor, anchors)
        return frozenset(keys)

    def _needs(
        self, family: MetricFamily, reducer: str, levels: tuple[str, ...]
    ) -> Iterator[tuple[Metric, Iterable[str]]]:
        """Yield each metric that a family is computed from, and the levels it is asked at."""
        term = self._terms.term(family, reducer)
        required = self._terms.required(family, reducer)
        if not nested_of(term):
            for metric in metrics_of(term):
                yield metric, {*levels, *required}
            return
        for level in levels:
            # A level that it may not be asked at needs nothing of the data.
            with suppress(FlightframeError):
                for need in needs_of(term, tuple(sorted({level, *required})), ()):
                    yield need.metric, need.anchor

    def _of_metric(self, metric: Metric, levels: Iterable[str], anchors: Anchors) -> frozenset[str]:
        columns = column_reads(self.typed, metric.schema, sorted(metric_columns(metric)))
        own = frozenset(key for key, _ in promises(self.typed, metric, (), columns))
        key = (metric.schema, frozenset((*levels, *filter_levels(metric))))
        if key not in anchors:
            reached = self.typed.graph.reachable(metric.schema)
            read = [one for one in self.typed.base_levels(key[1]) if one in reached]
            anchors[key] = frozenset().union(*(self._of_level(metric, one) for one in read))
        return own | anchors[key]

    def _of_level(self, metric: Metric, level: str) -> frozenset[str]:
        """Return the promises by which the rows of a metric's schema come to a level."""
        key = (metric.schema, level)
        if key not in self._levels:
            read = read_level(self.typed, metric.schema, level)
            columns = column_reads(self.typed, metric.schema, (read.column,))
            needed = promises(self.typed, metric, (read,), columns)
            self._levels[key] = frozenset(name for name, _ in needed)
        return self._levels[key]


def needed_promises_of(engine: MetricEngine, typed: TypedCollection) -> NeededPromises:
    """Return an engine's promises, kept for as long as the engine and its types."""
    with _LOCK:
        kept = _KEPT.get(engine)
        if kept is None or kept.typed is not typed:
            kept = _KEPT[engine] = NeededPromises(terms_of(engine, typed))
        return kept


_LOCK = threading.Lock()
_KEPT: weakref.WeakKeyDictionary[MetricEngine, NeededPromises] = weakref.WeakKeyDictionary()
