"""What differs between SQL databases, as one object per dialect.

What comes in: plan functions and declared types. What goes out: sqlglot expressions. Nothing is
left to a generator's guess: sqlglot writes text but does not validate, so each function that means
something else somewhere has its rule in the folder of its database, and what is written here holds
for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import DataType, Kind, in_micros
from flightframe_server.backends.sql.names import column_expression
from flightframe_server.errors import LimitExceeded
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.terms import Apply, Constant, Metric, Term

MAX_OPERATIONS = 200_000


@dataclass(slots=True)
class Bound:
    """The values of one statement, bound by name and never pasted into its text."""

    values: dict[str, LiteralValue] = field(default_factory=dict)
    _spent: int = 0

    def spend(self) -> None:
        """Count one operation of the statement.

        Raises:
            LimitExceeded: it is one more than `MAX_OPERATIONS`.
        """
        self._spent += 1
        if self._spent > MAX_OPERATIONS:
            raise LimitExceeded(f"the statement takes more than {MAX_OPERATIONS:,} operations")

    def add(self, value: LiteralValue) -> exp.Expr:
        """Bind a value and return its placeholder."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return exp.Placeholder(this=name)


class SqlDialect(ABC):
    """The rules of one database.

    Attributes:
        name: of the dialect, as sqlglot knows it.
        joins_tables: whether a look-up along a unique column joins the table itself.
        leaves_rows: whether rows that are points already are not grouped.
    """

    name: ClassVar[str]
    joins_tables: ClassVar[bool] = False
    leaves_rows: ClassVar[bool] = False

    @abstractmethod
    def cast(self, value: exp.Expr, declared: DataType, type_: DataType | None = None) -> exp.Expr:
        """Return a checked cast; `type_` is the value's type, for databases that keep none."""

    @abstractmethod
    def apply(self, term: Apply, compiled: Callable[[Term], exp.Expr], bound: Bound) -> exp.Expr:
        """Return a row function of terms; `compiled` gives its arguments."""

    @abstractmethod
    def constant(self, term: Constant, bound: Bound) -> exp.Expr:
        """Return a constant as a bound value of its type."""

    @abstractmethod
    def truncate(
        self, function: str, moment: exp.Expr, declared: DataType, moment_type: DataType
    ) -> exp.Expr:
        """Return the first instant of a period of a moment; weeks start on Monday.

        The periods of an instant are those of its zone's clock.
        """

    @abstractmethod
    def mean(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return the aggregate of a mean."""

    @abstractmethod
    def m2(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return the aggregate of the sum of squared distances from the mean."""

    @abstractmethod
    def sum(self, argument: exp.Expr, argument_type: DataType, declared: DataType) -> exp.Expr:
        """Return the aggregate of a sum that is exact, or fails."""

    @abstractmethod
    def quantile(self, argument: exp.Expr, argument_type: DataType, q: str) -> exp.Expr:
        """Return the aggregate of the continuous quantile."""

    def volatile(self, value: exp.Expr) -> bool:
        """Return whether a value cannot stand in a window."""
        return False

    def stored(self, table: str, column: str, alias: str | None = None) -> exp.Expr:
        """Return a stored column as its declared value; databases without types check here."""
        return column_expression(column, alias)

    def level(self, value: exp.Expr, declared: DataType, type_: DataType | None = None) -> exp.Expr:
        """Return a value as a member of a level of this type; `type_` as for `cast`."""
        return self.cast(value, declared, type_)

    def counted(self, table: str, column: str, type_: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column of a type in microseconds; one that does not fit is refused."""
        return self.stored(table, column, alias)

    def floored(self, table: str, column: str, type_: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column in microseconds, to be cut further."""
        return self.stored(table, column, alias)

    def member(
        self,
        table: str,
        column: str,
        declared: DataType,
        type_: DataType,
        alias: str | None = None,
    ) -> exp.Expr:
        """Return a stored column of one type as a member of a level of another."""
        return self.level(self.counted(table, column, type_, alias), declared, in_micros(type_))

    def rows(self, select: exp.Select) -> exp.Select:
        """Return the rows that are grouped; databases that compute them more than once say how."""
        return select

    def finished(self, state: exp.Expr, declared: DataType) -> exp.Expr:
        """Return a state as a value to compute with and order by."""
        return state

    def states(self, metric: Metric, argument: exp.Expr | None) -> list[tuple[str, exp.Expr]]:
        """Return the aggregates of a metric's state, by state column, without casts."""
        if argument is None:
            return [(name, exp.Count(this=exp.Star())) for name, _ in metric.states]
        types, columns = dict(metric.states), metric.reducer.state
        # An expression stands in one place: each state has its own.
        arguments = [argument, *(argument.copy() for _ in columns[1:])]
        return [
            (state.name, self._reduced(state.primitive, own, metric, types[state.name]))
            for state, own in zip(columns, arguments, strict=True)
        ]

    def row_states(self, metric: Metric, argument: exp.Expr | None) -> list[tuple[str, exp.Expr]]:
        """Return a metric's state where each row is a point, by state column, without casts."""
        if argument is None:
            return [(name, exp.Literal.number(1)) for name, _ in metric.states]
        return [
            (state.name, self._of_one(state.primitive, argument.copy(), metric))
            for state in metric.reducer.state
        ]

    def _of_one(self, primitive: Primitive, argument: exp.Expr, metric: Metric) -> exp.Expr:
        """Return what a primitive makes of a single value, NULL among them."""
        match primitive:
            case Primitive.COUNT | Primitive.COUNT_DISTINCT:
                known = exp.Not(this=exp.Is(this=argument, expression=exp.Null()))
                one, none = exp.Literal.number(1), exp.Literal.number(0)
                return exp.Case().when(known, one).else_(none)
            case Primitive.SUM if metric.argument_type.kind is Kind.DOUBLE:
                # A sum of one -0.0 is 0.0.
                return exp.Add(this=argument, expression=exp.Literal.number(0))
            case Primitive.SUM | Primitive.MIN | Primitive.MAX:
                return argument
        raise AssertionError(primitive)

    def _reduced(
        self, primitive: Primitive, argument: exp.Expr, metric: Metric, declared: DataType
    ) -> exp.Expr:
        """Return the aggregate of a primitive; the rows' order gives FIRST and LAST."""
        type_ = metric.argument_type
        match primitive:
            case Primitive.SUM:
                return self.sum(argument, type_, declared)
            case Primitive.COUNT:
                return exp.Count(this=argument)
            case Primitive.COUNT_DISTINCT:
                return exp.Count(this=exp.Distinct(expressions=[argument]))
            case Primitive.MIN:
                return exp.Min(this=argument)
            case Primitive.MAX:
                return exp.Max(this=argument)
            case Primitive.QUANTILE:
                q = metric.reducer.argument_of(metric.operator)
                return self.quantile(argument, type_, q)
            case Primitive.MEAN:
                return self.mean(argument, type_)
            case Primitive.M2:
                return self.m2(argument, type_)
        raise AssertionError(primitive)
