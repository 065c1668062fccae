"""Reducers over cells: `R(expr @ anchor)`, from finished values, not from states.

What comes in: cells of an inner frame with the levels of the output anchor beside one value. What
goes out: one value for each point of the output anchor. It must never skip a realised cell: a NULL
cell is not counted, as in SQL, but its point stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.arrow_types import arrow_type, conform_array
from flightframe_server.composer.doubles import nan_marks, raised
from flightframe_server.composer.evaluate import evaluate, whole
from flightframe_server.composer.exact import fitted, summable, to_double
from flightframe_server.composer.order import sort_points
from flightframe_server.resolver.finishing import finished
from flightframe_server.resolver.terms import NestedTerm, StateTerm, Term, walk

_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=1)
_COUNTED = pc.CountOptions(mode="only_valid")
_OF_ALL = pc.VarianceOptions(ddof=0, skip_nulls=True, min_count=1)

Keys = Mapping[str, pa.Array]
Grouped = tuple[pa.Table, pa.Array]
"""The points, in the order in which the values beside them stand."""


def reduce_cells(
    cells: pa.Table, anchor: tuple[str, ...], name: str, nested: NestedTerm
) -> pa.Table:
    """Return the anchor's levels and the reduced value under `name`, sorted.

    Raises:
        ArithmeticOverflow: a sum does not fit its declared type.
    """
    wanted = arrow_type(nested.type)
    values = whole(cells[name])
    keys = {level: cells[level] for level in anchor}
    reducer = REDUCERS[nested.operator.name]
    columns = {state.name: state for state in reducer.own_states}

    def state(name: str) -> StateTerm:
        return StateTerm(columns[name].type_of(nested.inner.type), name)

    finish = finished(reducer.finish, state)
    found: dict[str, pa.Array] = {}
    points = pa.table({})
    for read in dict.fromkeys(part.name for part in walk(finish) if isinstance(part, StateTerm)):
        primitive = columns[read].primitive
        if primitive is Primitive.QUANTILE:
            q = float(reducer.argument_of(nested.operator))
            points, found[read] = _quantile(keys, values, q)
        else:
            points, found[read] = _REDUCED[primitive](keys, values)

    def column(term: Term) -> pa.Array:
        assert isinstance(term, StateTerm)
        return found[term.name]

    result = fitted(evaluate(finish, column, points.num_rows), wanted)
    levels = [points[level] for level in anchor]
    return sort_points(pa.table([*levels, result], names=[*anchor, name]), anchor)


def _sum(keys: Keys, values: pa.Array) -> Grouped:
    return _grouped(keys, summable(values), "sum", _ANY)


def _count(keys: Keys, values: pa.Array) -> Grouped:
    return _grouped(keys, values, "count", _COUNTED)


def _count_distinct(keys: Keys, values: pa.Array) -> Grouped:
    return _grouped(keys, values, "count_distinct", _COUNTED)


def _min(keys: Keys, values: pa.Array) -> Grouped:
    return _grouped(keys, values, "min", _ANY)


def _max(keys: Keys, values: pa.Array) -> Grouped:
    points, greatest = _grouped(keys, values, "max", _ANY)
    if not pa.types.is_floating(values.type):
        return points, greatest
    _, marks = _grouped(keys, nan_marks(values), "max", _ANY)
    return points, raised(greatest, marks)


def _mean(keys: Keys, values: pa.Array) -> Grouped:
    return _grouped(keys, to_double(values), "mean", _ANY)


def _m2(keys: Keys, values: pa.Array) -> Grouped:
    points, variance = _grouped(keys, to_double(values), "variance", _OF_ALL)
    _, count = _count(keys, values)
    return points, pc.multiply(variance, count.cast(pa.float64()))


_REDUCED: Mapping[Primitive, Callable[[Keys, pa.Array], Grouped]] = {
    Primitive.SUM: _sum,
    Primitive.COUNT: _count,
    Primitive.MIN: _min,
    Primitive.MAX: _max,
    Primitive.COUNT_DISTINCT: _count_distinct,
    Primitive.MEAN: _mean,
    Primitive.M2: _m2,
}
"""How each primitive is had of cells; a quantile takes an argument, and cells have no order."""


def _grouped(keys: Keys, values: pa.Array, function: str, options: pc.FunctionOptions) -> Grouped:
    # One thread groups in the order of the rows, so that the points of every call are alike.
    source = pa.table({**keys, " value": values})
    grouped = source.group_by(list(keys), use_threads=False).aggregate(
        [(" value", function, options)]
    )
    return grouped, whole(grouped[f" value_{function}"])


def _quantile(keys: Keys, values: pa.Array, q: float) -> Grouped:
    frame = pl.from_arrow(pa.table({**keys, " value": to_double(values)}))
    assert isinstance(frame, pl.DataFrame)
    spread = pl.col(" value").quantile(q, interpolation="linear").alias(" value")
    grouped = frame.group_by(list(keys), maintain_order=True).agg(spread) if keys else None
    table = (frame.select(spread) if grouped is None else grouped).to_arrow()
    levels = [conform_array(whole(table[name]), column.type) for name, column in keys.items()]
    points = pa.table([*levels, table[" value"]], names=[*keys, " value"])
    return points, whole(points[" value"])
