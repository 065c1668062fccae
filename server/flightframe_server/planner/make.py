"""`make_plan`: the one decision procedure, a pure function over frozen conditions.

What comes in: a question, a typed collection, the conditions. What goes out: a plan, or the error
that says why there can be none. It must never do input or output: it is tested by the thousand and
printed by EXPLAIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flightframe_server.catalog.types import INTEGER
from flightframe_server.errors import NotCached, NotSupported, SiblingDiffers
from flightframe_server.planner.broken import check_promises
from flightframe_server.planner.identity import Domain, EntryKey, Operator, Shelf, Version
from flightframe_server.planner.plan import (
    Conditions,
    Exact,
    Fetch,
    Part,
    Plan,
    Rollup,
    WhyNot,
)
from flightframe_server.planner.rollup import Target, judge
from flightframe_server.planner.siblings import read_as
from flightframe_server.planner.source import (
    SourceQuery,
    fetched_tables,
    frame_query,
    metric_reads,
    source_query,
    tables_of,
)
from flightframe_server.resolver.question import Metric, Need, Question
from flightframe_server.resolver.terms import levels_of, nested_of, text
from flightframe_server.resolver.typed import TypedCollection

WHY_NOT_LIMIT = 20

Group = tuple[str, tuple[str, ...]]
"""A schema and a sorted anchor: what is read from the one at the other travels in one query."""


def make_plan(question: Question, typed: TypedCollection, conditions: Conditions) -> Plan:
    """Decide where each metric of a question comes from.

    Raises:
        FDViolation: the data breaks an edge that the answer needs.
        NotCached: `only_if_cached` was asked and some part would need the back-end.
    """
    if conditions.freshness.max_staleness is not None:
        older = _older_plan(question, typed, conditions)
        if older is not None:
            return older
    return _plan_at(question, typed, conditions, conditions.versions)


def members_metric(schema: str) -> Metric:
    """Return the metric that lists the realised points of a schema."""
    return Metric(
        f"members({schema})", Operator("MEMBERS"), schema, None, INTEGER, domain=Domain.QM
    )


def _plan_at(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    versions: Mapping[str, str | None],
) -> Plan:
    fetched: dict[Group, list[Metric]] = {}
    parts: list[Part] = []
    for metric, anchor in _needs(question):
        _check_source(question, conditions, metric)
        key = entry_key(typed, conditions.backend, question, metric, anchor)
        tables = _tables(question, typed, conditions, metric, anchor)
        found, rejected, aside = _from_cache(question, typed, conditions, metric, key, versions)
        how: Exact | Rollup | Fetch | None = found
        if how is None:
            _check_capable(conditions, metric)
            read, passed_over = read_as(typed, conditions, metric, anchor, question.filter)
            aside += passed_over
            tables |= {typed.schema(read.schema).table}
            group = (read.schema, anchor)
            fetched.setdefault(group, []).append(read)
            how = Fetch(list(fetched).index(group), read)
        parts.append(Part(metric, key, version_of(versions, tables), how, rejected, aside))
    if fetched and conditions.freshness.only_if_cached:
        lacking = next(part for part in parts if isinstance(part.how, Fetch))
        raise NotCached(
            f"{lacking.metric} is not in the cache at this anchor",
            hint=str(lacking.why_not[0]) if lacking.why_not else "nothing of it is in the cache",
        )
    queries = _queries(question, typed, fetched)
    estimated = _estimate(typed, conditions, parts)
    plan = Plan(question, tuple(parts), queries, None, estimated)
    if not queries or estimated is None or estimated <= conditions.stream_rows:
        return plan
    if _is_nested(question):
        return plan
    return replace(plan, stream=frame_query(question, _all_sources(question, typed, plan)))


def whole_plan(question: Question, typed: TypedCollection, plan: Plan) -> Plan | None:
    """Return the plan that asks the back-end for everything in one query.

    None where no one query can: reducers over cells are composed by us.
    """
    if _is_nested(question):
        return None
    order = list(dict.fromkeys(part.metric.schema for part in plan.parts))
    parts = tuple(
        replace(part, how=Fetch(order.index(part.metric.schema), part.metric))
        for part in plan.parts
    )
    sources = _all_sources(question, typed, plan)
    return replace(plan, parts=parts, queries=sources, stream=frame_query(question, sources))


def _is_nested(question: Question) -> bool:
    return any(nested_of(term) for term in question.terms)


def _needs(question: Question) -> tuple[Need, ...]:
    """Return every metric with its sorted anchor; what makes the points of the answer first."""
    if question.members_of is None:
        return question.needs
    listed = members_metric(question.members_of), tuple(sorted(question.anchor))
    return (listed, *question.needs)


def _all_sources(question: Question, typed: TypedCollection, plan: Plan) -> tuple[SourceQuery, ...]:
    groups: dict[Group, list[Metric]] = {}
    for part in plan.parts:
        groups.setdefault((part.metric.schema, part.key.anchor), []).append(part.metric)
    return _queries(question, typed, groups)


def _queries(
    question: Question, typed: TypedCollection, groups: Mapping[Group, list[Metric]]
) -> tuple[SourceQuery, ...]:
    return tuple(
        source_query(typed, schema, anchor, question.filter, tuple(wanted))
        for (schema, anchor), wanted in groups.items()
    )


def entry_key(
    typed: TypedCollection,
    backend: str,
    question: Question,
    metric: Metric,
    anchor: tuple[str, ...],
) -> EntryKey:
    """Return the identity of a metric at a sorted anchor under a question's filter."""
    shelf = Shelf(
        typed.collection.content_hash, backend, metric.domain, metric.identity, metric.operator
    )
    texts = tuple(sorted(text(part) for part in question.filter))
    return EntryKey(shelf, anchor, texts)


