"""What a back-end is asked: one small logical plan, named in the tables' own words.

What comes in: metrics, an anchor and a filter of one schema. What goes out: a frozen `SourceQuery`
that every back-end compiles for itself: read the rows, look levels up hop by hop, filter, group,
reduce to states. It must never hold text of any SQL dialect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.catalog.collection import (
    ComputedColumn,
    Edge,
    LookupColumn,
    StoredColumn,
)
from flightframe_server.errors import InternalError
from flightframe_server.planner.hops import FunctionHop, Hop, TableHop, hops_of
from flightframe_server.resolver.legality import filter_levels
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.question import Ordering, OutputColumn, Question, Window
from flightframe_server.resolver.terms import (
    ColumnTerm,
    ComputedLevel,
    Metric,
    Term,
    levels_of,
    walk,
)
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class LevelRead:
    """How the rows of a table come to a level: a stored column, then hop by hop.

    Attributes:
        level: the level's name.
        type: its declared type.
        start: the level that the column holds.
        start_type: that level's declared type.
        column: the schema's column that holds it.
        hops: the look-ups, none where the column is the level.
        others: further columns from which a way leads to the level; all must lead to one member.
    """

    level: str
    type: DataType
    start: str
    start_type: DataType
    column: str
    hops: tuple[Hop, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def visited(self) -> tuple[str, ...]:
        """The levels on the way, from the column's own to the level itself."""
        return self.start, *(hop.target for hop in self.hops)

    @property
    def cuts(self) -> bool:
        """Whether the column's moments themselves are cut into periods, and then forgotten."""
        first = self.hops[0] if self.hops else None
        return isinstance(first, FunctionHop) and self.start_type.kind is Kind.TIMESTAMP


@dataclass(frozen=True, slots=True)
class StoredRead:
    """A column of the table.

    Attributes:
        name: the schema's name for it.
        column: the table's own.
        type: the declared type.
        stored: the type as the table keeps it; None where it is the declared one.
    """

    name: str
    column: str
    type: DataType
    stored: DataType | None = None

    @property
    def stored_type(self) -> DataType:
        """The type as the table keeps it."""
        return self.stored or self.type


@dataclass(frozen=True, slots=True)
class ComputedRead:
    """A column computed row by row from columns read before it."""

    name: str
    term: Term
    type: DataType


@dataclass(frozen=True, slots=True)
class FetchedRead:
    """A column fetched from another table along its unique key, outer.

    Attributes:
        name: the schema's name for it.
        table: the other table.
        column: that table's own name of the column.
        keys: for each part of the key, our column, the other table's own name of its column, and
            the type in which they are compared, and the type of that table's column.
        type: the declared type.
        trusted: whether the key is believed, and not checked, to be unique.
        stored: the type as the other table keeps it; None where it is the declared one.
    """

    name: str
    table: str
    column: str
    keys: tuple[tuple[str, str, DataType, DataType], ...]
    type: DataType
    trusted: bool = False
    stored: DataType | None = None

    @property
    def stored_type(self) -> DataType:
        """The type as the other table keeps it."""
        return self.stored or self.type


ColumnRead = StoredRead | ComputedRead | FetchedRead


@dataclass(frozen=True, slots=True)
class SourceQuery:
    """One grouped query over one table.

    Attributes:
        schema: the collection's name of the table.
        table: the table's own name.
        anchor: the levels grouped by, sorted, read or computed; none for the grand total.
        filter_levels: further levels that filters, counts and computed levels read.
        filter: conjuncts, all of which a row must satisfy.
        metrics: what is reduced; their states come back side by side.
        columns: every column that levels and metrics read, each after those it is made from.
        rows_are_points: whether no two rows share a point, so that nothing has to be grouped.
    """

    schema: str
    table: str
    anchor: tuple[LevelRead | ComputedLevel, ...]
    filter_levels: tuple[LevelRead, ...]
    filter: tuple[Term, ...]
    metrics: tuple[Metric, ...]
    columns: tuple[ColumnRead, ...]
    rows_are_points: bool = False

    @property
    def levels(self) -> tuple[LevelRead, ...]:
        """Every level that the query reads, the anchor's first."""
        own = tuple(level for level in self.anchor if isinstance(level, LevelRead))
        return own + self.filter_levels

    @property
    def computed(self) -> tuple[ComputedLevel, ...]:
        """The levels of the anchor that are computed from those read."""
        return tuple(level for level in self.anchor if isinstance(level, ComputedLevel))

    @property
    def tables(self) -> frozenset[str]:
        """Every table that the query reads, via tables included."""
        return frozenset({self.table, *tables_of(self.levels), *fetched_tables(self.columns)})


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """A whole question for the back-end: grouped queries merged, then formulas, order, window.

    The last `hidden` of the sources make no point of the frame, and give states alone.
    """

    sources: tuple[SourceQuery, ...]
    columns: tuple[OutputColumn, ...]
    anchor: tuple[str, ...]
    having: Term | None
    ordering: tuple[Ordering, ...]
    window: Window | None
    hidden: int = 0

    @property
    def makers(self) -> int:
        """How many of the sources, the first ones, make the points."""
        return len(self.sources) - self.hidden

    @property
    def tables(self) -> frozenset[str]:
        """Every table that the query reads."""
        return frozenset().union(*(source.tables for source in self.sources))


def tables_of(levels: Iterable[LevelRead]) -> frozenset[str]:
    """Return the via tables of some levels."""
    return frozenset(hop.table for read in levels for hop in read.hops if isinstance(hop, TableHop))


