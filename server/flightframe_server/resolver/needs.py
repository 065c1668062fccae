"""What a question needs read: a metric, the anchor it stands at, its own filter, its own shift.

What comes in: terms, and where they stand. What goes out: `Need` values, the unit by which the
planner plans, the engine executes, and EXPLAIN and the provenance tell. It must never take the
filter of one need for the filter of another: two needs of one metric may rest on different rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.resolver.terms import (
    AscribedTerm,
    Metric,
    MetricTerm,
    NestedTerm,
    Term,
    inner_anchor,
    walk,
)


@dataclass(frozen=True, slots=True)
class Shift:
    """Points moved along a calendar level: what was read at one period is told at another.

    Attributes:
        level: a level of the anchor that holds days.
        months: calendar months by which a point moves on; negative moves it back.
        days: days by which it then moves on.
    """

    level: str
    months: int = 0
    days: int = 0

    def __str__(self) -> str:
        """Return `month moved by 12 months`."""
        counts = (("months", self.months), ("days", self.days))
        return f"{self.level} moved by {' and '.join(f'{n} {unit}' for unit, n in counts if n)}"


@dataclass(frozen=True, slots=True)
class Need:
    """One metric as a question reads it.

    Attributes:
        metric: what is reduced.
        anchor: the levels it is read at, sorted.
        filter: normalised conjuncts over levels, sorted, which the rows satisfy.
        shift: where its points are told, if not where they were read.
    """

    metric: Metric
    anchor: tuple[str, ...]
    filter: tuple[Term, ...] = ()
    shift: Shift | None = None


def needs_of(term: Term, anchor: tuple[str, ...], filters: tuple[Term, ...]) -> list[Need]:
    """Return what a term needs that stands at an anchor under a filter, nested terms included.

    Its own metrics come first, then those of reducers over cells, then those at anchors of their
    own, each once.
    """
    sorted_anchor = tuple(sorted(anchor))
    own: list[Need] = []
    nested: list[Need] = []
    ascribed: list[Need] = []
    for node in walk(term):
        if isinstance(node, MetricTerm):
            own.append(Need(node.metric, sorted_anchor, filters))
        elif isinstance(node, NestedTerm):
            nested += needs_of(node.inner, inner_anchor(node, anchor), filters)
        elif isinstance(node, AscribedTerm):
            ascribed += needs_of(node.inner, node.anchor, filters)
    needs = own + nested + ascribed
    return list(dict.fromkeys(needs)) if len(needs) > 1 else needs
