"""Reducers over cells: `R(expr @ anchor)`, from finished values, not from states.

What comes in: cells of an inner frame with the levels of the output anchor beside one value. What
goes out: one value for each point of the output anchor. It must never skip a realised cell: a NULL
cell is not counted, as in SQL, but its point stays.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.arrow_types import arrow_type, conform_array
from flightframe_server.composer.doubles import nan_marks, raised
from flightframe_server.composer.evaluate import whole
from flightframe_server.composer.exact import fitted, summable, to_double
from flightframe_server.composer.order import sort_points
from flightframe_server.resolver.terms import NestedTerm

_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=1)
_COUNTED = pc.CountOptions(mode="only_valid")
_SAMPLE = pc.VarianceOptions(ddof=1, skip_nulls=True, min_count=2)


def reduce_cells(
    cells: pa.Table, anchor: tuple[str, ...], name: str, nested: NestedTerm
) -> pa.Table:
    """Return the anchor's levels and the reduced value under `name`, sorted.

    Raises:
        ArithmeticOverflow: a sum does not fit its declared type.
    """
    wanted = arrow_type(nested.type)
    values = whole(cells[name])
    operator = nested.operator.name
    keys = {level: cells[level] for level in anchor}
    if operator in ("MEDIAN", "QUANTILE"):
        reduced = _quantile(keys, values, nested)
    else:
        reduced = _aggregated(keys, values, operator, wanted)
    levels = [reduced[level] for level in anchor]
    result = conform_array(whole(reduced[" value"]), wanted)
    return sort_points(pa.table([*levels, result], names=[*anchor, name]), anchor)


def _aggregated(
    keys: dict[str, pa.Array], values: pa.Array, operator: str, wanted: pa.DataType
) -> pa.Table:
    match operator:
        case "SUM":
            grouped = _grouped(keys, summable(values), "sum", _ANY)
            return _with_value(grouped, fitted(whole(grouped[" value"]), wanted))
        case "COUNT":
            return _grouped(keys, values, "count", _COUNTED)
        case "COUNT_DISTINCT":
            return _grouped(keys, values, "count_distinct", _COUNTED)
        case "MAX" if pa.types.is_floating(values.type):
            greatest = _grouped(keys, values, "max", _ANY)
            marks = _grouped(keys, nan_marks(values), "max", _ANY)
            return _with_value(greatest, raised(whole(greatest[" value"]), whole(marks[" value"])))
        case "MIN" | "MAX":
            return _grouped(keys, values, operator.lower(), _ANY)
        case "AVG":
            total = _grouped(keys, summable(values), "sum", _ANY)
            number = whole(_grouped(keys, values, "count", _COUNTED)[" value"]).cast(pa.float64())
            number = pc.if_else(pc.equal(number, 0.0), pa.scalar(None, pa.float64()), number)
            return _with_value(total, pc.divide(to_double(whole(total[" value"])), number))
        case "VAR" | "STDDEV":
            function = "variance" if operator == "VAR" else "stddev"
            return _grouped(keys, to_double(values), function, _SAMPLE)
    raise AssertionError(operator)


def _with_value(table: pa.Table, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(" value"), " value", values)


def _grouped(
    keys: dict[str, pa.Array], values: pa.Array, function: str, options: pc.FunctionOptions
) -> pa.Table:
    source = pa.table({**keys, " value": values})
    grouped = source.group_by(list(keys), use_threads=False).aggregate(
        [(" value", function, options)]
    )
    names = [" value" if name == f" value_{function}" else name for name in grouped.column_names]
    return grouped.rename_columns(names)


def _quantile(keys: dict[str, pa.Array], values: pa.Array, nested: NestedTerm) -> pa.Table:
    q = 0.5 if nested.operator.name == "MEDIAN" else float(nested.operator.arguments[0])
    frame = pl.from_arrow(pa.table({**keys, " value": to_double(values)}))
    assert isinstance(frame, pl.DataFrame)
    spread = pl.col(" value").quantile(q, interpolation="linear").alias(" value")
    found = frame.group_by(list(keys)).agg(spread) if keys else frame.select(spread)
    table = found.to_arrow()
    levels = [conform_array(whole(table[name]), column.type) for name, column in keys.items()]
    return pa.table([*levels, table[" value"]], names=[*keys, " value"])
