"""`make_plan`: the one decision procedure, a pure function over frozen conditions.

What comes in: a question, a typed collection, the conditions. What goes out: a plan, or the error
that says why there can be none. It must never do input or output: it is tested by the thousand and
printed by EXPLAIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from flightframe_server.algebra.reducers import POINTS, Domain, Operator
from flightframe_server.algebra.types import INTEGER
from flightframe_server.errors import NotCached, SiblingDiffers
from flightframe_server.planner.broken import (
    check_promises,
    rows_key,
    sibling_key,
    trusted_promises,
)
from flightframe_server.planner.capabilities import check_capable
from flightframe_server.planner.holdings import HeldEntry
from flightframe_server.planner.identity import EntryKey, Shelf, Version
from flightframe_server.planner.plan import (
    Conditions,
    Exact,
    Fetch,
    Part,
    Plan,
    Rollup,
    WhyNot,
    folded,
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
from flightframe_server.planner.told_filters import told_filter
from flightframe_server.resolver.question import Metric, Need, Question
from flightframe_server.resolver.terms import levels_of, nested_of, text
from flightframe_server.resolver.typed import TypedCollection

WHY_NOT_LIMIT = 20
LOOKED_AT = 100
"""Of the entries of other filters: so many may be told, and the rest is counted."""

Group = tuple[str, tuple[str, ...]]
"""A schema and a sorted anchor: what is read from the one at the other travels in one query."""


def make_plan(question: Question, typed: TypedCollection, conditions: Conditions) -> Plan:
    """Decide where each metric of a question comes from.

    Facts of the data that nobody has looked at yet are taken to be as promised, and named in the
    plan: whoever carries it out looks at them first, and plans again.

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
    return Metric(f"members({schema})", Operator(POINTS), schema, None, INTEGER, domain=Domain.QM)


def _plan_at(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    versions: Mapping[str, str | None],
) -> Plan:
    fetched: dict[Group, list[Metric]] = {}
    parts: list[Part] = []
    unattested: set[str] = set()
    for metric, anchor in _needs(question):
        unattested |= _check_source(question, conditions, metric)
        key = entry_key(typed, conditions.backend, question, metric, anchor)
        tables, trusted, lacking = _rests_on(question, typed, conditions, metric, anchor)
        unattested |= lacking
        found, rejected, aside = _from_cache(question, typed, conditions, metric, key, versions)
        how: Exact | Rollup | Fetch | None = found
        if how is None:
            able = conditions.capabilities
            check_capable(able, conditions.backend, typed, question, metric, anchor)
            reading = read_as(typed, conditions, metric, anchor, question.filter)
            read = reading.metric
            aside += reading.passed_over
            unattested |= reading.unattested
            tables |= {typed.schema(read.schema).table}
            group = (read.schema, anchor)
            fetched.setdefault(group, []).append(read)
            how = Fetch(list(fetched).index(group), read)
        parts.append(Part(metric, key, version_of(versions, tables), how, rejected, aside, trusted))
    if fetched and conditions.freshness.only_if_cached:
        absent = next(part for part in parts if isinstance(part.how, Fetch))
        raise NotCached(
            f"{absent.metric.called} is not in the cache at this anchor",
            hint=str(absent.why_not[0]) if absent.why_not else "nothing of it is in the cache",
        )
    queries = _queries(question, typed, fetched)
    large, lacking = _is_surely_large(question, typed, conditions, parts)
    plan = Plan(question, tuple(parts), queries, None, frozenset(unattested | lacking))
    if not queries or not large or _is_nested(question):
        return plan
    return replace(plan, stream=frame_query(question, _all_sources(question, typed, plan)))


def whole_plan(question: Question, typed: TypedCollection, plan: Plan) -> Plan | None:
    """Return the plan that asks the back-end for everything in one query.

    None where no one query can: reducers over cells are composed by us.
    """
    if not can_stream(plan):
        return None
    order = list(dict.fromkeys(part.metric.schema for part in plan.parts))
    parts = tuple(
        replace(part, how=Fetch(order.index(part.metric.schema), part.metric))
        for part in plan.parts
    )
    sources = _all_sources(question, typed, plan)
    return replace(plan, parts=parts, queries=sources, stream=frame_query(question, sources))


def can_stream(plan: Plan) -> bool:
    """Whether the back-end can be asked for the whole frame of a plan in one query."""
    return not _is_nested(plan.question)


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


