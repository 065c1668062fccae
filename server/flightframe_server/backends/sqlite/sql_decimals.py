"""A stored decimal as SQLite computes with it: a whole number whose point stands elsewhere.

What comes in: a column and what it declares. What goes out: an expression that reads the usual
values by SQLite's own means, and every other one by a function of ours, which refuses what is no
such decimal. It must never let a value pass that the function would refuse.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.backends.sqlite.sql_row_terms import called, integer
from flightframe_server.row_values import power

_EXACT_POWER = 22
_APART = 2**52
_INT64_DIGITS = 18


def stored_decimal(
    value: exp.Expr, declared: DataType, form: DecimalForm, name: exp.Expr, row: list[exp.Expr]
) -> exp.Expr:
    """Return a stored decimal as its digits.

    Args:
        value: the column.
        declared: its type.
        form: how decimals stand in the file.
        name: table and column, as a text of ours.
        row: the number of the row, or nothing where rows have none.
    """
    scaled = form is DecimalForm.SCALED
    size = integer(declared.precision), integer(declared.scale)
    checked = called("ff_scaled" if scaled else "ff_number", value.copy(), *size, name, *row)
    usual = _scaled(value, declared) if scaled else _number(value, declared)
    case = exp.Case() if usual is None else exp.Case().when(*usual)
    case = case.when(exp.Is(this=value.copy(), expression=exp.Null()), exp.Null())
    return exp.Paren(this=case.else_(checked))


def _scaled(value: exp.Expr, declared: DataType) -> tuple[exp.Expr, exp.Expr]:
    kind = exp.EQ(this=called("typeof", value.copy()), expression=exp.Literal.string("integer"))
    if declared.precision > _INT64_DIGITS:
        return kind, value.copy()
    return exp.and_(kind, _between(value, power(declared.precision) - 1)), value.copy()


def _number(value: exp.Expr, declared: DataType) -> tuple[exp.Expr, exp.Expr] | None:
    """Return a test of the usual numbers, and their digits.

    A number of at most 2^52 digits is the nearest double of one decimal alone. Digits and unit are
    doubles without loss, so that their quotient is the double nearest to the decimal; where
    rounding the product gave other digits, it is not equal. Texts and blobs are past every number.
    """
    unit = power(declared.scale)
    bound = min(power(declared.precision), _APART) // unit
    if declared.scale > _EXACT_POWER or not bound:
        return None
    double = exp.Literal.number(f"{unit}.0")
    product = exp.Mul(this=value.copy(), expression=double)
    digits = called("ROUND", product)
    quotient = exp.Div(this=digits, expression=double.copy(), typed=True)
    over = exp.GT(this=value.copy(), expression=integer(-bound))
    under = exp.LT(this=value.copy(), expression=integer(bound))
    same = exp.EQ(this=quotient, expression=value.copy())
    as_integer = exp.Cast(this=digits.copy(), to=exp.DataType.build("BIGINT"))
    return exp.and_(over, under, same), as_integer


def _between(value: exp.Expr, largest: int) -> exp.Expr:
    return exp.Between(this=value.copy(), low=integer(-largest), high=integer(largest))
