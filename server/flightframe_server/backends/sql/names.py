"""Names in SQL, and what a statement is.

What comes in: names from a collection. What goes out: quoted identifiers, tables and columns. A
name is never put into a text as it stands.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.algebra.types import DataType
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.source import state_name
from flightframe_server.resolver.terms import Metric, is_computed


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text, its bound values, and the declared columns that come back."""

    sql: str
    values: dict[str, LiteralValue]
    columns: tuple[tuple[str, DataType], ...]


def level_name(level: str) -> str:
    """Return what a column that holds a level is called: of a computed one, nothing of its text.

    No level's name starts with a blank, and no other column's with a blank and 32 digits.
    """
    if not is_computed(level):
        return level
    return f" {hashlib.blake2b(level.encode(), digest_size=16).hexdigest()}"


def identifier(name: str) -> exp.Identifier:
    """Return a quoted identifier."""
    return exp.to_identifier(name, quoted=True)


def table_expression(name: str, alias: str | None = None) -> exp.Table:
    """Return a table by its own name, `schema.table` for one outside the default schema."""
    schema, _, table = name.rpartition(".")
    return exp.Table(
        this=identifier(table),
        db=identifier(schema) if schema else None,
        alias=exp.TableAlias(this=identifier(alias)) if alias else None,
    )


def column_expression(name: str, table: str | None = None) -> exp.Column:
    """Return a quoted column."""
    return exp.Column(this=identifier(name), table=identifier(table) if table else None)


def named(value: exp.Expr, name: str) -> exp.Expr:
    """Return `value AS "name"`."""
    return exp.alias_(value, name, quoted=True)


def state_columns(metrics: tuple[Metric, ...], first: int = 0) -> list[tuple[str, DataType]]:
    """Return the names and types under which the states of metrics come back."""
    return [
        (state_name(first + index, name), declared)
        for index, metric in enumerate(metrics)
        for name, declared in metric.states
    ]
