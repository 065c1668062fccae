"""What the data must keep for answers to be right, checked on the data as it is.

What comes in: a typed collection and a back-end. What goes out: the maps of its edges, and for each
promise that the data breaks the row that shows it, in words, under the key that `planner.broken`
looks up. It must never repair anything: a broken promise withdraws exactly the answers that need
it, and the rest go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from flightframe_server.backends.protocol import Backend
from flightframe_server.catalog.collection import (
    Edge,
    FunctionMap,
    LookupColumn,
    RoleMap,
    RootedMetric,
    StoredColumn,
    TableMap,
)
from flightframe_server.catalog.types import DATE
from flightframe_server.composer.climb import follow, truncate
from flightframe_server.composer.evaluate import whole
from flightframe_server.engine.siblings import attest_siblings, word
from flightframe_server.engine.ways import way_disagreement
from flightframe_server.planner.broken import (
    column_key,
    edge_key,
    grain_key,
    level_key,
    pair_key,
    way_key,
)
from flightframe_server.planner.make import members_metric
from flightframe_server.planner.source import TableHop, hop_of, read_way, source_query
from flightframe_server.planner.ways import several_ways
from flightframe_server.resolver.operators import REDUCERS
from flightframe_server.resolver.typed import TypedCollection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Attested:
    """What was found on one version of the data.

    Attributes:
        maps: for each table edge, as text, its distinct map.
        broken: for each broken promise, by key, a row that shows it, in words.
        siblings: for each (family, sibling schema) None where they are equal, else a row.
    """

    maps: Mapping[str, pa.Table] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    siblings: Mapping[tuple[str, str], str | None] = field(default_factory=dict)


def attest(typed: TypedCollection, backend: Backend) -> Attested:
    """Check every promise of a collection on the data.

    Raises:
        BackendError: the database failed.
    """
    maps: dict[str, pa.Table] = {}
    broken: dict[str, str] = {}
    for edge in _edges(typed):
        if isinstance(edge.map, TableMap):
            hop = hop_of(typed, edge)
            assert isinstance(hop, TableHop)
            maps[hop.edge] = backend.edge_map(hop).combine_chunks()
            _note(broken, edge_key(hop.edge), counter_example(maps[hop.edge]))
    for source, one, other in _diamonds(typed):
        if not any(edge_key(str(edge)) in broken for edge in (*one, *other)):
            key = pair_key(source, one[-1].target)
            _note(broken, key, _disagreement(typed, maps, one, other))
    for schema, level in several_ways(typed):
        hops = [
            hop
            for way in typed.graph.ways(schema, level)
            for hop in read_way(typed, schema, level, way).hops
        ]
        if not any(edge_key(hop.edge) in broken for hop in hops):
            found = way_disagreement(typed, backend, schema, level)
            _note(broken, way_key(schema, level), found)
    for schema, level, functions in _calendar_columns(typed):
        off = _off_period(typed, backend, schema, level, functions)
        _note(broken, level_key(schema, level), off)
    for key, table, columns in _keys(typed):
        double = backend.duplicate(table, columns)
        if double is not None:
            _note(broken, key, f"{_listed(double)} stands on several rows")
    siblings = attest_siblings(typed, backend, broken)
    return Attested(maps, broken, siblings)


def _note(broken: dict[str, str], key: str, found: str | None) -> None:
    if found is not None:
        broken.setdefault(key, found)
        log.warning("promise.broken", what=key)


def _edges(typed: TypedCollection) -> Iterator[Edge]:
    for family in typed.collection.dimension_families.values():
        yield from family.edges


def counter_example(known: pa.Table) -> str | None:
    """Return a source that has several targets, NULL counted as one, in words; or None."""
    counts = known.group_by("source").aggregate([([], "count_all")])
    several = counts.filter(pc.greater(counts["count_all"], 1))
    if several.num_rows == 0:
        return None
    source = sorted(several["source"].to_pylist(), key=str)[0]
    rows = known.filter(pc.equal(known["source"], pa.scalar(source, known["source"].type)))
    targets = sorted(rows["target"].to_pylist(), key=lambda value: (value is None, str(value)))
    return f"{word(source)} has {' and '.join(word(target) for target in targets[:3])}"


def _listed(values: tuple[object, ...]) -> str:
    return f"({', '.join(word(value) for value in values)})"


def _paths(typed: TypedCollection, source: str, target: str) -> list[tuple[Edge, ...]]:
    found: list[tuple[Edge, ...]] = []
    for edge in typed.graph.edges_from(source):
        if isinstance(edge.map, RoleMap):
            # What it is a role of is held to what its way promises.
            continue
        if edge.target == target:
            found.append((edge,))
        else:
            found += [(edge, *rest) for rest in _paths(typed, edge.target, target)]
    return found


def _diamonds(
    typed: TypedCollection,
) -> Iterator[tuple[str, tuple[Edge, ...], tuple[Edge, ...]]]:
    """Yield pairs of paths between the same two levels that part at once and meet at the end."""
    for source in typed.graph.level_names:
        if len(typed.graph.edges_from(source)) < 2:
            continue
        for target in sorted(typed.graph.determined([source]) - {source}):
            first, *others = _paths(typed, source, target) or [()]
            for other in others:
                by_function = all(isinstance(edge.map, FunctionMap) for edge in (*first, *other))
                if first[0] != other[0] and not by_function:
                    yield source, first, other


def _disagreement(
    typed: TypedCollection,
    maps: Mapping[str, pa.Table],
    one: tuple[Edge, ...],
    other: tuple[Edge, ...],
) -> str | None:
    sources = [maps[str(path[0])]["source"] for path in (one, other) if str(path[0]) in maps]
    if not sources:
        return None
    chunks = [chunk for held in sources for chunk in held.chunks]
    members = pc.unique(pa.chunked_array(chunks, sources[0].type))
    ends: list[pa.Array] = []
    for path in (one, other):
        values = members
        for edge in path:
            values = follow(values, hop_of(typed, edge), maps)
        ends.append(values)
    for member, here, there in zip(
        members.to_pylist(), *(end.to_pylist() for end in ends), strict=True
    ):
        if here != there:
            return (
                f"{word(member)} leads to {word(here)} by {one[0]}"
                f" and to {word(there)} by {other[0]}"
            )
    return None


def _calendar_columns(typed: TypedCollection) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield schemas' columns that must hold first instants, with the functions that give them."""
    functions: dict[str, set[str]] = {}
    for edge in _edges(typed):
        if isinstance(edge.map, FunctionMap):
            functions.setdefault(edge.target, set()).add(edge.map.function)
    for schema in typed.collection.schemas:
        for level, column in typed.graph.own_levels(schema).items():
            wanted = functions.get(level, set())
            if typed.column_types[schema, column] != typed.level_types[level] == DATE:
                # A moment in a level of days would be cut to its day unseen.
                wanted = wanted | {"DAY_OF"}
            if wanted:
                yield schema, level, frozenset(wanted)


