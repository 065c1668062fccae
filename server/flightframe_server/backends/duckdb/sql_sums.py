"""DuckDB's words for sums of decimals of many digits.

What comes in: a decimal argument and the declared type of its sum. What goes out: an aggregate that
is right wherever the whole of it fits, and fails where it does not. It must never fail for a part
of a sum.

DuckDB adds decimals in 128 bits, and fails where a part of a sum passes them even if the whole does
not: twice -1e36 and once 1e36 in DECIMAL(38, 2). Which rows make such a part is chance.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.duckdb.sql_functions import bound, called, cast, let, number, text

WIDE_PRECISION = 28
"""Past so many digits, a part of a sum over ten thousand million rows may pass 128 bits."""

_HALF = 10**19


def wide_sum(value: exp.Expr, target: DataType) -> exp.Expr:
    """Return the sum of decimals, the halves of each one's digits added apart."""
    written = called("replace", _as(value, "VARCHAR"), text("."), text(""))
    digits, half = _as(written, "HUGEINT"), _hugeint(_HALF)
    high = exp.Sum(this=exp.IntDiv(this=digits, expression=half))
    low = exp.Sum(this=exp.Mod(this=digits.copy(), expression=half.copy()))
    total = exp.Add(this=exp.Mul(this=high, expression=half.copy()), expression=low)
    return let(total, _pointed(target))


def _pointed(target: DataType) -> exp.Expr:
    """Return the bound digits as a decimal; text sets the point, DuckDB has no exact scaling."""
    if not target.scale:
        return cast(bound(), target)
    unit = _hugeint(10**target.scale)
    sign = exp.Case().when(exp.LT(this=bound(), expression=number(0)), text("-")).else_(text(""))
    before = called("abs", exp.Paren(this=exp.IntDiv(this=bound(), expression=unit)))
    behind = called("abs", exp.Paren(this=exp.Mod(this=bound(), expression=unit.copy())))
    padded = called("lpad", _as(behind, "VARCHAR"), number(target.scale), text("0"))
    # CONCAT would not do: it takes NULL for nothing.
    written: exp.Expr = exp.Paren(this=sign)
    for part in (_as(before, "VARCHAR"), text("."), padded):
        written = exp.DPipe(this=written, expression=part)
    return cast(exp.Paren(this=written), target)


def _hugeint(value: int) -> exp.Expr:
    return _as(number(value), "HUGEINT")


def _as(value: exp.Expr, name: str) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(name, dialect="duckdb"))
