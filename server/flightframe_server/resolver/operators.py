"""The reducers: what state each one keeps, whether it may be rolled up, what type it returns.

What comes in: a reducer's name and the type of its argument. What goes out: its `Reducer`, read by
the resolver (is it legal), the planner (may an entry answer a coarser anchor), the back-ends (which
state to compute) and the composer (how states combine, what value they mean). It must never
compute anything: it is the one table from which those four and the documentation are written.

AVG keeps no state of its own: the resolver writes it as SUM over COUNT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flightframe_server.algebra.types import DOUBLE, INTEGER, MAX_PRECISION, DataType, Kind, decimal
from flightframe_server.errors import TypeMismatch


class Domain(StrEnum):
    """What kind of thing an entry holds."""

    METRIC = "METRIC"
    QM = "QM"
    SKETCH = "SKETCH"


@dataclass(frozen=True, slots=True)
class Operator:
    """A reducer with its arguments, each argument in canonical text: `QUANTILE` with `0.9`."""

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `SUM` or `QUANTILE(0.9)`."""
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name


class Combine(StrEnum):
    """How a state of a finer anchor becomes the state of a coarser one."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    CHAN = "chan"
    FIRST = "first"
    LAST = "last"
    NEVER = "never"
    DISTINCT = "distinct"


def _same(argument: DataType) -> DataType:
    return argument


def _integer(_: DataType) -> DataType:
    return INTEGER


def _double(_: DataType) -> DataType:
    return DOUBLE


def _sum(argument: DataType) -> DataType:
    if argument.kind is Kind.DECIMAL:
        return decimal(MAX_PRECISION, argument.scale)
    return argument


@dataclass(frozen=True, slots=True)
class StateColumn:
    """One column of a reducer's state: its name in an entry and its type from the argument's."""

    name: str
    type_of: Callable[[DataType], DataType]


@dataclass(frozen=True, slots=True)
class Reducer:
    """One reducer.

    Attributes:
        name: upper case.
        state: what an entry stores beside the anchor's levels.
        combine: how states roll up; NEVER for those that need the rows again.
        type_of: the type of the finished value from the argument's type.
        statistic: whether it may be asked without being declared, as a statistic of the rows.
        numbers_only: whether its argument must be a number.
        zero_when_empty: whether it is 0, not NULL, where there is nothing to reduce.
        ordered: whether its state also holds the key that orders the rows.
        kind: distributive, algebraic or holistic (Gray et al., Data Cube, 1997).
    """

    name: str
    state: tuple[StateColumn, ...]
    combine: Combine
    type_of: Callable[[DataType], DataType]
    statistic: bool = True
    numbers_only: bool = False
    zero_when_empty: bool = False
    ordered: bool = False
    kind: str = "distributive"

    @property
    def rolls_up(self) -> bool:
        """Whether a finer entry can answer a coarser anchor at all."""
        return self.combine is not Combine.NEVER


_VALUE_SAME = (StateColumn("value", _same),)
_COUNT = (StateColumn("value", _integer),)
_MOMENTS = (
    StateColumn("count", _integer),
    StateColumn("mean", _double),
    StateColumn("m2", _double),
)

REDUCERS: dict[str, Reducer] = {
    reducer.name: reducer
    for reducer in (
        Reducer(
            "SUM",
            (StateColumn("value", _sum),),
            Combine.SUM,
            _sum,
            statistic=False,
            numbers_only=True,
        ),
        Reducer("COUNT", _COUNT, Combine.SUM, _integer, zero_when_empty=True),
        Reducer("MIN", _VALUE_SAME, Combine.MIN, _same),
        Reducer("MAX", _VALUE_SAME, Combine.MAX, _same),
        Reducer(
            "COUNT_DISTINCT",
            _COUNT,
            Combine.NEVER,
            _integer,
            zero_when_empty=True,
            kind="holistic",
        ),
        Reducer(
            "MEDIAN",
            (StateColumn("value", _double),),
            Combine.NEVER,
            _double,
            numbers_only=True,
            kind="holistic",
        ),
        Reducer(
            "QUANTILE",
            (StateColumn("value", _double),),
            Combine.NEVER,
            _double,
            numbers_only=True,
            kind="holistic",
        ),
        Reducer("VAR", _MOMENTS, Combine.CHAN, _double, numbers_only=True, kind="algebraic"),
        Reducer("STDDEV", _MOMENTS, Combine.CHAN, _double, numbers_only=True, kind="algebraic"),
        Reducer("FIRST", _VALUE_SAME, Combine.FIRST, _same, statistic=False, ordered=True),
        Reducer("LAST", _VALUE_SAME, Combine.LAST, _same, statistic=False, ordered=True),
        Reducer("MEMBERS", (), Combine.DISTINCT, _integer),
    )
}
"""Every reducer that keeps a state, by name. MEMBERS lists the points of an anchor."""

COMPOSED = frozenset({"AVG"})
REDUCER_NAMES = (frozenset(REDUCERS) - {"MEMBERS"}) | COMPOSED


def result_type(reducer: Reducer, argument: DataType, what: str) -> DataType:
    """Return the type of `reducer` over an argument of this type.

    Raises:
        TypeMismatch: the reducer does not take such an argument; `what` names it.
    """
    if reducer.numbers_only and not argument.is_number:
        raise TypeMismatch(f"{reducer.name} takes a number, and {what} is {argument}")
    return reducer.type_of(argument)
