"""Which table a family's numbers are read from: its root, or a cheaper sibling attested equal.

What comes in: a metric that has to be fetched, and what was attested. What goes out: the metric as
it is read. It must never change the metric's identity: there is one number for each family,
whatever table it was read from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.catalog.collection import MetricFamily, RootedMetric, Sibling
from flightframe_server.language.syntax import Call, Name
from flightframe_server.planner.plan import Conditions
from flightframe_server.planner.source import SourceQuery, source_query
from flightframe_server.planner.violations import rows_key, sibling_key
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import ColumnTerm, Metric, MetricTerm, Term, levels_of
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
    column_type = typed.column_types[sibling.schema, sibling.column]
    argument = ColumnTerm(column_type, sibling.schema, sibling.column)
    type_ = REDUCERS[sibling.operator].type_of(column_type)
    return replace(metric, schema=sibling.schema, argument=argument, type=type_, filter=())


@dataclass(frozen=True, slots=True)
class Reading:
    """How a metric is read from the back-end.

    Attributes:
        metric: as it is, or re-rooted in an attested sibling that has fewer rows.
        passed_over: why not from each other sibling.
        unattested: keys of the facts that would have to be looked at to choose.
    """

    metric: Metric
    passed_over: tuple[str, ...] = ()
    unattested: frozenset[str] = frozenset()


def compared(
    typed: TypedCollection, family: MetricFamily, root: RootedMetric, sibling: Sibling
) -> tuple[SourceQuery, SourceQuery, str | None]:
    """Return what a sibling is compared by: the root and the sibling, both at its grain.

    Returns:
        The query over the root, the one over the sibling, and why they cannot be equal whatever
        they hold, or None.
    """
    grain = tuple(sorted(typed.schema(sibling.schema).grain))
    one = root_metric(typed, family, root, sibling.operator)
    other = sibling_metric(typed, one, sibling)
    unlike = None if other.type == one.type else f"it holds {other.type}, and the root {one.type}"
    detail = source_query(typed, root.schema, grain, (), (one,))
    return detail, source_query(typed, sibling.schema, grain, (), (other,)), unlike


def read_as(
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
) -> Reading:
    """Return the metric as it is cheapest to read, from its root where nothing else may be."""
    if conditions.freshness.no_siblings:
        return Reading(metric)
    best, passed_over, lacking = metric, [], set[str]()
    filtered = {level for part in filters for level in levels_of(part)}
    required = {*typed.base_levels(anchor), *filtered}
    for sibling in _siblings(typed, metric):
        reason = _unfit(typed, metric, sibling, required)
        if reason is None:
            unknown = _unknown(typed, conditions, metric, sibling)
            lacking |= unknown
            reason = _unequal(conditions, metric.family, sibling.schema)
            if reason is None and unknown:
                reason = "its rows are not counted yet"
        if reason is None and _is_smaller(typed, conditions, sibling.schema, best.schema):
            best = sibling_metric(typed, metric, sibling)
        elif reason is None:
            reason = "it would do, and has no fewer rows"
        if reason is not None:
            passed_over.append(f"sibling {sibling.schema}: {reason}")
    return Reading(best, tuple(passed_over), frozenset(lacking))


def _unequal(conditions: Conditions, family: str, schema: str) -> str | None:
    """Return why a sibling is not known to be equal to the root, or None."""
    if sibling_key(family, schema) in conditions.unattested:
        return "it is not compared with the root yet"
    if (family, schema) not in conditions.siblings:
        return "it was never compared with the root"
    difference = conditions.siblings[family, schema]
    return None if difference is None else f"it differs from the root: {difference}"


def _unknown(
    typed: TypedCollection, conditions: Conditions, metric: Metric, sibling: Sibling
) -> frozenset[str]:
    """Return the keys of what is not known yet of a sibling: whether it is equal, its size."""
    tables = (typed.schema(name).table for name in (sibling.schema, metric.schema))
    keys = {sibling_key(metric.family, sibling.schema), *map(rows_key, tables)}
    return conditions.unattested & keys


def _siblings(typed: TypedCollection, metric: Metric) -> tuple[Sibling, ...]:
    family = typed.collection.metric_families.get(metric.family)
    meaning = None if family is None else family.meaning
    return meaning.siblings if isinstance(meaning, RootedMetric) else ()


def _is_smaller(typed: TypedCollection, conditions: Conditions, schema: str, other: str) -> bool:
    sizes = [conditions.rows.get(typed.schema(name).table) for name in (schema, other)]
    known = [size for size in sizes if size is not None]
    return len(known) == len(sizes) and known[0] < known[1]


def _unfit(
    typed: TypedCollection, metric: Metric, sibling: Sibling, required: set[str]
) -> str | None:
    """Return why a sibling could not hold this very metric at these levels, or None."""
    if sibling.operator != metric.operator.name:
        return f"it holds {sibling.operator} alone"
    if metric.snapshot is not None or metric.order or metric.filter != _own_filter(typed, metric):
        return "it holds the family as it is, and this takes some of its rows"
    lacking = _lacking(typed, metric, sibling, required)
    return None if lacking is None else f"it neither holds nor determines {lacking}"


def _own_filter(typed: TypedCollection, metric: Metric) -> tuple[Term, ...]:
    family = typed.collection.metric_families[metric.family]
    assert isinstance(family.meaning, RootedMetric)
    return root_metric(typed, family, family.meaning, metric.operator.name).filter


def _lacking(
    typed: TypedCollection, metric: Metric, sibling: Sibling, required: set[str]
) -> str | None:
    """Return a level not had from the sibling's grain along the very edges the root takes."""
    grain = set(typed.schema(sibling.schema).grain)
    for level in sorted(required):
        path = typed.graph.schema_path(sibling.schema, level)
        if path is None or (path[0].source if path else level) not in grain:
            return level
        root_path = typed.graph.schema_path(metric.schema, level) or ()
        if path and root_path[-len(path) :] != path:
            return level
    return None
