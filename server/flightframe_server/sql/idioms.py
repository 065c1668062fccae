"""What tools write in the place of words that they do not have, as one table.

What comes in: the argument of an aggregate. What goes out: its parts, or nothing where it is none
of these. It must never take a shape that means the same on most data only: each of these is an
oracle case with rows that are NULL.

- `agg(CASE WHEN p THEN x END)`: `agg(x) FILTER (WHERE p)`. Metabase, and many by hand.
- `SUM(CASE WHEN p THEN x ELSE 0 END)`: `COALESCE(SUM(x) FILTER (WHERE p), CASE WHEN COUNT(*) >
  COUNT(*) FILTER (WHERE p) THEN 0 END)`: 0 only where some row does not pass.
- `COUNT(CASE WHEN p THEN 1 END)`: `COUNT(*) FILTER (WHERE p)`.
- `SUM(CASE WHEN p THEN 1 END)`: the same, NULL where it is 0.
- `SUM(CASE WHEN p THEN 1 ELSE 0 END)`: the same, NULL where there is no row.
- `MAX(CASE WHEN p THEN 1 ELSE 0 END)`, `MIN`: 1 and 0 by the two counts. Power BI.
- `SUM(1)`: `COUNT(*)`, NULL where there is no row. Tableau.
- `HAVING COUNT(1) > 0`: REALISED, whichever tables the metrics are of. Tableau.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.errors import Place
from flightframe_server.language.syntax import (
    Call,
    Case,
    Compare,
    Expression,
    Junction,
    Literal,
    LiteralKind,
    Star,
    When,
)

REALISED = "REALISED"


@dataclass(frozen=True, slots=True)
class OneCase:
    """`CASE WHEN condition THEN result [ELSE 0] END`; `zero` where that ELSE stands."""

    condition: exp.Expr
    result: exp.Expr
    zero: bool


def one_case(node: exp.Expr) -> OneCase | None:
    """Return a CASE of one WHEN, with no ELSE but NULL or 0; None where it is none."""
    if isinstance(node, exp.Paren):
        return one_case(node.this)
    if not isinstance(node, exp.Case) or len(node.args["ifs"]) != 1:
        return None
    (part,) = node.args["ifs"]
    default = node.args.get("default")
    zero = isinstance(default, exp.Literal) and not default.is_string and _is_zero(default.name)
    if default is not None and not zero and not isinstance(default, exp.Null):
        return None
    condition = part.this
    if node.this is not None:
        condition = exp.EQ(this=node.this.copy(), expression=part.this.copy())
    return OneCase(condition, part.args["true"], zero)


def is_one(node: exp.Expr) -> bool:
    """Whether a node is the number 1."""
    if isinstance(node, exp.Paren):
        return is_one(node.this)
    return isinstance(node, exp.Literal) and not node.is_string and node.name == "1"


def is_some_row(node: exp.Expr) -> bool:
    """Whether a condition is `COUNT(*) > 0`, or of a 1 in the place of the star."""
    if not isinstance(node, exp.GT) or not isinstance(node.this, exp.Count):
        return False
    counted, least = node.this.this, node.expression
    if not isinstance(counted, exp.Star) and not (counted is not None and is_one(counted)):
        return False
    return isinstance(least, exp.Literal) and not least.is_string and least.name == "0"


def both(one: Expression | None, other: Expression | None) -> Expression | None:
    """Return both of two conditions; None is none."""
    if one is None or other is None:
        return other if one is None else one
    operands: list[Expression] = []
    for part in (one, other):
        if isinstance(part, Junction) and part.operator == "AND":
            operands.extend(part.operands)
        else:
            operands.append(part)
    return Junction("AND", tuple(operands))


def row_count(condition: Expression | None, place: Place) -> Call:
    """Return the number of rows that pass a condition."""
    return Call("COUNT", (Star(place=place),), filter=condition, place=place)


def summed_or_zero(total: Expression, every: Call, passing: Call, place: Place) -> Expression:
    """Return a sum in which a row that does not pass counts as 0."""
    rest = Compare(">", every, passing, place=place)
    zero = Case(None, (When(rest, _number(0, place), place=place),), place=place)
    return Call("COALESCE", (total, zero), place=place)


def one_or_zero(counts: tuple[Call, Call], *, greatest: bool, place: Place) -> Expression:
    """Return the greatest or least of ones and zeros; NULL where there is no row.

    Args:
        counts: of all rows, and of those that give 1.
        greatest: whether the greatest is meant.
        place: of the aggregate.
    """
    every, passing = counts
    nothing = _number(0, place)
    ones = When(Compare(">", passing, nothing), _number(1, place), place=place)
    if greatest:
        zeros = When(Compare(">", every, nothing), nothing, place=place)
        return Case(None, (ones, zeros), place=place)
    zeros = When(Compare(">", every, passing), nothing, place=place)
    return Case(None, (zeros, ones), place=place)


def where_rows(every: Call, value: Expression, place: Place) -> Expression:
    """Return a value, NULL where there is no row."""
    return Case(
        None, (When(Compare(">", every, _number(0, place)), value, place=place),), place=place
    )


def null_if_zero(count: Expression, place: Place) -> Expression:
    """Return a count, NULL where it is 0."""
    return Call("NULLIF", (count, _number(0, place)), place=place)


def _number(value: int, place: Place) -> Literal:
    return Literal(value, LiteralKind.INTEGER, place=place)


def _is_zero(text: str) -> bool:
    return not text.strip("0.")
