"""A `SourceQuery` or `FrameQuery` as one SELECT.

What comes in: the planner's logical queries. What goes out: a sqlglot SELECT, its bound values, and
the declared columns it returns. Look-ups are outer joins to an edge's distinct map with plain `=`,
so that no fact is lost and none doubled; filters stand after them, never inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.catalog.types import DataType
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.source import (
    FrameQuery,
    FunctionHop,
    Hop,
    LevelRead,
    SourceQuery,
    TableHop,
    ValueHop,
    state_name,
)
from flightframe_server.resolver.question import Metric
from flightframe_server.resolver.terms import ColumnTerm, Constant, LevelTerm, MetricTerm, Term
from flightframe_server.resolver.values import literal_type

_FACTS = "f"


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text, its bound values, and the declared columns that come back."""

    sql: str
    values: dict[str, LiteralValue]
    columns: tuple[tuple[str, DataType], ...]


def identifier(name: str) -> exp.Identifier:
    """Return a quoted identifier."""
    return exp.to_identifier(name, quoted=True)


def table_expression(name: str, alias: str | None = None) -> exp.Table:
    """Return a table by its own name, `schema.table` for one outside the default schema."""
    schema, _, table = name.rpartition(".")
    return exp.Table(
        this=identifier(table),
        db=identifier(schema) if schema else None,
        alias=exp.TableAlias(this=identifier(alias)) if alias else None,
    )


def column_expression(name: str, table: str | None = None) -> exp.Column:
    """Return a quoted column."""
    return exp.Column(this=identifier(name), table=identifier(table) if table else None)


def state_columns(metrics: tuple[Metric, ...], first: int = 0) -> list[tuple[str, DataType]]:
    """Return the names and types under which the states of metrics come back."""
    return [
        (state_name(first + index, state.name), state.type_of(metric.argument_type))
        for index, metric in enumerate(metrics)
        for state in metric.reducer.state
    ]


def edge_map_select(hop: TableHop, dialect: SqlDialect) -> exp.Select:
    """Return `SELECT DISTINCT source, target FROM table WHERE source IS NOT NULL`."""
    source, target = column_expression(hop.source_column), column_expression(hop.target_column)
    return (
        exp.select(
            exp.alias_(dialect.cast(source, hop.source_type), "source", quoted=True),
            exp.alias_(dialect.cast(target, hop.type), "target", quoted=True),
        )
        .distinct()
        .from_(table_expression(hop.table))
        .where(exp.Not(this=exp.Is(this=source.copy(), expression=exp.Null())))
    )


class _Lookups:
    """The joins of one query: each distinct look-up once, however many levels share it."""

    def __init__(self, dialect: SqlDialect, bound: Bound) -> None:
        self._dialect, self._bound = dialect, bound
        self._known: dict[tuple[str, tuple[Hop, ...]], exp.Expr] = {}
        self.joins: list[tuple[exp.Select, str, exp.Expr]] = []

    def level(self, read: LevelRead) -> exp.Expr:
        """Return the expression of a level, adding the joins it needs."""
        key: tuple[str, tuple[Hop, ...]] = (read.column, ())
        if key not in self._known:
            stored = column_expression(read.column, _FACTS)
            self._known[key] = self._dialect.cast(stored, read.start_type)
        for length in range(1, len(read.hops) + 1):
            longer = (read.column, read.hops[:length])
            if longer not in self._known:
                self._known[longer] = self._hop(read.hops[length - 1], self._known[key])
            key = longer
        return self._known[key].copy()

    def _hop(self, hop: Hop, source: exp.Expr) -> exp.Expr:
        match hop:
            case TableHop():
                alias = f"j{len(self.joins)}"
                condition = exp.EQ(
                    this=source.copy(), expression=column_expression("source", alias)
                )
                self.joins.append((edge_map_select(hop, self._dialect), alias, condition))
                return column_expression("target", alias)
            case FunctionHop(function=function, type=declared):
                return self._dialect.truncate(function, source.copy(), declared)
            case ValueHop():
                return self._listed(hop, source)
        raise AssertionError(hop)

    def _listed(self, hop: ValueHop, source: exp.Expr) -> exp.Expr:
        def constant(value: LiteralValue) -> exp.Expr:
            typed = Constant(literal_type(value), value)
            return self._dialect.cast(self._dialect.constant(typed, self._bound), hop.type)

        case = exp.Case()
        absent = exp.Is(this=source.copy(), expression=exp.Null())
        case = case.when(absent, constant(hop.null))
        for value, target in hop.pairs:
            same = exp.EQ(
                this=source.copy(),
                expression=self._dialect.constant(
                    Constant(literal_type(value), value), self._bound
                ),
            )
            case = case.when(same, constant(target))
        return exp.Paren(this=case.else_(constant(hop.default)))


