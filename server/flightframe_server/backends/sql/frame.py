"""A `FrameQuery` as one SELECT: a whole question's states, merged on the anchor and in its order.

What comes in: the planner's logical query. What goes out: a statement. The merge is UNION ALL and
GROUP BY, which groups NULL keys as one point on every database. It must never compute a formula:
that is the composer's, so that a number is the same by every route.
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
    state_columns,
)
from flightframe_server.backends.sql.source import source_select
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.planner.source import FrameQuery, SourceQuery, state_name
from flightframe_server.resolver.finishing import finish_of
from flightframe_server.resolver.terms import Constant, LevelTerm, MetricTerm, StateTerm, Term
from flightframe_server.resolver.values import literal_type

# Whether a branch makes points; no level's name starts with a blank.
_MAKES = " makes"


def frame_statement(query: FrameQuery, dialect: SqlDialect) -> Statement:
    """Return a whole question as a statement: its sources merged on the anchor, in its order."""
    bound = Bound()
    anchor = [(read.level, read.type) for read in query.sources[0].anchor]
    states: list[tuple[str, DataType]] = []
    selects: list[exp.Select] = []
    for source in query.sources:
        selects.append(source_select(source, dialect, bound, first=_first(query, source)))
        states += state_columns(source.metrics, _first(query, source))
    merged = selects[0]
    if len(selects) > 1:
        merged = _merged(selects, query.makers, anchor, states, dialect)
    if not anchor and not query.ordering:
        return Statement(merged.sql(dialect.name), bound.values, (*anchor, *states))
    names = [*(level_name(level) for level, _ in anchor), *(name for name, _ in states)]
    outer = exp.select(*(column_expression(name) for name in names))
    outer = outer.from_(merged.subquery(identifier("frame")))
    for key in query.ordering:
        value = compile_term(
            key.term, lambda term: _value(query, term, dialect, bound), dialect, bound
        )
        outer = outer.order_by(
            exp.Ordered(this=value, desc=key.descending, nulls_first=key.nulls_first)
        )
    for level in query.anchor:
        name = column_expression(level_name(level))
        outer = outer.order_by(exp.Ordered(this=name, desc=False, nulls_first=False))
    return Statement(outer.sql(dialect.name), bound.values, (*anchor, *states))


def _first(query: FrameQuery, source: SourceQuery) -> int:
    before = query.sources[: query.sources.index(source)]
    return sum(len(earlier.metrics) for earlier in before)


def _merged(
    selects: list[exp.Select],
    makers: int,
    anchor: list[tuple[str, DataType]],
    states: list[tuple[str, DataType]],
    dialect: SqlDialect,
) -> exp.Select:
    levels = [level_name(level) for level, _ in anchor]
    branches: list[exp.Select] = []
    for index, select in enumerate(selects):
        own = {item.alias for item in select.expressions}
        branch = exp.select(*map(column_expression, levels))
        for name, declared in states:
            value = column_expression(name) if name in own else dialect.cast(exp.Null(), declared)
            branch = branch.select(exp.alias_(value, name, quoted=True))
        if makers < len(selects):
            makes = exp.Literal.number(1 if index < makers else 0)
            branch = branch.select(exp.alias_(makes, _MAKES, quoted=True))
        branches.append(branch.from_(select.subquery(identifier(f"s{index}"))))
    union: exp.Expr = branches[0]
    for branch in branches[1:]:
        union = exp.Union(this=union, expression=branch, distinct=False)
    merged = exp.select(*map(column_expression, levels))
    for name, _ in states:
        state = exp.Max(this=column_expression(name))
        merged = merged.select(exp.alias_(state, name, quoted=True))
    merged = merged.from_(exp.Subquery(this=union, alias=exp.TableAlias(this=identifier("u"))))
    if not anchor:
        return merged
    merged = merged.group_by(*map(column_expression, levels))
    if makers == len(selects):
        return merged
    is_made = exp.EQ(this=exp.Max(this=column_expression(_MAKES)), expression=exp.Literal.number(1))
    return merged.having(is_made)


def _value(query: FrameQuery, term: Term, dialect: SqlDialect, bound: Bound) -> exp.Expr:
    if isinstance(term, LevelTerm):
        return column_expression(level_name(term.level))
    assert isinstance(term, MetricTerm)
    metrics = [metric for source in query.sources for metric in source.metrics]
    metric, index = term.metric, metrics.index(term.metric)

    def state(part: Term) -> exp.Expr:
        assert isinstance(part, StateTerm)
        return dialect.finished(column_expression(state_name(index, part.name)), part.type)

    value = compile_term(finish_of(metric), state, dialect, bound)
    if metric.fill is not None:
        fill = dialect.constant(Constant(literal_type(metric.fill), metric.fill), bound)
        return dialect.cast(exp.Coalesce(this=value, expressions=[fill]), metric.type)
    if metric.reducer.zero_when_empty:
        return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    return value
