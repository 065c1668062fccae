"""The rows of a table of facts as a frame at their grain.

What comes in: a SELECT of columns over a table. What goes out: the statement that gives them, one
row for each row. It must never leave out what tells rows apart: without its key a table's rows are
not the points of an anchor.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.syntax import (
    Anchor,
    Expression,
    Item,
    Junction,
    Name,
    OrderKey,
    Statement,
)
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.clauses import limit_of, ordinal
from flightframe_server.sql.places import place_of
from flightframe_server.sql.previews import preview_hint
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_leaf import row_scalars
from flightframe_server.sql.rows_read import Rows
from flightframe_server.sql.scalars import without_moment
from flightframe_server.sql.scopes import FactColumn, LevelColumn, MetricColumn, RowValue, Scope
from flightframe_server.sql.table_frames import FrameColumn
from flightframe_server.sql.unwrapping import Output, RowsOf

SHOWN_FRAMES = 3


def rows_of_table(
    select: exp.Select, below: RowsOf, reading: Reading, rows: Rows
) -> tuple[Statement, tuple[Output, ...]]:
    """Return the statement of a table's rows, and its columns.

    Raises:
        NotSupported: the table has no rows of its own, or SELECT leaves its key out.
    """
    table = below.scope.table
    made = _Rows(below.scope, reading, rows)
    if table.schema is None:
        raise made.refused(select)
    outputs = tuple(output for node in select.expressions for output in made.outputs(node))
    anchor = _anchor(table.typed, table.schema, outputs, select)
    for fold in rows.folds:
        if not fold.holds_on(table.typed, table.schema):
            raise NotSupported(
                f"the rows of {table.schema} have {shown(fold.period)} of their own",
                place=fold.place,
            )
    items = tuple(Item(output.expression, _alias(output)) for output in outputs)
    statement = Statement(
        items,
        anchor,
        Name((table.schema,)),
        _all(below.where),
        None,
        tuple(made.key(node, outputs) for node in _keys(select)),
        limit_of(select, reading),
        dates_only=True,
    )
    return statement, outputs


def _all(conditions: tuple[Expression, ...]) -> Expression | None:
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else Junction("AND", conditions)


def _alias(output: Output) -> str | None:
    same = isinstance(output.expression, Name) and output.expression.text == output.name
    return None if same else output.name


def _keys(select: exp.Select) -> list[exp.Ordered]:
    clause = select.args.get("order")
    return [] if clause is None else clause.expressions


def _anchor(
    typed: TypedCollection, schema: str, outputs: tuple[Output, ...], select: exp.Select
) -> Anchor:
    levels = dict.fromkeys(output.level for output in outputs if output.level is not None)
    grain = [typed.graph.find(level) or level for level in typed.schema(schema).grain]
    distinct = select.args.get("distinct") is not None
    values = any(output.level is None for output in outputs)
    missing = [level for level in grain if level not in levels]
    if (missing or not grain) and not (distinct and not values):
        what = ", ".join(missing) if missing else "a key, which it has not"
        raise NotSupported(
            f"nothing tells the rows of {schema} apart without {what}",
            place=place_of(select),
            hint=f"add {what} to SELECT, or write SELECT DISTINCT" if missing else None,
        )
    return Anchor(tuple(Name((level,)) for level in levels))


class _Rows:
    """The columns of a SELECT over a table's rows."""

    def __init__(self, scope: Scope, reading: Reading, rows: Rows) -> None:
        self._scope, self._reading, self._rows = scope, reading, rows

    def outputs(self, node: exp.Expr) -> list[Output]:
        """Return the columns that an entry of SELECT is."""
        match node:
            case exp.Star():
                return self._everything(None)
            case exp.Column(this=exp.Star()):
                return self._everything(node)
            case exp.Alias(this=inner):
                return [self._output(inner, node.alias)]
            case exp.Column():
                return [self._output(node, None)]
        return [self._output(node, node.sql(normalize_functions="lower", comments=False))]

    def _everything(self, qualifier: exp.Column | None) -> list[Output]:
        return [
            self._of(column, name, exp.Column(this=exp.to_identifier(name)))
            for name, column in self._scope.columns(qualifier)
        ]

    def _output(self, node: exp.Expr, alias: str | None) -> Output:
        if isinstance(node, exp.Paren):
            return self._output(node.this, alias)
        if isinstance(node, exp.Column):
            name = alias or self._declared(node)
            return self._of(self._scope.column(node), name, node)
        value = row_scalars(self._scope, self._reading, self._rows).value(node)
        return self._level(value, alias or "", node)

    def _declared(self, node: exp.Column) -> str:
        for name, _ in self._scope.columns():
            if name.casefold() == node.name.casefold():
                return name
        return node.name

    def _level(self, value: Expression, name: str, node: exp.Expr) -> Output:
        inner = without_moment(value)
        level = self._reading.typed.graph.find(inner.text) if isinstance(inner, Name) else None
        if level is None:
            raise NotSupported(
                "a value computed for each row is not answered", place=place_of(node)
            )
        return Output(name, Name((level,)), level, moment=inner is not value)

    def _of(self, column: object, name: str, node: exp.Column) -> Output:
        match column:
            case LevelColumn(level=level, moment=moment):
                return Output(name, Name((level,)), level, moment)
            case FactColumn(name=fact):
                frame = self._frame(fact)
                if frame is not None:
                    return Output(name, frame.item.expression)
            case MetricColumn(family=family):
                raise NotSupported(
                    f"{shown(family.name)} stands without an aggregate",
                    place=place_of(node),
                    hint=f"write MEASURE({family.name}) and GROUP BY",
                )
            case RowValue():
                raise NotSupported(
                    "a value computed for each row is not answered", place=place_of(node)
                )
        raise NotSupported(f"no metric gives {shown(name)} a meaning", place=place_of(node))

    def _frame(self, fact: str) -> FrameColumn | None:
        known = self._scope.table.published.columns
        return next((column for column in known if column.name == fact), None)

    def key(self, node: exp.Ordered, outputs: tuple[Output, ...]) -> OrderKey:
        """Return one key of ORDER BY."""
        first = True if node.args.get("nulls_first") else None
        value = self._ordered_by(node.this, outputs)
        return OrderKey(value, bool(node.args.get("desc")), first, place=place_of(node))

    def _ordered_by(self, node: exp.Expr, outputs: tuple[Output, ...]) -> Expression:
        if isinstance(node, exp.Literal) and node.is_int:
            return Name((ordinal(node, list(outputs), "ORDER BY").name,))
        if isinstance(node, exp.Column):
            if len(node.parts) == 1:
                fits = [x for x in outputs if x.name.casefold() == node.name.casefold()]
                if len(fits) == 1:
                    return Name((fits[0].name,))
            column = self._scope.column(node)
            for output in outputs:
                if isinstance(column, LevelColumn) and output.level == column.level:
                    return Name((output.name,))
        raise NotSupported(
            "ORDER BY of rows takes a column that SELECT lists", place=place_of(node)
        )

    def refused(self, select: exp.Select) -> NotSupported:
        """Return the error of rows asked of the table of metrics."""
        return NotSupported(
            "the table of metrics has no rows: a metric has a number at a grain, which GROUP BY"
            f" names, or AT in Frame-QL{_saved(self._scope.table.typed)}",
            place=place_of(select.expressions[0]),
            hint=preview_hint(select, self._scope, self._scope.table.typed),
        )


def _saved(typed: TypedCollection) -> str:
    """Return what has rows in its place: no hint, since its rows are not those asked for."""
    names = [shown(name) for name in typed.collection.frames]
    if not names:
        return ""
    more = f" and {len(names) - SHOWN_FRAMES} more" if len(names) > SHOWN_FRAMES else ""
    what = "saved frame has" if len(names) == 1 else "saved frames have"
    return f"; the {what} rows: {', '.join(names[:SHOWN_FRAMES])}{more}"
