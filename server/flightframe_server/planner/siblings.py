"""Which table a family's numbers are read from: its root, or a cheaper sibling attested equal.

What comes in: a metric that has to be fetched, and what was attested. What goes out: the metric as
it is read. It must never change the metric's identity: there is one number for each family,
whatever table it was read from.
"""

from __future__ import annotations

from dataclasses import replace

from flightframe_server.catalog.collection import MetricFamily, RootedMetric, Sibling
from flightframe_server.language.syntax import Call, Name
from flightframe_server.planner.plan import Conditions
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.operators import REDUCERS
from flightframe_server.resolver.question import Metric
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import ColumnTerm, MetricTerm, Term, levels_of
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


def root_metric(
    typed: TypedCollection, family: MetricFamily, root: RootedMetric, operator: str
) -> Metric:
    """Return the metric of a family under one of its reducers, read from its root."""
    term = MetricNames(Scope(typed, Binding())).leaf(Call(operator, (Name((family.name,)),)))
    assert isinstance(term, MetricTerm)
    assert term.metric.schema == root.schema
    return term.metric


def sibling_metric(typed: TypedCollection, metric: Metric, sibling: Sibling) -> Metric:
    """Return a metric as it is read from a sibling."""
    held = typed.column_types[sibling.schema, sibling.column]
    argument = ColumnTerm(held, sibling.schema, sibling.column)
    type_ = REDUCERS[sibling.operator].type_of(held)
    return replace(metric, schema=sibling.schema, argument=argument, type=type_, filter=())


def read_as(
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
) -> tuple[Metric, tuple[str, ...]]:
    """Return the metric as it is cheapest to read, and why not from each other sibling.

    It is read as it is, or re-rooted in an attested sibling that has fewer rows.
    """
    best, passed_over = metric, []
    wanted = {*anchor, *(level for part in filters for level in levels_of(part))}
    for sibling in _siblings(typed, metric):
        reason = _unfit(typed, conditions, metric, sibling, wanted)
        if reason is None and _is_smaller(typed, conditions, sibling.schema, best.schema):
            best = sibling_metric(typed, metric, sibling)
        elif reason is None:
            reason = "it would do, and has no fewer rows"
        if reason is not None:
            passed_over.append(f"sibling {sibling.schema}: {reason}")
    return best, tuple(passed_over)


def _siblings(typed: TypedCollection, metric: Metric) -> tuple[Sibling, ...]:
    family = typed.collection.metric_families.get(metric.family)
    meaning = None if family is None else family.meaning
    return meaning.siblings if isinstance(meaning, RootedMetric) else ()


def _is_smaller(typed: TypedCollection, conditions: Conditions, schema: str, other: str) -> bool:
    sizes = [conditions.statistics.rows.get(typed.schema(name).table) for name in (schema, other)]
    known = [size for size in sizes if size is not None]
    return len(known) == len(sizes) and known[0] < known[1]


def _unfit(
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    sibling: Sibling,
    wanted: set[str],
) -> str | None:
    """Return why a sibling does not hold this very metric at these levels today, or None."""
    if sibling.operator != metric.operator.name:
        return f"it holds {sibling.operator} alone"
    differs = conditions.siblings.get((metric.family, sibling.schema), "it was never compared")
    if differs is not None:
        return f"it differs from the root: {differs}"
    if metric.snapshot is not None or metric.order or metric.filter != _own_filter(typed, metric):
        return "it holds the family as it is, and this takes some of its rows"
    lacking = _lacking(typed, metric, sibling, wanted)
    return None if lacking is None else f"it neither holds nor determines {lacking}"


def _own_filter(typed: TypedCollection, metric: Metric) -> tuple[Term, ...]:
    family = typed.collection.metric_families[metric.family]
    assert isinstance(family.meaning, RootedMetric)
    return root_metric(typed, family, family.meaning, metric.operator.name).filter


def _lacking(
    typed: TypedCollection, metric: Metric, sibling: Sibling, wanted: set[str]
) -> str | None:
    """Return a level not had from the sibling's grain along the very edges the root takes."""
    grain = set(typed.schema(sibling.schema).grain)
    for level in sorted(wanted):
        path = typed.graph.schema_path(sibling.schema, level)
        if path is None or (path[0].source if path else level) not in grain:
            return level
        taken = typed.graph.schema_path(metric.schema, level) or ()
        if path and taken[-len(path) :] != path:
            return level
    return None
