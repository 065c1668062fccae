"""Exact arithmetic over Arrow arrays: integers and decimals never wrap, round or lose scale.

What comes in: arrays of the declared types. What goes out: arrays of the declared result type, or
OVERFLOW (law 7, docs/laws.md). It must never use the library's default decimal division or
unchecked sums: pyarrow and Polars wrap 3 x 2^62 to a negative number, and Polars gives
19.15/61.70 = 0.31.
"""

from __future__ import annotations

from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.errors import ArithmeticOverflow

_INT64_MAX = 2**63 - 1
_EXACT_DOUBLE = 2**53
_DIGITS = Context(prec=100)
_OPERATIONS = {
    "add": (_DIGITS.add, pc.add),
    "subtract": (_DIGITS.subtract, pc.subtract),
    "multiply": (_DIGITS.multiply, pc.multiply),
}
_CHECKED = {
    "add": pc.add_checked,
    "subtract": pc.subtract_checked,
    "multiply": pc.multiply_checked,
}


def overflow() -> ArithmeticOverflow:
    """Return the error of a number that does not fit its declared type."""
    return ArithmeticOverflow("a value does not fit its declared type")


def combine(function: str, left: pa.Array, right: pa.Array, target: pa.DataType) -> pa.Array:
    """Return `left function right` for add, subtract and multiply, of type `target`.

    Raises:
        ArithmeticOverflow: a result does not fit.
    """
    if pa.types.is_floating(target):
        sides = [to_double(side) for side in (left, right)]
        return _OPERATIONS[function][1](*sides)
    if pa.types.is_integer(target):
        try:
            sides = [side if side.type == target else side.cast(target) for side in (left, right)]
            return _CHECKED[function](*sides)
        except pa.ArrowInvalid as error:
            raise overflow() from error
    return _decimals(function, left, right, target)


def _decimals(function: str, left: pa.Array, right: pa.Array, target: pa.DataType) -> pa.Array:
    widest = 37 if function == "multiply" else 75 - target.scale
    try:
        sides = [_widened(side, min(widest, 75)) for side in (left, right)]
        return _narrowed(_OPERATIONS[function][1](*sides), target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(function, left, right, target)


def _widened(side: pa.Array, precision: int) -> pa.Array:
    scale = side.type.scale if pa.types.is_decimal(side.type) else 0
    if pa.types.is_integer(side.type):
        side = side.cast(pa.decimal128(19, 0))
    return side.cast(pa.decimal256(max(precision, scale + 1), scale))


def _narrowed(array: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return array.cast(target)
    except pa.ArrowInvalid as error:
        raise overflow() from error


def _one_by_one(function: str, left: pa.Array, right: pa.Array, target: pa.DataType) -> pa.Array:
    operation = _OPERATIONS[function][0]
    results: list[Decimal | None] = []
    for first, second in zip(left.to_pylist(), right.to_pylist(), strict=True):
        missing = first is None or second is None
        results.append(None if missing else operation(Decimal(first), Decimal(second)))
    return decimals(results, target)


def decimals(values: list[Decimal | None], target: pa.DataType) -> pa.Array:
    """Return Python decimals as an array of a decimal type; raises `ArithmeticOverflow`."""
    try:
        return pa.array(values, target)
    except (pa.ArrowInvalid, ValueError) as error:
        raise overflow() from error


def unscaled(array: pa.Array) -> pa.Array:
    """Return a decimal128 array's digits without the point, as decimal128(38, 0)."""
    type_ = pa.decimal128(38, 0)
    return pa.Array.from_buffers(
        type_, len(array), array.buffers(), null_count=array.null_count, offset=array.offset
    )


def to_double(array: pa.Array) -> pa.Array:
    """Return numbers as the nearest doubles.

    pyarrow multiplies by an inexact power of ten and gives 19.150000000000002 for 19.15. Digits
    below 2^53 over an exact power of ten are one correctly rounded division; others go by text.
    """
    if array.type == pa.float64():
        return array
    if not pa.types.is_decimal(array.type):
        return array.cast(pa.float64(), safe=False)
    scale = array.type.scale
    if pa.types.is_decimal256(array.type):
        return array.cast(pa.string()).cast(pa.float64())
    digits = unscaled(array)
    if scale <= 22 and magnitude(digits) < _EXACT_DOUBLE:
        return pc.divide(digits.cast(pa.int64()).cast(pa.float64()), 10.0**scale)
    return array.cast(pa.string()).cast(pa.float64())


def magnitude(array: pa.Array) -> int:
    """Return the largest absolute value of an integer or whole decimal array, 0 where empty."""
    bounds = pc.min_max(array)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    return 0 if low is None else max(abs(int(low)), abs(int(high)))


def summable(array: pa.Array) -> pa.Array:
    """Return values in a type in which no sum over these rows can wrap.

    Integers become decimal128(38, 0) where their sum might pass 64 bits, decimals become
    decimal256 where theirs might pass 38 digits; what is safe stays as it is.
    """
    if pa.types.is_integer(array.type):
        if magnitude(array) * max(len(array), 1) <= _INT64_MAX:
            return array
        return array.cast(pa.decimal128(19, 0)).cast(pa.decimal128(38, 0))
    if pa.types.is_decimal(array.type):
        if magnitude(unscaled(array)) * max(len(array), 1) < 10**38:
            return array
        return array.cast(pa.decimal256(76, array.type.scale))
    return array


def fitted(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Return a sum of `summable` values in its declared type; raises `ArithmeticOverflow`."""
    if array.type == target:
        return array
    return _narrowed(array, target)
