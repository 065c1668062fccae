"""Declared types as Arrow types: the one place where a promise becomes a layout.

What comes in: `DataType` values. What goes out: `pyarrow` types and schemas, and columns cast to
them without loss. It must never widen, round or wrap a value to make it fit.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.catalog.types import DataType, Kind
from flightframe_server.errors import ArithmeticOverflow, InternalError

_PLAIN = {
    Kind.INTEGER: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.NULL: pa.null(),
}


def arrow_type(declared: DataType) -> pa.DataType:
    """Return the Arrow type of a declared type: decimal128, microsecond timestamps, utf8."""
    if declared.kind is Kind.DECIMAL:
        return pa.decimal128(declared.precision, declared.scale)
    if declared.kind is Kind.TIMESTAMP:
        return pa.timestamp("us", declared.zone)
    return _PLAIN[declared.kind]


def arrow_schema(columns: Iterable[tuple[str, DataType]]) -> pa.Schema:
    """Return the Arrow schema of named, declared types; every field nullable, no metadata."""
    return pa.schema([pa.field(name, arrow_type(declared)) for name, declared in columns])


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with exactly the declared schema, its columns taken by position.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type.
        InternalError: the number of columns differs, or a double stands where a decimal is due.
    """
    if batch.num_columns != len(schema):
        raise InternalError(f"{batch.num_columns} columns came, {len(schema)} were declared")
    columns = [
        conform_array(column, field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def conform_array(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Return an array cast to `wanted` without loss; see `conform`."""
    if array.type == wanted:
        return array
    if pa.types.is_floating(array.type) and pa.types.is_decimal(wanted):
        raise InternalError("a double came where a decimal was declared")
    if pa.types.is_timestamp(array.type) and pa.types.is_date(wanted):
        days = pc.cast(array, pa.date32(), safe=False)
        back = pc.cast(days, array.type)
        if not pc.all(pc.equal(back, array), min_count=0).as_py():
            raise InternalError("a moment within a day came where a date was declared")
        return days
    try:
        return pc.cast(array, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ArithmeticOverflow(f"a value does not fit {wanted}") from error
