"""What a back-end is asked: one small logical plan, named in the tables' own words.

What comes in: metrics, an anchor and a filter of one schema. What goes out: a frozen `SourceQuery`
that every back-end compiles for itself: read the rows, look levels up hop by hop, filter, group,
reduce to states. It must never hold text of any SQL dialect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flightframe_server.catalog.collection import Edge, FunctionMap, TableMap, ValueMap
from flightframe_server.catalog.types import DataType
from flightframe_server.errors import InternalError, NotSupported
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.legality import filter_levels, stored_columns
from flightframe_server.resolver.question import Metric, Ordering, OutputColumn, Question, Window
from flightframe_server.resolver.terms import Term, levels_of
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class TableHop:
    """A look-up in a table's map `SELECT DISTINCT source, target WHERE source IS NOT NULL`."""

    edge: str
    table: str
    source_column: str
    target_column: str
    source_type: DataType
    type: DataType


@dataclass(frozen=True, slots=True)
class FunctionHop:
    """A calendar function: the first instant of the period."""

    edge: str
    function: str
    type: DataType


@dataclass(frozen=True, slots=True)
class ValueHop:
    """A map listed value by value; NULL goes to `null`, an unlisted value to `default`."""

    edge: str
    pairs: tuple[tuple[LiteralValue, LiteralValue], ...]
    default: LiteralValue
    null: LiteralValue
    source_type: DataType
    type: DataType


Hop = TableHop | FunctionHop | ValueHop


@dataclass(frozen=True, slots=True)
class LevelRead:
    """How the rows of a table come to a level: a stored column, then hop by hop.

    Attributes:
        level: the level's name.
        type: its declared type.
        start: the level that the column holds.
        start_type: that level's declared type.
        column: the table's own name of the column.
        hops: the look-ups, none where the column is the level.
    """

    level: str
    type: DataType
    start: str
    start_type: DataType
    column: str
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceQuery:
    """One grouped query over one table.

    Attributes:
        schema: the collection's name of the table.
        table: the table's own name.
        anchor: the levels grouped by, sorted; none for the grand total.
        filter_levels: further levels that only filters and counts read.
        filter: conjuncts, all of which a row must satisfy.
        metrics: what is reduced; their states come back side by side.
        columns: (collection's name, table's own name) of each column that metrics reduce.
    """

    schema: str
    table: str
    anchor: tuple[LevelRead, ...]
    filter_levels: tuple[LevelRead, ...]
    filter: tuple[Term, ...]
    metrics: tuple[Metric, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def levels(self) -> tuple[LevelRead, ...]:
        """Every level that the query reads, the anchor's first."""
        return self.anchor + self.filter_levels

    @property
    def tables(self) -> frozenset[str]:
        """Every table that the query reads, via tables included."""
        return frozenset({self.table, *tables_of(self.levels)})


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """A whole question for the back-end: grouped queries merged, then formulas, order, window."""

    sources: tuple[SourceQuery, ...]
    columns: tuple[OutputColumn, ...]
    anchor: tuple[str, ...]
    having: Term | None
    ordering: tuple[Ordering, ...]
    window: Window | None

    @property
    def tables(self) -> frozenset[str]:
        """Every table that the query reads."""
        return frozenset().union(*(source.tables for source in self.sources))


def tables_of(levels: Iterable[LevelRead]) -> frozenset[str]:
    """Return the via tables of some levels."""
    return frozenset(hop.table for read in levels for hop in read.hops if isinstance(hop, TableHop))


def state_name(index: int, state: str) -> str:
    """Return the name under which a metric's state comes back: `m0_value`."""
    return f"m{index}_{state}"


def hop_of(typed: TypedCollection, edge: Edge) -> Hop:
    """Return one edge as a hop in the tables' own words."""
    target = typed.level_types[edge.target]
    match edge.map:
        case TableMap(schema=schema, source_column=source, target_column=column):
            return TableHop(
                str(edge),
                typed.schema(schema).table,
                typed.source_column(schema, source),
                typed.source_column(schema, column),
                typed.level_types[edge.source],
                target,
            )
        case FunctionMap(function=function):
            return FunctionHop(str(edge), function, target)
        case ValueMap(pairs=pairs, default=default, null=null):
            source_type = typed.level_types[edge.source]
            return ValueHop(str(edge), pairs, default, null, source_type, target)
    raise InternalError("an edge without a map")


def read_level(typed: TypedCollection, schema: str, level: str) -> LevelRead:
    """Return how the rows of a schema come to a level that the resolver found reachable."""
    path = typed.graph.schema_path(schema, level)
    if path is None:
        raise InternalError(f"level {level} is not reachable from {schema}")
    start = path[0].source if path else level
    column = typed.graph.own_levels(schema)[start]
    return LevelRead(
        level,
        typed.level_types[level],
        start,
        typed.level_types[start],
        typed.source_column(schema, column),
        tuple(hop_of(typed, edge) for edge in path),
    )


def source_query(
    typed: TypedCollection,
    schema: str,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
    metrics: tuple[Metric, ...],
) -> SourceQuery:
    """Return the one query that reduces these metrics of a schema at an anchor.

    Raises:
        NotSupported: a metric reduces a computed column.
    """
    wanted = {level for part in filters for level in levels_of(part)}
    for metric in metrics:
        wanted |= filter_levels(metric)
    columns = dict.fromkeys(name for metric in metrics for name in stored_columns(metric))
    for name in columns:
        if not hasattr(typed.schema(schema).columns[name], "source"):
            raise NotSupported(f"column {name} of {schema} is computed, which is not answered yet")
    return SourceQuery(
        schema,
        typed.schema(schema).table,
        tuple(read_level(typed, schema, level) for level in sorted(anchor)),
        tuple(read_level(typed, schema, level) for level in sorted(wanted - set(anchor))),
        filters,
        metrics,
        tuple((name, typed.source_column(schema, name)) for name in columns),
    )


def frame_query(question: Question, sources: tuple[SourceQuery, ...]) -> FrameQuery:
    """Return a question as one query over its grouped queries."""
    return FrameQuery(
        sources,
        question.columns,
        question.anchor,
        question.having,
        question.ordering,
        question.window,
    )
