"""Terms: typed expressions whose names have been resolved.

What comes in: nothing, the resolver makes these. What goes out: one small algebra that the
composer evaluates over Arrow columns and that the back-ends compile. It must never hold a value
that was not checked against its type, nor a name that is not in the collection.

`text` gives the canonical form of a term; two terms with the same text mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from flightframe_server.algebra.reducers import REDUCERS, Domain, Operator, Reducer
from flightframe_server.algebra.types import NULL, DataType, Kind
from flightframe_server.catalog.collection import Snapshot
from flightframe_server.errors import InternalError
from flightframe_server.language.syntax import LiteralValue


@dataclass(frozen=True, slots=True)
class Term:
    """Anything with a type; `type` is what its values are promised to be."""

    type: DataType


@dataclass(frozen=True, slots=True)
class LevelTerm(Term):
    """The member of a level, reached from wherever the term is evaluated."""

    level: str


@dataclass(frozen=True, slots=True)
class ComputedLevel:
    """A level that no collection declares: computed from declared levels, point by point.

    Attributes:
        level: its identity in anchors and keys, which is the canonical text of its term and holds
            no name; it starts with a blank, as no declared level does.
        term: over levels, of a type that groups exactly.
    """

    level: str
    term: Term

    @property
    def type(self) -> DataType:
        """The type of its members."""
        return self.term.type

    @property
    def reads(self) -> frozenset[str]:
        """The declared levels that it is computed from, which determine it."""
        return levels_of(self.term)


def computed_level(term: Term) -> ComputedLevel:
    """Return the level that a term over levels gives; not for a level alone, which is itself.

    >>> from flightframe_server.algebra.types import TEXT
    >>> computed_level(Apply(TEXT, "lower", (LevelTerm(TEXT, "region"),))).level
    ' lower(region)'
    """
    canonical = text(term)
    cast = isinstance(term, Apply) and term.function == "cast"
    if term.type.kind is Kind.DECIMAL and not cast:
        # 1 and 1.0 of a text are told apart by their digits, 1 and 1. by their types alone.
        canonical = f"cast({canonical} as {term.type})"
    return ComputedLevel(f" {canonical}", term)


def is_computed(level: str) -> bool:
    """Whether a level of an anchor is a computed one."""
    return level.startswith(" ")


def level_text(level: str) -> str:
    """Return a level of an anchor in words: its name, or the expression that it is computed by."""
    return level.removeprefix(" ")


@dataclass(frozen=True, slots=True)
class ColumnTerm(Term):
    """A column of a schema's rows, by the collection's name for it."""

    schema: str
    column: str


# Without slots: what is derived from its fields is gathered once, and many stages ask for it.
@dataclass(frozen=True)
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
        display_name: what a refusal calls it, where that is not its own text: the mean that it is
            read for, or the formula that it stands in. No part of what makes two metrics equal.
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
    display_name: str = field(default="", compare=False, repr=False)

    def __hash__(self) -> int:
        """Return the hash of its fields, taken once: it is a key at every stage."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        compared = (one.name for one in fields(self) if one.compare)
        return hash(tuple(getattr(self, name) for name in compared))

    @cached_property
    def reducer(self) -> Reducer:
        """The reducer's row in the table of reducers."""
        return REDUCERS[self.operator.name]

    @cached_property
    def argument_type(self) -> DataType:
        """The type of what is reduced; the result's own type where the rows are counted."""
        return self.type if self.argument is None else self.argument.type

    @property
    def counts_repeats(self) -> bool:
        """Whether a row that stands twice may change it; members are the same members."""
        ranks_members = isinstance(self.argument, LevelTerm) and self.reducer.ranks
        return self.domain is not Domain.QM and not ranks_members

    @property
    def rolls_up(self) -> bool:
        """Whether its states combine at a coarser anchor; a snapshot needs the rows again."""
        return self.snapshot is None and self.reducer.rolls_up

    @cached_property
    def states(self) -> tuple[tuple[str, DataType], ...]:
        """The names and types of the state columns; an ordered reducer's end with its key."""
        own = tuple((state.name, state.type_of(self.argument_type)) for state in self.reducer.state)
        return own + tuple((f"key{at}", level.type) for at, level in enumerate(self.order))

    @property
    def called(self) -> str:
        """What a refusal calls it."""
        return self.display_name or str(self)

    @property
    def subject(self) -> str:
        """What a failure was about: the metric and the column or table that is read for it."""
        match self.argument:
            case ColumnTerm(schema=schema, column=column):
                return f"{self.called.removesuffix(',')} of {schema}.{column}"
        return f"{self.called.removesuffix(',')} of {self.schema}"

    @cached_property
    def identity(self) -> str:
        """The family with its own filter, as it stands in an entry's key."""
        # `rows(x)` and `level(x.y)` are ours; a family that is declared by such a name is quoted.
        built_in = self.family == f"rows({self.schema})" or isinstance(self.argument, LevelTerm)
        built_in = built_in and not isinstance(self.argument, ColumnTerm)
        family = self.family if built_in else name_text(self.family)
        if not self.filter:
            return family
        return f"{family} where {' and '.join(text(part) for part in self.filter)}"

    def __str__(self) -> str:
        """Return `SUM(revenue)`."""
        return f"{self.operator.name}({', '.join((self.identity, *self.operator.arguments))})"


@dataclass(frozen=True, slots=True)
class MetricTerm(Term):
    """The finished value of a metric at the output anchor."""

    metric: Metric


@dataclass(frozen=True, slots=True)
class StateTerm(Term):
    """A column of a metric's state, in the term by which its value is finished."""

    name: str


