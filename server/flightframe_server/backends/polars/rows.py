"""The rows of a `SourceQuery`: columns computed and fetched, levels looked up, filters applied.

What comes in: a query and the tables it reads. What goes out: a lazy frame of rows, and the value
that stands for each level and column in it. Look-ups are left joins to the distinct map with plain
equality, so that no fact is lost, and they are validated, so that none is doubled.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from flightframe_server.algebra.types import DataType, Kind, in_micros
from flightframe_server.backends.polars.files import OpenTables
from flightframe_server.backends.polars.moments import floored, narrowed, starts
from flightframe_server.backends.polars.terms import compile_term, every
from flightframe_server.backends.polars.values import Value, cast, constant, dtype_of, physical
from flightframe_server.errors import InternalError
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.hops import FunctionHop, Hop, TableHop, ValueHop
from flightframe_server.planner.source import (
    ComputedRead,
    FetchedRead,
    LevelRead,
    SourceQuery,
    StoredRead,
)
from flightframe_server.resolver.terms import ColumnTerm, LevelTerm, Term


def edge_map(hop: TableHop, tables: OpenTables) -> pl.LazyFrame:
    """Return an edge's map: distinct `source` and `target`, `source` never NULL."""
    columns = ((hop.source_column, "source"), (hop.target_column, "target"))
    sides = zip(columns, (hop.source_type, hop.type), hop.stored_types, strict=True)
    chosen = [
        cast(counted(tables, hop.table, column, name, type_), declared).expr.alias(name)
        for (column, name), declared, type_ in sides
    ]
    known = tables.scan(hop.table, columns).select(chosen)
    return known.filter(pl.col("source").is_not_null()).unique()


class Rows:
    """The rows of one query; every column, level and look-up is there once.

    Args:
        query: what is read.
        tables: where from.

    Attributes:
        frame: the rows that the query's filter leaves.
    """

    def __init__(self, query: SourceQuery, tables: OpenTables) -> None:
        """Read, look up and filter; see the class."""
        self._tables = tables
        self._joined = self._number = 0
        self._fine: dict[str, Value] = {}
        self._columns: dict[str, Value] = {}
        self._levels: dict[str, Value] = {}
        self._known: dict[tuple[str, tuple[Hop, ...]], Value] = {}
        stored = [column for column in query.columns if isinstance(column, StoredRead)]
        self.frame = tables.scan(query.table, [(read.column, _named(read.name)) for read in stored])
        for read in stored:
            name, type_ = _named(read.name), read.stored_type
            self._columns[read.name] = counted(tables, query.table, read.column, name, type_)
            if type_.is_fine:
                self._fine[read.name] = Value(pl.col(name), type_)
        for column in query.columns:
            match column:
                case ComputedRead(name=name, term=term, type=declared):
                    computed = cast(self.value(term), declared)
                    self._columns[name] = self.keep(computed, _named(name))
                case FetchedRead():
                    self._columns[column.name] = self._fetched(column)
        for level in query.levels:
            self._levels[level.level] = self.keep(self._level(level), level_column(level.level))
        tests = [self.value(part) for part in query.filter]
        if tests:
            self.frame = self.frame.filter(every(tests))
        # What a filter leaves out is not computed, and so cannot fail.
        for own in query.computed:
            member = cast(self.value(own.term), own.type)
            self._levels[own.level] = self.keep(member, level_column(own.level))

    def value(self, term: Term) -> Value:
        """Return the value of a term over these rows."""
        return compile_term(term, self._leaf, self.hold)

    def keep(self, value: Value, name: str) -> Value:
        """Add a column of that value and return it."""
        self.frame = self.frame.with_columns(value.expr.alias(name))
        return Value(pl.col(name), value.type)

    def hold(self, value: Value) -> Value:
        """Add a column of that value under a name that nothing else has, and return it."""
        self._number += 1
        return self.keep(value, f"h{self._number}")

    def _leaf(self, term: Term) -> Value:
        match term:
            case LevelTerm(level=level):
                return self._levels[level]
            case ColumnTerm(column=column):
                return self._columns[column]
        raise InternalError("rows hold levels and columns only")

    def _level(self, read: LevelRead) -> Value:
        key: tuple[str, tuple[Hop, ...]] = (read.column, ())
        fine = self._fine.get(read.column)
        if fine is not None and read.cuts:
            # A period begins where it does, however fine its moments are.
            key = (read.column, read.hops[:1])
            moment = Value(floored(fine.expr, fine.type), in_micros(fine.type))
            self._known.setdefault(key, self.hold(self._hop(read.hops[0], moment)))
        elif key not in self._known:
            self._known[key] = self.hold(cast(self._columns[read.column], read.start_type))
        for length in range(len(key[1]) + 1, len(read.hops) + 1):
            source = self._known[key]
            key = (read.column, read.hops[:length])
            if key not in self._known:
                self._known[key] = self.hold(self._hop(read.hops[length - 1], source))
        return self._known[key]

    def _hop(self, hop: Hop, source: Value) -> Value:
        match hop:
            case TableHop():
                return self._looked_up(edge_map(hop, self._tables), [source], ["source"], hop.type)
            case FunctionHop(function=function, type=declared):
                return truncated(function, source, declared)
            case ValueHop():
                return _listed(hop, source)

    def _fetched(self, column: FetchedRead) -> Value:
        tables, names = self._tables, [f"key{at}" for at in range(len(column.keys))]
        read = [(key, name) for (_, key, _, _), name in zip(column.keys, names, strict=True)]
        chosen = [
            cast(counted(tables, column.table, key, name, type_), declared).expr.alias(name)
            for (_, key, declared, type_), name in zip(column.keys, names, strict=True)
        ]
        type_ = column.stored_type
        value = counted(tables, column.table, column.column, "target", type_)
        other = tables.scan(column.table, [*read, (column.column, "target")])
        other = other.select(*chosen, value.expr.alias("target")).unique()
        mine = [cast(self._columns[own], declared) for own, _, declared, _ in column.keys]
        return self._looked_up(other, mine, names, value.type)

    def _looked_up(
        self, other: pl.LazyFrame, mine: Sequence[Value], theirs: Sequence[str], declared: DataType
    ) -> Value:
        """Join a distinct map outer; two of its rows for one key make the query fail."""
        number, self._joined = self._joined, self._joined + 1
        own = [f"j{number} key{at}" for at in range(len(mine))]
        for value, name in zip(mine, own, strict=True):
            self.keep(value, name)
        target = f"j{number}"
        keys = [pl.col(name).is_not_null() for name in theirs]
        self.frame = self.frame.join(
            other.filter(pl.all_horizontal(*keys)).rename({"target": target}),
            left_on=own,
            right_on=list(theirs),
            how="left",
            nulls_equal=False,
            validate="m:1",
        )
        return Value(pl.col(target), declared)


