"""DuckDB's words for steps over frames that stand in memory, as text.

What comes in: terms over columns that go by their places, and declared types. What goes out: text
with its values bound. It must never hold a name or a value of a client's.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.algebra.frame_functions import FrameFunction
from flightframe_server.algebra.types import DOUBLE, MAX_PRECISION, DataType, Kind, decimal
from flightframe_server.backends.duckdb.dialect import DuckDBDialect
from flightframe_server.backends.duckdb.sql_functions import typed
from flightframe_server.backends.sql.dialect import Bound
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.terms import ColumnTerm, Term

_PLAIN = {FrameFunction.MIN: "min", FrameFunction.MAX: "max", FrameFunction.COUNT: "count"}


class FrameWords:
    """Writes the parts of one statement over frames.

    Attributes:
        values: what is bound, filled while writing.
    """

    def __init__(self) -> None:
        """Bind nothing yet."""
        self._dialect, self._bound = DuckDBDialect(), Bound()

    @property
    def values(self) -> dict[str, LiteralValue]:
        """What is bound."""
        return self._bound.values

    def term(self, term: Term) -> str:
        """Return a term over columns as text.

        Raises:
            LimitExceeded: it takes more operations than a statement may.
        """
        return self._text(compile_term(term, _leaf, self._dialect, self._bound))

    def aggregate(
        self, function: FrameFunction, argument: str | None, of: DataType | None, type_: DataType
    ) -> str:
        """Return an aggregate of a column.

        Args:
            function: the aggregate.
            argument: the column; None for the rows.
            of: the column's type.
            type_: the value's type.
        """
        if argument is None or of is None:
            return "count(*)"
        column = exp.column(argument)
        match function:
            case FrameFunction.SUM:
                return self._text(self._dialect.cast(self._sum(column, of, type_), type_))
            case FrameFunction.AVG:
                total: exp.Expr = exp.Sum(this=column)
                if of.kind is Kind.DECIMAL:
                    total = self._sum(column, of, decimal(MAX_PRECISION, of.scale))
                return self._mean(self._text(total), f"count({argument})")
            case FrameFunction.MEDIAN:
                return self._text(self._dialect.quantile(column, of, "0.5"))
            case FrameFunction.COUNT_DISTINCT:
                return f"count(DISTINCT {argument})"
        return f"{_PLAIN[function]}({argument})"

    def total_over(
        self, function: FrameFunction, argument: str | None, type_: DataType, window: str
    ) -> str:
        """Return an aggregate over a window, whose text begins with OVER; as `aggregate`."""
        if argument is None:
            return f"count(*) {window}"
        match function:
            case FrameFunction.SUM:
                return f"CAST(sum({argument}) {window} AS {self.type(type_)})"
            case FrameFunction.AVG:
                return self._mean(f"sum({argument}) {window}", f"count({argument}) {window}")
        return f"{_PLAIN[function]}({argument}) {window}"

    def type(self, type_: DataType) -> str:
        """Return a type as text."""
        return self._text(typed(type_))

    def _sum(self, column: exp.Expr, of: DataType, type_: DataType) -> exp.Expr:
        return self._dialect.sum(column, of, type_)

    def _mean(self, total: str, count: str) -> str:
        return f"CAST({total} AS {self.type(DOUBLE)}) / nullif({count}, 0)"

    def _text(self, value: exp.Expr) -> str:
        return value.sql(self._dialect.name)


def _leaf(term: Term) -> exp.Expr:
    assert isinstance(term, ColumnTerm)
    return exp.column(term.column)
