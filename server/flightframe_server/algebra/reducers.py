"""The table of reducers: what each keeps, how that combines, and what value it means.

What comes in: nothing, this is a table. What goes out: a row for each reducer, read by the catalog
(is it known, must it be declared), the resolver (is it legal, what type has it), the planner (may
an entry answer a coarser anchor), the composer and the back-ends, which implement primitives and
finish by row functions, and never name a reducer. It must never compute anything.

| a reducer | keeps or is made of | means |
|---|---|---|
| SUM | SUM as `value` | value |
| VAR | COUNT as `count`, MEAN as `mean`, M2 as `m2` | m2 / (count - 1) |
| RANGE | the reducers MAX and MIN | MAX - MIN |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from flightframe_server.algebra.primitives import (
    PRIMITIVES,
    Combine,
    Primitive,
    TypeRule,
    double,
    summed,
)
from flightframe_server.algebra.types import DOUBLE, INTEGER, DataType
from flightframe_server.errors import TypeMismatch


class Domain(StrEnum):
    """What kind of thing an entry holds."""

    METRIC = "METRIC"
    QM = "QM"


@dataclass(frozen=True, slots=True)
class Operator:
    """A reducer with its arguments, each argument in canonical text: `QUANTILE` with `0.9`."""

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `SUM` or `QUANTILE(0.9)`."""
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name


class Exactness(StrEnum):
    """How near a value comes to the number that its reducer is named after."""

    ROUNDED = "a double"
    SUMMED = "yes; of doubles, within a bound"
    EXACT = "yes"


@dataclass(frozen=True, slots=True)
class Over:
    """A row function over states, reducers, whole numbers, and such functions."""

    function: str
    sides: tuple[Finish, ...]


Finish = Over | str | int
"""How a value is computed: a name stands for a state, or for a reducer that this one is made of."""


@dataclass(frozen=True, slots=True)
class StateColumn:
    """One column of a reducer's state: its name in an entry, and what it holds."""

    name: str
    primitive: Primitive

    def type_of(self, argument: DataType) -> DataType:
        """Return the column's type from the argument's."""
        return PRIMITIVES[self.primitive].type_of(argument)


# Without slots: what follows from a row is had once, and asked for every entry of the cache.
@dataclass(frozen=True)
class Reducer:
    """One reducer.

    Attributes:
        name: upper case.
        state: what an entry stores beside the anchor's levels; none where there are `parts`.
        parts: the reducers that it is made of: it keeps nothing itself, and shares their entries.
        finish: its value from its states or parts.
        gives: the value's type from the argument's; None: that of the first state.
        parameter: what its one further argument is called, a number from 0 to 1; empty: it has
            none.
        fixed: that argument, where the reducer itself says it.
        must_be_declared: whether it means nothing for a family that does not declare it.
        numbers_only: whether its argument must be a number.
        zero_when_empty: whether it is 0, not NULL, where there is nothing to reduce.
        of_levels: whether the members of a level can be its argument.
        of_rows: whether rows without any value can be its argument: `COUNT(*)`.
        distinct: the reducer that it is where DISTINCT stands before its argument.
        askable: whether a query and a collection may name it.
    """

    name: str
    state: tuple[StateColumn, ...] = ()
    parts: tuple[str, ...] = ()
    finish: Finish = "value"
    gives: TypeRule | None = None
    parameter: str = ""
    fixed: str = ""
    must_be_declared: bool = False
    numbers_only: bool = False
    zero_when_empty: bool = False
    of_levels: bool = False
    of_rows: bool = False
    distinct: str = ""
    askable: bool = True

    def type_of(self, argument: DataType) -> DataType:
        """Return the type of the finished value from the argument's type."""
        return self.gives(argument) if self.gives else self.state[0].type_of(argument)

    def argument_of(self, operator: Operator) -> str:
        """Return the further argument under an operator of this reducer: a quantile's `0.9`."""
        return self.fixed or operator.arguments[0]

    @cached_property
    def own_states(self) -> tuple[StateColumn, ...]:
        """The states that the value is finished from; a part's one state under the part's name."""
        of_parts = (StateColumn(part, REDUCERS[part].state[0].primitive) for part in self.parts)
        return self.state or tuple(of_parts)

    @cached_property
    def primitives(self) -> frozenset[Primitive]:
        """What has to be computed for it."""
        return frozenset(column.primitive for column in self.own_states)

    @cached_property
    def combines(self) -> tuple[Combine, ...]:
        """How its states combine, each way once."""
        ways = (PRIMITIVES[column.primitive].combine for column in self.own_states)
        return tuple(dict.fromkeys(ways))

    @cached_property
    def rolls_up(self) -> bool:
        """Whether a finer entry can answer a coarser anchor at all."""
        return Combine.NEVER not in self.combines

    @cached_property
    def reduces_own_values(self) -> bool:
        """Whether its values of a finer anchor, reduced as rows are, give that of a coarser one.

        A table of such values can stand for the rows. Counts are added and not counted, and the
        median of medians is no median.
        """
        own = all(PRIMITIVES[one].combine.value == one.value for one in self.primitives)
        return own and self.finish == "value" and not self.ordered and self.askable

    @cached_property
    def ordered(self) -> bool:
        """Whether it picks a row, so that its state also holds the key that orders the rows."""
        return bool(self.primitives & {Primitive.FIRST, Primitive.LAST})

    @cached_property
    def picks_last(self) -> bool:
        """Whether the row that it picks is the last."""
        return Primitive.LAST in self.primitives

    @cached_property
    def adds_up(self) -> bool:
        """Whether its value is the sum of what it reduces, so that a fill can stand for it."""
        return self.finish == "value" and self.primitives == {Primitive.SUM}

    @cached_property
    def keeps_one_row(self) -> bool:
        """Whether its value of a single row is the row's own, without an order."""
        same = {Primitive.SUM, Primitive.MIN, Primitive.MAX}
        return self.finish == "value" and self.primitives <= same and self.askable

    @cached_property
    def ranks(self) -> str:
        """The comparison by which its value comes before all others, `le` or `ge`; empty: none.

        A value that stands twice changes nothing: rows of several tables may be reduced together.
        """
        first = {Primitive.MIN: "le", Primitive.MAX: "ge"}
        if self.finish != "value" or len(self.primitives) != 1:
            return ""
        return first.get(next(iter(self.primitives)), "")

    @cached_property
    def exactness(self) -> Exactness:
        """How exact its value is: whole numbers and decimals are, unless they are divided."""
        if self.type_of(INTEGER) == DOUBLE:
            return Exactness.ROUNDED
        computed = self.finish != "value" or Primitive.SUM in self.primitives
        return Exactness.SUMMED if computed else Exactness.EXACT

    @cached_property
    def kind(self) -> str:
        """Distributive, algebraic or holistic (Gray et al., Data Cube, 1997)."""
        if not self.rolls_up:
            return "holistic"
        return "distributive" if self.finish == "value" else "algebraic"


