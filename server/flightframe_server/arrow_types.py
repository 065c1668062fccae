"""Declared types as Arrow types: the one place where a promise becomes a layout.

What comes in: `DataType` values. What goes out: `pyarrow` types and schemas, and columns cast to
them without loss (law 8, docs/laws.md). It must never widen, round or wrap a value to make it fit.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.errors import ArithmeticOverflow, InternalError, shown

SQL_KEY = "ARROW:FLIGHT:SQL:"
"""What the keys of a column's metadata begin with that drivers of Flight SQL read."""

SQL_NAMES = {
    Kind.INTEGER: "BIGINT",
    Kind.DECIMAL: "DECIMAL",
    Kind.DOUBLE: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.NULL: "NULL",
}
"""What SQL calls each kind of type."""

SQL_DIGITS = {Kind.INTEGER: 19, Kind.DOUBLE: 15}
"""The most decimal digits of the kinds that have no precision of their own."""

_FARTHEST = datetime.timedelta(hours=16)
_STATE = re.compile(r"m\d+_")
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


# On the path of every hit: the same questions are asked again.
@lru_cache(maxsize=1024)
def with_sql_metadata(schema: pa.Schema) -> pa.Schema:
    """Return an answer's schema with what Flight SQL drivers read of a column: type, digits, scale.

    JDBC takes precision and scale from here, and calls them 0 where they are missing. It shows a
    remark in place of the column's name, so that an answer's column must never carry one.
    """
    return pa.schema([field.with_metadata(_sql_metadata(field.type)) for field in schema])


def with_moments(schema: pa.Schema, places: Collection[int]) -> pa.Schema:
    """Return an answer's schema with the dates at some places as timestamps, as SQL has them."""
    fields = [
        (field.name, pa.timestamp("us") if at in places else field.type)
        for at, field in enumerate(schema)
    ]
    return with_sql_metadata(pa.schema(fields)).with_metadata(schema.metadata)


def _sql_metadata(type_: pa.DataType) -> dict[str, str]:
    facts = {"IS_READ_ONLY": "1"}
    if pa.types.is_decimal(type_):
        facts |= _described(Kind.DECIMAL, type_.precision, type_.scale)
    elif pa.types.is_timestamp(type_):
        # YYYY-MM-DD hh:mm:ss.ffffff
        facts |= _described(Kind.TIMESTAMP, 26, 6)
    else:
        facts |= _DESCRIBED.get(type_, {})
    return {SQL_KEY + key: value for key, value in facts.items()}


def _described(kind: Kind, *digits: int) -> dict[str, str]:
    sizes = zip(("PRECISION", "SCALE"), map(str, digits), strict=False)
    return {"TYPE_NAME": SQL_NAMES[kind], **dict(sizes)}


_DESCRIBED = {
    pa.int64(): _described(Kind.INTEGER, SQL_DIGITS[Kind.INTEGER], 0),
    pa.float64(): _described(Kind.DOUBLE, SQL_DIGITS[Kind.DOUBLE]),
    pa.string(): _described(Kind.TEXT),
    pa.date32(): _described(Kind.DATE, 10, 0),
    pa.bool_(): _described(Kind.BOOLEAN),
}


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with exactly the declared schema, its columns taken by position.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type, or a moment lies outside the
            years 1 to 9999.
        InternalError: the number of columns differs, or a double stands where a decimal is due.
    """
    if batch.num_columns != len(schema):
        raise InternalError(f"{batch.num_columns} columns came, {len(schema)} were declared")
    columns = [
        conform_array(column, field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return in_years(pa.RecordBatch.from_arrays(columns, schema=schema))


def in_years(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose dates and timestamps are of the years 1 to 9999.

    Others no client can show, and a database's infinity would pass for the last of them.

    Raises:
        ArithmeticOverflow: one is not, in UTC or in some zone.
    """
    for field, column in zip(batch.schema, batch.columns, strict=True):
        bounds = _bounds(field.type)
        if bounds is None:
            continue
        ends = pc.min_max(column.cast(bounds[0].type))
        low, high = ends["min"], ends["max"]
        if low.is_valid and (low.as_py() < bounds[0].as_py() or high.as_py() > bounds[1].as_py()):
            where = "" if _STATE.match(field.name) else f" in {shown(field.name)}"
            raise ArithmeticOverflow(
                f"a moment{where} lies outside the years 1 to 9999",
                hint="leave such rows out by WHERE, or let the table hold NULL there",
            )
    return batch


@lru_cache(maxsize=64)
def _bounds(type_: pa.DataType) -> tuple[pa.Scalar, pa.Scalar] | None:
    """Return the first and last value of a type that every client can show, as whole numbers."""
    if pa.types.is_date(type_):
        days = datetime.date.min, datetime.date.max
        return tuple(pa.scalar(day, pa.date32()).cast(pa.int32()) for day in days)
    if not pa.types.is_timestamp(type_):
        return None
    ends = datetime.datetime.min, datetime.datetime.max
    if type_.tz is not None:
        # No zone is further from UTC.
        ends = ends[0] + _FARTHEST, ends[1] - _FARTHEST
    return tuple(pa.scalar(end, pa.timestamp("us")).cast(pa.int64()) for end in ends)


def conform_array(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Return an array cast to `target` without loss; see `conform`."""
    if array.type == target:
        return array
    if pa.types.is_floating(array.type) and pa.types.is_decimal(target):
        raise InternalError("a double came where a decimal was declared")
    if pa.types.is_timestamp(array.type) and pa.types.is_date(target):
        days = pc.cast(array, pa.date32(), safe=False)
        back = pc.cast(days, array.type)
        if not pc.all(pc.equal(back, array), min_count=0).as_py():
            raise InternalError("a moment within a day came where a date was declared")
        return days
    try:
        return pc.cast(array, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ArithmeticOverflow(f"a value does not fit {target}") from error
