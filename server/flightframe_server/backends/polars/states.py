"""The states of metrics as Polars aggregates.

What comes in: the rows of a query and one of its metrics. What goes out: columns that the rows
need for it, and one aggregate for each state. It must never take a row that the metric's own filter
leaves out, nor drop a point for it: a filter empties a cell.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.algebra.types import BOOLEAN, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.rows import Rows, level_column
from flightframe_server.backends.polars.terms import every
from flightframe_server.backends.polars.values import Value, as_double, constant
from flightframe_server.errors import InternalError
from flightframe_server.resolver.operators import Combine
from flightframe_server.resolver.question import Metric


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
        return _taken(rows, index, metric, argument, passed)
    if metric.operator.name in _OVER_DOUBLES:
        argument = as_double(argument)
    if passed is not None:
        argument = Value(pl.when(passed).then(argument.expr), argument.type)
    return _reduced(metric, rows.keep(argument, f"a{index}"))


_OVER_DOUBLES = frozenset({"MEDIAN", "QUANTILE", "VAR", "STDDEV"})


def _passed(rows: Rows, anchor: tuple[str, ...], index: int, metric: Metric) -> pl.Expr | None:
    """Return which rows the metric takes, or None where it takes all of them."""
    tests = [rows.value(part) for part in metric.filter]
    snapshot = metric.snapshot
    if snapshot is not None:
        level = pl.col(level_column(snapshot.level))
        moment = level.max() if snapshot.pick == "LAST" else level.min()
        points = [level_column(name) for name in dict.fromkeys((*anchor, *snapshot.per))]
        if points:
            moment = moment.over(points)
        # The moment is the realised rows' own: the metric's filter does not move it.
        chosen = rows.keep(Value(level == moment, BOOLEAN), f"s{index}")
        tests.append(chosen)
    if not tests:
        return None
    return rows.keep(Value(every(tests), BOOLEAN), f"p{index}").expr


def _taken(
    rows: Rows, index: int, metric: Metric, argument: Value, passed: pl.Expr | None
) -> list[pl.Expr]:
    """Return value and key of the first or last row by key; one without a whole key is no row."""
    keys = [rows.value(term).expr for term in metric.order]
    eligible = pl.all_horizontal(*(key.is_not_null() for key in keys))
    if passed is not None:
        eligible = eligible & passed
    taken = rows.keep(Value(eligible, BOOLEAN), f"e{index}").expr
    value = rows.keep(argument, f"a{index}").expr
    descending = metric.reducer.combine is Combine.LAST
    order = [key.filter(taken) for key in keys]
    return [
        column.filter(taken).sort_by(order, descending=[descending] * len(order)).first()
        for column in (value, *keys)
    ]


def _reduced(metric: Metric, argument: Value) -> list[pl.Expr]:
    column = argument.expr
    match metric.operator.name:
        case "SUM":
            return [pl.when(column.count() > 0).then(_total(argument))]
        case "COUNT":
            return [column.count().cast(pl.Int64)]
        case "COUNT_DISTINCT":
            return [column.drop_nulls().n_unique().cast(pl.Int64)]
        case "MIN":
            return [column.min()]
        case "MAX":
            # Polars' own maximum passes NaN by; NaN is above every number.
            return [column.nan_max() if argument.type.kind is Kind.DOUBLE else column.max()]
        case "MEDIAN":
            return [column.quantile(0.5, interpolation="linear")]
        case "QUANTILE":
            q = float(metric.operator.arguments[0])
            return [column.quantile(q, interpolation="linear")]
        case "VAR" | "STDDEV":
            spread = column.var(ddof=0) * column.count().cast(pl.Float64)
            return [column.count().cast(pl.Int64), column.mean(), spread]
    raise InternalError(f"no states for {metric.operator.name}")


def _total(argument: Value) -> pl.Expr:
    match argument.type.kind:
        case Kind.INTEGER:
            return exact.integer(argument.digits.sum())
        case Kind.DECIMAL:
            return exact.total(argument.expr, argument.type.precision)
    return argument.expr.sum()


def finished(metric: Metric, states: list[pl.Expr], types: list[DataType]) -> Value:
    """Return the value that a metric's states mean; a missing point's states are NULL."""
    if metric.operator.name in ("VAR", "STDDEV"):
        count, _, spread = states
        variance = pl.when(count > 1).then(spread / (count - 1).cast(pl.Float64))
        deviation = variance.sqrt() if metric.operator.name == "STDDEV" else variance
        return Value(deviation, metric.type)
    value = states[0]
    if metric.fill is not None:
        return Value(value.fill_null(constant(metric.fill, metric.type).expr), types[0])
    return Value(value.fill_null(0) if metric.reducer.zero_when_empty else value, types[0])
