"""DuckDB's rules: it knows the types of its values, and is held to exact arithmetic.

What comes in: plan functions and declared types. What goes out: sqlglot expressions. It must never
leave a cast, a sum or a period to DuckDB where that would round, wrap or read another clock.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from flightframe_server.algebra.types import DOUBLE, DataType, Kind
from flightframe_server.backends.duckdb.sql_functions import (
    FUNCTIONS,
    checked_cast,
    refuses,
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
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.terms import computed_arguments
from flightframe_server.resolver.terms import Apply, Constant, Term


class DuckDBDialect(SqlDialect):
    """The rules of DuckDB.

    Args:
        corrections: where the database's clocks are another than ours.
        collates: whether the database may hold two texts equal that are not the same.
    """

    name = "duckdb"
    joins_tables = True
    leaves_rows = True

    def __init__(self, corrections: Corrections = uncorrected, *, collates: bool = False) -> None:
        """Keep where the database's clocks are another than ours; see the class."""
        self._clocks, self.collates = Clocks(corrections), collates

    def cast(self, value: exp.Expr, declared: DataType, type_: DataType | None = None) -> exp.Expr:
        """Return a checked cast; see `SqlDialect.cast`."""
        if type_ is None or type_.kind is Kind.NULL or type_ == declared:
            return exp.Cast(this=value, to=typed(declared))
        if type_.zone and declared.is_moment:
            return self._clocks.cast(value, type_, declared)
        return checked_cast(value, type_, declared)

    def apply(self, term: Apply, compiled: Callable[[Term], exp.Expr], bound: Bound) -> exp.Expr:
        """Return a row function of terms."""
        sides = [compiled(argument) for argument in computed_arguments(term)]
        return FUNCTIONS[term.function](term, sides, self)

    def volatile(self, value: exp.Expr) -> bool:
        """Return whether a value cannot stand in a window: DuckDB counts what may fail as that."""
        return refuses(value)

    def counted(self, table: str, column: str, type_: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column in microseconds, or a text as it is; see `SqlDialect.counted`."""
        value = self.stored(table, column, alias)
        if self.collates and type_.kind is Kind.TEXT:
            return exp.Collate(this=value, expression=exp.to_identifier("binary", quoted=True))
        return narrowed(value, type_, f"{table}.{column}") if type_.is_fine else value

    def floored(self, table: str, column: str, type_: DataType, alias: str | None) -> exp.Expr:
        """Return a stored column in microseconds, to be cut further."""
        return floored(self.stored(table, column, alias), type_)

    def constant(self, term: Constant, bound: Bound) -> exp.Expr:
        """Return a constant as a bound placeholder of its type."""
        if term.value is None:
            null: exp.Expr = exp.Null()
            return null if term.type.kind is Kind.NULL else self.cast(null, term.type)
        return self.cast(bound.add(term.value), term.type)

    def truncate(
        self, function: str, moment: exp.Expr, declared: DataType, moment_type: DataType
    ) -> exp.Expr:
        """Return the first instant of a period of a moment; see `SqlDialect.truncate`."""
        return self._clocks.truncated(function, moment, moment_type)

    def mean(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return a mean."""
        return exp.Avg(this=self.cast(argument, DOUBLE))

    def m2(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return the variance of all times their count: DuckDB's is Welford's."""
        number = self.cast(argument, DOUBLE)
        return exp.Mul(
            this=exp.Anonymous(this="var_pop", expressions=[number]),
            expression=exp.Count(this=argument.copy()),
        )

    def sum(self, argument: exp.Expr, argument_type: DataType, declared: DataType) -> exp.Expr:
        """Return a sum that is exact, or fails."""
        if declared.kind is Kind.INTEGER:
            return exp.Sum(this=self.cast(argument, declared))
        if argument_type.precision > WIDE_PRECISION:
            return wide_sum(argument, declared)
        return exp.Sum(this=argument)

    def quantile(self, argument: exp.Expr, argument_type: DataType, q: str) -> exp.Expr:
        """Return the continuous quantile."""
        number = self.cast(argument, DOUBLE)
        return exp.Anonymous(this="quantile_cont", expressions=[number, exp.Literal.number(q)])
