"""A SELECT over metrics or a table of facts as a statement of Frame-QL.

What comes in: a tree, and the tables that are published. What goes out: the statement whose answer
is what the tree would give over the facts, or a refusal that names the construct and its place. It
must never widen, narrow or reorder what was asked to make it fit.

A SELECT of columns alone is merged into what is over it; a SELECT that groups is one question, to
which what is over it adds conditions, order and limit, or reduces its values again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.bounds import check_copies
from flightframe_server.language.syntax import (
    Expression,
    Item,
    Junction,
    Literal,
    Name,
    OrderKey,
    Statement,
)
from flightframe_server.request import Translation
from flightframe_server.sql.aggregate_nodes import has_aggregate
from flightframe_server.sql.allowed_sql import check_question
from flightframe_server.sql.clauses import parts_of
from flightframe_server.sql.fact_rows import rows_of_table
from flightframe_server.sql.grouping import Grouping
from flightframe_server.sql.joins import joined
from flightframe_server.sql.naming import by_name, check_names, check_shown, reads_metric
from flightframe_server.sql.overlay import Overlay
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_leaf import projected, row_scalars
from flightframe_server.sql.rows_read import Rows
from flightframe_server.sql.scopes import FactColumn, MetricColumn, Scope
from flightframe_server.sql.unwrapping import (
    Ctes,
    Grouped,
    Output,
    RowsOf,
    Tables,
    renamed,
    source_of,
    with_clauses,
    without,
)


def translated(select: exp.Select, tables: Tables, reading: Reading) -> Translation:
    """Return what a SELECT means in Frame-QL.

    Raises:
        QueryError: it is not answered, or breaks a rule.
    """
    check_question(select)
    rows = Rows(reading.typed)
    made = _Reader(tables, reading, rows).select(select, {}, outermost=True)
    if isinstance(made, RowsOf):
        statement, outputs = rows_of_table(select, made, reading, rows)
    else:
        statement, outputs = _statement(made, rows), made.outputs
    moments = tuple(at for at, output in enumerate(outputs) if output.moment)
    shaping = tuple(sorted(reading.shaping.items()))
    return Translation(
        statement, moments, shaping, reading.options, reading.clock.shown, tuple(reading.notes)
    )


def rows_scope(select: exp.Select, tables: Tables, reading: Reading) -> Scope:
    """Return the columns of the rows that a SELECT is over.

    Raises:
        QueryError: it is over no rows, or breaks a rule.
    """
    source = _Reader(tables, reading, Rows(reading.typed)).source(select, {})
    if isinstance(source, Grouped):
        raise NotSupported("FROM names no rows", place=place_of(select))
    return source.scope


class _Reader:
    """Reads the SELECTs of one text."""

    def __init__(self, tables: Tables, reading: Reading, rows: Rows) -> None:
        self._tables, self._reading, self._rows = tables, reading, rows

    def select(
        self, select: exp.Select, ctes: Ctes, *, outermost: bool = False
    ) -> RowsOf | Grouped:
        """Return what one SELECT gives."""
        ctes = with_clauses(select, ctes)
        source = self.source(select, ctes)
        if isinstance(source, Grouped):
            return self._over_groups(select, source)
        where = self._where(select, source)
        below = RowsOf(source.scope, (*source.where, *where))
        if self._groups(select) or self._lists_members(select, below):
            return Grouping(self._reading, self._rows, below).of(select)
        if outermost:
            return below
        for clause in ("distinct", "limit", "offset", "having"):
            if select.args.get(clause) is not None:
                raise NotSupported(
                    f"{clause.upper()} in a sub-select of rows is not answered",
                    place=place_of(select.args[clause]),
                )
        return RowsOf(projected(select, below.scope, self._reading, self._rows), below.where)

    def source(self, select: exp.Select, ctes: Ctes) -> RowsOf | Grouped:
        """Return what FROM names."""
        source = source_of(select)
        if select.args.get("joins"):
            return joined(select, self._tables, self._reading)
        match source:
            case exp.Subquery(this=exp.Select() as inner):
                return _aliased(self.select(inner, ctes), source.alias)
            case exp.Table(this=exp.Identifier()) as table:
                name = table.name.casefold()
                if name in ctes and not table.db:
                    inner_made = self.select(ctes[name], without(ctes, name))
                    return _aliased(inner_made, table.alias or table.name)
                return RowsOf(self._tables(table))
        raise NotSupported("FROM takes one table or one SELECT", place=place_of(source))

    def _where(self, select: exp.Select, source: RowsOf) -> tuple[Expression, ...]:
        clause = select.args.get("where")
        if clause is None:
            return ()
        scalars = row_scalars(source.scope, self._reading, self._rows)
        return parts_of(scalars.condition(clause.this))

    def _groups(self, select: exp.Select) -> bool:
        if select.args.get("group") is not None or select.args.get("having") is not None:
            return True
        order = select.args.get("order")
        keys = [] if order is None else order.expressions
        return any(has_aggregate(node) for node in (*select.expressions, *keys))

    def _lists_members(self, select: exp.Select, below: RowsOf) -> bool:
        """Whether DISTINCT stands over levels alone, and values of them."""
        if select.args.get("distinct") is None or select.expressions == []:
            return False
        if any(node.find(exp.Star) for node in select.expressions):
            return False
        columns = [column for node in select.expressions for column in node.find_all(exp.Column)]
        facts = (MetricColumn, FactColumn)
        return not any(isinstance(below.scope.column(column), facts) for column in columns)

    def _over_groups(self, select: exp.Select, below: Grouped) -> Grouped:
        overlay = Overlay(self._reading, self._rows, below)
        return overlay.reduced(select) if self._groups(select) else overlay.projected(select)


def never(statement: Statement) -> bool:
    """Whether no row passes the statement's WHERE, or its LIMIT lets none through."""
    conditions = parts_of(statement.where) if statement.where is not None else ()
    if any(isinstance(part, Literal) and part.value is not True for part in conditions):
        return True
    count = statement.limit.count if statement.limit is not None else None
    return isinstance(count, Literal) and count.value == 0


