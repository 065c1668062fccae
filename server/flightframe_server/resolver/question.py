"""The Question: what a statement means in one collection, with nothing left to look up.

What comes in: nothing, `resolve` makes these. What goes out: frozen values that the planner
turns into a plan. It must never say how the answer is to be had: no entry, no table scan, no SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flightframe_server.algebra.reducers import REDUCERS, Domain, Operator, Reducer
from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import Snapshot
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.finishing import finished
from flightframe_server.resolver.terms import (
    ColumnTerm,
    LevelTerm,
    StateTerm,
    Term,
    name_text,
    needs_of,
    text,
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One reducer over the rows of one schema: the unit that is fetched, kept and rolled up.

    Attributes:
        family: the metric family's name; `rows(schema)` or `level(schema.x)` for counts of rows.
        operator: the reducer with its arguments.
        schema: the schema whose rows are reduced.
        argument: the column or level reduced; None for the rows themselves.
        type: the declared type of the finished value.
        filter: conjuncts that a row must satisfy to be reduced; they empty a cell, they never
            remove a point.
        blocks: dimension families that the reducer may not collapse.
        fill: for a reducer that adds up, the value where there is nothing to reduce, of `type`;
            None: NULL.
        order: for a reducer that picks a row, the levels that order the rows.
        snapshot: for stock read at one moment, which rows count.
        asked: what a refusal calls it, where that is not its own text: the mean that it is read
            for, or the formula that it stands in. It is no part of what makes two metrics equal.
    """

    family: str
    operator: Operator
    schema: str
    argument: Term | None
    type: DataType
    filter: tuple[Term, ...] = ()
    blocks: tuple[str, ...] = ()
    fill: LiteralValue = None
    order: tuple[LevelTerm, ...] = ()
    snapshot: Snapshot | None = None
    domain: Domain = Domain.METRIC
    asked: str = field(default="", compare=False, repr=False)

    @property
    def reducer(self) -> Reducer:
        """The reducer's row in the table of reducers."""
        return REDUCERS[self.operator.name]

    @property
    def argument_type(self) -> DataType:
        """The type of what is reduced; the result's own type where the rows are counted."""
        return self.type if self.argument is None else self.argument.type

    @property
    def rolls_up(self) -> bool:
        """Whether its states combine at a coarser anchor; a snapshot needs the rows again."""
        return self.snapshot is None and self.reducer.rolls_up

    @property
    def finish(self) -> Term:
        """Its value, before a fill, as a term over its states."""
        types = dict(self.states)
        return finished(self.reducer.finish, lambda name: StateTerm(types[name], name))

    @property
    def states(self) -> tuple[tuple[str, DataType], ...]:
        """The names and types of the state columns; an ordered reducer's end with its key."""
        own = tuple((state.name, state.type_of(self.argument_type)) for state in self.reducer.state)
        return own + tuple((f"key{at}", level.type) for at, level in enumerate(self.order))

    @property
    def called(self) -> str:
        """What a refusal calls it."""
        return self.asked or str(self)

    @property
    def subject(self) -> str:
        """What a failure was about: the metric and the column or table that is read for it."""
        match self.argument:
            case ColumnTerm(schema=schema, column=column):
                return f"{self.called.removesuffix(',')} of {schema}.{column}"
        return f"{self.called.removesuffix(',')} of {self.schema}"

    @property
    def identity(self) -> str:
        """The family with its own filter, as it stands in an entry's key."""
        # `rows(x)` and `level(x.y)` are ours; a family that is declared by such a name is quoted.
        ours = self.family == f"rows({self.schema})" or isinstance(self.argument, LevelTerm)
        ours = ours and not isinstance(self.argument, ColumnTerm)
        family = self.family if ours else name_text(self.family)
        if not self.filter:
            return family
        return f"{family} where {' and '.join(text(part) for part in self.filter)}"

    def __str__(self) -> str:
        """Return `SUM(revenue)`."""
        return f"{self.operator.name}({', '.join((self.identity, *self.operator.arguments))})"


Need = tuple[Metric, tuple[str, ...]]
"""A metric and the sorted anchor at which it is read."""


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


@dataclass(frozen=True, slots=True)
class Question:
    """One resolved query.

    Attributes:
        anchor: the output grain in the order asked, without duplicates.
        columns: what the answer holds, in order.
        filter: normalised conjuncts over levels, sorted.
        having: a predicate over the finished frame, or None.
        ordering: as asked; the anchor's levels ascending follow as a tie-break.
        window: LIMIT, or None.
        members_of: where no column reads a metric, the schema whose points are listed.
        source: the schema that FROM names, or None.
        explain: whether the plan is asked for, not the answer.
    """

    collection: str
    anchor: tuple[str, ...]
    columns: tuple[OutputColumn, ...]
    filter: tuple[Term, ...] = ()
    having: Term | None = None
    ordering: tuple[Ordering, ...] = ()
    window: Window | None = None
    members_of: str | None = None
    source: str | None = None
    explain: bool = False

    @property
    def selected(self) -> tuple[Term, ...]:
        """The terms of the columns, whose metrics make the points of the answer."""
        return tuple(column.term for column in self.columns)

    @property
    def hidden(self) -> tuple[Term, ...]:
        """The terms of HAVING and ORDER BY, which keep and order points and never make one."""
        having = () if self.having is None else (self.having,)
        return (*having, *(key.term for key in self.ordering))

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every term of the question: columns, HAVING, ORDER BY."""
        return (*self.selected, *self.hidden)

    @property
    def needs(self) -> tuple[Need, ...]:
        """Every metric read and the sorted anchor it is read at, each pair once."""
        found = (need for term in self.terms for need in needs_of(term, self.anchor))
        return tuple(dict.fromkeys(found))
