"""Where a metric may be asked, and why not elsewhere: by the catalogue, and by the data as it is.

What comes in: a typed collection, what its data break, and a metric family. What goes out: for each
of its reducers the levels of an anchor it may be asked at, and for every other level the rule or
the row that forbids it. It must never have rules of its own: a level is blocked when asking there
is refused.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.discovery.metric_terms import MetricTerms, reducers_of, terms_of
from flightframe_server.discovery.verdicts import CALLED, FAMILY, Refusal, Verdicts, check
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError
from flightframe_server.resolver.legality import check_nested
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.terms import Metric, Term, metrics_of, nested_of
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class BlockedLevel:
    """A level at which a metric may not be asked: the code of the refusal, and its words."""

    level: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class AvailabilityPattern:
    """Where several metrics may be asked, alike but for their names.

    Attributes:
        levels: the levels that may stand in an anchor.
        blocked: every other level, and why, in words that names are put in.
    """

    levels: tuple[str, ...]
    blocked: tuple[BlockedLevel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """Where a metric family may be asked under one reducer.

    Attributes:
        reducer: the reducer; empty for a derived family, which has a formula instead.
        required: levels that must be in the anchor, determined by it, or pinned by WHERE.
        pattern: where it and its like may be asked.
        names: what stands in the words of the pattern, and what it stands for.
    """

    reducer: str
    required: tuple[str, ...]
    pattern: AvailabilityPattern
    names: tuple[tuple[str, str], ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that may stand in an anchor, `required` beside them."""
        return self.pattern.levels

    @property
    def blocked(self) -> tuple[BlockedLevel, ...]:
        """Every other level, and why."""
        return tuple(
            BlockedLevel(one.level, one.code, self._named(one.reason))
            for one in self.pattern.blocked
        )

    def _named(self, words: str) -> str:
        for mark, name in self.names:
            words = words.replace(mark, name)
        return words


class Availabilities:
    """Where the families of one typed collection may be asked, on one state of its data.

    What the rules say of one metric holds for its like, and is found once.
    """

    def __init__(
        self,
        typed: TypedCollection,
        violations: Mapping[str, str],
        terms: MetricTerms | None = None,
    ) -> None:
        """Know nothing yet.

        Args:
            typed: the collection.
            violations: the promises that its data break, by key, with the row that shows it.
            terms: what its families mean; None: found here.
        """
        self.typed, self.violations = typed, violations
        self.terms = terms if terms is not None else MetricTerms(typed)
        self._verdicts = Verdicts(typed, violations)
        self._patterns: dict[tuple[object, ...], AvailabilityPattern] = {}
        self._blocked: dict[tuple[str, Refusal], BlockedLevel] = {}
        self._availabilities: dict[str, tuple[Availability, ...]] = {}

    def of(self, family: MetricFamily) -> tuple[Availability, ...]:
        """Return where a family may be asked, its default reducer first."""
        per_reducer = self._availabilities.get(family.name)
        if per_reducer is None:
            per_reducer = tuple(self._availability(family, one) for one in reducers_of(family))
            self._availabilities[family.name] = per_reducer
        return per_reducer

    def _availability(self, family: MetricFamily, reducer: str) -> Availability:
        term = self.terms.term(family, reducer)
        required = self.terms.required(family, reducer)
        if nested_of(term):
            pattern = self._pattern(self._one_by_one(term, required))
            return Availability(reducer, required, pattern)
        metrics = metrics_of(term)
        alike = (tuple(self._verdicts.like(metric) for metric in metrics), required)
        if alike not in self._patterns:
            self._patterns[alike] = self._pattern(self._shared(metrics, required))
        return Availability(reducer, required, self._patterns[alike], _names_of(metrics))

    def _shared(
        self, metrics: tuple[Metric, ...], required: tuple[str, ...]
    ) -> Iterator[Refusal | None]:
        """Yield for each level the refusal of the first metric that is refused there."""
        every = [self._verdicts.refusals(metric, required) for metric in metrics]
        for refusals in zip(*every, strict=True):
            at = next((at for at, one in enumerate(refusals) if one is not None), 0)
            first = refusals[at]
            yield first if first is None or at == 0 else _marked(first, at)

    def _one_by_one(self, term: Term, required: tuple[str, ...]) -> Iterator[Refusal | None]:
        """Yield for each level the refusal of a term, asked there as a query asks."""
        for level in self.typed.graph.level_names:
            anchor = tuple(sorted({level, *required}))
            try:
                for need in needs_of(term, anchor, ()):
                    check(self.typed, self.violations, need.metric, need.anchor)
                check_nested(self.typed, term, anchor, ())
            except FlightframeError as error:
                yield Refusal(error.code, error.message)
            else:
                yield None

    def _pattern(self, refusals: Iterator[Refusal | None]) -> AvailabilityPattern:
        levels: list[str] = []
        blocked: list[BlockedLevel] = []
        for level, refusal in zip(self.typed.graph.level_names, refusals, strict=True):
            if refusal is None:
                levels.append(level)
            else:
                key = (level, refusal)
                if key not in self._blocked:
                    self._blocked[key] = BlockedLevel(level, refusal.code, refusal.words)
                blocked.append(self._blocked[key])
        return AvailabilityPattern(tuple(levels), tuple(blocked))


def availabilities(
    typed: TypedCollection, violations: Mapping[str, str], family: MetricFamily
) -> tuple[Availability, ...]:
    """Return where a family may be asked, its default reducer first.

    Args:
        typed: the collection.
        violations: the promises that its data break, by key, with the row that shows it.
        family: one of its metric families.
    """
    return Availabilities(typed, violations).of(family)


def availabilities_of(
    engine: MetricEngine, typed: TypedCollection, violations: Mapping[str, str]
) -> Availabilities:
    """Return where the families of an engine's collection may be asked.

    What was found before is kept for as long as the engine, its types and what its data break.
    """
    with _LOCK:
        kept = _KEPT.get(engine)
        if kept is None or kept.typed is not typed or kept.violations != violations:
            kept = Availabilities(typed, dict(violations), terms_of(engine, typed))
            _KEPT[engine] = kept
        return kept


_LOCK = threading.Lock()
_KEPT: weakref.WeakKeyDictionary[MetricEngine, Availabilities] = weakref.WeakKeyDictionary()


def _marked(refusal: Refusal, at: int) -> Refusal:
    """Return a refusal whose names are those of the metric at a place among several."""
    words = refusal.words.replace(CALLED, _mark(CALLED, at)).replace(FAMILY, _mark(FAMILY, at))
    return Refusal(refusal.code, words)


def _names_of(metrics: tuple[Metric, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        pair
        for at, metric in enumerate(metrics)
        for pair in ((_mark(CALLED, at), metric.called), (_mark(FAMILY, at), metric.family))
    )


def _mark(mark: str, at: int) -> str:
    return f"{mark[:-1]}{at}\0" if at else mark