def _check_source(question: Question, conditions: Conditions, metric: Metric) -> frozenset[str]:
    """Refuse a FROM that names a sibling which differs from the root; return what is not known."""
    if question.source is None or question.source == metric.schema:
        return frozenset()
    lacking = conditions.unattested & {sibling_key(metric.family, question.source)}
    if lacking:
        return lacking
    difference = conditions.siblings.get((metric.family, question.source), "it was never compared")
    if difference is not None:
        raise SiblingDiffers(
            f"{question.source} does not hold {metric} as its root does: {difference}",
            hint=f"leave FROM out, or name {metric.schema}",
        )
    return frozenset()


def _rests_on(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    metric: Metric,
    anchor: tuple[str, ...],
) -> tuple[set[str], tuple[str, ...], frozenset[str]]:
    """Return every table the metric depends on, the promises that it trusts, and the unattested.

    Raises:
        FDViolation: the data breaks a promise that it needs kept; or `AmbiguousPath`.
    """
    filtered = {level for part in question.filter for level in levels_of(part)}
    reads, columns = metric_reads(typed, metric, {*anchor, *filtered})
    lacking = check_promises(
        typed, conditions.withdrawn, conditions.unattested, metric, reads, columns
    )
    tables = {typed.schema(metric.schema).table, *tables_of(reads), *fetched_tables(columns)}
    return tables, trusted_promises(typed, metric, reads, columns), lacking


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
    for entry in conditions.holdings.within(key.shelf, key.filter):
        verdict = judge(typed, target, entry)
        if isinstance(verdict, Exact):
            return verdict, (), ()
        if isinstance(verdict, Rollup):
            fit.append(verdict)
        else:
            rejected.append(_why_not(target, entry, verdict))
    fit.sort(key=_cost)
    rejected += [_dearer(target, other.entry, fit[0].entry) for other in fit[1:]]
    others = conditions.holdings.beyond(key.shelf, key.filter)
    for entry in islice(others, LOOKED_AT):
        # One of another filter fails by that rule at the latest.
        rejected.append(_why_not(target, entry, str(judge(typed, target, entry))))
    told = folded(rejected)
    aside = () if told or fit else ("the cache: it holds nothing of this family and reducer",)
    if unsaid := sum(more.entries for more in told[WHY_NOT_LIMIT:]) + sum(1 for _ in others):
        aside = (f"{unsaid} entries more",)
    return (fit[0] if fit else None), told[:WHY_NOT_LIMIT], aside


def _dearer(target: Target, other: HeldEntry, chosen: HeldEntry) -> WhyNot:
    rule = "it would do, and has more rows"
    if other.rows == chosen.rows:
        rule = "it would do, and has no fewer rows"
    return _why_not(target, other, rule)


def _why_not(target: Target, entry: HeldEntry, rule: str) -> WhyNot:
    """Return what a reader is told of an entry: of its filter, no value that is not theirs."""
    return WhyNot(entry.key.anchor, told_filter(entry.key.filter, target.key.filter), rule)


def _cost(rollup: Rollup) -> tuple[int, int, tuple[str, ...], tuple[str, ...]]:
    key = rollup.entry.key
    return rollup.entry.rows, len(key.anchor), key.anchor, key.filter


def _is_surely_large(
    question: Question, typed: TypedCollection, conditions: Conditions, parts: list[Part]
) -> tuple[bool, frozenset[str]]:
    """Return whether the frame has more rows than are collected, and the sizes not known yet.

    Sure is it only of a frame that has a row for every row of a table: at its very grain, with
    nothing filtered. What other frames hold is found out when they come.
    """
    if question.filter or conditions.stream_rows < 0:
        return conditions.stream_rows < 0, frozenset()
    tables = {
        typed.schema(part.metric.schema).table
        for part in parts
        if isinstance(part.how, Fetch)
        and set(typed.schema(part.metric.schema).grain) <= set(question.anchor)
    }
    large = any(conditions.rows.get(table, 0) > conditions.stream_rows for table in tables)
    return large, conditions.unattested & frozenset(map(rows_key, tables))


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
    # Edge maps are of the data now; climbing an older entry with them would mix two versions. What
    # an entry rests on was attested on the version it was made from.
    unmapped = replace(asked, mapped=frozenset(), withdrawn={}, unattested=frozenset())
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
