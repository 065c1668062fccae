"""`x @ a` outside a reducer: x reduced at exactly a, told at each point of the answer.

What comes in: the syntax, and what names mean. What goes out: a term, and for each level of `a`
that is not in the anchor the term that finds it at a point. It must never guess the level of a
point: the rows of every schema that makes points must come to it from the anchor along the same
edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from flightframe_server.algebra.reducers import LEAST, REDUCERS
from flightframe_server.catalog.levels import Path
from flightframe_server.errors import LevelNotInAnchor, NotSupported, shown
from flightframe_server.language.syntax import Ascribed
from flightframe_server.resolver.ad_hoc_levels import with_anchor
from flightframe_server.resolver.expressions import Leaf, Typer
from flightframe_server.resolver.level_schemas import first_of, rows_metric
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import (
    AscribedTerm,
    LevelTerm,
    MetricTerm,
    Term,
    ascribed_of,
    level_text,
    metrics_of,
    nested_of,
)
from flightframe_server.resolver.typed import TypedCollection


def ascribed_term(node: Ascribed, scope: Scope, leaf_in: Callable[[Scope], Leaf]) -> Term:
    """Return the term of `x @ a`; where `a` is the anchor itself, it is x.

    Args:
        node: the syntax.
        scope: what names mean where it stands.
        leaf_in: gives the leaves of x, in the scope of a point of `a`.

    Raises:
        LevelNotInAnchor: a level of `a` is neither in the anchor nor determined by it.
        NotSupported: x reads no metric.
    """
    named, _ = with_anchor(scope, node.anchor)
    levels = tuple(sorted(named.levels(node.anchor)))
    if scope.anchor is not None:
        # A computed level determines nothing, and nothing but itself tells its member at a point.
        declared = [level for level in scope.anchor if level not in scope.typed.computed_levels]
        determined = {*scope.anchor, *scope.typed.graph.determined(declared)}
        for level in levels:
            if level not in determined:
                raise _left_open(node, level_text(level))
    within = replace(named, anchor=levels, sets=())
    inner = Typer(leaf_in(within), scope.binding, zone=scope.zone).term(node.operand)
    if not metrics_of(inner) and not nested_of(inner):
        raise NotSupported("an anchor of its own is given to metrics", place=node.place)
    if scope.anchor is not None and levels == tuple(sorted(scope.anchor)):
        return inner
    return AscribedTerm(inner.type, inner, levels)


def _left_open(node: Ascribed, level: str) -> LevelNotInAnchor:
    return LevelNotInAnchor(
        f"x @ {shown(level)} is one value at each point of the answer, and the anchor neither has"
        f" nor determines {shown(level)}",
        place=node.place,
        hint=f"add {shown(level)} to AT, or reduce it, which makes one value of several",
    )


def schemas_ascribed(terms: tuple[Term, ...]) -> tuple[str, ...]:
    """Return the schemas that are reduced at anchors of their own, each once."""
    needs = (
        need
        for term in terms
        for part in ascribed_of(term)
        for need in needs_of(part.inner, part.anchor, ())
    )
    return tuple(dict.fromkeys(need.metric.schema for need in needs))


def places_of_points(
    typed: TypedCollection,
    anchor: tuple[str, ...],
    schemas: tuple[str, ...],
    terms: tuple[Term, ...],
) -> tuple[tuple[str, Term], ...]:
    """Return what finds the levels after @ that an anchor determines, at each point of the answer.

    All rows of a point have one member of such a level: the first of them is that member.

    Args:
        typed: the collection.
        anchor: the levels of a point.
        schemas: whose rows make the points.
        terms: those of the question.

    Raises:
        LevelNotInAnchor: rows of a schema do not come to a level from the anchor, or on another way
            than those of another schema.
    """
    return tuple(
        (level, _first_member(typed, anchor, schemas, level))
        for level in dict.fromkeys(_determined(anchor, terms))
    )


def _determined(anchor: tuple[str, ...], terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        for part in ascribed_of(term):
            yield from (level for level in part.anchor if level not in anchor)


def _first_member(
    typed: TypedCollection, anchor: tuple[str, ...], schemas: tuple[str, ...], level: str
) -> Term:
    ways = {_way(typed, schema, anchor, level) for schema in schemas}
    if None in ways or len(ways) > 1:
        raise LevelNotInAnchor(
            f"the points of {' and '.join(schemas)} do not come to {shown(level)} from the anchor"
            " on one way, so that x @ it has no one value at each",
            hint=f"add {shown(level)} to AT",
        )
    term = LevelTerm(typed.level_types[level], level)
    metrics = (rows_metric(schema, LEAST, term, term.type, ()) for schema in schemas)
    return first_of(
        REDUCERS[LEAST].ranks, tuple(MetricTerm(term.type, metric) for metric in metrics)
    )


def _way(typed: TypedCollection, schema: str, anchor: tuple[str, ...], level: str) -> Path | None:
    """Return the edges by which rows come from the anchor to a level; None where they do not."""
    path = typed.graph.schema_path(schema, level) or ()
    starts = [at for at, edge in enumerate(path) if edge.source in anchor]
    return path[starts[-1] :] if starts else None
