"""The levels of a collection as a graph: what determines what, and along which edges.

What comes in: a collection. What goes out: answers to "which levels does this set determine",
"along which edges", "through which schema would facts be counted twice". It must never look at
data: an edge here is declared, and whether it holds today is for others to say.

Levels and schemas are named as declared; `find` turns what a user wrote into that. A name that the
collection does not declare is a mistake of the caller and raises `InternalError`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from flightframe_server.catalog.collection import Collection, Edge, RootedMetric
from flightframe_server.errors import InternalError

_T = TypeVar("_T")

Path = tuple[Edge, ...]
"""Edges, each of which starts where the one before it leads."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelGraph:
    """Every level and edge of one collection, with closures computed once.

    Attributes:
        collection: what it was built from.
        level_names: every level as declared: of families first, then of grains alone.
        fact_schemas: the schemas that hold a metric's numbers, as its root or as a sibling.
    """

    collection: Collection
    level_names: tuple[str, ...] = field(init=False)
    fact_schemas: frozenset[str] = field(init=False)
    _by_folded: Mapping[str, str] = field(init=False, repr=False)
    _family: Mapping[str, str] = field(init=False, repr=False)
    _edges: Mapping[str, tuple[Edge, ...]] = field(init=False, repr=False)
    _closure: Mapping[str, frozenset[str]] = field(init=False, repr=False)
    _own: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    _reachable: Mapping[str, frozenset[str]] = field(init=False, repr=False)
    _sorted: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)
    _ways: dict[tuple[str, str], tuple[Path, ...]] = field(init=False, repr=False)
    _bridging: dict[frozenset[str], tuple[frozenset[str], tuple[str, ...]]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Compute everything that later questions look up."""
        names = _level_names(self.collection)
        self._set("level_names", names)
        self._set("_by_folded", MappingProxyType({name.casefold(): name for name in names}))
        self._set("_family", MappingProxyType(_families_of(self.collection, names)))
        self._set("_edges", MappingProxyType(_edges_by_source(self.collection, names)))
        closure = {name: self._walk((name,)) for name in names}
        self._set("_closure", MappingProxyType(closure))
        schemas = self.collection.schemas
        own = {name: self._levels_among(schema.columns) for name, schema in schemas.items()}
        self._set("_own", MappingProxyType(own))
        reach = {name: self.determined(levels) for name, levels in own.items()}
        self._set("_reachable", MappingProxyType(reach))
        in_order = {name: tuple(sorted(levels)) for name, levels in reach.items()}
        self._set("_sorted", MappingProxyType(in_order))
        self._set("fact_schemas", frozenset(_fact_schemas(self.collection)))
        self._set("_ways", {})
        self._set("_bridging", {})

    def find(self, name: str) -> str | None:
        """Return the level of that name, in any case, as declared; None where there is none."""
        return self._by_folded.get(name.casefold())

    def family_of(self, level: str) -> str:
        """Return the dimension family of a level; its own name where it is in none."""
        return _known(self._family, level, "level")

    def edges_from(self, level: str) -> tuple[Edge, ...]:
        """Return the edges that start in a level, in the order declared."""
        return _known(self._edges, level, "level")

    def determined(self, levels: Iterable[str]) -> frozenset[str]:
        """Return the levels and all that they determine."""
        closures = [_known(self._closure, level, "level") for level in levels]
        return closures[0] if len(closures) == 1 else frozenset().union(*closures)

    def path(self, sources: Iterable[str], target: str) -> Path | None:
        """Return a shortest path from any source to the target.

        It is empty where the target is itself a source, None where no path leads there. Of paths
        of equal length it is that of the source first by name; of several from one source, the one
        whose edges are declared first.
        """
        starts = sorted(set(sources))
        for level in (target, *starts):
            _known(self._edges, level, "level")
        return self._shortest(starts, starts, target)

    def _shortest(self, starts: Iterable[str], closed: Iterable[str], target: str) -> Path | None:
        """Return a shortest path from one of `starts` that enters no `closed` level."""
        edge_to: dict[str, Edge | None] = dict.fromkeys(closed)
        queue = deque(starts)
        if target in edge_to:
            return ()
        while queue and target not in edge_to:
            for edge in self._edges[queue.popleft()]:
                if edge.target not in edge_to:
                    edge_to[edge.target] = edge
                    queue.append(edge.target)
        return _trace(edge_to, target)

    def with_edge(self, edge: Edge) -> LevelGraph:
        """Return the graph with an edge to a level that no listing has, found by its name alone."""
        new = LevelGraph(self.collection)
        here = edge.target
        names = {**self._by_folded, here.casefold(): here}
        new._set("_by_folded", MappingProxyType(names))
        new._set("_family", MappingProxyType({**self._family, here: self.family_of(edge.source)}))
        leaving = (*self.edges_from(edge.source), edge)
        edges = {**self._edges, edge.source: leaving, here: ()}
        new._set("_edges", MappingProxyType(edges))
        closure = {name: _joined(levels, edge) for name, levels in self._closure.items()}
        closure[here] = frozenset({here})
        new._set("_closure", MappingProxyType(closure))
        reach = {name: _joined(levels, edge) for name, levels in self._reachable.items()}
        new._set("_reachable", MappingProxyType(reach))
        return new

    def own_levels(self, schema: str) -> Mapping[str, str]:
        """Return the levels that are columns of a schema, each with that column's name."""
        return _known(self._own, schema, "schema")

    def reachable(self, schema: str) -> frozenset[str]:
        """Return the levels at which a schema's rows can be summed up: its own and determined."""
        return _known(self._reachable, schema, "schema")

    def reachable_in_order(self, schema: str) -> tuple[str, ...]:
        """Return the levels of `reachable`, sorted by name."""
        return _known(self._sorted, schema, "schema")

    def ways(self, schema: str, level: str) -> tuple[Path, ...]:
        """Return every way from a schema's columns to a level, the shortest from each column.

        A column named like the level is the level, and the only way to it; and a way leads
        through no level that is a column as well. The shortest way comes first, of equal ones that
        of the column first by name, whatever the order in which anything is declared.
        """
        key = (schema, level)
        if key not in self._ways:
            own = sorted(self.own_levels(schema))
            _known(self._edges, level, "level")
            if level in own:
                paths: list[Path] = [()]
            elif level not in self._reachable[schema]:
                paths = []
            else:
                leading = (start for start in own if level in self._closure[start])
                every = (self._shortest([start], own, level) for start in leading)
                paths = sorted((way for way in every if way is not None), key=len)
            self._ways[key] = tuple(paths)
        return self._ways[key]

    def schema_path(self, schema: str, level: str) -> Path | None:
        """Return the first way from a schema's columns to a level; None where there is none."""
        ways = self.ways(schema, level)
        return ways[0] if ways else None

    def settled(self, schema: str, level: str, known: Container[str]) -> bool:
        """Return whether a schema's rows that agree in the known levels agree in this one.

        Judged along the edges that the rows themselves take: a level that is a column of theirs is
        settled by nothing but itself, since the column may say otherwise than an edge to that
        level.
        """
        path = self.schema_path(schema, level) or ()
        return level in known or any(edge.source in known for edge in path)

    def bridges(self, levels: Iterable[str], target: str) -> tuple[str, ...]:
        """Return the schemas through which facts at `levels` would fan out to `target`.

        Such a schema shares a level with those that `levels` determine, and has or determines the
        target, yet its grain stays open: one fact would meet several of its rows. Schemas whose
        grain is shared in part (tags over product and tag) come before those that only mention
        both, each group in the order declared. None where the target is determined already.
        """
        key = frozenset(levels)
        if key not in self._bridging:
            determined = self.determined(key)
            self._bridging[key] = determined, self._open_to(determined)
        determined, schemas = self._bridging[key]
        if target in determined:
            return ()
        return tuple(name for name in schemas if target in self._reachable[name])

    def _open_to(self, determined: frozenset[str]) -> tuple[str, ...]:
        """Return the schemas that facts at some levels meet in several rows; see `bridges`."""
        close: list[str] = []
        loose: list[str] = []
        for name, schema in self.collection.schemas.items():
            grain = {self.find(level) or level for level in schema.grain}
            closed = bool(grain) and grain <= determined
            if closed or determined.isdisjoint(self._own[name]):
                continue
            (loose if grain.isdisjoint(determined) else close).append(name)
        return (*close, *loose)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _levels_among(self, columns: Iterable[str]) -> Mapping[str, str]:
        pairs = ((self.find(column), column) for column in columns)
        return MappingProxyType({level: column for level, column in pairs if level is not None})

    def _walk(self, levels: Iterable[str]) -> frozenset[str]:
        seen = set(levels)
        waiting = list(seen)
        while waiting:
            for edge in self.edges_from(waiting.pop()):
                if edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        return frozenset(seen)


def _joined(levels: frozenset[str], edge: Edge) -> frozenset[str]:
    return levels | {edge.target} if edge.source in levels else levels


def _level_names(collection: Collection) -> tuple[str, ...]:
    by_folded: dict[str, str] = {}
    for family in collection.dimension_families.values():
        for level in family.levels:
            by_folded.setdefault(level.casefold(), level)
    for schema in collection.schemas.values():
        for level in schema.grain:
            by_folded.setdefault(level.casefold(), level)
    return tuple(by_folded.values())


def _families_of(collection: Collection, names: Iterable[str]) -> dict[str, str]:
    families = {name: name for name in names}
    for family in collection.dimension_families.values():
        families.update(dict.fromkeys(family.levels, family.name))
    return families


def _fact_schemas(collection: Collection) -> Iterator[str]:
    for family in collection.metric_families.values():
        if isinstance(family.meaning, RootedMetric):
            yield family.meaning.schema
            yield from (sibling.schema for sibling in family.meaning.siblings)


def _edges_by_source(collection: Collection, names: Iterable[str]) -> dict[str, tuple[Edge, ...]]:
    edges: dict[str, list[Edge]] = {name: [] for name in names}
    for family in collection.dimension_families.values():
        for edge in family.edges:
            edges[edge.source].append(edge)
    return {name: tuple(outgoing) for name, outgoing in edges.items()}


def _trace(edge_to: Mapping[str, Edge | None], target: str) -> tuple[Edge, ...] | None:
    if target not in edge_to:
        return None
    edges: list[Edge] = []
    edge = edge_to[target]
    while edge is not None:
        edges.append(edge)
        edge = edge_to[edge.source]
    return tuple(reversed(edges))


def _known(table: Mapping[str, _T], name: str, what: str) -> _T:
    try:
        return table[name]
    except KeyError:
        raise InternalError(f"the collection declares no {what} of that name") from None
