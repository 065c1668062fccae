"""Columns where rows are spoken of: in WHERE, in FILTER, as keys, in a sub-select of columns.

What comes in: a scope. What goes out: what its columns mean over rows. It must never let a metric
stand for its facts: the resolver refuses one in a condition, and says where it belongs.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.errors import NotSupported, UnknownName, shown
from flightframe_server.language.syntax import Cast, Expression, Name
from flightframe_server.resolver.metrics import IN_HAVING
from flightframe_server.sql.aggregate_nodes import is_aggregate
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.rows_read import Rows
from flightframe_server.sql.scalars import MOMENT, Scalars, without_moment
from flightframe_server.sql.scopes import (
    CellValue,
    Column,
    FactColumn,
    LevelColumn,
    MetricColumn,
    RowValue,
    Scope,
    SelectScope,
)


def row_scalars(scope: Scope, reading: Reading, rows: Rows) -> Scalars:
    """Return the values and conditions over the rows of a scope."""

    def leaf(node: exp.Expr) -> Expression | None:
        if is_aggregate(node):
            raise NotSupported(
                "an aggregate stands in SELECT, HAVING or ORDER BY",
                place=place_of(node),
                hint=IN_HAVING,
            )
        if not isinstance(node, exp.Column):
            return None
        return row_value(scope.column(node), node, reading)

    return Scalars(reading, leaf, rows.folds)


def row_value(column: Column, node: exp.Column, reading: Reading) -> Expression:
    """Return what a column is in a row.

    Raises:
        LimitExceeded: the columns of a text stand for too much.
        UnknownName: it is a column of facts, by which rows are not told apart.
    """
    place = place_of(node)
    match column:
        case LevelColumn(level=level, moment=moment):
            name = Name((level,), place=place)
            return Cast(name, MOMENT, place=place) if moment else name
        case MetricColumn(family=family):
            return Name((family.name,), place=place)
        case RowValue(expression=expression) | CellValue(expression=expression):
            return reading.written_out(expression, place)
        case FactColumn(name=name):
            raise UnknownName(
                f"{shown(name)} is a column of facts, and rows are told apart by levels",
                place=place,
                hint=IN_HAVING,
            )


def projected(select: exp.Select, scope: Scope, reading: Reading, rows: Rows) -> SelectScope:
    """Return the columns of a sub-select that reduces nothing.

    Raises:
        NotSupported: one is no column, nor a value over levels.
    """
    named: list[tuple[str, Column]] = []
    for node in select.expressions:
        match node:
            case exp.Star():
                named.extend(scope.columns())
            case exp.Column(this=exp.Star()):
                named.extend(scope.columns(node))
            case exp.Alias(this=inner):
                named.append((node.alias, _column(inner, scope, reading, rows)))
            case exp.Column():
                named.append((node.name, scope.column(node)))
            case _:
                named.append((node.sql().lower(), _column(node, scope, reading, rows)))
    return SelectScope(scope.table, "", tuple(named))


def _column(node: exp.Expr, scope: Scope, reading: Reading, rows: Rows) -> Column:
    if isinstance(node, exp.Paren):
        return _column(node.this, scope, reading, rows)
    if isinstance(node, exp.Column):
        return scope.column(node)
    for part in node.find_all(exp.Column):
        if isinstance(scope.column(part), MetricColumn | FactColumn):
            raise NotSupported(
                "arithmetic over the rows of a metric is not answered", place=place_of(node)
            )
    value = row_scalars(scope, reading, rows).value(node)
    inner = without_moment(value)
    if isinstance(inner, Name):
        return LevelColumn(inner.text, moment=inner is not value)
    return RowValue(value)
