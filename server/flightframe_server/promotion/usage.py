"""How often each question was answered from the cache, from the statistics that the store keeps.

What comes in: an engine and the time. What goes out: one `Usage` for each family, reducer and
anchor, apart for each set of levels that filters name. It must never hold a filter's values: two
users' filters on one level are one usage.

What is remembered outlives the entry, and the collection as it was: a key counts for its family
and anchor by name, whatever else the file declared at that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flightframe_server.catalog.collection import RootedMetric
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import Hint, asking, hints
from flightframe_server.errors import QueryError
from flightframe_server.planner.identity import EntryGroup, EntryKey
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.promotion.names import family_of, levels_in, own_filter
from flightframe_server.resolver.terms import is_computed, level_text

Reads = Mapping[tuple[str, str], bool]
"""The identity and the reducer of each metric that a hint reads, and whether that rolls up."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How often one question was answered from the cache. Moments are seconds since 1970 UTC.

    Attributes:
        family: the metric family; `rows(schema)` or `level(schema.x)` for counts of rows.
        operator: the reducer with its arguments.
        anchor: the levels, sorted; of an ad-hoc one the expression without its values.
        filter_levels: the levels that its filter names, sorted.
        filtered: whether it has a filter at all, one of the metric's own included.
        hits: times it was answered.
        since: when it was first asked.
        last_used: when it was asked last.
        bytes: what its entries take now, or took.
        rows: their rows.
        seconds: how long making one took, the longest; None where that is not known.
        route: how the newest was made: `backend` or `rollup`.
        pinned: whether a hint keeps it.
        hinted: whether the collection hints the family at the anchor.
        default_operator: whether the family's bare name, and so a hint, reads it.
        refusal: why a hint of the anchor would be refused; None where it would not.
        rollup_anchor: for a filtered one, the anchor whose hint would answer it by rollup, or None.
        rollup_hinted: whether the collection hints that anchor.
    """

    family: str
    operator: str
    anchor: tuple[str, ...]
    filter_levels: tuple[str, ...]
    filtered: bool
    hits: int
    since: float
    last_used: float
    bytes: int
    rows: int
    seconds: float | None
    route: str
    pinned: bool
    hinted: bool
    default_operator: bool
    refusal: str | None = None
    rollup_anchor: tuple[str, ...] | None = None
    rollup_hinted: bool = False

    def age_seconds(self, now: float) -> float:
        """Return for how long it has been asked."""
        return max(now - self.since, 0.0)


def usages(engine: MetricEngine) -> tuple[Usage, ...]:
    """Return what was answered from the cache of an engine, the most often first."""
    reads = HintedReads(engine)
    by_question: dict[tuple[object, ...], Usage] = {}
    for statistics in _statistics(engine):
        usage = _usage(statistics, reads)
        place = usage.family, usage.operator, usage.anchor, usage.filtered, usage.filter_levels
        key = (*place, usage.default_operator)
        known = by_question.get(key)
        by_question[key] = usage if known is None else _added(known, usage)
    return tuple(sorted(by_question.values(), key=lambda one: (-one.hits, one.family, one.anchor)))


class HintedReads:
    """What hints of a collection would read, and which of them it has.

    Args:
        engine: the collection's engine.
    """

    def __init__(self, engine: MetricEngine) -> None:
        """Resolve nothing yet."""
        self._typed = engine.typed
        self._hints = frozenset(hints(engine))
        self._answers: dict[Hint, Reads | str] = {}
        self.levels = frozenset(self._typed.level_types)

    def hinted(self, family: str, anchor: tuple[str, ...]) -> bool:
        """Return whether the collection hints a family at an anchor."""
        return Hint(family, anchor) in self._hints

    def reads(self, family: str, anchor: tuple[str, ...]) -> Reads | str:
        """Return what a hint reads, or why it is refused.

        A mean that is a family's default, for one, is read as a sum and a count.
        """
        hint = Hint(family, anchor)
        if hint not in self._answers:
            self._answers[hint] = self._resolved(hint)
        return self._answers[hint]

    def rollup_anchor(self, group: EntryGroup, anchor: Iterable[str]) -> tuple[str, ...] | None:
        """Return an anchor, sorted, where a hint there holds a metric that rolls up; else None."""
        levels = tuple(sorted(set(anchor)))
        read = self.reads(family_of(group.family), levels)
        rolls_up = None if isinstance(read, str) else read.get((group.family, str(group.operator)))
        return levels if rolls_up else None

    def _resolved(self, hint: Hint) -> Reads | str:
        declared = self._typed.collection.metric_families.get(hint.family)
        if declared is None or not isinstance(declared.meaning, RootedMetric):
            return "it is no metric family of its own, and a hint names families"
        if any(map(is_computed, hint.anchor)):
            return "its anchor has an ad-hoc level, and a hint keeps declared ones"
        try:
            needs = asking(hint)(self._typed).needs
        except QueryError as error:
            return f"a hint there would be refused: {error.message}"
        return {
            (need.metric.identity, str(need.metric.operator)): need.metric.rolls_up
            for need in needs
        }


@dataclass(frozen=True, slots=True)
class _KeyStatistics:
    """The statistics of one key, from an entry or from what is remembered of one."""

    key: EntryKey
    rows: int
    bytes: int
    hits: int
    since: float
    last_used: float
    seconds: float | None
    route: str
    pinned: bool = False


def _statistics(engine: MetricEngine) -> Iterator[_KeyStatistics]:
    """Yield what is known of every key: of those that have an entry, then of the others."""
    if engine.store is None:
        return
    for entry in engine.store.records():
        yield _KeyStatistics(
            entry.key,
            entry.rows,
            entry.bytes,
            entry.hits,
            entry.since,
            entry.last_used,
            entry.seconds,
            entry.lineage.route,
            entry.pinned,
        )
    for gone in engine.store.former():
        yield _KeyStatistics(
            gone.key,
            gone.rows,
            gone.bytes,
            gone.hits,
            gone.since,
            gone.last_used,
            gone.seconds,
            gone.route,
        )


def _usage(statistics: _KeyStatistics, reads: HintedReads) -> Usage:
    group, anchor = statistics.key.group, statistics.key.anchor
    family, operator = family_of(group.family), str(group.operator)
    computed = [level_text(level) for level in anchor if is_computed(level)]
    read = reads.reads(family, anchor)
    default_operator = not isinstance(read, str) and (group.family, operator) in read
    own = own_filter(group.family)
    conditions = (*statistics.key.filter, *((own,) if own and not default_operator else ()))
    levels = levels_in(conditions, reads.levels)
    base = [level for level in anchor if not is_computed(level)]
    base += levels_in((*conditions, *computed), reads.levels)
    # What tells of a level whether it is known is looked up from another level than that.
    tells = any('"known(' in condition for condition in conditions)
    narrowed = bool(statistics.key.filter or computed) and not tells
    rollup_anchor = reads.rollup_anchor(group, base) if narrowed else None
    return Usage(
        family,
        operator,
        masked_anchor(anchor),
        levels,
        bool(conditions),
        statistics.hits,
        statistics.since,
        statistics.last_used,
        statistics.bytes,
        statistics.rows,
        statistics.seconds,
        statistics.route,
        statistics.pinned,
        default_operator and not conditions and reads.hinted(family, anchor),
        default_operator,
        read if isinstance(read, str) else None,
        rollup_anchor,
        rollup_anchor is not None and reads.hinted(family, rollup_anchor),
    )


def _added(one: Usage, other: Usage) -> Usage:
    """Return two usages as one: the same question of several filters, or of an older file."""
    newer = max(one, other, key=lambda usage: usage.last_used)
    return Usage(
        one.family,
        one.operator,
        one.anchor,
        one.filter_levels,
        one.filtered,
        one.hits + other.hits,
        min(one.since, other.since),
        newer.last_used,
        one.bytes + other.bytes if one.filtered else newer.bytes,
        one.rows + other.rows if one.filtered else newer.rows,
        longest((one.seconds, other.seconds)),
        newer.route,
        one.pinned or other.pinned,
        one.hinted or other.hinted,
        one.default_operator,
        one.refusal,
        one.rollup_anchor,
        one.rollup_hinted,
    )


def longest(times: Iterable[float | None]) -> float | None:
    """Return the longest of the times that are known; None where none is."""
    return max((time for time in times if time is not None), default=None)
