"""Which questions deserve a hint: hot ones that none keeps yet, with what that costs and saves.

What comes in: an engine, thresholds, the time. What goes out: recommendations, each with the stanza
to paste, and the hot questions that no hint can keep, each with the reason. It must never recommend
what is hinted already, or what the resolver would refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flightframe_server.catalog.check_families import default_operator
from flightframe_server.catalog.collection import RootedMetric
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.promotion.stanza import Promotion, remark_of, stanza
from flightframe_server.promotion.usage import Usage, longest, usages

DAY = 86_400.0
MIN_HITS, MIN_AGE_DAYS, MIN_HITS_PER_DAY = 100, 7.0, 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a question is hot.

    Attributes:
        min_hits: times it was answered from the cache.
        min_age_days: days since it was first asked.
        min_hits_per_day: hits for each of these days.
    """

    min_hits: int = MIN_HITS
    min_age_days: float = MIN_AGE_DAYS
    min_hits_per_day: float = MIN_HITS_PER_DAY

    def to_json(self) -> dict[str, Any]:
        """Return them as plain JSON values."""
        return {
            "min_hits": self.min_hits,
            "min_age_days": self.min_age_days,
            "min_hits_per_day": self.min_hits_per_day,
        }


DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A family and an anchor that deserve a hint.

    Attributes:
        family: the metric family.
        operator: its default reducer, which the hint keeps.
        anchor: the levels, sorted.
        hits: times it was answered from the cache.
        age_days: days since it was first asked.
        hits_per_day: hits for each day; an age of less than a day counts as one.
        bytes: what its entries take.
        seconds: how long making them took; None where that is not known.
        route: how they were made: `backend` or `rollup`.
        file: the name of the collection's file.
    """

    family: str
    operator: str
    anchor: tuple[str, ...]
    hits: int
    age_days: float
    hits_per_day: float
    bytes: int
    seconds: float | None
    route: str
    file: str

    @property
    def saved_seconds_per_day(self) -> float | None:
        """What its hits would have cost in a day, had each been made anew."""
        return None if self.seconds is None else self.seconds * self.hits_per_day

    @property
    def promotion(self) -> Promotion:
        """The hint, with how often it was asked as its remark."""
        remark = remark_of(self.hits, counted_days(self.age_days))
        return Promotion(self.family, self.anchor, remark)

    @property
    def stanza(self) -> str:
        """The YAML to paste."""
        return stanza(self.family, self.file, (self.promotion,))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "family": self.family,
            "operator": self.operator,
            "anchor": list(self.anchor),
            "hits": self.hits,
            "age_days": self.age_days,
            "hits_per_day": self.hits_per_day,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "saved_seconds_per_day": self.saved_seconds_per_day,
            "route": self.route,
            "stanza": self.stanza,
        }


@dataclass(frozen=True, slots=True)
class NotCandidate:
    """A hot question that no hint can keep, and why."""

    family: str
    operator: str
    anchor: tuple[str, ...]
    filter_levels: tuple[str, ...]
    filtered: bool
    hits: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; of its filter only which levels it names."""
        return {
            "family": self.family,
            "operator": self.operator,
            "anchor": list(self.anchor),
            "filtered": self.filtered,
            "filter": list(self.filter_levels),
            "hits": self.hits,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What deserves a hint, the most time saved first; and the hot rest, the hottest first."""

    thresholds: Thresholds
    candidates: tuple[Recommendation, ...]
    others: tuple[NotCandidate, ...]

    def to_json(self) -> dict[str, Any]:
        """Return them as plain JSON values."""
        return {
            "thresholds": self.thresholds.to_json(),
            "recommendations": [one.to_json() for one in self.candidates],
            "not_candidates": [one.to_json() for one in self.others],
        }


def recommend(engine: MetricEngine, thresholds: Thresholds, now: float) -> Recommendations:
    """Return what deserves a hint.

    Args:
        engine: the collection's engine.
        thresholds: from when on a question is hot.
        now: seconds since 1970 UTC.
    """
    candidates: dict[tuple[str, tuple[str, ...]], list[Usage]] = {}
    others: list[NotCandidate] = []
    for usage in usages(engine):
        if usage.hinted or not is_hot(usage, thresholds, now):
            continue
        reason = why_not(usage, engine)
        if reason is None:
            candidates.setdefault((usage.family, usage.anchor), []).append(usage)
        else:
            others.append(
                NotCandidate(
                    usage.family,
                    usage.operator,
                    usage.anchor,
                    usage.filter_levels,
                    usage.filtered,
                    usage.hits,
                    reason,
                )
            )
    ordered = sorted(
        (recommendation(group, engine, now) for group in candidates.values()),
        key=lambda one: (
            -(one.saved_seconds_per_day or 0.0),
            -one.hits_per_day,
            one.family,
            one.anchor,
        ),
    )
    return Recommendations(thresholds, tuple(ordered), tuple(others))


def is_hot(usage: Usage, thresholds: Thresholds, now: float) -> bool:
    """Return whether a usage reaches every threshold."""
    days = usage.age_seconds(now) / DAY
    return (
        usage.hits >= thresholds.min_hits
        and days >= thresholds.min_age_days
        and usage.hits / counted_days(days) >= thresholds.min_hits_per_day
    )


def counted_days(age_days: float) -> float:
    """Return the days that hits are divided by: a burst of an hour is no promise for a day."""
    return max(age_days, 1.0)


def why_not(usage: Usage, engine: MetricEngine) -> str | None:
    """Return why no hint can keep what a usage is of; None where one can."""
    if usage.refusal is not None:
        return usage.refusal if usage.filtered else f"{usage.refusal}{_instead(usage)}"
    if usage.filtered:
        named = f" on {', '.join(usage.filter_levels)}" if usage.filter_levels else ""
        return f"it is asked under a filter{named}, and a hint keeps whole anchors{_instead(usage)}"
    if not usage.default_operator:
        declared = engine.collection.metric_families[usage.family].meaning
        default = default_operator(declared) if isinstance(declared, RootedMetric) else None
        return f"a hint keeps {default}, the family's default, and this is {usage.operator}"
    if engine.store is not None and usage.bytes > engine.store.max_bytes:
        return "it is larger than the whole budget of the store"
    return None


def _instead(usage: Usage) -> str:
    """Return which hint answers a filtered question by rollup, as the end of a sentence."""
    if usage.rollup_anchor is None:
        return ""
    anchor = f"({', '.join(usage.rollup_anchor)})"
    if usage.rollup_hinted:
        return f"; the hint of {anchor} answers it by rollup"
    return f"; one of {anchor} would answer it by rollup"


def recommendation(read: list[Usage], engine: MetricEngine, now: float) -> Recommendation:
    """Return what is recommended of a family and an anchor, from all that a hint there reads."""
    hottest = read[0]
    age = max(usage.age_seconds(now) for usage in read) / DAY
    declared = engine.collection.metric_families[hottest.family].meaning
    assert isinstance(declared, RootedMetric)
    return Recommendation(
        hottest.family,
        default_operator(declared) or hottest.operator,
        hottest.anchor,
        hottest.hits,
        age,
        hottest.hits / counted_days(age),
        sum(usage.bytes for usage in read),
        longest(usage.seconds for usage in read),
        hottest.route,
        engine.collection.file,
    )
