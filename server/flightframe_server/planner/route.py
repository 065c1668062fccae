"""The route of one need: an exact entry, a rollup of one, or the back-end; and why not another.

What comes in: a need, a typed collection, the conditions. What goes out: a part of the plan, with
the query that it is read by entered among those of the plan. It must never look at another need:
what one reads decides nothing for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from flightframe_server.algebra.reducers import POINTS, Domain, Operator
from flightframe_server.algebra.types import INTEGER
from flightframe_server.errors import SiblingDiffers
from flightframe_server.planner.capabilities import check_capable
from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.identity import EntryGroup, EntryKey, Version
from flightframe_server.planner.masked_filters import masked_anchor, masked_filter
from flightframe_server.planner.plan import (
    Conditions,
    Exact,
    Fetch,
    Part,
    Rejected,
    Rollup,
    WhyNot,
    folded,
)
from flightframe_server.planner.rollup import Target, judge
from flightframe_server.planner.siblings import read_as
from flightframe_server.planner.source import (
    SourceQuery,
    fetched_tables,
    metric_reads,
    source_query,
    tables_of,
)
from flightframe_server.planner.violations import check_promises, sibling_key, trusted_promises
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import Metric, Term, levels_of, text
from flightframe_server.resolver.typed import TypedCollection

WHY_NOT_LIMIT = 20
LOOKED_AT = 100
"""So many entries of other filters may be told; the rest is counted."""

Group = tuple[str, tuple[str, ...], tuple[Term, ...]]
"""A schema, a sorted anchor and a filter: what is read by the same three travels in one query."""


class Reads:
    """What a plan asks the back-end for, gathered into as few queries as there are groups."""

    def __init__(self) -> None:
        """Start with nothing to ask."""
        self._groups: dict[Group, dict[Metric, None]] = {}

    def __bool__(self) -> bool:
        """Whether anything is asked."""
        return bool(self._groups)

    def add(self, metric: Metric, need: Need) -> Fetch:
        """Ask for a metric, as it is read, at the anchor and under the filter of a need."""
        group = (metric.schema, need.anchor, need.filter)
        self._groups.setdefault(group, {}).setdefault(metric)
        return Fetch(list(self._groups).index(group), metric)

    def queries(self, typed: TypedCollection) -> tuple[SourceQuery, ...]:
        """Return one query for each group, in the order in which they were first asked for."""
        return tuple(
            source_query(typed, schema, anchor, filters, tuple(metrics))
            for (schema, anchor, filters), metrics in self._groups.items()
        )


def members_metric(schema: str) -> Metric:
    """Return the metric that lists the realised points of a schema."""
    return Metric(f"members({schema})", Operator(POINTS), schema, None, INTEGER, domain=Domain.QM)


def route(
    need: Need,
    question: Question,
    reads: Reads,
    typed: TypedCollection,
    conditions: Conditions,
    versions: Mapping[str, str | None],
) -> tuple[Part, frozenset[str]]:
    """Return the part of a plan that meets a need.

    Args:
        need: what is read.
        question: whose need it is; it may name the schema to read, and asks for an order.
        reads: what the plan asks the back-end for; the need is added where no entry answers it.
        typed: the collection.
        conditions: everything else that a plan depends on.
        versions: the fingerprint of each table that is wanted.

    Returns:
        The part, and the keys of the facts that it takes for granted.

    Raises:
        FDViolation: the data breaks a promise that it needs kept; or `AmbiguousPath`.
        SiblingDiffers: FROM names a sibling that does not hold the family's numbers.
        NotSupported: the back-end does not compute the reducer.
    """
    metric = need.metric
    unattested = _check_source(question.source, conditions, metric)
    key = entry_key(typed, conditions.backend, need)
    tables, trusted, lacking = _rests_on(need, typed, conditions)
    unattested |= lacking
    how: Exact | Rollup | Fetch | None
    how, rejected, aside = _from_cache(need, typed, conditions, key, versions)
    if how is None:
        check_capable(conditions.capabilities, conditions.backend, typed, need, question.ordering)
        reading = read_as(typed, conditions, metric, need.anchor, need.filter)
        aside += reading.passed_over
        unattested |= reading.unattested
        tables |= {typed.schema(reading.metric.schema).table}
        how = reads.add(reading.metric, need)
    version = version_of(versions, tables)
    return Part(need, key, version, how, rejected, aside, trusted), unattested


def entry_key(typed: TypedCollection, backend: str, need: Need) -> EntryKey:
    """Return the identity of what is read for a need: a shift moves what was read already."""
    metric = need.metric
    definition = typed.collection.definition_hash(metric.family)
    group = EntryGroup(definition, backend, metric.domain, metric.identity, metric.operator)
    texts = tuple(sorted(text(part) for part in need.filter))
    return EntryKey(group, need.anchor, texts)


def version_of(versions: Mapping[str, str | None], tables: set[str]) -> Version | None:
    """Return the version vector over some tables, or None where a fingerprint is unknown."""
    fingerprints: list[tuple[str, str]] = []
    for table in sorted(tables):
        fingerprint = versions.get(table)
        if fingerprint is None:
            return None
        fingerprints.append((table, fingerprint))
    return tuple(fingerprints)


def _check_source(source: str | None, conditions: Conditions, metric: Metric) -> frozenset[str]:
    """Refuse a FROM that names a sibling which differs from the root; return what is not known."""
    if source is None or source == metric.schema:
        return frozenset()
    lacking = conditions.unattested & {sibling_key(metric.family, source)}
    if lacking:
        return lacking
    hint = f"leave FROM out, or name {metric.schema}"
    if (metric.family, source) not in conditions.siblings:
        raise SiblingDiffers(f"{source} was never compared with the root of {metric}", hint=hint)
    difference = conditions.siblings[metric.family, source]
    if difference is not None:
        text = f"{source} does not hold {metric} as its root does: {difference}"
        raise SiblingDiffers(text, hint=hint)
    return frozenset()


def _rests_on(
    need: Need, typed: TypedCollection, conditions: Conditions
) -> tuple[set[str], tuple[str, ...], frozenset[str]]:
    """Return every table that a need depends on, the promises that it trusts, and the unattested.

    Raises:
        FDViolation: the data breaks a promise that it needs kept; or `AmbiguousPath`.
    """
    metric = need.metric
    filtered = {level for part in need.filter for level in levels_of(part)}
    reads, columns = metric_reads(typed, metric, {*need.anchor, *filtered})
    lacking = check_promises(
        typed, conditions.violations, conditions.unattested, metric, reads, columns
    )
    tables = {typed.schema(metric.schema).table, *tables_of(reads), *fetched_tables(columns)}
    return tables, trusted_promises(typed, metric, reads, columns), lacking


def _from_cache(
    need: Need,
    typed: TypedCollection,
    conditions: Conditions,
    key: EntryKey,
    versions: Mapping[str, str | None],
) -> tuple[Exact | Rollup | None, tuple[WhyNot, ...], tuple[str, ...]]:
    """Return the entry that answers, the rule that each other failed, and what else is to say."""
    if not conditions.enabled:
        return None, (), ("the cache: the engine is off and remembers nothing",)
    if conditions.freshness.no_cache:
        return None, (), ("the cache: the request says no_cache",)
    target = Target(
        need.metric,
        key,
        need.filter,
        versions,
        conditions.violations,
        conditions.versions,
        conditions.mapped,
    )
    fit: list[Rollup] = []
    rejected: list[WhyNot] = []
    for entry in conditions.holdings.within(key.group, key.filter):
        verdict = judge(typed, target, entry)
        if isinstance(verdict, Exact):
            return verdict, (), ()
        if isinstance(verdict, Rollup):
            fit.append(verdict)
        else:
            rejected.append(_why_not(target, entry, verdict.rule))
    fit.sort(key=_cost)
    rejected += [_dearer(target, other.entry, fit[0].entry) for other in fit[1:]]
    unsaid = _others(typed, target, conditions, rejected) if conditions.explains else 0
    reasons = folded(rejected)
    aside = () if reasons or fit else ("the cache: it holds nothing of this family and reducer",)
    if unsaid := sum(more.entries for more in reasons[WHY_NOT_LIMIT:]) + unsaid:
        aside = (f"{unsaid} entries more",)
    return (fit[0] if fit else None), reasons[:WHY_NOT_LIMIT], aside


def _others(
    typed: TypedCollection, target: Target, conditions: Conditions, rejected: list[WhyNot]
) -> int:
    """Add why entries of other filters do not answer, and return how many are left untold."""
    others = conditions.holdings.beyond(target.key.group, target.key.filter)
    for entry in islice(others, LOOKED_AT):
        verdict = judge(typed, target, entry)
        # One of another filter fails by that rule at the latest.
        assert isinstance(verdict, Rejected)
        rejected.append(_why_not(target, entry, verdict.rule))
    return sum(1 for _ in others)


def _dearer(target: Target, other: CacheEntry, chosen: CacheEntry) -> WhyNot:
    rule = "it would do, and has more rows"
    if other.rows == chosen.rows:
        rule = "it would do, and has no fewer rows"
    return _why_not(target, other, rule)


def _why_not(target: Target, entry: CacheEntry, rule: str) -> WhyNot:
    """Return what a reader is told of an entry: of its filter, no value that is not theirs."""
    anchor = masked_anchor(entry.key.anchor, target.key.anchor)
    return WhyNot(anchor, masked_filter(entry.key.filter, target.key.filter), rule)


def _cost(rollup: Rollup) -> tuple[int, int, tuple[str, ...], tuple[str, ...]]:
    key = rollup.entry.key
    return rollup.entry.rows, len(key.anchor), key.anchor, key.filter
