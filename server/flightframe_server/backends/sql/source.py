"""A `SourceQuery` as one grouped SELECT.

What comes in: the planner's logical query. What goes out: a sqlglot SELECT of the anchor's levels
and the states of its metrics. It must never reduce a row that the filter left out, nor leave out a
point for a metric's own filter: that empties a cell.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.names import (
    Statement,
    column_expression,
    identifier,
    level_name,
    named,
    state_columns,
)
from flightframe_server.backends.sql.rows import RowSelect, level_column
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.planner.source import SourceQuery, state_name
from flightframe_server.resolver.terms import ColumnTerm, LevelTerm, Metric, Term


def source_select(
    query: SourceQuery, dialect: SqlDialect, bound: Bound, first: int = 0
) -> exp.Select:
    """Return one grouped SELECT; state columns are numbered from `first`."""
    rows = RowSelect(query, dialect, bound).select()
    is_grouped = not (query.rows_are_points and dialect.leaves_rows)
    if query.columns:
        rows = dialect.rows(rows)
    select = exp.select()
    for read in query.anchor:
        select = select.select(named(level_column(read.level), level_name(read.level)))
    for index, metric in enumerate(query.metrics):
        for name, declared, state in _states(index, metric, dialect, bound, is_grouped):
            cast = dialect.cast(state, declared)
            select = select.select(named(cast, state_name(first + index, name)))
    select = select.from_(rows.subquery(identifier("rows")))
    if not query.anchor or not is_grouped:
        return select
    return select.group_by(*(level_column(read.level) for read in query.anchor))


def source_statement(query: SourceQuery, dialect: SqlDialect) -> Statement:
    """Return a grouped query as a statement: the anchor's levels, then the states."""
    bound = Bound()
    select = source_select(query, dialect, bound)
    columns = [(read.level, read.type) for read in query.anchor] + state_columns(query.metrics)
    return Statement(select.sql(dialect.name), bound.values, tuple(columns))


def row_column(term: Term) -> exp.Expr:
    """Return the column of the rows that stands for a level or a column."""
    match term:
        case LevelTerm(level=level):
            return level_column(level)
        case ColumnTerm(column=column):
            return column_expression(f"c {column}")
    raise AssertionError(term)


def _states(
    index: int, metric: Metric, dialect: SqlDialect, bound: Bound, is_grouped: bool
) -> list[tuple[str, DataType, exp.Expr]]:
    if not metric.states:
        return []
    if metric.order:
        return _picked(index, metric)
    argument = row_column(metric.argument) if metric.argument is not None else None
    types = dict(metric.states)
    tests = [compile_term(part, row_column, dialect, bound) for part in metric.filter]
    if metric.snapshot is not None:
        level = level_column(metric.snapshot.level)
        tests.append(exp.EQ(this=level, expression=column_expression(f"s{index}")))
    if tests:
        # A state may be made of several aggregates, and no aggregate reduces a NULL.
        reduced = argument if argument is not None else exp.Literal.number(1)
        argument = exp.Paren(this=exp.Case().when(exp.and_(*tests), reduced))
    states = dialect.states if is_grouped else dialect.row_states
    return [(name, types[name], state) for name, state in states(metric, argument)]


def _picked(index: int, metric: Metric) -> list[tuple[str, DataType, exp.Expr]]:
    """Return the states of an ordered reducer: the value and key of the row ranked first."""
    assert metric.argument is not None
    sources = [row_column(metric.argument), *(row_column(term) for term in metric.order)]
    one = exp.Literal.number(1)
    chosen = exp.and_(
        exp.EQ(this=column_expression(f"r{index}"), expression=one),
        exp.EQ(this=column_expression(f"e{index}"), expression=one.copy()),
    )
    return [
        (name, declared, exp.Max(this=exp.Case().when(chosen.copy(), source)))
        for (name, declared), source in zip(metric.states, sources, strict=True)
    ]
