"""Where a metric may be asked, and why not elsewhere: by the catalogue, and by the data as it is.

What comes in: a typed collection, what its data break, and a metric family. What goes out: for each
of its reducers the levels of an anchor it may be asked at, and for every other level the rule or
the row that forbids it. It must never have rules of its own: a level is blocked when asking there
is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousReducer, FlightframeError
from flightframe_server.language.syntax import Call, Expression, Name
from flightframe_server.planner.source import metric_reads
from flightframe_server.planner.violations import check_promises
from flightframe_server.resolver.anchors import anchors_of
from flightframe_server.resolver.legality import check_metric, check_nested
from flightframe_server.resolver.metrics import MetricNames, default_operator
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Term
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class BlockedLevel:
    """A level at which a metric may not be asked: the code of the refusal, and its words."""

    level: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a metric family may be asked under one reducer.

    Attributes:
        reducer: the reducer; empty for a derived family, which has a formula instead.
        levels: the levels that may stand in an anchor, `required` beside them.
        required: those that must be in the anchor, determined by it, or pinned by WHERE.
        blocked: every other level, and why.
    """

    reducer: str
    levels: tuple[str, ...]
    required: tuple[str, ...]
    blocked: tuple[BlockedLevel, ...]


def availabilities(
    typed: TypedCollection, violations: Mapping[str, str], family: MetricFamily
) -> tuple[Availability, ...]:
    """Return where a family may be asked, its default reducer first.

    Args:
        typed: the collection.
        violations: the promises that its data break, by key, with the row that shows it.
        family: one of its metric families.
    """
    return tuple(_availability(typed, violations, family, reducer) for reducer in _reducers(family))


def _reducers(family: MetricFamily) -> tuple[str, ...]:
    if not isinstance(family.meaning, RootedMetric):
        return ("",)
    declared = [reducer.operator for reducer in family.meaning.reducers]
    with suppress(AmbiguousReducer):
        declared.insert(0, default_operator(family, family.meaning))
    return tuple(dict.fromkeys(declared))


def _availability(
    typed: TypedCollection, violations: Mapping[str, str], family: MetricFamily, reducer: str
) -> Availability:
    name: Expression = Name((family.name,))
    node = Call(reducer, (name,)) if reducer else name
    assert isinstance(node, Call | Name)
    term = MetricNames(Scope(typed, Binding())).leaf(node)
    required = anchors_of(typed, term).required
    levels: list[str] = []
    blocked: list[BlockedLevel] = []
    for level in typed.graph.level_names:
        try:
            _check(typed, violations, term, tuple(sorted({level, *required})))
        except FlightframeError as error:
            blocked.append(BlockedLevel(level, error.code, error.message))
        else:
            levels.append(level)
    return Availability(reducer, tuple(levels), required, tuple(blocked))


def _check(
    typed: TypedCollection, violations: Mapping[str, str], term: Term, anchor: tuple[str, ...]
) -> None:
    """Refuse an anchor as a query would: by the rules of the collection, then by the data."""
    for need in needs_of(term, anchor, ()):
        check_metric(typed, need.metric, need.anchor, ())
        reads, columns = metric_reads(typed, need.metric, need.anchor)
        check_promises(typed, violations, frozenset(), need.metric, reads, columns)
    check_nested(typed, term, anchor, ())
