"""Rollup legality (law 3, docs/laws.md): may this entry answer that metric at that anchor?

What comes in: one held entry, the metric, the target anchor and filter, the version wanted now.
What goes out: the `Exact` or `Rollup` that reads it, or the first rule that forbids it, in words.
It must never be lenient: what cannot be shown to be the same number is not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.hops import TableHop, hops_of
from flightframe_server.planner.identity import EntryKey
from flightframe_server.planner.plan import Exact, LevelLookup, Rejected, Rollup
from flightframe_server.resolver.predicates import pinned_levels
from flightframe_server.resolver.terms import Metric, Term, levels_of, text
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, eq=False)
class Target:
    """What an entry would have to answer.

    Attributes:
        metric: the metric.
        key: its identity at the target anchor under the target filter.
        filter: the target filter's conjuncts.
        versions: the fingerprint that each table must have.
        violations: edges that the current data breaks.
        current: the fingerprint of each table now, to which the edge maps belong.
        mapped: edges whose maps are at hand.
    """

    metric: Metric
    key: EntryKey
    filter: tuple[Term, ...]
    versions: Mapping[str, str | None]
    violations: Mapping[str, str]
    current: Mapping[str, str | None]
    mapped: frozenset[str]

    @cached_property
    def conjuncts(self) -> Mapping[str, Term]:
        """The conjuncts of the filter by their canonical text, for all entries that are judged."""
        return {text(part): part for part in self.filter}


def judge(typed: TypedCollection, target: Target, entry: CacheEntry) -> Exact | Rollup | Rejected:
    """Return how an entry answers the target, or the first rule that it fails.

    The rules, in order: it is of the version wanted; its filter is part of the target's; what is
    left of the filter can be applied to it; each level of the target is in it or determined by it;
    its states combine, or nothing has to be combined.
    """
    if (stale := _stale(target, entry)) is not None:
        return Rejected(stale)
    if entry.key == target.key:
        return Exact(entry)
    texts = target.conjuncts
    if not texts.keys() >= set(entry.key.filter):
        return Rejected("its filter is not part of the query's")
    rest = tuple(part for key, part in texts.items() if key not in entry.key.filter)
    lookups: dict[str, LevelLookup] = {}
    for level in sorted({level for part in rest for level in levels_of(part)}):
        lookup = _lookup(typed, target, entry, level)
        if isinstance(lookup, Rejected):
            return Rejected(f"it cannot be filtered by {level}: {lookup.rule}")
        lookups[level] = lookup
    absent = [level for level in target.key.anchor if level not in entry.key.anchor]
    for level in sorted(typed.base_levels(absent)):
        lookup = _lookup(typed, target, entry, level)
        if isinstance(lookup, Rejected):
            return lookup
        lookups[level] = lookup
    if not target.metric.rolls_up and not _has_one_row_per_point(target, entry):
        return Rejected(f"{target.metric.operator} never rolls up")
    computed = (typed.computed_levels.get(level) for level in absent)
    return Rollup(
        entry,
        tuple(lookup for lookup in lookups.values() if lookup.hops),
        rest,
        tuple(level for level in computed if level is not None),
    )


def _stale(target: Target, entry: CacheEntry) -> str | None:
    for table, fingerprint in entry.version:
        expected = target.versions.get(table)
        if expected is None or expected != fingerprint:
            return f"it was made from an older {table}"
    return None


def _has_one_row_per_point(target: Target, entry: CacheEntry) -> bool:
    pinned = pinned_levels(target.filter)
    extra = set(entry.key.anchor) - set(target.key.anchor)
    return set(target.key.anchor) <= set(entry.key.anchor) and extra <= pinned


def _lookup(
    typed: TypedCollection, target: Target, entry: CacheEntry, level: str
) -> LevelLookup | Rejected:
    type_ = typed.level_types[level]
    if level in entry.key.anchor:
        return LevelLookup(level, type_, level, ())
    # A level is looked up only along the very edges that the metric's own rows would take: another
    # path to it, or an edge to a level that the rows hold themselves, may tell another number.
    path = typed.graph.schema_path(target.metric.schema, level) or ()
    starts = [index for index, edge in enumerate(path) if edge.source in entry.key.anchor]
    if not starts:
        return Rejected(f"it neither holds nor determines {level}")
    edges = path[starts[-1] :]
    hops = hops_of(typed, edges)
    for hop in hops:
        if hop.edge in target.violations:
            return Rejected(f"the data breaks {hop.edge}")
        if isinstance(hop, TableHop):
            expected = target.versions.get(hop.table)
            if expected is None or target.current.get(hop.table) != expected:
                return Rejected(f"the map {hop.edge} is of another version")
            if hop.edge not in target.mapped:
                return Rejected(f"the map {hop.edge} is not at hand")
    return LevelLookup(level, type_, edges[0].source, hops)
