"""Reducers over cells: `R(expr @ anchor)`, from finished values, not from states.

What comes in: cells of an inner frame with the levels of the output anchor beside one value. What
goes out: one value for each point of the output anchor. It must never skip a realised cell: a NULL
cell is not counted, as in SQL, but its point stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.arrow_types import arrow_type, conform_array
from flightframe_server.composer.doubles import nan_marks, raised
from flightframe_server.composer.evaluate import as_array, evaluate
from flightframe_server.composer.exact import fitted, summable, to_double
from flightframe_server.composer.order import sort_points
from flightframe_server.resolver.finishing import finished
from flightframe_server.resolver.terms import NestedTerm, StateTerm, Term, walk

_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=1)
_COUNTED = pc.CountOptions(mode="only_valid")
_OF_ALL = pc.VarianceOptions(ddof=0, skip_nulls=True, min_count=1)

Keys = Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate of Arrow's over some values, each beside the cell that it is of."""

    values: pa.Array
    function: str
    options: pc.FunctionOptions


Reduced = tuple[tuple[Aggregate, ...], Callable[..., pa.Array]]
"""The aggregates that a primitive takes, and what makes its column of theirs."""


def reduce_cells(
    cells: pa.Table, anchor: tuple[str, ...], name: str, nested: NestedTerm
) -> pa.Table:
    """Return the anchor's levels and the reduced value under `name`, sorted.

    Raises:
        ArithmeticOverflow: a sum does not fit its declared type.
    """
    type_ = arrow_type(nested.type)
    values = as_array(cells[name])
    keys = {level: cells[level] for level in anchor}
    reducer = REDUCERS[nested.operator.name]
    columns = {state.name: state for state in reducer.own_states}

    def state(name: str) -> StateTerm:
        return StateTerm(columns[name].type_of(nested.inner.type), name)

    finish = finished(reducer.finish, state)
    read = tuple(dict.fromkeys(part.name for part in walk(finish) if isinstance(part, StateTerm)))
    if columns[read[0]].primitive is Primitive.QUANTILE:
        points, quantiles = _quantile(keys, values, float(reducer.argument_of(nested.operator)))
        reduced = {read[0]: quantiles}
    else:
        points, reduced = _reduced(keys, values, {own: columns[own].primitive for own in read})

    def column(term: Term) -> pa.Array:
        assert isinstance(term, StateTerm)
        return reduced[term.name]

    result = fitted(evaluate(finish, column, points.num_rows), type_)
    levels = [points[level] for level in anchor]
    return sort_points(pa.table([*levels, result], names=[*anchor, name]), anchor)


def _reduced(
    keys: Keys, values: pa.Array, primitives: Mapping[str, Primitive]
) -> tuple[pa.Table, dict[str, pa.Array]]:
    """Return the points, and beside them each primitive under its name, grouped once."""
    source: dict[str, pa.Array] = dict(keys)
    aggregations: list[tuple[str, str, pc.FunctionOptions]] = []
    makers: dict[str, tuple[list[str], Callable[..., pa.Array]]] = {}
    for name, primitive in primitives.items():
        aggregates, make = _PRIMITIVES[primitive](values)
        own: list[str] = []
        for aggregate in aggregates:
            column = f" {len(aggregations)}"
            source[column] = aggregate.values
            aggregations.append((column, aggregate.function, aggregate.options))
            own.append(f"{column}_{aggregate.function}")
        makers[name] = own, make
    grouped = pa.table(source).group_by(list(keys), use_threads=False).aggregate(aggregations)
    reduced = {
        name: make(*(as_array(grouped[column]) for column in own))
        for name, (own, make) in makers.items()
    }
    return grouped, reduced


def _as_it_is(column: pa.Array) -> pa.Array:
    return column


def _sum(values: pa.Array) -> Reduced:
    return (Aggregate(summable(values), "sum", _ANY),), _as_it_is


def _count(values: pa.Array) -> Reduced:
    return (Aggregate(values, "count", _COUNTED),), _as_it_is


def _count_distinct(values: pa.Array) -> Reduced:
    return (Aggregate(values, "count_distinct", _COUNTED),), _as_it_is


def _min(values: pa.Array) -> Reduced:
    return (Aggregate(values, "min", _ANY),), _as_it_is


def _max(values: pa.Array) -> Reduced:
    greatest = Aggregate(values, "max", _ANY)
    if not pa.types.is_floating(values.type):
        return (greatest,), _as_it_is
    return (greatest, Aggregate(nan_marks(values), "max", _ANY)), raised


def _mean(values: pa.Array) -> Reduced:
    return (Aggregate(to_double(values), "mean", _ANY),), _as_it_is


def _m2(values: pa.Array) -> Reduced:
    variance = Aggregate(to_double(values), "variance", _OF_ALL)
    return (variance, Aggregate(values, "count", _COUNTED)), _times


def _times(variance: pa.Array, count: pa.Array) -> pa.Array:
    return pc.multiply(variance, count.cast(pa.float64()))


_PRIMITIVES: Mapping[Primitive, Callable[[pa.Array], Reduced]] = {
    Primitive.SUM: _sum,
    Primitive.COUNT: _count,
    Primitive.MIN: _min,
    Primitive.MAX: _max,
    Primitive.COUNT_DISTINCT: _count_distinct,
    Primitive.MEAN: _mean,
    Primitive.M2: _m2,
}
"""How each primitive is had of cells; a quantile takes an argument, and cells have no order."""


def _quantile(keys: Keys, values: pa.Array, q: float) -> tuple[pa.Table, pa.Array]:
    frame = pl.from_arrow(pa.table({**keys, " value": to_double(values)}))
    assert isinstance(frame, pl.DataFrame)
    spread = pl.col(" value").quantile(q, interpolation="linear").alias(" value")
    grouped = frame.group_by(list(keys), maintain_order=True).agg(spread) if keys else None
    table = (frame.select(spread) if grouped is None else grouped).to_arrow()
    levels = [conform_array(as_array(table[name]), column.type) for name, column in keys.items()]
    points = pa.table([*levels, table[" value"]], names=[*keys, " value"])
    return points, as_array(points[" value"])