@dataclass(frozen=True, slots=True)
class NestedTerm(Term):
    """A reducer over cells: `R(inner @ anchor)`.

    The inner term is finished at `anchor` together with the anchor where the term stands, and its
    cells are then reduced to the latter. `computed` are those levels of `anchor` that are so.
    """

    operator: Operator
    inner: Term
    anchor: tuple[str, ...]
    computed: tuple[ComputedLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class Constant(Term):
    """A value, already of its type; None is NULL."""

    value: LiteralValue


@dataclass(frozen=True, slots=True)
class AscribedTerm(Term):
    """The value of a term at an anchor of its own, at each point of the answer: `inner @ anchor`.

    Each level of `anchor` is in the anchor where the term stands, or determined by it.
    """

    inner: Term
    anchor: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Apply(Term):
    """A function of terms: a row of the table of row functions.

    The arguments of `case` are test, result, test, result, ..., otherwise. A result, and each
    argument of `coalesce` after the first, is computed only for rows that come to it: what would
    not fit elsewhere does not fail there.
    """

    function: str
    arguments: tuple[Term, ...]


def places_of(term: Apply) -> int:
    """Return the places of a `round`, which are known before any row is."""
    places = term.arguments[1]
    if not isinstance(places, Constant) or not isinstance(places.value, int):
        raise InternalError("the places of a round are no whole number")
    return places.value


def field_of(term: Apply) -> str:
    """Return the field of an `extract`."""
    field = term.arguments[0]
    if not isinstance(field, Constant) or not isinstance(field.value, str):
        raise InternalError("the field of an extract is no text")
    return field.value


_PLAIN = re.compile(r"[^\W\d]\w*")
_VALUES = frozenset({"null", "true", "false"})

UNKNOWN = Constant(NULL, None)


def text(term: Term) -> str:
    """Return the canonical text of a term.

    >>> from flightframe_server.algebra.types import BOOLEAN, TEXT
    >>> text(Apply(BOOLEAN, "eq", (LevelTerm(TEXT, "region"), Constant(TEXT, "O'Brien"))))
    "eq(region,'O''Brien')"
    """
    match term:
        case LevelTerm(level=level):
            return name_text(level)
        case ColumnTerm(schema=schema, column=column):
            return f"{name_text(schema)}.{name_text(column)}"
        case MetricTerm(metric=metric):
            return str(metric)
        case NestedTerm(operator=operator, inner=inner, anchor=anchor):
            return f"{operator}({text(inner)} @ ({','.join(map(level_text, anchor))}))"
        case AscribedTerm(inner=inner, anchor=anchor):
            return f"({text(inner)} @ ({','.join(map(level_text, anchor))}))"
        case Constant(type=of, value=value):
            return _constant(of, value)
        case Apply(type=of, function="cast", arguments=(only,)):
            return f"cast({text(only)} as {of})"
        case Apply(function=function, arguments=arguments):
            return f"{function}({','.join(text(argument) for argument in arguments)})"
    raise AssertionError(f"no text for {type(term).__name__}")


def name_text(name: str) -> str:
    """Return a name as it stands in canonical text: quoted where it could be read otherwise.

    >>> name_text("region"), name_text("1"), name_text("null")
    ('region', '"1"', '"null"')
    """
    if _PLAIN.fullmatch(name) and name.lower() not in _VALUES:
        return name
    return '"' + name.replace('"', '""') + '"'


def _constant(of: DataType, value: LiteralValue) -> str:
    if value is None:
        return "null"
    if of.kind is Kind.TEXT:
        return "'" + str(value).replace("'", "''") + "'"
    if of.is_moment:
        return f"{of.kind} '{value}'"
    if of.kind is Kind.DOUBLE:
        return float(str(value)).hex()
    return f"{value}"


def walk(term: Term) -> Sequence[Term]:
    """Return the term and everything below it, outermost first."""
    if not isinstance(term, Apply):
        return (term,)
    nodes: list[Term] = []
    waiting: list[Term] = [term]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if isinstance(node, Apply):
            waiting.extend(reversed(node.arguments))
    return nodes


def levels_of(term: Term) -> frozenset[str]:
    """Return the levels that a term reads."""
    return frozenset(node.level for node in walk(term) if isinstance(node, LevelTerm))


def metrics_of(term: Term) -> tuple[Metric, ...]:
    """Return the metrics that a term reads, in order of appearance, each once."""
    metrics: dict[Metric, None] = {}
    for node in walk(term):
        if isinstance(node, MetricTerm):
            metrics.setdefault(node.metric)
    return tuple(metrics)


def nested_of(term: Term) -> tuple[NestedTerm, ...]:
    """Return the reducers over cells that a term reads itself, each once."""
    nested = (node for node in walk(term) if isinstance(node, NestedTerm))
    return tuple(dict.fromkeys(nested))


def ascribed_of(term: Term) -> tuple[AscribedTerm, ...]:
    """Return the terms at anchors of their own that a term reads itself, each once."""
    return tuple(dict.fromkeys(node for node in walk(term) if isinstance(node, AscribedTerm)))


def inner_anchor(nested: NestedTerm, anchor: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sorted anchor of the cells of a nested term that stands at `anchor`."""
    return tuple(sorted({*nested.anchor, *anchor}))


def computed_in(terms: Iterable[Term]) -> tuple[ComputedLevel, ...]:
    """Return the computed levels in anchors of terms' own, those further inside included."""
    computed: dict[ComputedLevel, None] = {}
    for term in terms:
        for nested in nested_of(term):
            computed.update(dict.fromkeys((*nested.computed, *computed_in((nested.inner,)))))
    return tuple(computed)
