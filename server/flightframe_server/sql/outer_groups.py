"""GROUP BY and aggregates over answers.

What comes in: a SELECT and the rows that it is over. What goes out: the rows reduced, with the
places of keys and aggregates. It must never reduce rows by another key than the one written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.algebra.frame_functions import FrameFunction
from flightframe_server.algebra.types import BOOLEAN, INTEGER
from flightframe_server.errors import NotSupported, TypeMismatch
from flightframe_server.outer.algebra import Aggregate, Measure, Project
from flightframe_server.outer.typing import measure_type
from flightframe_server.resolver import functions
from flightframe_server.resolver.terms import UNKNOWN, Constant, Term
from flightframe_server.sql.aggregate_nodes import is_aggregate
from flightframe_server.sql.clauses import groups_by_all, ordinal
from flightframe_server.sql.places import place_of
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.stages import Stage
from flightframe_server.sql.trees import Key, aggregates_in, windows_in

_FUNCTIONS: dict[type[exp.Expr], FrameFunction] = {
    exp.Sum: FrameFunction.SUM,
    exp.Min: FrameFunction.MIN,
    exp.Max: FrameFunction.MAX,
    exp.Avg: FrameFunction.AVG,
    exp.Median: FrameFunction.MEDIAN,
    exp.Count: FrameFunction.COUNT,
}


@dataclass(frozen=True, slots=True)
class SelectItem:
    """One entry of SELECT: its name, its expression, and whether the name was written."""

    name: str
    node: exp.Expr
    named: bool


def has_groups(select: exp.Select, nodes: list[exp.Expr]) -> bool:
    """Whether a SELECT reduces rows; `nodes` are its expressions."""
    if select.args.get("group") is not None or select.args.get("having") is not None:
        return True
    return any(next(aggregates_in(node), None) is not None for node in nodes)


def keys_of(
    select: exp.Select, items: list[SelectItem], is_column: Callable[[exp.Column], bool]
) -> list[exp.Expr]:
    """Return the expressions that a SELECT groups by.

    Raises:
        NotSupported: a key is an aggregate.
        TypeMismatch: a number names no entry.
    """
    clause = select.args.get("group")
    if clause is None:
        return []
    if groups_by_all(clause):
        nodes = [item.node for item in items]
        keys = [node for node in nodes if not _reduced(node) and node.find(exp.Column)]
    else:
        keys = [_written(node, items, is_column) for node in clause.expressions]
    for key in keys:
        if isinstance(key, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            raise NotSupported(
                "several sets of keys beside further steps are not answered", place=place_of(key)
            )
        if _reduced(key):
            raise NotSupported("a key of GROUP BY is no aggregate", place=place_of(key))
    return keys


def _reduced(node: exp.Expr) -> bool:
    return any(is_aggregate(part) for part in node.walk())


def _written(
    node: exp.Expr, items: list[SelectItem], is_column: Callable[[exp.Column], bool]
) -> exp.Expr:
    if isinstance(node, exp.Literal) and node.is_int:
        return ordinal(node, items, "GROUP BY").node
    if isinstance(node, exp.Column) and len(node.parts) == 1 and not is_column(node):
        fits = [x for x in items if x.named and x.name.casefold() == node.name.casefold()]
        if len(fits) == 1:
            return fits[0].node
    return node


def each_once(nodes: Iterator[exp.Expr], key: Callable[[exp.Expr], Key]) -> dict[Key, exp.Expr]:
    """Return expressions by their keys, each once, in order."""
    made: dict[Key, exp.Expr] = {}
    for node in nodes:
        made.setdefault(key(node), node)
    return made


def grouped(stage: Stage, keys: list[exp.Expr], nodes: list[exp.Expr]) -> Stage:
    """Return rows reduced to keys.

    Args:
        stage: the rows.
        keys: what they are grouped by.
        nodes: every expression in which aggregates stand.

    Raises:
        QueryError: an aggregate is not answered over answers.
    """
    by_key = each_once(iter(keys), stage.key)
    aggregates = each_once((a for node in nodes for a in aggregates_in(node)), stage.key)
    terms = [stage.term(node) for node in by_key.values()]
    measures: list[Measure] = []
    for node in aggregates.values():
        measure, argument = _measure(stage, node, len(terms))
        if argument is not None:
            terms.append(argument)
        measures.append(measure)
    if not terms:
        terms = [Constant(INTEGER, 1)]
    places = tuple(range(len(by_key)))
    node_ = Aggregate(Project(stage.relation.node, tuple(terms)), places, tuple(measures))
    known = {key: at for at, key in enumerate([*by_key, *aggregates])}
    named = tuple(NamedColumn("") for _ in node_.types)
    relation = Relation(node_, named, (frozenset(places),))
    return Stage(stage.context, relation, stage.column_key, known, grouped=True)


def _measure(stage: Stage, node: exp.Expr, at: int) -> tuple[Measure, Term | None]:
    place, condition = place_of(node), None
    if isinstance(node, exp.Filter):
        condition, node = node.expression.this, node.this
    function = _FUNCTIONS.get(type(node))
    if function is None or next(windows_in(node), None) is not None:
        raise NotSupported(
            "this aggregate is not answered over an answer",
            place=place,
            hint="SUM, COUNT, MIN, MAX, AVG and MEDIAN are",
        )
    inner: exp.Expr | None = node.this
    if inner is None:
        raise NotSupported(f"{function} takes * or a value", place=place)
    if isinstance(inner, exp.Distinct):
        if function != FrameFunction.COUNT or len(inner.expressions) != 1:
            raise NotSupported("DISTINCT stands in COUNT of one value", place=place)
        function, inner = FrameFunction.COUNT_DISTINCT, inner.expressions[0]
    argument = _argument(stage, inner)
    if argument is None and function != FrameFunction.COUNT:
        raise TypeMismatch(f"{function} takes a value", place=place)
    if condition is not None:
        test = functions.typed(stage.predicate(condition), BOOLEAN)
        value = Constant(INTEGER, 1) if argument is None else argument
        argument = functions.case(
            ((test, value),), UNKNOWN, place, stage.context.reading.typed.zone
        )
    type_ = measure_type(function, None if argument is None else argument.type, place)
    return Measure(function, None if argument is None else at, type_), argument


def _argument(stage: Stage, inner: exp.Expr) -> Term | None:
    """Return what is reduced; None for rows: a star, or a number that is never NULL."""
    if isinstance(inner, exp.Star):
        return None
    if isinstance(inner.parent, exp.Count) and isinstance(inner, exp.Literal):
        return None
    if next(aggregates_in(inner), None) is not None:
        raise NotSupported("an aggregate of an aggregate has no meaning", place=place_of(inner))
    return stage.term(inner)
