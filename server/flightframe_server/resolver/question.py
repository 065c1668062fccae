"""The Question: what a statement means in one collection, with nothing left to look up.

What comes in: nothing, `resolve` makes these. What goes out: frozen values that the planner
turns into a plan. It must never say how the answer is to be had: no entry, no table scan, no SQL.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property

from flightframe_server.resolver.needs import Need, needs_of
from flightframe_server.resolver.terms import ComputedLevel, Term


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of the answer, in SELECT order."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of ORDER BY, nothing left to a default."""

    term: Term
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Window:
    """LIMIT, OFFSET and PER: rows `offset` to `offset + count` of each member of `per`."""

    count: int
    offset: int = 0
    per: tuple[str, ...] = ()


# Without slots: what is derived from its fields is gathered once, and many stages ask for it.
@dataclass(frozen=True)
class Question:
    """One resolved query.

    Attributes:
        anchor: the output grain in the order asked, without duplicates.
        columns: what the answer holds, in order.
        filter: normalised conjuncts over levels, sorted.
        having: a predicate over the finished frame, or None.
        ordering: as asked; the anchor's levels ascending follow as a tie-break.
        window: LIMIT, or None.
        members_of: where no column reads a metric, the schemas whose points are listed.
        places: the levels after @ that the anchor determines, each with what finds it at a point.
        source: the schema that FROM names, or None.
        explain: whether the plan is asked for, not the answer.
        computed: the levels of any anchor in it that the collection does not declare.
        today: the day that CURRENT_DATE stands for in it; None where it does not read it.
        known: the levels of which it asks whether they are known.
        sets: where the rows of several anchors are stacked, a question for each, in order, without
            a window. Its own anchor has the levels of all of them; HAVING is theirs.
    """

    collection: str
    anchor: tuple[str, ...]
    columns: tuple[OutputColumn, ...]
    filter: tuple[Term, ...] = ()
    having: Term | None = None
    ordering: tuple[Ordering, ...] = ()
    window: Window | None = None
    members_of: tuple[str, ...] = ()
    places: tuple[tuple[str, Term], ...] = ()
    source: str | None = None
    explain: bool = False
    computed: tuple[ComputedLevel, ...] = ()
    today: datetime.date | None = None
    known: tuple[str, ...] = ()
    sets: tuple[Question, ...] = ()

    @property
    def branches(self) -> tuple[Question, ...]:
        """The questions whose rows are stacked; itself where it has one anchor."""
        return self.sets or (self,)

    @cached_property
    def listed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The schemas whose points are listed, each with the sorted anchor where they are."""
        pairs = (
            (schema, tuple(sorted(one.anchor)))
            for one in self.branches
            for schema in one.members_of
        )
        return tuple(dict.fromkeys(pairs))

    @cached_property
    def selected(self) -> tuple[Term, ...]:
        """The terms of the columns, whose metrics make the points of the answer."""
        return tuple(column.term for column in self.columns)

    @cached_property
    def hidden(self) -> tuple[Term, ...]:
        """The terms that make no point: those of HAVING and ORDER BY, and what finds levels."""
        having = () if self.having is None else (self.having,)
        places = (term for _, term in self.places)
        return (*having, *(key.term for key in self.ordering), *places)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Every term of the question: columns, HAVING, ORDER BY, what finds levels."""
        if self.sets:
            return tuple(dict.fromkeys(term for one in self.sets for term in one.terms))
        return (*self.selected, *self.hidden)

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """Everything that its terms need read, each once."""
        needs = (
            need
            for one in self.branches
            for term in one.terms
            for need in needs_of(term, one.anchor, one.filter)
        )
        return tuple(dict.fromkeys(needs))

    def column_needs(self, number: int) -> tuple[Need, ...]:
        """Return what a column, counted from 0, needs read, each once."""
        needs = (
            need
            for one in self.branches
            for need in needs_of(one.columns[number].term, one.anchor, one.filter)
        )
        return tuple(dict.fromkeys(needs))
