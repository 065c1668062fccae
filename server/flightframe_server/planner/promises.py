"""What the data must keep for answers to be right: every promise of a collection, as a value.

What comes in: a typed collection. What goes out: for each promise its key, the tables whose content
decides it, and what has to be compared. It must never read data, nor judge: a promise is attested
elsewhere, on one version of the data, when an answer first needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flightframe_server.algebra.types import DATE
from flightframe_server.catalog.collection import (
    Edge,
    FunctionMap,
    LookupColumn,
    MetricFamily,
    RoleMap,
    RootedMetric,
    Sibling,
    TableMap,
)
from flightframe_server.errors import FlightframeError
from flightframe_server.planner.hops import Hop, TableHop, hop_of
from flightframe_server.planner.siblings import compared
from flightframe_server.planner.source import (
    FetchedRead,
    column_reads,
    read_level,
    read_way,
    tables_of,
)
from flightframe_server.planner.violations import (
    column_key,
    edge_key,
    grain_key,
    level_key,
    pair_key,
    rows_key,
    sibling_key,
    unique_key,
    way_key,
)
from flightframe_server.planner.ways import several_ways
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class EdgeIsFunction:
    """Each member of an edge's source has one target."""

    key: str
    tables: frozenset[str]
    hop: TableHop


@dataclass(frozen=True, slots=True)
class PathsAgree:
    """All paths between the same two levels lead every member to the same one.

    Attributes:
        key: what a violation is looked up by.
        tables: the tables whose content decides.
        pairs: the hops of two paths each that part at once and meet at the end.
    """

    key: str
    tables: frozenset[str]
    pairs: tuple[tuple[tuple[Hop, ...], tuple[Hop, ...]], ...]


@dataclass(frozen=True, slots=True)
class ColumnHoldsPeriods:
    """Each member of a level in a schema is the first instant that its functions give."""

    key: str
    tables: frozenset[str]
    schema: str
    level: str
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeyIsUnique:
    """No key stands on several rows of a table."""

    key: str
    tables: frozenset[str]
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GrainIsKey:
    """Each point of a schema's grain stands on one row."""

    key: str
    tables: frozenset[str]
    schema: str


@dataclass(frozen=True, slots=True)
class WaysAgree:
    """All ways from a schema's columns to a level lead every row to one member.

    Attributes:
        key: what a violation is looked up by.
        tables: the tables whose content decides.
        schema: the schema.
        level: the level that the ways lead to.
        hops: every look-up on any of the ways.
    """

    key: str
    tables: frozenset[str]
    schema: str
    level: str
    hops: tuple[TableHop, ...]


@dataclass(frozen=True, slots=True)
class SiblingIsEqual:
    """A sibling schema holds a family's numbers as the family's root does."""

    key: str
    tables: frozenset[str]
    family: str
    schema: str


@dataclass(frozen=True, slots=True)
class TableSize:
    """How many rows a table has: no promise, and known of one version of the data alone as well."""

    key: str
    tables: frozenset[str]
    table: str


@dataclass(frozen=True, slots=True)
class ColumnIsUnique:
    """No value stands on several rows of a column: no promise, and known of one version alone."""

    key: str
    tables: frozenset[str]
    table: str
    column: str


Fact = (
    EdgeIsFunction
    | PathsAgree
    | WaysAgree
    | ColumnHoldsPeriods
    | KeyIsUnique
    | GrainIsKey
    | SiblingIsEqual
    | TableSize
    | ColumnIsUnique
)


def facts_of(typed: TypedCollection) -> Mapping[str, Fact]:
    """Return everything that has to be looked at in the data of a collection, by key."""
    facts: dict[str, Fact] = {}
    promises = (_edges, _paths_that_meet, _ways, _periods, _fetched_keys, _grains, _siblings)
    for make in (*promises, _sizes, _unique_sources):
        for fact in make(typed):
            facts.setdefault(fact.key, fact)
    return facts


def _declared_edges(typed: TypedCollection) -> Iterator[Edge]:
    for family in typed.collection.dimension_families.values():
        yield from family.edges


def table_hops(typed: TypedCollection) -> Iterator[TableHop]:
    """Yield every edge of a collection whose map stands in a table."""
    for edge in _declared_edges(typed):
        if isinstance(edge.map, TableMap):
            hop = hop_of(typed, edge)
            assert isinstance(hop, TableHop)
            yield hop


def _edges(typed: TypedCollection) -> Iterator[Fact]:
    for hop in table_hops(typed):
        if not hop.trusted:
            yield EdgeIsFunction(edge_key(hop.edge), frozenset({hop.table}), hop)


def _paths_that_meet(typed: TypedCollection) -> Iterator[Fact]:
    for source in typed.graph.level_names:
        if len(typed.graph.edges_from(source)) < 2:
            continue
        for target in sorted(typed.graph.determined([source]) - {source}):
            pairs = tuple(_pairs(typed, source, target))
            hops = [hop for pair in pairs for path in pair for hop in path]
            tables = frozenset(hop.table for hop in hops if isinstance(hop, TableHop))
            if pairs:
                yield PathsAgree(pair_key(source, target), tables, pairs)