def _aliased(made: RowsOf | Grouped, alias: str) -> RowsOf | Grouped:
    if isinstance(made, Grouped):
        return replace(made, alias=alias)
    return RowsOf(renamed(made.scope, alias), made.where)


def _statement(made: Grouped, rows: Rows) -> Statement:
    source = _pinned(made, rows)
    _check_folds(rows, made, source)
    check_shown(made)
    items = tuple(_item(output) for output in made.outputs)
    statement = Statement(
        items,
        made.anchor,
        source,
        _all(made.where),
        _all(made.having),
        _once(by_name(key, made.outputs) for key in made.order),
        made.limit,
        dates_only=True,
    )
    check_copies(statement)
    check_names(statement, made.outputs, rows.typed)
    return statement


def _item(output: Output) -> Item:
    same = isinstance(output.expression, Name) and output.expression.text == output.name
    return Item(output.expression, None if same else output.name, place=output.expression.place)


def _once(keys: Iterable[OrderKey]) -> tuple[OrderKey, ...]:
    """Return keys of an order without those that stand further up: they settle nothing more."""
    first: dict[Expression, OrderKey] = {}
    for key in keys:
        first.setdefault(key.expression, key)
    return tuple(first.values())


def _all(conditions: tuple[Expression, ...]) -> Expression | None:
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else Junction("AND", conditions)


def _pinned(made: Grouped, rows: Rows) -> Name | None:
    """Return the schema that FROM of the statement names; None where columns have their own."""
    alone = not any(reads_metric(output.expression, rows.typed) for output in made.outputs)
    schema = rows.pinned(made.table.schema, alone=alone)
    return None if schema is None else Name((schema,))


def _check_folds(rows: Rows, made: Grouped, source: Name | None) -> None:
    """Check that every truncation is the level that it was read as, on all rows read."""
    graph = rows.typed.graph
    for fold in rows.folds:
        if source is not None:
            schemas = [source.text]
        elif rows.roots:
            schemas = list(rows.roots)
        else:
            # Members are of every schema that has the level, a stored one too.
            every = rows.typed.collection.schemas
            schemas = [name for name in every if fold.period in graph.reachable(name)]
        for name in schemas:
            if not fold.holds_on(rows.typed, name):
                own = [x for x in rows.typed.collection.schemas if fold.holds_on(rows.typed, x)]
                raise NotSupported(
                    f"the rows of {name} have {shown(fold.period)} of their own, or none,"
                    f" and not as the {(fold.function or '').removesuffix('_OF').lower()} of"
                    f" {shown(fold.level)}",
                    place=fold.place,
                    hint=f"write {fold.period}"
                    if rows.roots or not own
                    else f"name the table of their rows: FROM {' or FROM '.join(own[:3])}",
                )
