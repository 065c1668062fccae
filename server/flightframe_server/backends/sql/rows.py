"""The rows of a `SourceQuery`: levels looked up, columns computed, ranks taken, filters applied.

What comes in: a query. What goes out: one ungrouped SELECT, and the column of it that stands for
each term. Look-ups are outer joins to an edge's distinct map with plain `=`, so that no fact is
lost and none doubled; filters stand after them, never inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from flightframe_server.algebra.types import DataType, in_micros
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.names import (
    column_expression,
    identifier,
    level_name,
    named,
    table_expression,
)
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.hops import FunctionHop, Hop, TableHop, ValueHop
from flightframe_server.planner.source import (
    ComputedRead,
    FetchedRead,
    LevelRead,
    SourceQuery,
    StoredRead,
    metric_columns,
)
from flightframe_server.resolver.terms import ColumnTerm, Constant, LevelTerm, Metric, Term

FACTS = "f"
ROWS = "g"


def level_column(level: str) -> exp.Expr:
    """Return the column of the rows that holds a level."""
    return column_expression(level_alias(level))


def level_alias(level: str) -> str:
    """Return what the column of the rows is called that holds a level."""
    return f"l {level_name(level)}"


def edge_map_select(hop: TableHop, dialect: SqlDialect) -> exp.Select:
    """Return `SELECT DISTINCT source, target FROM table WHERE source IS NOT NULL`."""
    source_type, target_type = hop.stored_types
    source = dialect.member(hop.table, hop.source_column, hop.source_type, source_type)
    target = dialect.member(hop.table, hop.target_column, hop.type, target_type)
    key = column_expression(hop.source_column)
    return (
        exp.select(named(source, "source"), named(target, "target"))
        .distinct()
        .from_(table_expression(hop.table))
        .where(exp.Not(this=exp.Is(this=key, expression=exp.Null())))
    )


class RowSelect:
    """Builds the SELECT of one query's rows; every look-up and column is there once.

    Args:
        query: what is read.
        dialect: of which database.
        bound: takes the values.
    """

    def __init__(self, query: SourceQuery, dialect: SqlDialect, bound: Bound) -> None:
        """Work out joins, columns and levels; see the class."""
        self._query, self._dialect, self._bound = query, dialect, bound
        self._joins: list[tuple[exp.Expr, exp.Expr]] = []
        self._known: dict[tuple[str, tuple[Hop, ...]], exp.Expr] = {}
        self._tables: dict[tuple[str, str, exp.Expr], str] = {}
        self._columns: dict[str, exp.Expr] = {}
        self._types = {column.name: column.type for column in query.columns}
        self._fine = {
            column.name: column
            for column in query.columns
            if isinstance(column, StoredRead) and column.stored_type.is_fine
        }
        for column in query.columns:
            self._columns[column.name] = self._column(column)
        self._levels = {read.level: self._level(read) for read in query.levels}
        for computed in query.computed:
            value = self._compiled(computed.term)
            member = dialect.level(value, computed.type, computed.type)
            self._levels[computed.level] = exp.Paren(this=member)

    def select(self) -> exp.Select:
        """Return the rows: `l LEVEL`, `c COLUMN`, and for ordered metrics `rN` and `eN`."""
        eligible = {
            f"e{index}": self._eligible(metric)
            for index, metric in enumerate(self._query.metrics)
            if metric.order
        }
        select = exp.select().from_(table_expression(self._query.table, FACTS))
        for level, value in self._levels.items():
            select = select.select(named(value.copy(), level_alias(level)))
        read = {column for metric in self._query.metrics for column in metric_columns(metric)}
        for name, value in self._columns.items():
            if name in self._fine and name not in read:
                # A value that the query does not read must not be refused.
                continue
            select = select.select(named(value.copy(), f"c {name}"))
        for name, value in eligible.items():
            select = select.select(named(value.copy(), name))
        apart = self._window_apart(eligible)
        if not apart:
            for name, value in self._windows(lambda level: self._levels[level].copy(), eligible):
                select = select.select(named(value, name))
        if not select.expressions:
            select = select.select(named(exp.Literal.number(1), "one"))
        for joined, condition in self._joins:
            select = select.join(joined, on=condition, join_type="left")
        for part in self._query.filter:
            select = select.where(self._compiled(part))
        return self._over(select, eligible) if apart else select

    def _window_apart(self, eligible: Mapping[str, exp.Expr]) -> bool:
        """Return whether windows need columns that are computed before them.

        A database may refuse to partition or order by what could fail.
        """
        levels = {level for metric in self._query.metrics for level in _window_levels(metric)}
        if not levels:
            return False
        levels |= {read.level for read in self._query.anchor}
        read = [*eligible.values(), *(self._levels[level] for level in levels)]
        return any(self._dialect.volatile(value) for value in read)

    def _over(self, rows: exp.Select, eligible: Mapping[str, exp.Expr]) -> exp.Select:
        """Return rows with their windows beside them."""
        names = [item.alias for item in rows.expressions]
        select = exp.select(*(column_expression(name) for name in names))
        computed: dict[str, exp.Expr] = {name: column_expression(name) for name in eligible}
        for name, value in self._windows(level_column, computed):
            select = select.select(named(value, name))
        return select.from_(rows.subquery(identifier(ROWS)))

    def _compiled(self, term: Term) -> exp.Expr:
        return compile_term(term, self._leaf, self._dialect, self._bound)

    def _leaf(self, term: Term) -> exp.Expr:
        match term:
            case LevelTerm(level=level):
                return self._levels[level].copy()
            case ColumnTerm(column=column):
                return self._columns[column].copy()
        raise AssertionError(term)

    def _column(self, column: StoredRead | ComputedRead | FetchedRead) -> exp.Expr:
        match column:
            case StoredRead(column=stored):
                stored_type = column.stored_type
                return self._dialect.counted(self._query.table, stored, stored_type, FACTS)
            case ComputedRead(term=term, type=declared):
                value = self._dialect.cast(self._compiled(term), declared, term.type)
                return exp.Paren(this=value)
            case FetchedRead():
                return self._fetched(column)

    def _fetched(self, column: FetchedRead) -> exp.Expr:
        alias = f"k{len(self._joins)}"
        value = self._dialect.counted(column.table, column.column, column.stored_type, None)
        joined = exp.select(named(value, "value")).distinct()
        conditions: list[exp.Expr] = []
        for at, (own, key, declared, stored_type) in enumerate(column.keys):
            member = self._dialect.member(column.table, key, declared, stored_type)
            joined = joined.select(named(member, f"key{at}"))
            side = column_expression(f"key{at}", alias)
            mine = self._dialect.level(self._columns[own].copy(), declared, self._types[own])
            conditions.append(exp.EQ(this=mine, expression=side))
        joined = joined.from_(table_expression(column.table))
        self._joins.append((joined.subquery(identifier(alias)), exp.and_(*conditions)))
        return column_expression("value", alias)

    def _level(self, read: LevelRead) -> exp.Expr:
        key: tuple[str, tuple[Hop, ...]] = (read.column, ())
        fine = self._fine.get(read.column)
        if fine is not None and read.cuts:
            # A period begins where it does, however fine its moments are.
            key = (read.column, read.hops[:1])
            if key not in self._known:
                table, type_ = self._query.table, fine.stored_type
                moment = self._dialect.floored(table, fine.column, type_, FACTS)
                self._known[key] = self._hop(read.hops[0], moment, in_micros(type_))
        elif key not in self._known:
            stored = self._columns[read.column].copy()
            type_ = self._types[read.column]
            self._known[key] = self._dialect.level(stored, read.start_type, type_)
        for length in range(len(key[1]) + 1, len(read.hops) + 1):
            longer = (read.column, read.hops[:length])
            if longer not in self._known:
                type_ = read.start_type if length == 1 else read.hops[length - 2].type
                self._known[longer] = self._hop(read.hops[length - 1], self._known[key], type_)
            key = longer
        return self._known[key].copy()

    def _hop(self, hop: Hop, source: exp.Expr, source_type: DataType) -> exp.Expr:
        match hop:
            case TableHop(unique=True) if self._dialect.joins_tables:
                return self._looked_up(hop, source)
            case TableHop():
                alias = f"j{len(self._joins)}"
                same = exp.EQ(this=source.copy(), expression=column_expression("source", alias))
                joined = edge_map_select(hop, self._dialect).subquery(identifier(alias))
                self._joins.append((joined, same))
                return column_expression("target", alias)
            case FunctionHop(function=function, type=declared):
                return self._dialect.truncate(function, source.copy(), declared, source_type)
            case ValueHop():
                return self._listed(hop, source)

    def _looked_up(self, hop: TableHop, source: exp.Expr) -> exp.Expr:
        """Return a column of a table joined by a unique column: once for all that is read of it."""
        source_type, target_type = hop.stored_types
        looked_up = (hop.table, hop.source_column, source)
        alias = self._tables.get(looked_up)
        if alias is None:
            alias = self._tables[looked_up] = f"j{len(self._joins)}"
            key = self._dialect.member(
                hop.table, hop.source_column, hop.source_type, source_type, alias
            )
            same = exp.EQ(this=source.copy(), expression=key)
            self._joins.append((table_expression(hop.table, alias), same))
        return self._dialect.member(hop.table, hop.target_column, hop.type, target_type, alias)

    def _listed(self, hop: ValueHop, source: exp.Expr) -> exp.Expr:
        def bound(value: LiteralValue, declared: DataType) -> exp.Expr:
            return self._dialect.constant(Constant(declared, value), self._bound)

        absent = exp.Is(this=source.copy(), expression=exp.Null())
        case = exp.Case().when(absent, bound(hop.null, hop.type))
        for value, target in hop.pairs:
            same = exp.EQ(this=source.copy(), expression=bound(value, hop.source_type))
            case = case.when(same, bound(target, hop.type))
        return exp.Paren(this=case.else_(bound(hop.default, hop.type)))

    def _windows(
        self, member: Callable[[str], exp.Expr], eligible: Mapping[str, exp.Expr]
    ) -> Iterable[tuple[str, exp.Expr]]:
        """Yield the window columns: a rank by the key, or the snapshot's moment.

        Args:
            member: gives the member of a level.
            eligible: whether a row may be taken, by column.
        """
        for index, metric in enumerate(self._query.metrics):
            points = [member(read.level) for read in self._query.anchor]
            if metric.order:
                keys = [member(term.level) for term in metric.order]
                yield f"r{index}", _rank(metric, eligible[f"e{index}"], keys, points)
            if metric.snapshot is not None:
                points += [member(level) for level in metric.snapshot.per]
                pick = exp.Max if metric.snapshot.is_last else exp.Min
                moment = pick(this=member(metric.snapshot.level))
                yield f"s{index}", exp.Window(this=moment, partition_by=points)

    def _eligible(self, metric: Metric) -> exp.Expr:
        tests: list[exp.Expr] = [
            exp.Not(this=exp.Is(this=self._leaf(term), expression=exp.Null()))
            for term in metric.order
        ]
        tests += [self._compiled(part) for part in metric.filter]
        passed = exp.Case().when(exp.and_(*tests), exp.Literal.number(1))
        return exp.Paren(this=passed.else_(exp.Literal.number(0)))


def _window_levels(metric: Metric) -> list[str]:
    """Return the levels that a metric's window reads beside the anchor's."""
    snapshot = metric.snapshot
    picked = [] if snapshot is None else [snapshot.level, *snapshot.per]
    return [*(term.level for term in metric.order), *picked]


def _rank(
    metric: Metric, eligible: exp.Expr, keys: list[exp.Expr], points: list[exp.Expr]
) -> exp.Expr:
    """Rank a point's rows by the key; one without a key, or filtered out, after all others."""
    descending = metric.reducer.picks_last
    ordered = [exp.Ordered(this=eligible.copy(), desc=True, nulls_first=False)]
    ordered += [exp.Ordered(this=key, desc=descending, nulls_first=False) for key in keys]
    order = exp.Order(expressions=ordered)
    return exp.Window(this=exp.RowNumber(), partition_by=points, order=order)
