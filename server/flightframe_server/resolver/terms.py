"""Terms: typed expressions whose names have been resolved.

What comes in: nothing, the resolver makes these. What goes out: one small algebra that the
composer evaluates over Arrow columns and that the back-ends compile. It must never hold a value
that was not checked against its type, nor a name that is not in the collection.

`text` gives the canonical form of a term; two terms with the same text mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flightframe_server.algebra.reducers import Operator
from flightframe_server.algebra.types import NULL, DataType, Kind
from flightframe_server.errors import InternalError
from flightframe_server.language.syntax import LiteralValue

if TYPE_CHECKING:
    from flightframe_server.resolver.question import Metric


@dataclass(frozen=True, slots=True)
class Term:
    """Anything with a type; `type` is what its values are promised to be."""

    type: DataType


@dataclass(frozen=True, slots=True)
class LevelTerm(Term):
    """The member of a level, reached from wherever the term is evaluated."""

    level: str


@dataclass(frozen=True, slots=True)
class ColumnTerm(Term):
    """A column of a schema's rows, by the collection's name for it."""

    schema: str
    column: str


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
    cells are then reduced to the latter.
    """

    operator: Operator
    inner: Term
    anchor: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant(Term):
    """A value, already of its type; None is NULL."""

    value: LiteralValue


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

    >>> from flightframe_server.algebra.types import TEXT
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
            return f"{operator}({text(inner)} @ ({','.join(anchor)}))"
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


def walk(term: Term) -> Iterator[Term]:
    """Yield the term and everything below it, outermost first."""
    yield term
    if isinstance(term, Apply):
        for argument in term.arguments:
            yield from walk(argument)


def levels_of(term: Term) -> frozenset[str]:
    """Return the levels that a term reads."""
    return frozenset(node.level for node in walk(term) if isinstance(node, LevelTerm))


def metrics_of(term: Term) -> tuple[Metric, ...]:
    """Return the metrics that a term reads, in order of appearance, each once."""
    found: dict[Metric, None] = {}
    for node in walk(term):
        if isinstance(node, MetricTerm):
            found.setdefault(node.metric)
    return tuple(found)


def nested_of(term: Term) -> tuple[NestedTerm, ...]:
    """Return the reducers over cells that a term reads itself, each once."""
    found = (node for node in walk(term) if isinstance(node, NestedTerm))
    return tuple(dict.fromkeys(found))


def inner_anchor(nested: NestedTerm, anchor: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sorted anchor of the cells of a nested term that stands at `anchor`."""
    return tuple(sorted({*nested.anchor, *anchor}))


def needs_of(term: Term, anchor: tuple[str, ...]) -> Iterator[tuple[Metric, tuple[str, ...]]]:
    """Yield every metric a term reads with the sorted anchor it is read at, nested ones too."""
    level = tuple(sorted(anchor))
    for metric in metrics_of(term):
        yield metric, level
    for nested in nested_of(term):
        yield from needs_of(nested.inner, inner_anchor(nested, anchor))


def conjuncts(predicate: Term) -> tuple[Term, ...]:
    """Return the operands of a predicate's outermost ANDs, sorted by text, each once."""
    if isinstance(predicate, Apply) and predicate.function == "and":
        parts = [part for argument in predicate.arguments for part in conjuncts(argument)]
    else:
        parts = [predicate]
    by_text = {text(part): part for part in parts}
    return tuple(by_text[key] for key in sorted(by_text))


def merged_conjuncts(parts: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return conjuncts from several places as one normalised tuple."""
    by_text = {text(item): item for part in parts for item in conjuncts(part)}
    return tuple(by_text[key] for key in sorted(by_text))


def pinned_levels(filters: tuple[Term, ...]) -> frozenset[str]:
    """Return the levels that some conjunct holds to one member: `= value` or `IS NULL`.

    A level equal to a double is not held: whole numbers and decimals past 2^53 share one.
    """
    pinned = set()
    for part in filters:
        match part:
            case Apply(
                function="eq", arguments=(LevelTerm(level=level), Constant(type=of, value=value))
            ):
                if value is not None and of.kind is not Kind.DOUBLE:
                    pinned.add(level)
            case Apply(function="is_null", arguments=(LevelTerm(level=level),)):
                pinned.add(level)
    return frozenset(pinned)