def source_select(
    query: SourceQuery, dialect: SqlDialect, bound: Bound, first: int = 0
) -> exp.Select:
    """Return one grouped SELECT; state columns are numbered from `first`."""
    lookups = _Lookups(dialect, bound)
    levels = {read.level: lookups.level(read) for read in query.levels}
    stored = dict(query.columns)

    def leaf(term: Term) -> exp.Expr:
        match term:
            case LevelTerm(level=level):
                return levels[level].copy()
            case ColumnTerm(column=column):
                return column_expression(stored[column], _FACTS)
        raise AssertionError(term)

    select = exp.select().from_(table_expression(query.table, _FACTS))
    for read in query.anchor:
        grouped = levels[read.level].copy()
        select = select.select(exp.alias_(grouped, read.level, quoted=True))
    for index, metric in enumerate(query.metrics):
        for name, declared, state in _states(metric, leaf, dialect, bound):
            alias = state_name(first + index, name)
            select = select.select(exp.alias_(dialect.cast(state, declared), alias, quoted=True))
    for joined, alias, condition in lookups.joins:
        select = select.join(joined.subquery(identifier(alias)), on=condition, join_type="left")
    for part in query.filter:
        select = select.where(compile_term(part, leaf, dialect, bound))
    if query.anchor:
        select = select.group_by(*(levels[read.level].copy() for read in query.anchor))
    return select


def _states(
    metric: Metric, leaf: object, dialect: SqlDialect, bound: Bound
) -> list[tuple[str, DataType, exp.Expr]]:
    assert callable(leaf)
    if not metric.reducer.state:
        return []
    argument = leaf(metric.argument) if metric.argument is not None else None
    types = {state.name: state.type_of(metric.argument_type) for state in metric.reducer.state}
    found = []
    for name, state in dialect.states(metric, argument):
        if metric.filter:
            condition = exp.and_(
                *(compile_term(part, leaf, dialect, bound) for part in metric.filter)
            )
            state = exp.Filter(this=state, expression=exp.Where(this=condition))
        found.append((name, types[name], state))
    return found


def source_statement(query: SourceQuery, dialect: SqlDialect) -> Statement:
    """Return a grouped query as a statement: the anchor's levels, then the states."""
    bound = Bound()
    select = source_select(query, dialect, bound)
    columns = [(read.level, read.type) for read in query.anchor] + state_columns(query.metrics)
    return Statement(select.sql(dialect.name), bound.values, tuple(columns))


def frame_statement(query: FrameQuery, dialect: SqlDialect) -> Statement:
    """Return a whole question as a statement: its sources merged on the anchor, in its order.

    The merge is UNION ALL and GROUP BY, which groups NULL keys as one point on every database.
    """
    bound = Bound()
    anchor = [(read.level, read.type) for read in query.sources[0].anchor]
    states: list[tuple[str, DataType]] = []
    selects: list[exp.Select] = []
    for source in query.sources:
        selects.append(source_select(source, dialect, bound, first=_first(query, source)))
        states += state_columns(source.metrics, _first(query, source))
    merged = selects[0] if len(selects) == 1 else _merged(selects, anchor, states, dialect)
    if not query.ordering and query.window is None:
        return Statement(merged.sql(dialect.name), bound.values, (*anchor, *states))
    outer = exp.select(*(column_expression(name) for name, _ in (*anchor, *states)))
    outer = outer.from_(merged.subquery(identifier("frame")))
    for key in query.ordering:
        value = compile_term(key.term, lambda term: _value(query, term, dialect), dialect, bound)
        outer = outer.order_by(
            exp.Ordered(this=value, desc=key.descending, nulls_first=key.nulls_first)
        )
    for name, _ in anchor:
        outer = outer.order_by(
            exp.Ordered(this=column_expression(name), desc=False, nulls_first=False)
        )
    return Statement(outer.sql(dialect.name), bound.values, (*anchor, *states))


def _first(query: FrameQuery, source: SourceQuery) -> int:
    before = query.sources[: query.sources.index(source)]
    return sum(len(earlier.metrics) for earlier in before)


def _merged(
    selects: list[exp.Select],
    anchor: list[tuple[str, DataType]],
    states: list[tuple[str, DataType]],
    dialect: SqlDialect,
) -> exp.Select:
    branches: list[exp.Select] = []
    for index, select in enumerate(selects):
        own = {item.alias for item in select.expressions}
        branch = exp.select(*(column_expression(name) for name, _ in anchor))
        for name, declared in states:
            value = column_expression(name) if name in own else dialect.cast(exp.Null(), declared)
            branch = branch.select(exp.alias_(value, name, quoted=True))
        branches.append(branch.from_(select.subquery(identifier(f"s{index}"))))
    union: exp.Expr = branches[0]
    for branch in branches[1:]:
        union = exp.Union(this=union, expression=branch, distinct=False)
    merged = exp.select(*(column_expression(name) for name, _ in anchor))
    for name, _ in states:
        held = exp.Max(this=column_expression(name))
        merged = merged.select(exp.alias_(held, name, quoted=True))
    merged = merged.from_(exp.Subquery(this=union, alias=exp.TableAlias(this=identifier("u"))))
    return merged.group_by(*(column_expression(name) for name, _ in anchor)) if anchor else merged


def _value(query: FrameQuery, term: Term, dialect: SqlDialect) -> exp.Expr:
    if isinstance(term, LevelTerm):
        return column_expression(term.level)
    assert isinstance(term, MetricTerm)
    metrics = [metric for source in query.sources for metric in source.metrics]
    metric, index = term.metric, metrics.index(term.metric)
    value: exp.Expr = column_expression(state_name(index, metric.reducer.state[0].name))
    if metric.reducer.zero_when_empty:
        return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    if metric.operator.name in ("VAR", "STDDEV"):
        spare = exp.Sub(this=value, expression=exp.Literal.number(1))
        value = exp.Div(
            this=column_expression(state_name(index, "m2")),
            expression=exp.Nullif(this=exp.Paren(this=spare), expression=exp.Literal.number(0)),
        )
    return value
