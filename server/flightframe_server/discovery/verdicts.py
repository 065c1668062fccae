"""Whether a metric may be asked at an anchor, found once for all metrics that the rules see alike.

What comes in: a typed collection, what its data break, metrics and anchors. What goes out: the
refusals of the resolver and of the data, shared by metrics that differ in nothing the rules look
at. It must never have a rule of its own: each refusal is that of the rule itself, asked about a
metric that stands for its like and whose name is filled in afterwards.

The rules look at a metric's schema, filter, blocked families and order, at a level that it counts,
and at columns that are fetched from elsewhere; hundreds of metrics share these. Of most levels the
schema alone decides: its rows do not reach them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.algebra.types import INTEGER
from flightframe_server.errors import FlightframeError
from flightframe_server.planner.source import (
    FetchedRead,
    column_reads,
    metric_columns,
    metric_reads,
    read_level,
)
from flightframe_server.planner.violations import check_promises, promises
from flightframe_server.resolver.legality import check_metric, check_reach, filter_levels
from flightframe_server.resolver.terms import LevelTerm, Metric
from flightframe_server.resolver.typed import TypedCollection

CALLED, FAMILY = "\0called\0", "\0family\0"
"""What stands in a shared refusal for what a metric is called, and for its family's name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a metric may not be asked at an anchor: a code, and words that its names are put in."""

    code: str
    words: str

    def about(self, metric: Metric) -> str:
        """Return the words about one metric."""
        return self.words.replace(CALLED, metric.called).replace(FAMILY, metric.family)


class Verdicts:
    """The refusals of one typed collection on one state of its data, each found once.

    Args:
        typed: the collection.
        violations: the promises that its data break, by key, with the row that shows it.
    """

    def __init__(self, typed: TypedCollection, violations: Mapping[str, str]) -> None:
        """Know nothing yet; see the class."""
        self.typed, self.violations = typed, violations
        self._unreached: dict[tuple[str, tuple[str, ...]], tuple[Refusal | None, ...]] = {}
        self._refusals: dict[tuple[Metric, tuple[str, ...]], tuple[Refusal | None, ...]] = {}
        self._broken: dict[tuple[str, Domain], frozenset[str]] = {}
        self._fetches: dict[tuple[str, str], bool] = {}

    def refusals(self, metric: Metric, required: tuple[str, ...]) -> tuple[Refusal | None, ...]:
        """Return for each level of the collection, in order, why a metric is refused there.

        Args:
            metric: the metric.
            required: levels that stand in the anchor beside each.
        """
        like = self.like(metric)
        key = (like, required)
        if key not in self._refusals:
            self._refusals[key] = self._refusal_at_each(like, required)
        return self._refusals[key]

    def like(self, metric: Metric) -> Metric:
        """Return the metric without what no rule looks at, so that it stands for all like it."""
        counts = isinstance(metric.argument, LevelTerm)
        return replace(
            metric,
            family=FAMILY,
            display_name=CALLED,
            operator=Operator(metric.operator.name if metric.order else "SUM"),
            argument=metric.argument if counts or self._reads_fetched(metric) else None,
            type=INTEGER,
            fill=None,
        )

    def _refusal_at_each(
        self, like: Metric, required: tuple[str, ...]
    ) -> tuple[Refusal | None, ...]:
        unreached = self._beyond_reach(like.schema, required)
        names = self.typed.graph.level_names
        broken = self._broken_levels(like) if self.violations else frozenset()
        always = bool(self.violations) and (
            self._reads_fetched(like) or not broken.isdisjoint({*required, *filter_levels(like)})
        )
        if not (like.blocks or like.order or always):
            # No rule but that of reach looks at the anchor, and that one has been asked.
            anywhere = self._refusal(like, (), {})
            return tuple(
                refusal or (self._at(like, level, required, True) if level in broken else anywhere)
                for level, refusal in zip(names, unreached, strict=True)
            )
        return tuple(
            refusal or self._at(like, level, required, always or level in broken)
            for level, refusal in zip(names, unreached, strict=True)
        )

    def _at(
        self, like: Metric, level: str, required: tuple[str, ...], rests_on_broken: bool
    ) -> Refusal | None:
        violations = self.violations if rests_on_broken else {}
        return self._refusal(like, tuple(sorted({level, *required})), violations)

    def _beyond_reach(self, schema: str, required: tuple[str, ...]) -> tuple[Refusal | None, ...]:
        """Return for each level why the rows of a schema do not come to it, by the first rule."""
        if required and self._reach_refusal(schema, required) is None:
            required = ()  # The rule looks at each level by itself.
        key = (schema, required)
        if key not in self._unreached:
            self._unreached[key] = tuple(
                self._reach_refusal(schema, tuple(sorted({level, *required})))
                for level in self.typed.graph.level_names
            )
        return self._unreached[key]

    def _reach_refusal(self, schema: str, anchor: tuple[str, ...]) -> Refusal | None:
        try:
            check_reach(self.typed, schema, CALLED, anchor, ())
        except FlightframeError as error:
            return Refusal(error.code, error.message)
        return None

    def _refusal(
        self, like: Metric, anchor: tuple[str, ...], violations: Mapping[str, str]
    ) -> Refusal | None:
        try:
            check(self.typed, violations, like, anchor)
        except FlightframeError as error:
            return Refusal(error.code, error.message)
        return None

    def _broken_levels(self, like: Metric) -> frozenset[str]:
        """Return the levels to which rows of a schema come by something broken, if at all."""
        key = (like.schema, like.domain)
        if key not in self._broken:
            reached = self.typed.graph.reachable(like.schema)
            self._broken[key] = frozenset(level for level in reached if self._rests(like, level))
        return self._broken[key]

    def _rests(self, like: Metric, level: str) -> bool:
        """Whether what the rows of a schema need to come to a level, or at all, is broken."""
        read = read_level(self.typed, like.schema, level)
        columns = column_reads(self.typed, like.schema, (read.column,))
        needed = promises(self.typed, like, (read,), columns)
        return any(name in self.violations for name, _ in needed)

    def _reads_fetched(self, metric: Metric) -> bool:
        """Whether a metric reads a column that is fetched from elsewhere, which is a promise."""
        return any(self._is_fetched(metric.schema, name) for name in metric_columns(metric))

    def _is_fetched(self, schema: str, column: str) -> bool:
        key = (schema, column)
        if key not in self._fetches:
            reads = column_reads(self.typed, schema, (column,))
            self._fetches[key] = any(isinstance(read, FetchedRead) for read in reads)
        return self._fetches[key]


def check(
    typed: TypedCollection,
    violations: Mapping[str, str],
    metric: Metric,
    anchor: tuple[str, ...],
) -> None:
    """Refuse a metric at an anchor as a query would: by the collection's rules, then by the data.

    Raises:
        QueryError: the first rule that forbids it, or the row that breaks a promise.
    """
    check_metric(typed, metric, anchor, ())
    if violations:
        reads, columns = metric_reads(typed, metric, anchor)
        check_promises(typed, violations, frozenset(), metric, reads, columns)
