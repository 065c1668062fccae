"""DuckDB's words for sums of decimals of many digits.

What comes in: a decimal argument and the declared type of its sum. What goes out: an aggregate that
is right wherever the whole of it fits, and fails where it does not. It must never fail for a part
of a sum.

DuckDB adds decimals in 128 bits, and fails where a part of a sum passes them even if the whole does
not: twice -1e36 and once 1e36 in DECIMAL(38, 2). Which rows make such a part is chance.
"""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.duckdb.sql_functions import bound, called, cast, let, number, text

WIDE_PRECISION = 28
"""Past so many digits, a part of a sum over ten thousand million rows may pass 128 bits."""

_HALF = 10**19
_ALONE = 10**27
"""Ten thousand million numbers of fewer digits never pass 128 bits, nor does a part of them."""


def wide_sum(value: exp.Expr, target: DataType) -> exp.Expr:
    """Return the sum of decimals: of small ones as it is, of large ones in halves of their digits.

    Nearly all data are small; where a point has no large value, no digits are written out.
    """
    large = exp.Not(this=exp.Paren(this=_is_small(value, target)))
    written = called("replace", _as(value.copy(), "VARCHAR"), text("."), text(""))
    digits, half = _as(written, "HUGEINT"), _hugeint(_HALF)
    high = _sum_of(exp.IntDiv(this=digits, expression=half), large)
    low = _sum_of(exp.Mod(this=digits.copy(), expression=half.copy()), large.copy())
    # A point with a value has a sum of small ones, if of none: 0, and is no point without values.
    small = exp.Sum(
        this=exp.Case()
        .when(_is_small(value.copy(), target), value.copy())
        .when(
            exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())), cast(text("0"), target)
        )
    )
    of_small = called("replace", _as(small.copy(), "VARCHAR"), text("."), text(""))
    # The one sum may pass what the whole does not: the largest is added last.
    rest = exp.Paren(this=exp.Add(this=low, expression=_as(of_small, "HUGEINT")))
    total = exp.Add(this=rest, expression=exp.Mul(this=high, expression=half.copy()))
    none_large = exp.Is(this=high.copy(), expression=exp.Null())
    return exp.Case().when(none_large, small).else_(let(total, _pointed(target)))


def _sum_of(value: exp.Expr, condition: exp.Expr) -> exp.Expr:
    # FILTER would have the digits of all rows written out.
    return exp.Sum(this=exp.Case().when(condition, value))


def _is_small(value: exp.Expr, target: DataType) -> exp.Expr:
    bound = Decimal(_ALONE).scaleb(-target.scale)
    least, most = (cast(text(f"{end:f}"), target) for end in (-bound, bound))
    return exp.and_(
        exp.GT(this=value, expression=least), exp.LT(this=value.copy(), expression=most)
    )


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
