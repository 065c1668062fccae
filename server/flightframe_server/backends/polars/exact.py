"""Exact decimals as Polars expressions: a decimal is its digits in 128 bits, its scale is static.

What comes in: expressions of Int128 digits and their scales. What goes out: digits, truth values
and doubles. It must never use Polars' own decimal arithmetic, which rounds, nor let 128 bits wrap:
a result that does not fit 38 digits makes the query fail.

A Polars expression cannot raise by itself. What must fail is replaced by `_TOO_LARGE`, which no
strict cast to 38 digits lets through. Whether 128 bits would wrap is told by the same operation on
doubles: 38 digits end at 1e38, 128 bits at 1.7e38, and doubles are off by far less than the gap.
"""

from __future__ import annotations

import polars as pl

DIGITS = pl.Int128()
MAX_DIGITS = 38

_TOO_LARGE = 15 * 10**37
_SAFE = 1.5e38
_EXACT_DOUBLE = 2**53
_EXACT_POWER = 22
_LIMB = 10**19
# No sum over fewer than 10^10 rows of so few digits can pass 38.
_SAFE_TO_SUM = 28


def int128(value: int) -> pl.Expr:
    """Return an integer literal of 128 bits."""
    return pl.lit(value, dtype=DIGITS)


def checked(digits: pl.Expr, precision: int = MAX_DIGITS) -> pl.Expr:
    """Return digits, failing the query where they are more than `precision`."""
    if precision < MAX_DIGITS:
        digits = refused(digits.abs() >= int128(10**precision), digits)
    return digits.cast(pl.Decimal(MAX_DIGITS, 0)).to_physical()


def refused(wrong: pl.Expr, digits: pl.Expr) -> pl.Expr:
    """Return digits that no `checked` and no cast to 64 bits lets through where `wrong` is true."""
    return pl.when(wrong).then(int128(_TOO_LARGE)).otherwise(digits)


def integer(digits: pl.Expr) -> pl.Expr:
    """Return 128-bit integers as 64-bit ones, failing the query where they do not fit."""
    return digits.cast(pl.Int64)


def rescale(digits: pl.Expr, have: int, want: int) -> pl.Expr:
    """Return digits at another scale, failing the query where a digit would be lost."""
    if want > have:
        power = 10 ** (want - have)
        estimate = digits.cast(pl.Float64) * float(power)
        return checked(refused(estimate.abs() >= _SAFE, digits * int128(power)))
    if want < have:
        power = int128(10 ** (have - want))
        return refused(digits % power != int128(0), digits // power)
    return digits


def add(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return the sum of digits of one scale."""
    estimate = left.cast(pl.Float64) + right.cast(pl.Float64)
    return checked(refused(estimate.abs() >= _SAFE, left + right))


def subtract(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return the difference of digits of one scale."""
    estimate = left.cast(pl.Float64) - right.cast(pl.Float64)
    return checked(refused(estimate.abs() >= _SAFE, left - right))


def multiply(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return the product of digits; its scale is the sum of theirs."""
    estimate = left.cast(pl.Float64) * right.cast(pl.Float64)
    return checked(refused(estimate.abs() >= _SAFE, left * right))


def remainder(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return SQL's remainder, of the dividend's sign, NULL for a divisor of zero."""
    size = left.abs() % right.abs()
    signed = pl.when(left < int128(0)).then(negative(size)).otherwise(size)
    return pl.when(right != int128(0)).then(signed)


def negative(digits: pl.Expr) -> pl.Expr:
    """Return digits with the other sign; Polars negates no 128-bit integers itself."""
    return int128(0) - digits


def compare(function: str, left: pl.Expr, right: pl.Expr, have: int, other: int) -> pl.Expr:
    """Return `left function right` for digits of two scales, exactly and without overflow.

    Args:
        function: eq, lt or le.
        left: digits of scale `have`.
        right: digits of scale `other`.
        have: scale of the left side.
        other: scale of the right side.
    """
    if have > other:
        if function == "eq":
            return compare("eq", right, left, other, have)
        mirrored = {"lt": "le", "le": "lt"}[function]
        return ~compare(mirrored, right, left, other, have)
    if have == other:
        return {"eq": left == right, "lt": left < right, "le": left <= right}[function]
    # Scaling the left side up might not fit; cutting the right one down always does.
    power = int128(10 ** (other - have))
    floor, rest = right // power, right % power
    match function:
        case "eq":
            return (left == floor) & (rest == int128(0))
        case "lt":
            return (left < floor) | ((left == floor) & (rest > int128(0)))
    return left <= floor


def double(digits: pl.Expr, scale: int, precision: int) -> pl.Expr:
    """Return the nearest doubles.

    Digits below 2^53 over an exact power of ten are one correctly rounded division; others go by
    text, which is parsed correctly rounded.
    """
    if scale == 0:
        return digits.cast(pl.Float64)
    divided = divide(digits.cast(pl.Float64), pl.lit(10.0**scale))
    if scale <= _EXACT_POWER and precision <= 15:
        return divided
    parsed = (digits.cast(pl.String) + pl.lit(f"e-{scale}")).cast(pl.Float64)
    if scale > _EXACT_POWER:
        return parsed
    return pl.when(digits.abs() <= int128(_EXACT_DOUBLE)).then(divided).otherwise(parsed)


def divide(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return a quotient of doubles to the last bit.

    Where one number divides all rows, Polars multiplies with its reciprocal, which is off by a bit
    for one row in seven. It divides by the same number where that is a column of its own.
    """
    return left / (right + left.is_null().cast(pl.Float64))


def total(digits: pl.Expr, precision: int) -> pl.Expr:
    """Return the sum of a column of digits as an aggregate, failing where it passes 38 digits.

    Where 128 bits might wrap, the column is summed in two halves of 19 digits each.
    """
    if precision <= _SAFE_TO_SUM:
        return digits.sum()
    low = (digits % int128(_LIMB)).sum()
    high = (digits // int128(_LIMB)).sum() + low // int128(_LIMB)
    fits = high.is_between(int128(-_LIMB), int128(_LIMB - 1))
    return checked(refused(~fits, high * int128(_LIMB) + low % int128(_LIMB)))
