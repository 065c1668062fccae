"""Where a metric may be asked, and by which reducers: legality read the other way round.

What comes in: a metric family. What goes out: the reducers that it answers to, and for each the
levels that may stand in its anchor and those that must. It must never have rules of its own: a
reducer is allowed where the resolver takes it, and an anchor where `legality` would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS
from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousReducer, QueryError
from flightframe_server.language.syntax import Call, Expression, Literal, LiteralKind, Name
from flightframe_server.resolver.legality import is_finer
from flightframe_server.resolver.metrics import MetricNames, default_operator
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Metric, Term, nested_of
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class MetricAnchors:
    """Where a metric may be asked.

    Attributes:
        levels: the levels that may stand in its anchor.
        required: those that must be in the anchor, determined by it, or pinned by WHERE.
    """

    levels: tuple[str, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllowedReducer:
    """One reducer that a family answers to.

    Attributes:
        operator: its name.
        type: of its values.
        default: whether the family's bare name means it.
        blocks: the dimension families over which it may not aggregate.
        anchors: where it may be asked.
    """

    operator: str
    type: DataType
    default: bool
    blocks: tuple[str, ...]
    anchors: MetricAnchors


def family_term(typed: TypedCollection, family: str) -> Term:
    """Return what a family's name means alone.

    Raises:
        AmbiguousReducer: it has no default.
        QueryError: its formula has no meaning.
    """
    return MetricNames(Scope(typed, Binding())).leaf(Name((family,)))


def family_type(typed: TypedCollection, family: str) -> DataType | None:
    """Return the type of a family's name alone; None where it means nothing."""
    try:
        return family_term(typed, family).type
    except QueryError:
        return None


def metric_anchors(typed: TypedCollection, family: str) -> MetricAnchors:
    """Return where a family's bare name may be asked; raises as `family_term`."""
    return anchors_of(typed, family_term(typed, family))


def anchors_of(typed: TypedCollection, term: Term) -> MetricAnchors:
    """Return where a term over metrics may be asked, by the catalogue alone."""
    metrics = tuple(dict.fromkeys(need.metric for need in needs_of(term, (), ())))
    reached = [typed.graph.reachable(metric.schema) for metric in metrics]
    levels = sorted(frozenset.intersection(*reached)) if reached else []
    cells = tuple(nested_of(term))
    levels = [level for level in levels if all(is_finer(typed, x, (level,)) for x in cells)]
    return MetricAnchors(tuple(levels), required_levels(typed, term))


def required_levels(typed: TypedCollection, term: Term) -> tuple[str, ...]:
    """Return the levels that a term over metrics cannot be asked without, sorted."""
    metrics = dict.fromkeys(need.metric for need in needs_of(term, (), ()))
    return tuple(sorted({level for metric in metrics for level in _required(typed, metric)}))


def allowed_reducers(typed: TypedCollection, family: MetricFamily) -> tuple[AllowedReducer, ...]:
    """Return the reducers that a rooted family answers to; none for a derived one."""
    if not isinstance(family.meaning, RootedMetric):
        return ()
    try:
        default = default_operator(family, family.meaning)
    except AmbiguousReducer:
        default = ""
    names = MetricNames(Scope(typed, Binding()))
    reducers = []
    for name in REDUCER_NAMES:
        try:
            term = names.leaf(Call(name, _arguments(name, family.name)))
        except QueryError:
            continue
        metrics = [need.metric for need in needs_of(term, (), ())]
        blocks = tuple(dict.fromkeys(block for metric in metrics for block in metric.blocks))
        reducers.append(
            AllowedReducer(name, term.type, name == default, blocks, anchors_of(typed, term))
        )
    return tuple(reducers)


def _arguments(reducer: str, family: str) -> tuple[Expression, ...]:
    subject = Name((family,))
    if REDUCERS[reducer].parameter:
        return subject, Literal(Decimal("0.5"), LiteralKind.DECIMAL)
    return (subject,)


def _required(typed: TypedCollection, metric: Metric) -> Iterator[str]:
    """Yield the levels that `legality` wants settled: blocked ones, and the grain of an order."""
    for level in typed.graph.own_levels(metric.schema):
        if typed.graph.family_of(level) in metric.blocks:
            yield level
    if metric.order:
        order = {term.level for term in metric.order}
        for written in typed.schema(metric.schema).grain:
            level = typed.graph.find(written) or written
            if not typed.graph.settled(metric.schema, level, order):
                yield level
