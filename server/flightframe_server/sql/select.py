"""A SELECT over tables in memory: the information schema, and the columns of published tables.

What comes in: a tree of sqlglot, and what its tables are. What goes out: a relation, its columns
known before any row is. It must never leave out a clause that it does not know, and never reach a
database: the rows of a published table are not here, so that only a query which has none is
answered over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlglot import exp

from flightframe_server.errors import LimitExceeded, NotSupported, TypeMismatch
from flightframe_server.sql.allowed_sql import check
from flightframe_server.sql.constant_rows import constant_rows
from flightframe_server.sql.expressions import Columns, Compiled, Parameters, Row
from flightframe_server.sql.places import place_of
from flightframe_server.sql.session_values import Session, session_value

MAX_COLUMNS = 1_000
_NO_ROWS = pa.schema([])


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows with named columns.

    Attributes:
        schema: the columns.
        rows: the rows, made when they are asked for.
        path: the names that qualify its columns, its own last.
        empty: whether it has no rows, known from the query alone.
        stored: whether its rows are in a database, so that `rows` gives none.
    """

    schema: pa.Schema
    rows: Callable[[], Iterable[Row]]
    path: tuple[str, ...] = ()
    empty: bool = False
    stored: bool = False

    def table(self) -> pa.Table:
        """Return it as an Arrow table."""
        rows = [] if self.empty else list(self.rows())
        columns = [
            pa.array([row[place] for row in rows], field.type)
            for place, field in enumerate(self.schema)
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


Tables = Callable[[exp.Table], Relation]
"""What a table in FROM is; raises a `QueryError` where there is none."""

# One row without columns: what a SELECT without FROM is over.
_UNIT = Relation(_NO_ROWS, lambda: [()])


def evaluate(
    select: exp.Select, tables: Tables, parameters: Parameters, session: Session | None = None
) -> Relation:
    """Return what a SELECT gives.

    Args:
        select: its tree.
        tables: what its tables are.
        parameters: the text's.
        session: who asks; None where values of the session are not answered.

    Raises:
        UnknownName: a table or column that there is not.
        TypeMismatch: values that do not go together.
        NotSupported: a clause or function that is not answered.
    """
    check(select)
    return _evaluate(select, tables, parameters, session)


def _evaluate(
    select: exp.Select, tables: Tables, parameters: Parameters, session: Session | None
) -> Relation:
    source = _source(select, tables, parameters, session)
    scope = _Scope(Columns(source.schema, source.path, parameters, session))
    where = scope.where(select)
    outputs = scope.outputs(select)
    order = scope.order(select, outputs)
    start, stop = scope.window(select)
    never = where is not None and where.constant and where.value(()) is not True

    def rows() -> Iterator[Row]:
        matching = [row for row in source.rows() if where is None or where.value(row) is True]
        for key in reversed(order):
            key.sort(matching)
        projected = _projected(matching, outputs, distinct=select.args.get("distinct") is not None)
        return islice(projected, start, stop)

    counted = any(output.counts for output in outputs)
    empty = ((source.empty or never) and not counted) or stop == start
    schema = pa.schema([output.field for output in outputs])
    return Relation(schema, rows, (), empty, source.stored)


@dataclass(frozen=True, slots=True)
class _Output:
    """One column of the result; `counts` marks COUNT(*)."""

    field: pa.Field
    value: Callable[[Row], Any]
    counts: bool = False


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of ORDER BY."""

    value: Callable[[Row], Any]
    descending: bool
    nulls_first: bool

    def sort(self, rows: list[Row]) -> None:
        """Sort rows in place, those that are equal staying in order."""
        present = [row for row in rows if self.value(row) is not None]
        absent = [row for row in rows if self.value(row) is None]
        present.sort(key=self.value, reverse=self.descending)
        rows[:] = absent + present if self.nulls_first else present + absent


@dataclass(frozen=True, slots=True)
class _Scope:
    """The clauses of one SELECT, compiled over the columns of its source."""

    columns: Columns
    names: dict[str, exp.Expr] = field(default_factory=dict)

    def where(self, select: exp.Select) -> Compiled | None:
        clause = select.args.get("where")
        if clause is None:
            return None
        condition = self.columns.compiled(clause.this, pa.bool_())
        if not pa.types.is_boolean(condition.type) and not pa.types.is_null(condition.type):
            raise TypeMismatch("WHERE takes a condition")
        return condition

    def outputs(self, select: exp.Select) -> list[_Output]:
        outputs = [output for node in select.expressions for output in self._outputs(node)]
        if len(outputs) > MAX_COLUMNS:
            raise LimitExceeded(f"a query over the catalogue has at most {MAX_COLUMNS} columns")
        if len({output.counts for output in outputs}) > 1:
            raise NotSupported("COUNT(*) stands alone over the catalogue")
        return outputs

    def _outputs(self, node: exp.Expr) -> Iterator[_Output]:
        match node:
            case exp.Star():
                yield from self._everything(exp.Column())
            case exp.Column(this=exp.Star()):
                yield from self._everything(node)
            case exp.Alias(this=exp.Count(this=exp.Star())) | exp.Count(this=exp.Star()):
                name = node.alias or "count(*)"
                yield _Output(pa.field(name, pa.int64(), nullable=False), _nothing, True)
            case exp.Alias(this=inner):
                self.names[node.alias.casefold()] = inner
                yield self._output(inner, node.alias)
            case exp.Placeholder():
                yield self._output(node, "?")
            case exp.Column():
                column = self.columns.compiled(node)
                yield _Output(column.field, column.value)
            case _:
                of_session = session_value(node)
                name = node.name or node.sql().lower() if of_session is None else of_session.name
                yield self._output(node, name)

    def _everything(self, qualifier: exp.Column) -> Iterator[_Output]:
        for place in self.columns.places(qualifier):
            yield _Output(self.columns.schema.field(place), _itemgetter(place))

    def _output(self, node: exp.Expr, name: str) -> _Output:
        column = self.columns.compiled(node)
        return _Output(column.field.with_name(name), column.value)

    def order(self, select: exp.Select, outputs: list[_Output]) -> list[_Key]:
        clause = select.args.get("order")
        keys = [] if clause is None else clause.expressions
        return [
            _Key(
                self._ordered_by(key.this, outputs),
                bool(key.args.get("desc")),
                bool(key.args.get("nulls_first")),
            )
            for key in keys
        ]

    def _ordered_by(self, node: exp.Expr, outputs: list[_Output]) -> Callable[[Row], Any]:
        """Return what rows are sorted by: an output's place or name first, as in Frame-QL."""
        if isinstance(node, exp.Literal) and node.is_int:
            place = int(node.name)
            if not 1 <= place <= len(outputs):
                raise TypeMismatch("ORDER BY names a column by its place from 1")
            return outputs[place - 1].value
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            node = self.names.get(node.name.casefold(), node)
        return self.columns.compiled(node).value

    def window(self, select: exp.Select) -> tuple[int, int | None]:
        limit, offset = select.args.get("limit"), select.args.get("offset")
        start = 0 if offset is None else self._count(offset.expression)
        if limit is None:
            return start, None
        if isinstance(limit, exp.Fetch):
            return start, start + self._count(limit.args.get("count") or exp.Literal.number(1))
        return start, start + self._count(limit.expression)

    def _count(self, node: exp.Expr) -> int:
        compiled = self.columns.compiled(node, pa.int64())
        number = compiled.value(()) if compiled.constant else None
        if number is None and self.columns.parameters.values is None:
            # Typed only: any number will do, but not one that says that there are no rows.
            return 1
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise TypeMismatch("LIMIT and OFFSET take whole numbers from 0")
        return number


def _source(
    select: exp.Select, tables: Tables, parameters: Parameters, session: Session | None
) -> Relation:
    clause = select.args.get("from_")
    match None if clause is None else clause.this:
        case None:
            return _UNIT
        case exp.Values() as values:
            cells = Columns(_NO_ROWS, (), parameters, session)
            schema, rows = constant_rows(values, cells)
            return _named(Relation(schema, lambda: rows), values.alias)
        case exp.Table(this=exp.Identifier()) as table:
            _refuse_names(table)
            relation = tables(table)
            return _named(relation, table.alias) if table.alias else relation
        case exp.Subquery(this=exp.Select() as inner) as nested:
            _refuse_names(nested)
            return _named(_evaluate(inner, tables, parameters, session), nested.alias)
    raise NotSupported("FROM takes one table or one SELECT over the catalogue")


def _refuse_names(source: exp.Expr) -> None:
    """Refuse names for the columns of what has its own."""
    alias = source.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        raise NotSupported("names behind an alias are given to VALUES alone", place=place_of(alias))


def _named(relation: Relation, alias: str) -> Relation:
    path = (alias,) if alias else ()
    return Relation(relation.schema, relation.rows, path, relation.empty, relation.stored)


def _projected(rows: list[Row], outputs: list[_Output], *, distinct: bool) -> Iterator[Row]:
    if any(output.counts for output in outputs):
        yield tuple(len(rows) for _ in outputs)
        return
    seen: set[Row] = set()
    for row in rows:
        values = tuple(output.value(row) for output in outputs)
        if not distinct:
            yield values
        elif values not in seen:
            seen.add(values)
            yield values


def _itemgetter(place: int) -> Callable[[Row], Any]:
    return lambda row: row[place]


def _nothing(row: Row) -> None:
    return None
