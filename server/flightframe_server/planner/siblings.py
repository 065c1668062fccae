"""Which table a family's numbers are read from: its root, or a cheaper sibling attested equal.

What comes in: a metric that has to be fetched, and what was attested. What goes out: the metric as
it is read. It must never change the metric's identity: there is one number for each family,
whatever table it was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
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
) -> Metric:
    """Return the metric as it is cheapest to read: itself, or re-rooted in an attested sibling."""
    rows = conditions.statistics.rows
    best, least = metric, rows.get(typed.schema(metric.schema).table)
    if least is None:
        return metric
    wanted = {*anchor, *(level for part in filters for level in levels_of(part))}
    for sibling in usable_siblings(typed, conditions.siblings, metric):
        size = rows.get(typed.schema(sibling.schema).table)
        if size is not None and size < least and _reaches(typed, metric, sibling, wanted):
            best, least = sibling_metric(typed, metric, sibling), size
    return best


def usable_siblings(
    typed: TypedCollection, attested: Mapping[tuple[str, str], str | None], metric: Metric
) -> list[Sibling]:
    """Return the siblings that hold this very metric, attested equal on the current data."""
    family = typed.collection.metric_families.get(metric.family)
    if family is None or not isinstance(family.meaning, RootedMetric):
        return []
    found = [
        sibling
        for sibling in family.meaning.siblings
        if sibling.operator == metric.operator.name
        and attested.get((family.name, sibling.schema), "unknown") is None
    ]
    if not found or metric.snapshot is not None or metric.order:
        return []
    own = root_metric(typed, family, family.meaning, metric.operator.name)
    return found if own.filter == metric.filter else []


def _reaches(typed: TypedCollection, metric: Metric, sibling: Sibling, wanted: set[str]) -> bool:
    """Whether each level is had from the sibling's grain along the very edges the root takes."""
    grain = set(typed.schema(sibling.schema).grain)
    for level in wanted:
        path = typed.graph.schema_path(sibling.schema, level)
        if path is None or (path[0].source if path else level) not in grain:
            return False
        taken = typed.graph.schema_path(metric.schema, level) or ()
        if path and taken[-len(path) :] != path:
            return False
    return True
