"""What differs between SQL databases, as one object per dialect.

What comes in: plan functions and declared types. What goes out: sqlglot expressions. Nothing is
left to a generator's guess: sqlglot writes text but does not validate, so each function that means
something else somewhere has its rule here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from flightframe_server.backends.duckdb.sql_functions import (
    checked_cast,
    refuses,
    row_function,
    typed,
)
from flightframe_server.backends.duckdb.sql_moments import (
    Clocks,
    Corrections,
    floored,
    narrowed,
    uncorrected,
)
from flightframe_server.backends.duckdb.sql_sums import WIDE_PRECISION, wide_sum
from flightframe_server.backends.sql.names import column_expression
from flightframe_server.catalog.types import DataType, Kind, whole
from flightframe_server.errors import LimitExceeded
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.question import Metric
from flightframe_server.resolver.terms import Apply, Constant, Term

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


class SqlDialect:
    """The rules of DuckDB, from which other dialects differ."""

    name = "duckdb"

    def __init__(self, corrections: Corrections = uncorrected) -> None:
        """Keep where the database's clocks are another than ours."""
        self._clocks = Clocks(corrections)

    def type(self, declared: DataType) -> exp.DataType:
        """Return a declared type as the database names it."""
        return typed(declared)

    def cast(self, value: exp.Expr, declared: DataType, given: DataType | None = None) -> exp.Expr:
        """Return a checked cast; `given` is the value's type, for databases that do not know it."""
        if given is None or given.kind is Kind.NULL or given == declared:
            return exp.Cast(this=value, to=self.type(declared))
        if given.zone and declared.is_moment:
            return self._clocks.cast(value, given, declared)
        return checked_cast(value, given, declared)

    def row_function(self, term: Apply, sides: list[exp.Expr]) -> exp.Expr:
        """Return a function of one row."""
        return row_function(term, sides)

    def volatile(self, value: exp.Expr) -> bool:
        """Return whether a value cannot stand in a window: DuckDB counts what may fail as that."""
        return refuses(value)

    def stored(self, table: str, column: str, alias: str | None = None) -> exp.Expr:
        """Return a stored column as its declared value; databases without types check here."""
        return column_expression(column, alias)

    def level(self, value: exp.Expr, declared: DataType, given: DataType | None = None) -> exp.Expr:
        """Return a value as a member of a level of this type; `given` as for `cast`."""
        return self.cast(value, declared, given)

    def counted(self, table: str, column: str, given: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column of a type in microseconds; one that does not fit is refused."""
        value = self.stored(table, column, alias)
        return narrowed(value, given, f"{table}.{column}") if given.is_fine else value

    def floored(self, table: str, column: str, given: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column in microseconds, to be cut further."""
        return floored(self.stored(table, column, alias), given)

    def member(self, table: str, column: str, declared: DataType, given: DataType) -> exp.Expr:
        """Return a stored column, of the type given, as a member of a level of another."""
        return self.level(self.counted(table, column, given, None), declared, whole(given))

    def apply(
        self, term: Apply, compiled: Callable[[Term], exp.Expr], bound: Bound
    ) -> exp.Expr | None:
        """Return a function of terms, or None where the rules of `terms` hold."""
        return None

    def rows(self, select: exp.Select) -> exp.Select:
        """Return the rows that are grouped; databases that compute them more than once say how."""
        return select

    def finished(self, value: exp.Expr, metric: Metric) -> exp.Expr:
        """Return the first state of a metric as a number to compute with and order by."""
        return value

    def constant(self, term: Constant, bound: Bound) -> exp.Expr:
        """Return a constant as a bound placeholder of its type."""
        if term.value is None:
            null: exp.Expr = exp.Null()
            return null if term.type.kind is Kind.NULL else self.cast(null, term.type)
        return self.cast(bound.add(term.value), term.type)

    def truncate(
        self, function: str, moment: exp.Expr, declared: DataType, given: DataType
    ) -> exp.Expr:
        """Return the first instant of a period of a moment; weeks start on Monday.

        The periods of an instant are those of its zone's clock.
        """
        return self._clocks.truncated(function, moment, given)

    def states(self, metric: Metric, argument: exp.Expr | None) -> list[tuple[str, exp.Expr]]:
        """Return the aggregates of a metric's state, by state column, without casts."""
        name = metric.operator.name
        if argument is None:
            return [("value", exp.Count(this=exp.Star()))]
        if name in ("VAR", "STDDEV"):
            number = self.cast(argument, _DOUBLE)
            spread = exp.Mul(
                this=exp.Anonymous(this="var_pop", expressions=[number]),
                expression=exp.Count(this=argument.copy()),
            )
            return [
                ("count", exp.Count(this=argument.copy())),
                ("mean", exp.Avg(this=number.copy())),
                ("m2", spread),
            ]
        return [("value", self.reduce(metric, argument))]

    def reduce(self, metric: Metric, argument: exp.Expr) -> exp.Expr:
        """Return the aggregate of a reducer with one state column."""
        match metric.operator.name:
            case "SUM":
                if metric.type.kind is Kind.INTEGER:
                    return exp.Sum(this=self.cast(argument, metric.type))
                if metric.argument_type.precision > WIDE_PRECISION:
                    return wide_sum(argument, metric.type)
                return exp.Sum(this=argument)
            case "COUNT":
                return exp.Count(this=argument)
            case "COUNT_DISTINCT":
                return exp.Count(this=exp.Distinct(expressions=[argument]))
            case "MIN":
                return exp.Min(this=argument)
            case "MAX":
                return exp.Max(this=argument)
            case "MEDIAN":
                return self.quantile(argument, "0.5")
            case "QUANTILE":
                return self.quantile(argument, metric.operator.arguments[0])
        raise AssertionError(metric.operator.name)

    def quantile(self, argument: exp.Expr, q: str) -> exp.Expr:
        """Return the continuous quantile."""
        number = self.cast(argument, _DOUBLE)
        return exp.Anonymous(this="quantile_cont", expressions=[number, exp.Literal.number(q)])


_DOUBLE = DataType(Kind.DOUBLE)
