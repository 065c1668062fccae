"""The primitives: the columns that states are made of, the words that each back-end implements.

What comes in: nothing, this is a table. What goes out: for each primitive how its columns combine
at a coarser anchor, and its type. It must never know a reducer: which of these a
reducer keeps stands in `reducers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flightframe_server.algebra.types import (
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    DataType,
    Kind,
    decimal,
)

TypeRule = Callable[[DataType], DataType]
"""A type from the type of an argument."""


class Primitive(StrEnum):
    """What the values of some rows are reduced to. NULL is no value; of none it is NULL."""

    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    COUNT_DISTINCT = "count_distinct"
    QUANTILE = "quantile"
    MEAN = "mean"
    M2 = "m2"
    FIRST = "first"
    LAST = "last"


class Combine(StrEnum):
    """How columns of a finer anchor become one of a coarser."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    CHAN = "chan"
    FIRST = "first"
    LAST = "last"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class PrimitiveRule:
    """One row of the table.

    Attributes:
        combine: how its columns roll up; NEVER where the rows are needed again, CHAN together with
            the count, mean and m2 beside it, FIRST and LAST by the key beside it.
        type_of: the column's type from the argument's.
        of_doubles: whether it reduces values as the nearest doubles.
    """

    combine: Combine
    type_of: TypeRule
    of_doubles: bool = False


def same(argument: DataType) -> DataType:
    """Return the argument's type."""
    return argument


def integer(_: DataType) -> DataType:
    """Return INTEGER."""
    return INTEGER


def double(_: DataType) -> DataType:
    """Return DOUBLE."""
    return DOUBLE


def summed(argument: DataType) -> DataType:
    """Return the type in which values of a type are added up: decimals get every digit."""
    if argument.kind is Kind.DECIMAL:
        return decimal(MAX_PRECISION, argument.scale)
    return argument


PRIMITIVES: Mapping[Primitive, PrimitiveRule] = {
    Primitive.SUM: PrimitiveRule(Combine.SUM, summed),
    Primitive.COUNT: PrimitiveRule(Combine.SUM, integer),
    Primitive.MIN: PrimitiveRule(Combine.MIN, same),
    Primitive.MAX: PrimitiveRule(Combine.MAX, same),
    Primitive.COUNT_DISTINCT: PrimitiveRule(Combine.NEVER, integer),
    Primitive.QUANTILE: PrimitiveRule(Combine.NEVER, double, of_doubles=True),
    Primitive.MEAN: PrimitiveRule(Combine.CHAN, double, of_doubles=True),
    Primitive.M2: PrimitiveRule(Combine.CHAN, double, of_doubles=True),
    Primitive.FIRST: PrimitiveRule(Combine.FIRST, same),
    Primitive.LAST: PrimitiveRule(Combine.LAST, same),
}
"""Every primitive."""