def counted(tables: OpenTables, table: str, column: str, name: str, type_: DataType) -> Value:
    """Return a scanned column, named `name`, in microseconds and the collection's zone.

    A moment of nanoseconds that does not fit makes the query fail.
    """
    stored = tables.value(table, column, name)
    if stored.type.is_fine:
        return Value(narrowed(stored.expr, type_, f"{table}.{column}"), in_micros(type_))
    return Value(stored.expr, type_) if stored.type.zone and type_.zone else stored


def level_column(level: str) -> str:
    """Return the name of a level's column among the rows."""
    return f"l {level}"


def _named(column: str) -> str:
    return f"c {column}"


def truncated(function: str, moment: Value, declared: DataType) -> Value:
    """Return the first instant of a period on the moment's own wall clock; weeks start Monday."""
    return Value(starts(function, moment.expr, moment.type, declared), declared)


def _listed(hop: ValueHop, source: Value) -> Value:
    pairs: dict[LiteralValue, LiteralValue] = {}
    for value, target in hop.pairs:
        pairs.setdefault(physical(value, hop.source_type), target)
    mapped = constant(hop.default, hop.type).expr
    if pairs:
        targets = [
            None if target is None else physical(target, hop.type) for target in pairs.values()
        ]
        mapped = source.expr.replace_strict(
            _series(list(pairs), hop.source_type),
            _series(targets, hop.type),
            default=mapped,
            return_dtype=dtype_of(hop.type),
        )
    absent = constant(hop.null, hop.type).expr
    return Value(pl.when(source.expr.is_null()).then(absent).otherwise(mapped), hop.type)


def _series(values: list[LiteralValue], declared: DataType) -> pl.Series:
    if declared.kind is Kind.TIMESTAMP:
        return pl.Series(values, dtype=pl.Int64).cast(dtype_of(declared))
    return pl.Series(values, dtype=dtype_of(declared))
