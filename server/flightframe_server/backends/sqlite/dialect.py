"""SQLite's rules: values without types, so their types are known here.

What comes in: plan functions and declared types. What goes out: sqlglot expressions over values as
they stand in a statement: whole numbers, doubles and text as SQLite has them; NaN as text; booleans
as 0 and 1; dates as 'YYYY-MM-DD'; timestamps as microseconds since 1970; decimals as scaled
integers. It must never use SQLite's arithmetic where that may lose a digit, nor read a stored value
unchecked.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal

from sqlglot import exp

from flightframe_server.algebra.types import (
    DOUBLE,
    MAX_PRECISION,
    DataType,
    Kind,
)
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.names import column_expression
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.backends.sqlite.functions import NAN
from flightframe_server.backends.sqlite.row_functions import microseconds
from flightframe_server.backends.sqlite.sql_decimals import stored_decimal
from flightframe_server.backends.sqlite.sql_row_terms import called, integer
from flightframe_server.backends.sqlite.sql_terms import FUNCTIONS, converted, text_literal
from flightframe_server.errors import ArithmeticOverflow, BackendError, NotSupported, shown
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.row_values import INT64_MAX, INT64_MIN

_DIGITS = Context(prec=100)
_STARTS = {"YEAR_OF": "start of year", "MONTH_OF": "start of month"}
_UNITS = {"SECOND_OF": 1_000_000, "MINUTE_OF": 60_000_000, "HOUR_OF": 3_600_000_000}
_TYPEOF = {
    Kind.INTEGER: "integer",
    Kind.DOUBLE: "real",
    Kind.TEXT: "text",
}


class SQLiteDialect(SqlDialect):
    """The rules of SQLite.

    Args:
        tables: for each table the declared type of each usable column.
        form: how decimals stand in the file.
        numbers: for each table the name of the number of its rows, where they have one.
    """

    name = "sqlite"

    def __init__(
        self,
        tables: Mapping[str, Mapping[str, DataType]],
        form: DecimalForm = DecimalForm.NUMBERS,
        numbers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the columns are declared to hold."""
        self._tables, self._form, self._numbers = tables, form, numbers or {}

    def cast(self, value: exp.Expr, declared: DataType, type_: DataType | None = None) -> exp.Expr:
        """Return an exact conversion; a value whose type is not given has the declared one."""
        return value if type_ is None else converted(value, type_, declared)

    def stored_type(self, table: str, column: str) -> DataType:
        """Return a stored column's type.

        Raises:
            BackendError: the database has no such column any more.
        """
        try:
            return self._tables[table][column]
        except KeyError:
            raise BackendError(f"there is no column {shown(table)}.{shown(column)}") from None

    def stored(self, table: str, column: str, alias: str | None = None) -> exp.Expr:
        """Return a stored column, each value of it checked to be what the column declares."""
        declared = self.stored_type(table, column)
        value = column_expression(column, alias)
        name = text_literal(f"{shown(table)}.{shown(column)}")
        if declared.kind is Kind.TIMESTAMP:
            return called("ff_moment", value, name)
        if declared.kind is Kind.DECIMAL:
            number = self._numbers.get(table)
            row: list[exp.Expr] = [exp.column(number, table=alias)] if number else []
            return stored_decimal(value, declared, self._form, name, row)
        refused = called("ff_refuse", name.copy(), text_literal(str(declared)))
        absent = exp.Is(this=value.copy(), expression=exp.Null())
        case = exp.Case().when(_holds(value, declared), value.copy()).when(absent, exp.Null())
        return exp.Paren(this=case.else_(refused))

    def constant(self, term: Constant, bound: Bound) -> exp.Expr:
        """Return a constant as a bound value, as values of its type stand in a statement.

        Raises:
            ArithmeticOverflow: a decimal of more digits than 64 bits hold.
        """
        if term.value is None:
            return exp.Null()
        return bound.add(represented(term.value, term.type))

    def truncate(
        self, function: str, moment: exp.Expr, declared: DataType, moment_type: DataType
    ) -> exp.Expr:
        """Return the first instant of a period of a moment; weeks start on Monday."""
        if declared.kind is Kind.TIMESTAMP:
            micros = converted(moment, moment_type, declared)
            unit = _UNITS[function]
            return exp.Paren(
                this=exp.Sub(this=exp.Paren(this=micros), expression=_rest(micros, unit))
            )
        day = moment if moment_type.kind is Kind.DATE else called("ff_day", moment)
        if function in _STARTS:
            return called("date", day, text_literal(_STARTS[function]))
        match function:
            case "DAY_OF":
                return day
            case "WEEK_OF":
                return called("date", day, text_literal("-6 days"), text_literal("weekday 1"))
            case "QUARTER_OF":
                return _quarter(day)
        raise NotSupported(f"SQLite does not know {function}")

    def apply(self, term: Apply, compiled: Callable[[Term], exp.Expr], bound: Bound) -> exp.Expr:
        """Return a row function of terms.

        Raises:
            ArithmeticOverflow: a constant of more digits than 64 bits hold.
        """
        return FUNCTIONS[term.function](term, compiled, bound)

    def rows(self, select: exp.Select) -> exp.Select:
        """Return the rows, each value of which is then checked once.

        SQLite would put a column's expression in the place of each mention of it; not with a limit.
        """
        return select.limit(-1)

    def finished(self, state: exp.Expr, declared: DataType) -> exp.Expr:
        """Return a state to compute with; a sum past 64 bits is refused there."""
        return called("ff_small", state) if declared.kind is Kind.DECIMAL else state

    def mean(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return a mean, by a function of ours."""
        return called("ff_mean", converted(argument, argument_type, DOUBLE))

    def m2(self, argument: exp.Expr, argument_type: DataType) -> exp.Expr:
        """Return the sum of squared distances from the mean, by a function of ours."""
        return called("ff_spread", converted(argument, argument_type, DOUBLE))

    def sum(self, argument: exp.Expr, argument_type: DataType, declared: DataType) -> exp.Expr:
        """Return a sum that is exact, or fails."""
        return _sum(argument, argument_type)

    def quantile(self, argument: exp.Expr, argument_type: DataType, q: str) -> exp.Expr:
        """Return the continuous quantile, by a function of ours."""
        return called("ff_quantile", converted(argument, argument_type, DOUBLE), _real_literal(q))


def represented(value: LiteralValue, declared: DataType) -> LiteralValue:
    """Return a value as values of its type stand in a statement; see `SQLiteDialect.constant`."""
    match declared.kind:
        case Kind.DECIMAL:
            scaled = Decimal(str(value)).scaleb(declared.scale, context=_DIGITS)
            digits = int(scaled)
            if digits != scaled or not INT64_MIN <= digits <= INT64_MAX:
                raise ArithmeticOverflow("SQLite keeps decimals in 64 bits, and this takes more")
            return digits
        case Kind.DOUBLE:
            assert isinstance(value, int | float | Decimal)
            number = float(value)
            return NAN if math.isnan(number) else number
        case Kind.TIMESTAMP:
            if not isinstance(value, datetime.datetime):
                assert isinstance(value, datetime.date)
                value = datetime.datetime.combine(value, datetime.time())
            return microseconds(value)
        case Kind.DATE:
            assert isinstance(value, datetime.date)
            return value.isoformat()
        case Kind.BOOLEAN:
            return int(bool(value))
    return value


def _holds(value: exp.Expr, declared: DataType) -> exp.Expr:
    if declared.kind is Kind.DATE:
        # What is a date comes back as it was. Without a modifier, 30 February would as well.
        day = called("date", value, text_literal("+0 days"))
        same = exp.EQ(this=day, expression=value.copy())
        first = exp.GTE(this=value.copy(), expression=text_literal("0001-01-01"))
        return exp.and_(same, first)
    if declared.kind is Kind.BOOLEAN:
        kind = exp.EQ(this=called("typeof", value), expression=text_literal("integer"))
        return exp.and_(kind, exp.In(this=value.copy(), expressions=[integer(0), integer(1)]))
    name = text_literal(_TYPEOF[declared.kind])
    holds = exp.EQ(this=called("typeof", value), expression=name)
    if declared.kind is Kind.DOUBLE:
        return exp.or_(holds, exp.EQ(this=value.copy(), expression=text_literal(NAN)))
    return holds


def _rest(moment: exp.Expr, unit: int) -> exp.Expr:
    """Return how far a moment is into its unit, before 1970 too: SQLite's % keeps the sign."""
    inner = exp.Mod(this=exp.Paren(this=moment.copy()), expression=integer(unit))
    shifted = exp.Add(this=inner, expression=integer(unit))
    return exp.Mod(this=exp.Paren(this=shifted), expression=integer(unit))


def _quarter(day: exp.Expr) -> exp.Expr:
    month = exp.Cast(
        this=called("strftime", text_literal("%m"), day.copy()), to=exp.DataType.build("BIGINT")
    )
    since = exp.Mod(
        this=exp.Paren(this=exp.Sub(this=month, expression=integer(1))), expression=integer(3)
    )
    back = exp.DPipe(this=text_literal("-"), expression=exp.Paren(this=since))
    months = exp.DPipe(this=back, expression=text_literal(" months"))
    return called("date", day, text_literal("start of month"), months)


def _sum(argument: exp.Expr, type_: DataType) -> exp.Expr:
    if type_.kind is Kind.DOUBLE:
        facts = (exp.Count(this=argument.copy()), exp.Max(this=argument.copy()))
        return called("ff_double_sum", exp.Sum(this=argument), *facts)
    # SQLite's SUM fails where a part of it passes 64 bits, even if the whole does not. The halves
    # of each number, summed apart, cannot.
    high = exp.BitwiseRightShift(this=exp.Paren(this=argument), expression=integer(32))
    low = exp.BitwiseAnd(this=exp.Paren(this=argument.copy()), expression=integer(0xFFFFFFFF))
    widest = integer(MAX_PRECISION if type_.kind is Kind.DECIMAL else 0)
    return called("ff_total", exp.Sum(this=high), exp.Sum(this=low), widest)


def _real_literal(q: str) -> exp.Expr:
    return exp.Cast(this=text_literal(q), to=exp.DataType.build("REAL"))
