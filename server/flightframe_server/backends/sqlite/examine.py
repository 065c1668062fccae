"""Whether the decimals of a SQLite file stand in it as its installation says.

What comes in: a connection in a transaction, and what the tables declare. What goes out: an error
for a file whose form contradicts the installation, a warning for one that may. It must never read
more than the first rows of a table: every value is checked when it is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import structlog
from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.backends.sql.names import (
    column_expression,
    named,
    table_expression,
)
from flightframe_server.backends.sqlite.decimals import DecimalForm, migration
from flightframe_server.backends.sqlite.schema import TableFacts
from flightframe_server.errors import SetupError, shown

log = structlog.get_logger(__name__)

SCALED_ROWS = 100_000
WHOLE_ROWS = 1_000
_FEW = 10


def examine_decimals(
    handle: sqlite3.Connection, tables: Mapping[str, TableFacts], form: DecimalForm
) -> None:
    """Look at the first rows of every table with decimals.

    Raises:
        SetupError: scaled integers are declared, and a decimal is none.
    """
    for table, facts in tables.items():
        scales = {
            name: declared.scale
            for name, declared in facts.types.items()
            if declared.kind is Kind.DECIMAL
        }
        # The rows of a view may take long to make.
        if not scales or (facts.number is None and not facts.keys):
            continue
        if form is DecimalForm.SCALED:
            _refuse_numbers(handle, table, scales)
        else:
            _warn_of_integers(handle, table, [name for name, scale in scales.items() if scale])


def _refuse_numbers(handle: sqlite3.Connection, table: str, scales: Mapping[str, int]) -> None:
    for name, scale in scales.items():
        first = _first(table, [name], SCALED_ROWS)
        kind = exp.func("typeof", column_expression(name))
        other = exp.Not(this=exp.In(this=kind, expressions=[_text("integer"), _text("null")]))
        select = exp.select(column_expression(name)).from_(first).where(other).limit(1)
        row = handle.execute(select.sql("sqlite")).fetchone()
        if row is not None:
            column = f"{shown(table)}.{shown(name)}"
            raise SetupError(
                f"{column} holds {shown(repr(row[0]))}, which is no scaled integer",
                hint=migration(column, scale),
            )


def _warn_of_integers(handle: sqlite3.Connection, table: str, columns: list[str]) -> None:
    """Warn of columns whose decimals all happen to be whole: they may be scaled integers."""
    integral: list[str] = []
    for name in columns:
        kind = exp.func("typeof", column_expression(name))
        counts = [
            exp.Sum(this=exp.Paren(this=exp.EQ(this=kind.copy(), expression=_text(type_))))
            for type_ in ("integer", "real")
        ]
        select = exp.select(*counts).from_(_first(table, [name], WHOLE_ROWS))
        integers, reals = handle.execute(select.sql("sqlite")).fetchone()
        if not reals and (integers or 0) >= _FEW:
            integral.append(name)
    if integral:
        log.warning(
            "decimals.whole",
            table=table,
            columns=integral,
            hint="they are read as whole numbers; decimals: scaled reads scaled integers",
        )


def _first(table: str, columns: list[str], rows: int) -> exp.Subquery:
    select = exp.select(*(named(column_expression(name), name) for name in columns))
    return select.from_(table_expression(table)).limit(rows).subquery("first")


def _text(value: str) -> exp.Expr:
    return exp.Literal.string(value)