def _pairs(
    typed: TypedCollection, source: str, target: str
) -> Iterator[tuple[tuple[Hop, ...], tuple[Hop, ...]]]:
    """Yield paths that part at once, unless calendar functions alone decide both."""
    first, *others = _paths(typed, source, target) or [()]
    for other in others:
        by_function = all(isinstance(edge.map, FunctionMap) for edge in (*first, *other))
        if first[0] != other[0] and not by_function:
            one, two = (tuple(hop_of(typed, edge) for edge in path) for path in (first, other))
            yield one, two


def _paths(typed: TypedCollection, source: str, target: str) -> list[tuple[Edge, ...]]:
    paths: list[tuple[Edge, ...]] = []
    for edge in typed.graph.edges_from(source):
        if isinstance(edge.map, RoleMap):
            # What it is a role of is held to what its way promises.
            continue
        if edge.target == target:
            paths.append((edge,))
        else:
            paths += [(edge, *rest) for rest in _paths(typed, edge.target, target)]
    return paths


def _periods(typed: TypedCollection) -> Iterator[Fact]:
    """Yield schemas' columns that must hold first instants, with the functions that give them."""
    functions: dict[str, set[str]] = {}
    for edge in _declared_edges(typed):
        if isinstance(edge.map, FunctionMap):
            functions.setdefault(edge.target, set()).add(edge.map.function)
    for schema in typed.collection.schemas:
        for level, column in typed.graph.own_levels(schema).items():
            required = functions.get(level, set())
            if typed.column_types[schema, column] != typed.level_types[level] == DATE:
                # A moment in a level of days would be cut to its day unseen.
                required = required | {"DAY_OF"}
            if required:
                tables = _tables_of_level(typed, schema, level)
                key = level_key(schema, level)
                yield ColumnHoldsPeriods(key, tables, schema, level, frozenset(required))


def _tables_of_level(typed: TypedCollection, schema: str, level: str) -> frozenset[str]:
    read = read_level(typed, schema, level)
    columns = column_reads(typed, schema, (read.column,))
    fetched = {column.table for column in columns if isinstance(column, FetchedRead)}
    return frozenset({typed.schema(schema).table, *tables_of((read,)), *fetched})


def _fetched_keys(typed: TypedCollection) -> Iterator[Fact]:
    """Yield the keys that columns are fetched along."""
    for schema in typed.collection.schemas.values():
        for column in schema.columns.values():
            if isinstance(column, LookupColumn) and not typed.schema(column.schema).trusted:
                other = typed.schema(column.schema)
                keys = tuple(typed.source_column(other.name, key) for key in column.on)
                key = column_key(schema.name, column.name)
                yield KeyIsUnique(key, frozenset({other.table}), other.table, keys)


def _grains(typed: TypedCollection) -> Iterator[Fact]:
    for schema in typed.collection.schemas.values():
        if schema.grain and not schema.trusted:
            names = [typed.graph.find(name) or name for name in schema.grain]
            columns = column_reads(
                typed, schema.name, [read_level(typed, schema.name, name).column for name in names]
            )
            fetched = {column.table for column in columns if isinstance(column, FetchedRead)}
            tables = frozenset({schema.table, *fetched})
            yield GrainIsKey(grain_key(schema.name), tables, schema.name)


def _ways(typed: TypedCollection) -> Iterator[Fact]:
    for schema, level in several_ways(typed):
        reads = [read_way(typed, schema, level, way) for way in typed.graph.ways(schema, level)]
        columns = column_reads(typed, schema, [read.column for read in reads])
        fetched = {column.table for column in columns if isinstance(column, FetchedRead)}
        tables = frozenset({typed.schema(schema).table, *tables_of(reads), *fetched})
        hops = {hop.edge: hop for read in reads for hop in read.hops if isinstance(hop, TableHop)}
        yield WaysAgree(way_key(schema, level), tables, schema, level, tuple(hops.values()))


def _siblings(typed: TypedCollection) -> Iterator[Fact]:
    for family in typed.collection.metric_families.values():
        if isinstance(family.meaning, RootedMetric):
            for sibling in family.meaning.siblings:
                key = sibling_key(family.name, sibling.schema)
                tables = _tables_compared(typed, family, family.meaning, sibling)
                yield SiblingIsEqual(key, tables, family.name, sibling.schema)


def _tables_compared(
    typed: TypedCollection, family: MetricFamily, root: RootedMetric, sibling: Sibling
) -> frozenset[str]:
    try:
        detail, summary, _ = compared(typed, family, root, sibling)
    except FlightframeError:
        # It cannot be compared at all, which is said when it is tried.
        return frozenset({typed.schema(root.schema).table, typed.schema(sibling.schema).table})
    return detail.tables | summary.tables


def _sizes(typed: TypedCollection) -> Iterator[Fact]:
    for schema in typed.collection.schemas.values():
        yield TableSize(rows_key(schema.table), frozenset({schema.table}), schema.table)


def _unique_sources(typed: TypedCollection) -> Iterator[Fact]:
    """Yield the columns that edges start from, where they hold the members as they are."""
    for hop in table_hops(typed):
        if hop.is_plain and not hop.trusted:
            table, column = hop.table, hop.source_column
            yield ColumnIsUnique(unique_key(table, column), frozenset({table}), table, column)
