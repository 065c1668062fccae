"""How a decimal stands in a SQLite file, and what it is: SQLite itself has none.

What comes in: a stored value and what its column declares. What goes out: the digits of the
decimal, a whole number whose point stands elsewhere, or a refusal that names the row. It must never
take a number for another one: a double is the one decimal of the declared scale whose nearest
double it is, and where there is none, or are two of them, it is none.
"""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction

from flightframe_server.errors import ArithmeticOverflow, BackendError, shown
from flightframe_server.row_values import INT64_MAX, INT64_MIN, power


class DecimalForm(StrEnum):
    """How the decimals of a file stand in it.

    Attributes:
        NUMBERS: as numbers: 29.00 is the REAL 29.0 or the INTEGER 29.
        SCALED: as whole numbers, the value times 10^scale: 29.00 is the INTEGER 2900.
    """

    NUMBERS = "numbers"
    SCALED = "scaled"


def digits_of_number(
    value: object, precision: int, scale: int, column: str, row: int | None = None
) -> int:
    """Return the digits of the decimal that a stored number is.

    Raises:
        BackendError: it is no decimal of that precision and scale.
        ArithmeticOverflow: its digits take more than 64 bits.
    """
    unit = power(scale)
    if isinstance(value, int):
        digits: int | None = value * unit
    elif isinstance(value, float) and math.isfinite(value):
        digits = _nearest(value, unit)
    else:
        digits = None
    if digits is None:
        raise _refused(value, precision, scale, column, row, _rounding(value, column, scale))
    return _within(digits, value, precision, scale, column, row)


def _nearest(value: float, unit: int) -> int | None:
    """Return the digits of the one decimal whose nearest double a value is, or None."""
    exact = Fraction(value) * unit
    if exact.denominator == 1:
        return exact.numerator
    near = round(exact)
    # A quotient of whole numbers is the double nearest to it.
    alike = [digits for digits in (near - 1, near, near + 1) if digits / unit == value]
    return near if alike == [near] else None


def digits_of_scaled(
    value: object, precision: int, scale: int, column: str, row: int | None = None
) -> int:
    """Return the digits of the decimal that a stored scaled integer is; see `digits_of_number`."""
    if not isinstance(value, int):
        hint = migration(column, scale) if isinstance(value, float) else None
        raise _refused(value, precision, scale, column, row, hint)
    return _within(value, value, precision, scale, column, row)


def migration(column: str, scale: int) -> str:
    """Return how a column of numbers becomes one of scaled integers, and how to do without."""
    table, _, name = column.rpartition(".")
    return (
        f"leave out decimals: scaled in the installation's backend.options, or scale it: UPDATE"
        f" {table} SET {name} = CAST(ROUND({name} * {power(scale)}) AS INTEGER)"
    )


def _rounding(value: object, column: str, scale: int) -> str | None:
    """Return how a number of too many places becomes one that fits; None where it would not."""
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    if _nearest(round(value, scale), power(scale)) is None:
        return None
    table, _, name = column.rpartition(".")
    return f"round it: UPDATE {table} SET {name} = ROUND({name}, {scale})"


def _within(
    digits: int, value: object, precision: int, scale: int, column: str, row: int | None
) -> int:
    if abs(digits) >= power(precision):
        raise _refused(value, precision, scale, column, row, None)
    if not INT64_MIN <= digits <= INT64_MAX:
        raise ArithmeticOverflow(f"{column} holds {shown(value)}, of more digits than 64 bits")
    return digits


def _refused(
    value: object, precision: int, scale: int, column: str, row: int | None, hint: str | None
) -> BackendError:
    text = shown(value.hex() if isinstance(value, bytes) else repr(value))
    where = "" if row is None else f" in row {row}"
    return BackendError(
        f"{column} is declared decimal({precision},{scale}) and holds {text}{where}", hint=hint
    )
