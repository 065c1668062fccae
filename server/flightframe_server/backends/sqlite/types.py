"""SQLite's declared column types as declared types, and its rows as Arrow batches.

What comes in: the type that a column was declared with, and rows of plain Python values. What goes
out: declared types, and record batches of exactly the declared schema. It must never guess a type
from a value: a column whose declaration says nothing is not usable.

How values stand in the file, and so how a table must be written to be read here:

    INTEGER, INT, BIGINT ...      whole numbers of 64 bits
    REAL, DOUBLE, FLOAT           doubles, and the text 'NaN': a NaN itself SQLite keeps as NULL
    TEXT, VARCHAR(n), CHAR(n)     text
    DATE                          text 'YYYY-MM-DD'
    TIMESTAMP, DATETIME           text 'YYYY-MM-DD HH:MM:SS' with up to six decimals, no zone
    BOOLEAN                       0 and 1
    DECIMAL(p, s), NUMERIC(p, s)  numbers: 12.50 is 12.5; or, where the installation says so, scaled
                                  integers: the value times 10^s, so 12.50 is 1250

SQLite does not hold a column to its declaration, so every value is checked as it is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal

import pyarrow as pa

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    TEXT,
    TIMESTAMP,
    DataType,
    decimal,
)
from flightframe_server.arrow_types import conform_array
from flightframe_server.backends.sqlite.functions import NAN
from flightframe_server.errors import ArithmeticOverflow

_WIDE = Context(prec=100)
_DECLARED = re.compile(r"\s*([A-Z ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)
_WHOLE = ("INTEGER", "INT", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "INT2", "INT4", "INT8")
_NAMED = {
    **dict.fromkeys(_WHOLE, INTEGER),
    **dict.fromkeys(("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT"), DOUBLE),
    **dict.fromkeys(("TEXT", "VARCHAR", "CHAR", "CHARACTER VARYING", "CHARACTER", "NCHAR"), TEXT),
    **dict.fromkeys(("NVARCHAR", "CLOB", "STRING"), TEXT),
    **dict.fromkeys(("BOOLEAN", "BOOL"), BOOLEAN),
    **dict.fromkeys(("TIMESTAMP", "DATETIME"), TIMESTAMP),
    "DATE": DATE,
}


def declared_type(named: str) -> DataType | None:
    """Return the declared type of a column's declaration, or None where we hold no such values.

    >>> str(declared_type("DECIMAL(12, 2)"))
    'decimal(12,2)'
    >>> str(declared_type("varchar(20)"))
    'text'
    >>> declared_type("BLOB") is None and declared_type("") is None
    True
    """
    match = _DECLARED.fullmatch(named)
    if match is None:
        return _NAMED.get(named.strip().upper())
    name = match[1].upper()
    if name in ("DECIMAL", "NUMERIC"):
        precision, scale = int(match[2] or 0), int(match[3] or 0)
        # Without a precision the scale is not known either, and nothing could be read exactly.
        fits = 1 <= precision <= MAX_PRECISION and scale <= precision
        return decimal(precision, scale) if fits else None
    return _NAMED.get(name)


def batch_of(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows as one batch of the declared schema.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type.
    """
    columns: Iterable[tuple[object, ...]] = zip(*rows, strict=True) if rows else ((),) * len(schema)
    arrays = [array_of(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def array_of(values: Sequence[object], target: pa.DataType) -> pa.Array:
    """Return SQLite's values of one column as an array of its declared type."""
    if pa.types.is_decimal(target):
        return _decimals(values, target)
    if pa.types.is_date(target):
        return pa.array(values, pa.string()).cast(target)
    if pa.types.is_timestamp(target):
        return pa.array(values, pa.int64()).cast(target)
    if pa.types.is_boolean(target):
        return pa.array(values, pa.int64()).cast(target)
    if pa.types.is_floating(target):
        return pa.array([math.nan if value == NAN else value for value in values], target)
    return pa.array(values, target)


def _decimals(values: Sequence[object], target: pa.DataType) -> pa.Array:
    """Return scaled integers, or the digits of larger ones, as decimals."""
    if any(isinstance(value, str) for value in values):
        digits = [
            None if value is None else _unscaled(str(value), target.scale) for value in values
        ]
        try:
            return pa.array(digits, target)
        except (pa.ArrowInvalid, ValueError) as error:
            raise ArithmeticOverflow("a value does not fit its declared type") from error
    integers = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0)).cast(pa.decimal128(38, 0))
    scaled = pa.Array.from_buffers(
        pa.decimal128(38, target.scale), len(integers), integers.buffers(), offset=integers.offset
    )
    return conform_array(scaled, target)


def _unscaled(digits: str, scale: int) -> Decimal:
    return Decimal(digits).scaleb(-scale, context=_WIDE)