def fetched_tables(columns: Iterable[ColumnRead]) -> frozenset[str]:
    """Return the tables that columns are fetched from."""
    return frozenset(column.table for column in columns if isinstance(column, FetchedRead))


def state_name(index: int, state: str) -> str:
    """Return the name under which a metric's state comes back: `m0_value`."""
    return f"m{index}_{state}"


def state_column(state: str) -> str:
    """Return the name under which an entry holds a state: no level's name starts with a blank."""
    return f" {state}"


def read_level(typed: TypedCollection, schema: str, level: str) -> LevelRead:
    """Return how the rows of a schema come to a level that the resolver found reachable."""
    ways = typed.graph.ways(schema, level)
    if not ways:
        raise InternalError(f"level {level} is not reachable from {schema}")
    read = read_way(typed, schema, level, ways[0])
    if len(ways) == 1:
        return read
    return replace(read, others=tuple(way[0].source for way in ways[1:]))


def read_way(typed: TypedCollection, schema: str, level: str, way: tuple[Edge, ...]) -> LevelRead:
    """Return how the rows of a schema come to a level by one way."""
    start = way[0].source if way else level
    return LevelRead(
        level,
        typed.level_types[level],
        start,
        typed.level_types[start],
        typed.graph.own_levels(schema)[start],
        hops_of(typed, way),
    )


def column_reads(
    typed: TypedCollection, schema: str, names: Iterable[str]
) -> tuple[ColumnRead, ...]:
    """Return how columns of a schema are had, each after those it is made from."""
    reads: dict[str, ColumnRead] = {}

    def add(name: str) -> None:
        if name in reads:
            return
        column = typed.schema(schema).columns[name]
        type_ = typed.column_types[schema, name]
        match column:
            case StoredColumn(source=source):
                reads[name] = StoredRead(name, source, type_, _stored_type(typed, schema, name))
            case ComputedColumn():
                term = typed.computed[schema, name]
                for node in walk(term):
                    if isinstance(node, ColumnTerm):
                        add(node.column)
                reads[name] = ComputedRead(name, term, type_)
            case LookupColumn(column=looked_up, schema=other, on=on):
                for key in on:
                    add(key)
                keys = tuple(
                    (
                        key,
                        typed.source_column(other, key),
                        typed.column_types[schema, key],
                        typed.stored_type(other, key),
                    )
                    for key in on
                )
                there, source = typed.schema(other), typed.source_column(other, looked_up)
                stored = _stored_type(typed, other, looked_up)
                reads[name] = FetchedRead(
                    name, there.table, source, keys, type_, there.trusted, stored
                )

    for name in names:
        add(name)
    return tuple(reads.values())


def _stored_type(typed: TypedCollection, schema: str, column: str) -> DataType | None:
    """Return the type as which a table keeps a column, where that is not the declared one."""
    stored = typed.stored_type(schema, column)
    return None if stored == typed.column_types[schema, column] else stored


def metric_columns(metric: Metric) -> frozenset[str]:
    """Return the columns of the metric's own schema that it reads itself."""
    terms = (*metric.filter, *(() if metric.argument is None else (metric.argument,)))
    return frozenset(
        node.column for term in terms for node in walk(term) if isinstance(node, ColumnTerm)
    )


def metric_reads(
    typed: TypedCollection, metric: Metric, levels: Iterable[str]
) -> tuple[tuple[LevelRead, ...], tuple[ColumnRead, ...]]:
    """Return how a metric's rows come to these levels, to those of its own, and to its columns."""
    all_levels = sorted(typed.base_levels({*levels, *filter_levels(metric)}))
    reads = tuple(read_level(typed, metric.schema, level) for level in all_levels)
    names = [read.column for read in reads] + sorted(metric_columns(metric))
    return reads, column_reads(typed, metric.schema, names)


def source_query(
    typed: TypedCollection,
    schema: str,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
    metrics: tuple[Metric, ...],
) -> SourceQuery:
    """Return the one query that reduces these metrics of a schema at an anchor."""
    filtered = {level for part in filters for level in levels_of(part)}
    for metric in metrics:
        filtered |= filter_levels(metric)
    filtered |= typed.base_levels(anchor)
    grouped = tuple(_grouped_by(typed, schema, level) for level in sorted(anchor))
    others = tuple(read_level(typed, schema, level) for level in sorted(filtered - set(anchor)))
    names = [read.column for read in grouped + others if isinstance(read, LevelRead)]
    names += [name for metric in metrics for name in sorted(metric_columns(metric))]
    return SourceQuery(
        schema,
        typed.schema(schema).table,
        grouped,
        others,
        filters,
        metrics,
        column_reads(typed, schema, names),
    )


def _grouped_by(typed: TypedCollection, schema: str, level: str) -> LevelRead | ComputedLevel:
    """Return how a level that is grouped by is had: from the rows, or from levels of theirs."""
    computed = typed.computed_levels.get(level)
    return read_level(typed, schema, level) if computed is None else computed


def frame_query(question: Question, sources: tuple[SourceQuery, ...]) -> FrameQuery:
    """Return a question as one query over its grouped queries, in the order of its metrics.

    The metrics of one schema under one filter have the same points, so that their query makes them
    all or none.
    """
    needs = (
        need
        for term in question.selected
        for need in needs_of(term, question.anchor, question.filter)
    )
    points = {(need.metric.schema, need.filter) for need in needs}
    points.update((schema, question.filter) for schema in question.members_of)
    makers = [source for source in sources if (source.schema, source.filter) in points]
    others = [source for source in sources if source not in makers]
    return FrameQuery(
        (*makers, *others),
        question.columns,
        question.anchor,
        question.having,
        question.ordering,
        question.window,
        len(others),
    )
