"""The states of metrics as Polars aggregates.

What comes in: the rows of a query and one of its metrics. What goes out: columns that the rows
need for it, and one aggregate for each state. It must never take a row that the metric's own filter
leaves out, nor drop a point for it: a filter empties a cell.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.algebra.primitives import PRIMITIVES, Primitive
from flightframe_server.algebra.types import BOOLEAN, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.rows import Rows, level_column
from flightframe_server.backends.polars.terms import compile_term, every
from flightframe_server.backends.polars.values import Value, as_double, constant
from flightframe_server.errors import InternalError
from flightframe_server.resolver.finishing import finish_of
from flightframe_server.resolver.terms import Metric, StateTerm, Term


def aggregates(rows: Rows, anchor: tuple[str, ...], index: int, metric: Metric) -> list[pl.Expr]:
    """Return the aggregate of each state of a metric, in order, adding what it reads to the rows.

    Args:
        rows: what is reduced.
        anchor: the levels grouped by.
        index: the metric's number in its query, which keeps its columns apart.
        metric: whose states they are.
    """
    if not metric.states:
        return []
    passed = _passed(rows, anchor, index, metric)
    if metric.argument is None:
        return [(pl.len() if passed is None else passed.sum()).cast(pl.Int64)]
    argument = rows.value(metric.argument)
    if metric.order:
        return _picked(rows, index, metric, argument, passed)
    if passed is not None:
        argument = Value(pl.when(passed).then(argument.expr), argument.type)
    arguments: dict[bool, Value] = {}
    reduced = []
    for state in metric.reducer.state:
        doubles = PRIMITIVES[state.primitive].of_doubles
        if doubles not in arguments:
            value = as_double(argument) if doubles else argument
            arguments[doubles] = rows.keep(value, f"{'d' if doubles else 'a'}{index}")
        reduced.append(_reduced(state.primitive, metric, arguments[doubles]))
    return reduced


def _passed(rows: Rows, anchor: tuple[str, ...], index: int, metric: Metric) -> pl.Expr | None:
    """Return which rows the metric takes, or None where it takes all of them."""
    tests = [rows.value(part) for part in metric.filter]
    snapshot = metric.snapshot
    if snapshot is not None:
        level = pl.col(level_column(snapshot.level))
        moment = level.max() if snapshot.is_last else level.min()
        points = [level_column(name) for name in dict.fromkeys((*anchor, *snapshot.per))]
        if points:
            moment = moment.over(points)
        # The moment is the realised rows' own: the metric's filter does not move it.
        chosen = rows.keep(Value(level == moment, BOOLEAN), f"s{index}")
        tests.append(chosen)
    if not tests:
        return None
    return rows.keep(Value(every(tests), BOOLEAN), f"p{index}").expr


def _picked(
    rows: Rows, index: int, metric: Metric, argument: Value, passed: pl.Expr | None
) -> list[pl.Expr]:
    """Return value and key of the first or last row by key; one without a whole key is no row."""
    keys = [rows.value(term).expr for term in metric.order]
    eligible = pl.all_horizontal(*(key.is_not_null() for key in keys))
    if passed is not None:
        eligible = eligible & passed
    chosen = rows.keep(Value(eligible, BOOLEAN), f"e{index}").expr
    value = rows.keep(argument, f"a{index}").expr
    descending = metric.reducer.picks_last
    order = [key.filter(chosen) for key in keys]
    return [
        column.filter(chosen).sort_by(order, descending=[descending] * len(order)).first()
        for column in (value, *keys)
    ]


def _reduced(primitive: Primitive, metric: Metric, argument: Value) -> pl.Expr:
    """Return the aggregate of a primitive; the rows' order gives FIRST and LAST."""
    column = argument.expr
    match primitive:
        case Primitive.SUM:
            return pl.when(column.count() > 0).then(_total(argument))
        case Primitive.COUNT:
            return column.count().cast(pl.Int64)
        case Primitive.COUNT_DISTINCT:
            return column.drop_nulls().n_unique().cast(pl.Int64)
        case Primitive.MIN:
            return column.min()
        case Primitive.MAX:
            # Polars' own maximum passes NaN by; NaN is above every number.
            return column.nan_max() if argument.type.kind is Kind.DOUBLE else column.max()
        case Primitive.QUANTILE:
            q = float(metric.reducer.argument_of(metric.operator))
            return column.quantile(q, interpolation="linear")
        case Primitive.MEAN:
            return column.mean()
        case Primitive.M2:
            return column.var(ddof=0) * column.count().cast(pl.Float64)
    raise InternalError(f"no aggregate for {primitive}")


def _total(argument: Value) -> pl.Expr:
    match argument.type.kind:
        case Kind.INTEGER:
            return exact.integer(argument.digits.sum())
        case Kind.DECIMAL:
            return exact.total(argument.expr, argument.type.precision)
    return argument.expr.sum()


def finished(metric: Metric, states: list[pl.Expr], types: list[DataType]) -> Value:
    """Return the value that a metric's states mean; a missing point's states are NULL."""
    values = {
        name: Value(state, type_)
        for (name, _), state, type_ in zip(metric.states, states, types, strict=True)
    }

    def state(part: Term) -> Value:
        assert isinstance(part, StateTerm)
        return values[part.name]

    value = compile_term(finish_of(metric), state, lambda part: part)
    if metric.fill is not None:
        return Value(value.expr.fill_null(constant(metric.fill, metric.type).expr), value.type)
    zero = metric.reducer.zero_when_empty
    return Value(value.expr.fill_null(0), value.type) if zero else value