def _off_period(
    typed: TypedCollection, backend: Backend, schema: str, level: str, functions: Iterable[str]
) -> str | None:
    members = _members(typed, backend, schema, level)
    for function in sorted(functions):
        starts = truncate(function, members).cast(members.type)
        off = members.filter(pc.fill_null(pc.not_equal(members, starts), False))
        if len(off):
            return f"{off[0].as_py()} in {schema} is not the first day of its period"
    return None


def _members(typed: TypedCollection, backend: Backend, schema: str, level: str) -> pa.Array:
    """Return a level's members in a schema as its column holds them, cut to no other type."""
    column = typed.graph.own_levels(schema)[level]
    held = typed.schema(schema).columns[column]
    if isinstance(held, StoredColumn):
        type_ = typed.column_types[schema, column]
        table = typed.schema(schema).table
        hop = TableHop(level, level, table, held.source, held.source, type_, type_)
        return whole(backend.edge_map(hop)["target"])
    query = source_query(typed, schema, (level,), (), (members_metric(schema),))
    running = backend.run(query)
    return whole(pa.Table.from_batches(list(running), schema=running.schema)[level])


def _keys(typed: TypedCollection) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what must be unique: keys that columns are fetched along, grains that order needs."""
    for schema in typed.collection.schemas.values():
        for column in schema.columns.values():
            if isinstance(column, LookupColumn):
                other = typed.schema(column.schema)
                keys = tuple(typed.source_column(other.name, key) for key in column.on)
                yield column_key(schema.name, column.name), other.table, keys
    ordered = {
        family.meaning.schema
        for family in typed.collection.metric_families.values()
        if isinstance(family.meaning, RootedMetric)
        for reducer in family.meaning.reducers
        if reducer.operator in REDUCERS and REDUCERS[reducer.operator].ordered
    }
    for name in sorted(ordered):
        schema = typed.schema(name)
        if all(hasattr(schema.columns.get(level), "source") for level in schema.grain):
            keys = tuple(typed.source_column(name, level) for level in schema.grain)
            yield grain_key(name), schema.table, keys
