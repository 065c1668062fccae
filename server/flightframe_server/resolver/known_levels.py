"""`level IS KNOWN`: whether the table that an edge is read from has a row for the fact's key.

What comes in: a statement, and a typed collection. What goes out: the statement in which the test
is one of a further level, and the collection that has it: the edge's own key, looked up in the
edge's own table. It must never take a level that is NULL there for one that is not found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flightframe_server.catalog.collection import Edge, TableMap
from flightframe_server.errors import AmbiguousPath, NotSupported, UnknownName, shown
from flightframe_server.language.syntax import (
    Call,
    IsKnown,
    IsNull,
    Name,
    Statement,
)
from flightframe_server.language.trees import with_parts
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


def known_name(level: str) -> str:
    """Return the name of the level that tells whether another one was found.

    >>> known_name("region")
    'known(region)'
    """
    return f"known({level})"


def known_of(name: str) -> str | None:
    """Return the level that a level tells of; None where it is no such level."""
    inner = name.removeprefix("known(").removesuffix(")")
    return inner if known_name(inner) == name else None


def with_known(typed: TypedCollection, levels: Iterable[str]) -> TypedCollection:
    """Return the collection that can tell of some levels whether they were found.

    Args:
        typed: the collection.
        levels: levels to which one edge leads that is read from a table.
    """
    for level in levels:
        if known_name(level) in typed.level_types:
            continue
        edge = _known_edge(typed, level)
        assert edge is not None
        types = {**typed.level_types, edge.target: typed.level_types[edge.source]}
        typed = replace(typed, graph=typed.graph.with_edge(edge), level_types=types)
    return typed


def known_edges(typed: TypedCollection, levels: Iterable[str]) -> frozenset[str]:
    """Return the edges that tell whether some levels were found, as text; see `with_known`."""
    edges = (_known_edge(typed, level) for level in levels)
    return frozenset(str(edge) for edge in edges if edge is not None)


def read_known(
    statement: Statement, typed: TypedCollection
) -> tuple[Statement, TypedCollection, tuple[str, ...]]:
    """Return a statement whose IS KNOWN are tests of levels, the collection, and what they tell of.

    Raises:
        NotSupported: one stands elsewhere, or on what no single edge leads to from a table.
        UnknownName: there is no such level.
    """
    if not statement.asks_what_is_known:
        return statement, typed, ()
    reader = _Reader(typed)
    where = None if statement.where is None else reader.rewritten(statement.where)
    rest = replace(
        statement,
        where=where,
        items=reader.filters(statement.items),
        having=reader.filters(statement.having),
        order_by=reader.filters(statement.order_by),
    )
    levels = tuple(reader.levels)
    return rest, with_known(typed, levels), levels


def check_ways(typed: TypedCollection, question: Question) -> None:
    """Check that the rows of each metric come to what is looked up on one way.

    Raises:
        AmbiguousPath: several of their columns lead there.
    """
    for level in question.known:
        for need in question.needs:
            ways = typed.graph.ways(need.metric.schema, known_name(level))
            if len(ways) > 1:
                starts = " and ".join(way[0].source for way in ways)
                raise AmbiguousPath(
                    f"{starts} of {need.metric.schema} all lead to {shown(level)},"
                    " which may be known by one and not by another",
                    hint="name each way by a role",
                )


class _Reader:
    """Rewrites the tests of one statement."""

    def __init__(self, typed: TypedCollection) -> None:
        self._scope = Scope(typed, Binding(None))
        self.levels: dict[str, None] = {}

    def rewritten(self, node: Any) -> Any:
        """Return a condition on rows in which every IS KNOWN is a test of a level."""
        if isinstance(node, IsKnown):
            level = self._level(node)
            self.levels[level] = None
            name = Name((known_name(level),), place=node.operand.place)
            return IsNull(name, not node.negated, place=node.place)
        return node if isinstance(node, Name) else with_parts(node, self.rewritten)

    def filters(self, node: Any) -> Any:
        """Return what stands at points, with the FILTERs in it rewritten."""
        if isinstance(node, Call) and node.filter is not None:
            return replace(node, filter=self.rewritten(node.filter))
        return node if isinstance(node, Name) else with_parts(node, self.filters)

    def _level(self, node: IsKnown) -> str:
        name, typed = node.operand, self._scope.typed
        level = self._scope.level(name) if isinstance(name, Name) else None
        if level is None:
            if isinstance(name, Name):
                self._scope.require_level(name)
                raise UnknownName(f"there is no level {shown(name.text)}", place=name.place)
            raise NotSupported("IS KNOWN takes a level", place=node.place)
        if _known_edge(typed, level) is None:
            raise NotSupported(
                f"no single edge that is read from a table leads to {shown(level)}",
                place=node.place,
                hint=f"write {level} IS {'' if node.negated else 'NOT '}NULL",
            )
        return level


def _known_edge(typed: TypedCollection, level: str) -> Edge | None:
    """Return the edge that tells whether a level was found; None where there is no one such."""
    families = typed.collection.dimension_families.values()
    edges = [edge for family in families for edge in family.edges if edge.target == level]
    if len(edges) != 1 or not isinstance(edges[0].map, TableMap):
        return None
    edge, at = edges[0], edges[0].map
    return Edge(
        edge.source,
        known_name(level),
        TableMap(at.schema, at.source_column, at.source_column),
    )
