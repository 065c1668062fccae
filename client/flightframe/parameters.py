"""The values bound to a query, as one row of Arrow.

What comes in: Python values in order (for `?`) or by name (for `$name`). What goes out: an Arrow
IPC stream of one record batch with one row, columns `0`, `1`, ... or the names in sorted order, so
that the same values are the same bytes. It must never change a value: what has no exact Arrow form
is refused.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from flightframe.errors import ArgumentError

Scalar = int | Decimal | float | str | bool | datetime.date | datetime.datetime | None
"""One value."""

Value = Scalar | Sequence[Scalar]
"""What can be bound: a value, or a list of values of one type, behind IN."""

Parameters = Sequence[Value] | Mapping[str, Value]
"""Values for `?` in order, or for `$name` by name."""

MAX_DIGITS = 38
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def encode_parameters(parameters: Parameters | None) -> bytes:
    """Return the IPC stream of the values; empty where there are none.

    Raises:
        ArgumentError: the container, a name or a value is not of the kinds above.
    """
    if parameters is None:
        return b""
    named = _named(parameters)
    if not named:
        return b""
    arrays = [_array(name, value) for name, value in named]
    batch = pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in named])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _named(parameters: Parameters) -> list[tuple[str, Value]]:
    """Return column names with their values."""
    if isinstance(parameters, Mapping):
        for name in parameters:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ArgumentError(
                    f"{str(name)[:80]!r} cannot be the name of a parameter",
                    "write letters, digits and _, without the $",
                )
        return sorted(parameters.items())
    if isinstance(parameters, Sequence) and not isinstance(parameters, str | bytes | bytearray):
        return [(str(index), value) for index, value in enumerate(parameters)]
    raise ArgumentError("parameters is neither a sequence nor a mapping", "pass a list or a dict")


def _array(name: str, value: Value) -> pa.Array[Any]:
    """Return one value as a column of one row."""
    members = _members_type(name, value) if isinstance(value, list | tuple) else None
    try:
        if members is not None and isinstance(value, list | tuple):
            return pa.array([list(value)], type=pa.list_(members))
        return pa.array([value], type=_type(name, value))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        raise ArgumentError(f"parameter {name} does not fit its Arrow type") from None


def _members_type(name: str, values: Sequence[Scalar]) -> pa.DataType:
    """Return the one type of the values of a list; decimals keep the digits of the longest."""
    types = {_type(name, value) for value in values if value is not None}
    if len(types) > 1 and all(pa.types.is_decimal(type_) for type_ in types):
        scale = max(type_.scale for type_ in types)
        integer_digits = max(type_.precision - type_.scale for type_ in types)
        if integer_digits + scale <= MAX_DIGITS:
            return pa.decimal128(max(integer_digits + scale, 1), scale)
    if len(types) > 1:
        raise ArgumentError(
            f"parameter {name} is a list of several types", "bind values of one type"
        )
    return types.pop() if types else pa.null()


def _type(name: str, value: Value) -> pa.DataType:
    """Return the Arrow type that holds `value` exactly; subclasses go before their base."""
    match value:
        case None:
            return pa.null()
        case bool():
            return pa.bool_()
        case int():
            return _integer_type(name, value)
        case Decimal():
            return _decimal_type(name, value)
        case float():
            if not math.isfinite(value):
                raise ArgumentError(f"parameter {name} is not a finite number")
            return pa.float64()
        case str():
            return pa.string()
        case datetime.datetime():
            return pa.timestamp("us", tz="UTC" if value.tzinfo is not None else None)
        case datetime.date():
            return pa.date32()
    raise ArgumentError(
        f"parameter {name} is of a type that cannot be bound: {type(value).__name__}",
        "bind int, Decimal, float, str, bool, date, datetime or None, or a list of such",
    )


def _integer_type(name: str, value: int) -> pa.DataType:
    """Return int64 where the value fits it."""
    if not -(1 << 63) <= value < 1 << 63:
        raise ArgumentError(
            f"parameter {name} does not fit 64 bits",
            f"bind a Decimal of at most {MAX_DIGITS} digits",
        )
    return pa.int64()


def _decimal_type(name: str, value: Decimal) -> pa.DataType:
    """Return the smallest decimal128 that keeps the value and its scale as written."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ArgumentError(f"parameter {name} is not a finite number")
    scale = max(0, -exponent)
    precision = max(len(digits) + max(0, exponent), scale, 1)
    if precision > MAX_DIGITS:
        raise ArgumentError(f"parameter {name} has more than {MAX_DIGITS} digits")
    return pa.decimal128(precision, scale)
