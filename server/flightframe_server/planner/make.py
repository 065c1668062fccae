"""`make_plan`: the one decision procedure, a pure function over frozen conditions.

What comes in: a question, a typed collection, the conditions. What goes out: a plan, or the error
that says why there can be none. It must never do input or output: it is tested by the thousand and
printed by EXPLAIN. Whatever it decides, the answer is the same (law 1, docs/laws.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flightframe_server.errors import NotCached
from flightframe_server.planner.holdings import Holdings
from flightframe_server.planner.identity import Version
from flightframe_server.planner.plan import (
    Conditions,
    Fetch,
    Part,
    Plan,
)
from flightframe_server.planner.route import Reads, entry_key, members_metric, route
from flightframe_server.planner.row_points import with_row_points
from flightframe_server.planner.source import SourceQuery, frame_query
from flightframe_server.planner.unique_sources import with_unique_sources
from flightframe_server.planner.violations import rows_key
from flightframe_server.resolver.known_levels import with_known
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import ascribed_of, nested_of
from flightframe_server.resolver.typed import TypedCollection


def make_plan(question: Question, typed: TypedCollection, conditions: Conditions) -> Plan:
    """Decide where each metric of a question comes from.

    Facts of the data that have not been looked at yet are taken to be as promised, and named in
    the plan: the engine looks at them before it carries the plan out, and plans again.

    Raises:
        FDViolation: the data breaks an edge that the answer needs.
        NotCached: `only_if_cached` was asked and some part would need the back-end.
    """
    typed = typed_for(typed, question)
    if conditions.freshness.max_staleness is not None:
        older = _older_plan(question, typed, conditions)
        if older is not None:
            return older
    return _plan_at(question, typed, conditions, conditions.versions)


def typed_for(typed: TypedCollection, question: Question) -> TypedCollection:
    """Return a collection with the levels that a question has beside the declared ones."""
    return with_known(typed, question.known).with_levels(question.computed)


def _plan_at(
    question: Question,
    typed: TypedCollection,
    conditions: Conditions,
    versions: Mapping[str, str | None],
) -> Plan:
    reads = Reads()
    routed = [
        route(need, question, reads, typed, conditions, versions) for need in all_needs(question)
    ]
    parts = tuple(part for part, _ in routed)
    if reads and conditions.freshness.only_if_cached:
        absent = next(part for part in parts if isinstance(part.how, Fetch))
        raise NotCached(
            f"{absent.metric.called} is not in the cache at this anchor",
            hint=str(absent.why_not[0]) if absent.why_not else "nothing of it is in the cache",
        )
    queries = _queries(reads, typed, conditions)
    large, unsized = _is_surely_large(question, typed, conditions, parts)
    unattested = unsized.union(*(lacking for _, lacking in routed))
    plan = Plan(question, parts, queries, None, unattested)
    if not queries or not large or not can_stream(plan):
        return plan
    root_queries = _queries(_root_reads(plan)[1], typed, conditions)
    return replace(plan, stream=frame_query(question, root_queries))


def _queries(
    reads: Reads, typed: TypedCollection, conditions: Conditions
) -> tuple[SourceQuery, ...]:
    return tuple(
        with_row_points(with_unique_sources(one, conditions.unique), typed, conditions.keys)
        for one in reads.queries(typed)
    )


def single_query_plan(typed: TypedCollection, plan: Plan) -> Plan | None:
    """Return the plan that asks the back-end for everything in one query.

    None where no one query can: reducers over cells are composed by us.
    """
    if not can_stream(plan):
        return None
    parts, reads = _root_reads(plan)
    queries = reads.queries(typed_for(typed, plan.question))
    return replace(plan, parts=parts, queries=queries, stream=frame_query(plan.question, queries))


def _root_reads(plan: Plan) -> tuple[tuple[Part, ...], Reads]:
    """Return the parts of a plan as they are read from the roots of their families."""
    reads = Reads()
    return tuple(replace(part, how=reads.add(part.metric, part.need)) for part in plan.parts), reads


def can_stream(plan: Plan) -> bool:
    """Whether the back-end can be asked for the whole frame of a plan in one query.

    It tells a metric by what it is, so that none may be needed twice, moves no points, and stacks
    none.
    """
    if plan.question.sets:
        return False
    nested = any(nested_of(term) or ascribed_of(term) for term in plan.question.terms)
    metrics = {part.metric for part in plan.parts}
    moved = any(part.need.shift is not None for part in plan.parts)
    return not nested and not moved and len(metrics) == len(plan.parts)


def all_needs(question: Question) -> tuple[Need, ...]:
    """Return everything to be read; what makes the points of the answer first."""
    listed = (
        Need(members_metric(schema), anchor, question.filter) for schema, anchor in question.listed
    )
    return (*listed, *question.needs)


def _is_surely_large(
    question: Question, typed: TypedCollection, conditions: Conditions, parts: Sequence[Part]
) -> tuple[bool, frozenset[str]]:
    """Return whether the frame has more rows than are collected, and the sizes not known yet.

    It is certain only for a frame that has a row for every row of a table: at its very grain, with
    nothing filtered. The engine finds out how large other frames are when they come.
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
    cache_only = replace(conditions, freshness=replace(conditions.freshness, only_if_cached=True))
    current = _attempt(question, typed, cache_only, conditions.versions)
    if current is not None:
        return current
    keys = (entry_key(typed, conditions.backend, need) for need in all_needs(question))
    groups = dict.fromkeys(key.group for key in keys)
    entries = (entry for group in groups for entry in conditions.holdings.on(group))
    young = Holdings.of(entry for entry in entries if entry.created >= limit)
    newest: dict[Version, float] = {}
    for entry in young:
        newest[entry.version] = max(entry.created, newest.get(entry.version, 0.0))
    # Edge maps are of the data now; rolling an older entry up with them would mix two versions.
    # What an entry rests on was attested on the version it was made from.
    unmapped = replace(
        cache_only, holdings=young, mapped=frozenset(), violations={}, unattested=frozenset()
    )
    for version in sorted(newest, key=lambda item: -newest[item]):
        plan = _attempt(question, typed, unmapped, {**conditions.versions, **dict(version)})
        if plan is not None:
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