def version_of(versions: Mapping[str, str | None], tables: set[str]) -> Version | None:
    """Return the version vector over some tables, or None where a fingerprint is unknown."""
    found: list[tuple[str, str]] = []
    for table in sorted(tables):
        fingerprint = versions.get(table)
        if fingerprint is None:
            return None
        found.append((table, fingerprint))
    return tuple(found)


def _check_source(question: Question, conditions: Conditions, metric: Metric) -> None:
    """Refuse a FROM that names a sibling which differs from the root today."""
    if question.source is None or question.source == metric.schema:
        return
    difference = conditions.siblings.get((metric.family, question.source), "it was never compared")
    if difference is not None:
        raise SiblingDiffers(
            f"{question.source} does not hold {metric} as its root does: {difference}",
            hint=f"leave FROM out, or name {metric.schema}",
        )


def _check_capable(conditions: Conditions, metric: Metric) -> None:
    """Refuse, before anything runs, a reducer that the back-end does not compute."""
    if conditions.reducers is not None and metric.operator.name not in conditions.reducers:
        raise NotSupported(
            f"{metric.operator.name} is not computed by the back-end {conditions.backend}"
        )


def _tables(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    anchor: tuple[str, ...],
) -> set[str]:
    """Return every table the metric depends on; raises `FDViolation` for a broken promise."""
    filtered = {level for part in question.filter for level in levels_of(part)}
    reads, columns = metric_reads(typed, metric, {*anchor, *filtered})
    check_promises(conditions.withdrawn, metric, reads, columns)
    return {typed.schema(metric.schema).table, *tables_of(reads), *fetched_tables(columns)}


def _from_cache(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    key: EntryKey,
    versions: Mapping[str, str | None],
) -> tuple[Exact | Rollup | None, tuple[WhyNot, ...], tuple[str, ...]]:
    """Return the entry that answers, the rule that each other failed, and what else is to say."""
    if not conditions.enabled:
        return None, (), ("the cache: the engine is off and remembers nothing",)
    if conditions.freshness.no_cache:
        return None, (), ("the cache: the request says no_cache",)
    target = Target(
        metric,
        key,
        question.filter,
        versions,
        conditions.withdrawn,
        conditions.versions,
        conditions.mapped,
    )
    fit: list[Rollup] = []
    rejected: list[WhyNot] = []
    held = conditions.holdings.on(key.shelf)
    for entry in held:
        verdict = judge(typed, target, entry)
        if isinstance(verdict, Exact):
            return verdict, (), ()
        if isinstance(verdict, Rollup):
            fit.append(verdict)
        else:
            rejected.append(WhyNot(entry.key.anchor, entry.key.filter, verdict))
    fit.sort(key=_cost)
    rejected += [_dearer(other, fit[0]) for other in fit[1:]]
    aside = () if held else ("the cache: it holds nothing of this family and reducer",)
    if len(rejected) > WHY_NOT_LIMIT:
        aside = (f"{len(rejected) - WHY_NOT_LIMIT} entries more",)
    return (fit[0] if fit else None), tuple(rejected[:WHY_NOT_LIMIT]), aside


def _dearer(other: Rollup, chosen: Rollup) -> WhyNot:
    rule = "it would do, and has more rows"
    if other.entry.rows == chosen.entry.rows:
        rule = "it would do, and has no fewer rows"
    return WhyNot(other.entry.key.anchor, other.entry.key.filter, rule)


def _cost(rollup: Rollup) -> tuple[int, int, tuple[str, ...], tuple[str, ...]]:
    key = rollup.entry.key
    return rollup.entry.rows, len(key.anchor), key.anchor, key.filter


def _estimate(typed: TypedCollection, conditions: Conditions, parts: list[Part]) -> int | None:
    rows = 0
    for schema, anchor in dict.fromkeys((part.metric.schema, part.key.anchor) for part in parts):
        known = conditions.statistics.rows.get(typed.schema(schema).table)
        if known is None:
            return None
        points = 1
        for level in anchor:
            points *= conditions.statistics.members.get(level, known) + 1
        rows += min(known, points)
    return rows


def _older_plan(question: Question, typed: TypedCollection, conditions: Conditions) -> Plan | None:
    """Return a plan wholly from entries of one older version, young enough, or None."""
    limit = conditions.now - (conditions.freshness.max_staleness or 0.0)
    asked = replace(conditions, freshness=replace(conditions.freshness, only_if_cached=True))
    current = _attempt(question, typed, asked, conditions.versions)
    if current is not None:
        return current
    newest: dict[Version, float] = {}
    for metric, anchor in _needs(question):
        key = entry_key(typed, conditions.backend, question, metric, anchor)
        for entry in conditions.holdings.on(key.shelf):
            if entry.created >= limit:
                newest[entry.version] = max(entry.created, newest.get(entry.version, 0.0))
    # Edge maps are of the data now; climbing an older entry with them would mix two versions.
    unmapped = replace(asked, mapped=frozenset())
    for version in sorted(newest, key=lambda item: -newest[item]):
        plan = _attempt(question, typed, unmapped, {**conditions.versions, **dict(version)})
        if plan is not None and all(
            isinstance(part.how, Fetch) or part.how.entry.created >= limit for part in plan.parts
        ):
            return plan
    return None


def _attempt(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    versions: Mapping[str, str | None],
) -> Plan | None:
    try:
        return _plan_at(question, typed, conditions, versions)
    except NotCached:
        return None