def _value(primitive: Primitive) -> tuple[StateColumn, ...]:
    return (StateColumn("value", primitive),)


_MOMENTS = (
    StateColumn("count", Primitive.COUNT),
    StateColumn("mean", Primitive.MEAN),
    StateColumn("m2", Primitive.M2),
)
# Dividing by 0 gives NULL, so that one value has no variance.
_VARIANCE = Over("divide", ("m2", Over("subtract", ("count", 1))))

_TABLE = (
    Reducer("SUM", _value(Primitive.SUM), must_be_declared=True, numbers_only=True),
    Reducer(
        "COUNT",
        _value(Primitive.COUNT),
        zero_when_empty=True,
        of_levels=True,
        of_rows=True,
        distinct="COUNT_DISTINCT",
    ),
    Reducer("MIN", _value(Primitive.MIN), of_levels=True),
    Reducer("MAX", _value(Primitive.MAX), of_levels=True),
    Reducer(
        "COUNT_DISTINCT", _value(Primitive.COUNT_DISTINCT), zero_when_empty=True, of_levels=True
    ),
    Reducer("MEDIAN", _value(Primitive.QUANTILE), fixed="0.5", numbers_only=True),
    Reducer("QUANTILE", _value(Primitive.QUANTILE), parameter="quantile", numbers_only=True),
    Reducer("VAR", _MOMENTS, finish=_VARIANCE, gives=double, numbers_only=True),
    Reducer("STDDEV", _MOMENTS, finish=Over("sqrt", (_VARIANCE,)), gives=double, numbers_only=True),
    Reducer("FIRST", _value(Primitive.FIRST), must_be_declared=True),
    Reducer("LAST", _value(Primitive.LAST), must_be_declared=True),
    Reducer(
        "AVG",
        parts=("SUM", "COUNT"),
        finish=Over("divide", ("SUM", "COUNT")),
        gives=double,
        numbers_only=True,
    ),
    Reducer(
        "RANGE",
        parts=("MAX", "MIN"),
        finish=Over("subtract", ("MAX", "MIN")),
        gives=summed,
        numbers_only=True,
    ),
    Reducer("MEMBERS", askable=False),
)

REDUCERS: Mapping[str, Reducer] = {reducer.name: reducer for reducer in _TABLE}
"""Every reducer, by name. MEMBERS lists the points of an anchor, and reduces nothing."""

REDUCER_NAMES = tuple(reducer.name for reducer in _TABLE if reducer.askable)
"""What a query and a collection may name, in the order of the table."""

COUNT_OF_ROWS = next(reducer.name for reducer in _TABLE if reducer.of_rows)
"""The reducer that rows without values have."""

TOTAL = next(reducer for reducer in _TABLE if reducer.adds_up)
"""The reducer that a fill stands for where there is nothing to reduce."""

LEAST = next(reducer.name for reducer in _TABLE if reducer.ranks == "le")
"""The reducer that gives the first of all members."""

POINTS = next(reducer.name for reducer in _TABLE if not reducer.askable)
"""The reducer that lists the points of an anchor."""


def result_type(reducer: Reducer, argument: DataType, what: str) -> DataType:
    """Return the type of `reducer` over an argument of this type.

    Raises:
        TypeMismatch: the reducer does not take such an argument; `what` names it.
    """
    if reducer.numbers_only and not argument.is_number:
        raise TypeMismatch(f"{reducer.name} takes a number, and {what} is {argument}")
    return reducer.type_of(argument)
