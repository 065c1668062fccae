"""A SELECT with aggregates: its keys, its columns, HAVING, ORDER BY and LIMIT.

What comes in: a SELECT and the rows, or the question, that it is over. What goes out: one question.
It must never take a name for another: in GROUP BY a column of the table comes before a name of
SELECT, in ORDER BY the name does, and anywhere else a name with both meanings is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlglot import exp

from flightframe_server.errors import (
    AmbiguousMetric,
    NotSupported,
    QueryError,
    TypeMismatch,
    UnknownName,
    shown,
)
from flightframe_server.language.syntax import (
    Expression,
    Junction,
    Limit,
    Literal,
    LiteralKind,
    Name,
    OrderKey,
)
from flightframe_server.sql.aggregates import Aggregates, Rows, has_aggregate
from flightframe_server.sql.naming import check_levels
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_leaf import row_scalars, row_value
from flightframe_server.sql.scalars import Scalars, plain
from flightframe_server.sql.scopes import CellValue, FactColumn, MetricColumn
from flightframe_server.sql.unwrapping import Grouped, Output, RowsOf

T = TypeVar("T")

MOST_ROWS = 2**62
"""What LIMIT counts where only OFFSET stands."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The aggregation of rows.

    Attributes:
        reading: the text's.
        rows: what is noted of the rows read.
        below: the rows.
        cells: whether they are the points of a sub-select, not rows of a table.
    """

    reading: Reading
    rows: Rows
    below: RowsOf
    cells: bool = False

    def of(self, select: exp.Select) -> Grouped:
        """Return the question that a SELECT over the rows is.

        Raises:
            QueryError: it is none.
        """
        items = [_named(node) for node in select.expressions]
        keys = self._keys(select, items)
        outputs = tuple(self._output(item, keys, select) for item in items)
        check_distinct(select, outputs, keys)
        columns = _Columns(self, outputs, keys, select)
        having = select.args.get("having")
        conditions = () if having is None else parts_of(columns.scalars().condition(having.this))
        for condition in conditions:
            check_levels(condition, keys, self.reading.typed)
        table = self.below.scope.table
        order = columns.order(select.args.get("order"))
        limit = limit_of(select, self.reading)
        return Grouped(table, self.below.where, keys, outputs, conditions, order, limit)

    def values(self, select: exp.Select) -> Scalars:
        """Return the values over groups: aggregates, and levels that are keys."""
        aggregates = self._aggregates()

        def leaf(node: exp.Expr) -> Expression | None:
            read = aggregates.read(node)
            if read is not None or not isinstance(node, exp.Column):
                return read
            return self._column(node, select, aggregates)

        return Scalars(self.reading, leaf, self.rows.folds)

    def _aggregates(self) -> Aggregates:
        scope = self.below.scope
        scalars = row_scalars(scope, self.reading, self.rows)
        return Aggregates(scope, scalars, self.rows, self.cells)

    def _column(self, node: exp.Column, select: exp.Select, aggregates: Aggregates) -> Expression:
        column = self.below.scope.column(node)
        grouped = select.args.get("group") is not None
        if isinstance(column, MetricColumn):
            if grouped and self.reading.options.bare_is_measure:
                return aggregates.measure(column.family, place_of(node))
            raise _bare(column.family.name, node)
        if isinstance(column, FactColumn | CellValue):
            raise _bare(node.name, node)
        return row_value(column, node)

    def _keys(self, select: exp.Select, items: list[_Item]) -> tuple[Name, ...]:
        group = select.args.get("group")
        if group is None:
            return ()
        if group.args.get("all"):
            nodes = [item.node for item in items if not self._reduces(item.node)]
        else:
            nodes = [self._key_node(node, items) for node in group.expressions]
        keys = (self._key(node) for node in nodes)
        return tuple(dict.fromkeys(keys))

    def _reduces(self, node: exp.Expr) -> bool:
        if has_aggregate(node):
            return True
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return False
        return isinstance(self.below.scope.column(node), MetricColumn)

    def _key_node(self, node: exp.Expr, items: list[_Item]) -> exp.Expr:
        if isinstance(node, exp.Literal) and node.is_int:
            return ordinal(node, [item.node for item in items], "GROUP BY")
        if not isinstance(node, exp.Column) or len(node.parts) != 1:
            return node
        try:
            self.below.scope.column(node)
        except UnknownName:
            named = [item.node for item in items if item.is_named(node)]
            if len(named) != 1:
                raise
            return named[0]
        return node

    def _key(self, node: exp.Expr) -> Name:
        if has_aggregate(node):
            raise NotSupported("GROUP BY takes no aggregate", place=place_of(node))
        value = row_scalars(self.below.scope, self.reading, self.rows).value(node)
        inner = plain(value)
        if isinstance(inner, Name):
            level = self.reading.typed.graph.find(inner.text)
            if level is not None:
                return Name((level,), place=place_of(node))
            raise NotSupported(
                f"GROUP BY takes levels, and {shown(inner.text)} is a metric", place=place_of(node)
            )
        raise NotSupported(
            "GROUP BY takes levels; a group by an expression is not answered",
            place=place_of(node),
            hint="a level that the collection derives can be grouped by",
        )

    def _output(self, item: _Item, keys: tuple[Name, ...], select: exp.Select) -> Output:
        node = item.node
        if isinstance(node, exp.Star) or (
            isinstance(node.find(exp.Star), exp.Star) and not (has_aggregate(node))
        ):
            raise NotSupported("* does not stand beside aggregates", place=place_of(node))
        value = self.values(select).value(node)
        if isinstance(value, Literal):
            raise NotSupported(
                "a constant column beside aggregates is not answered", place=place_of(node)
            )
        check_levels(value, keys, self.reading.typed)
        inner = plain(value)
        level = self.reading.typed.graph.find(inner.text) if isinstance(inner, Name) else None
        if level is None:
            return Output(item.name, value, named=item.named)
        name = item.name if item.named else level
        return Output(name, inner, level, moment=inner is not value, named=item.named)


@dataclass(frozen=True, slots=True)
class _Item:
    """One entry of SELECT: its name, what stands before AS, whether the name was written."""

    name: str
    node: exp.Expr
    named: bool

    def is_named(self, node: exp.Column) -> bool:
        return self.named and self.name.casefold() == node.name.casefold()


def _named(node: exp.Expr) -> _Item:
    if isinstance(node, exp.Alias):
        return _Item(node.alias, node.this, True)
    if isinstance(node, exp.Column):
        return _Item(node.name, node, False)
    return _Item(node.sql(normalize_functions="lower", comments=False), node, False)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What HAVING and ORDER BY name: columns of the answer, and values over groups."""

    grouping: Grouping
    outputs: tuple[Output, ...]
    keys: tuple[Name, ...]
    select: exp.Select

    def scalars(self) -> Scalars:
        values = self.grouping.values(self.select)

        def leaf(node: exp.Expr) -> Expression | None:
            output = self._output(node) if isinstance(node, exp.Column) else None
            return values.leaf(node) if output is None else output.expression

        return replace(values, leaf=leaf)

    def _output(self, node: exp.Column) -> Output | None:
        """Return the column of the answer that a name means, where no column of the table has it.

        Raises:
            AmbiguousMetric: both have it, and they are two things.
        """
        output = self._alias(node)
        if output is None:
            return None
        try:
            column = self.grouping.below.scope.column(node)
        except QueryError:
            return output
        if output.level is not None and not output.moment:
            same = plain(row_value(column, node)) == output.expression
            if same:
                return output
        raise AmbiguousMetric(
            f"{shown(node.name)} is a column of the table, and another one of SELECT",
            place=place_of(node),
            hint="give the column of SELECT another name",
        )

    def _alias(self, node: exp.Column) -> Output | None:
        if len(node.parts) != 1:
            return None
        fits = [
            output
            for output in self.outputs
            if output.named and output.name.casefold() == node.name.casefold()
        ]
        return fits[0] if len(fits) == 1 else None

    def order(self, clause: exp.Order | None) -> tuple[OrderKey, ...]:
        """Return the keys of ORDER BY."""
        nodes = [] if clause is None else clause.expressions
        return tuple(self._key(node) for node in nodes)

    def _key(self, node: exp.Ordered) -> OrderKey:
        value = self._ordered_by(node.this)
        check_levels(value, self.keys, self.grouping.reading.typed)
        first = True if node.args.get("nulls_first") else None
        return OrderKey(value, bool(node.args.get("desc")), first, place=place_of(node))

    def _ordered_by(self, node: exp.Expr) -> Expression:
        if isinstance(node, exp.Literal) and node.is_int:
            return ordinal(node, list(self.outputs), "ORDER BY").expression
        if isinstance(node, exp.Column) and (output := self._alias(node)) is not None:
            return output.expression
        return plain(self.scalars().value(node))


@dataclass(frozen=True, slots=True)
class Overlay:
    """A SELECT over a question.

    Attributes:
        reading: the text's.
        rows: what is noted of the rows read.
        below: the question.
    """

    reading: Reading
    rows: Rows
    below: Grouped

    def projected(self, select: exp.Select) -> Grouped:
        """Return the question with columns renamed, further conditions, another order.

        Raises:
            NotSupported: the SELECT does something else to its points.
        """
        if self.below.limit is not None:
            for name in ("where", "order", "limit", "offset", "distinct"):
                if select.args.get(name) is not None:
                    raise NotSupported(
                        f"{name.upper()} over a sub-select with LIMIT is not answered",
                        place=place_of(select.args[name]),
                    )
        grouping = Grouping(self.reading, self.rows, RowsOf(self.below.scope), True)
        scalars = self._scalars()
        outputs = tuple(self._outputs(select, scalars))
        check_distinct(select, outputs, self.below.keys)
        where = select.args.get("where")
        conditions = () if where is None else parts_of(scalars.condition(where.this))
        clause = select.args.get("order")
        order = _Columns(grouping, outputs, self.below.keys, select)
        keys = self.below.order if clause is None else _Over(order, scalars).order(clause)
        return replace(
            self.below,
            outputs=outputs,
            having=(*self.below.having, *conditions),
            order=keys,
            limit=self.below.limit or limit_of(select, self.reading),
        )

    def reduced(self, select: exp.Select) -> Grouped:
        """Return the question in which values of the one below are reduced again.

        Raises:
            NotSupported: the points below were chosen by their values, or are of several schemas.
        """
        if self.below.having or self.below.limit is not None:
            raise NotSupported(
                "an aggregate over a sub-select with HAVING or LIMIT is not answered",
                place=place_of(select),
            )
        if len(self.rows.roots) > 1:
            raise NotSupported(
                "an aggregate over a sub-select of several tables' metrics is not answered",
                place=place_of(select),
            )
        scope = self.below.scope
        where = select.args.get("where")
        conditions: tuple[Expression, ...] = ()
        if where is not None:
            for node in where.find_all(exp.Column):
                if isinstance(scope.column(node), CellValue):
                    raise NotSupported(
                        "beside aggregates, a condition on a sub-select's value is not answered",
                        place=place_of(node),
                    )
            conditions = parts_of(row_scalars(scope, self.reading, self.rows).condition(where.this))
        rows = RowsOf(scope, (*self.below.where, *conditions))
        return Grouping(self.reading, self.rows, rows, True).of(select)

    def _scalars(self) -> Scalars:
        scope = self.below.scope

        def leaf(node: exp.Expr) -> Expression | None:
            return row_value(scope.column(node), node) if isinstance(node, exp.Column) else None

        return Scalars(self.reading, leaf, self.rows.folds)

    def _outputs(self, select: exp.Select, scalars: Scalars) -> Iterator[Output]:
        known = {output.name.casefold(): output for output in self.below.outputs}
        for node in select.expressions:
            if isinstance(node, exp.Star) or isinstance(node.this, exp.Star):
                list(self.below.scope.columns(node if isinstance(node, exp.Column) else None))
                yield from self.below.outputs
                continue
            item = _named(node)
            value = scalars.value(item.node)
            inner = plain(value)
            level = self.reading.typed.graph.find(inner.text) if isinstance(inner, Name) else None
            if isinstance(value, Literal):
                raise NotSupported(
                    "a constant column beside values is not answered", place=place_of(node)
                )
            if isinstance(item.node, exp.Column):
                self.below.scope.column(item.node)
                name = item.name if item.named else known[item.name.casefold()].name
                item = replace(item, name=name)
            if level is None:
                yield Output(item.name, value)
            else:
                yield Output(item.name, inner, level, moment=inner is not value)


@dataclass(frozen=True, slots=True)
class _Over:
    """ORDER BY of a SELECT over a question."""

    columns: _Columns
    scalars: Scalars

    def order(self, clause: exp.Order) -> tuple[OrderKey, ...]:
        return tuple(self._key(node) for node in clause.expressions)

    def _key(self, node: exp.Ordered) -> OrderKey:
        first = True if node.args.get("nulls_first") else None
        value = self._value(node.this)
        return OrderKey(value, bool(node.args.get("desc")), first, place=place_of(node))

    def _value(self, node: exp.Expr) -> Expression:
        outputs = self.columns.outputs
        if isinstance(node, exp.Literal) and node.is_int:
            return ordinal(node, list(outputs), "ORDER BY").expression
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            fits = [x for x in outputs if x.name.casefold() == node.name.casefold()]
            if len(fits) == 1:
                return fits[0].expression
        return plain(self.scalars.value(node))


def check_distinct(select: exp.Select, outputs: tuple[Output, ...], keys: tuple[Name, ...]) -> None:
    """Check that DISTINCT leaves every row: rows that show their keys are all different.

    Raises:
        NotSupported: a key is not shown.
    """
    if select.args.get("distinct") is None:
        return
    missing = {key.text for key in keys} - {output.level for output in outputs}
    if missing:
        raise NotSupported(
            "DISTINCT over values that their keys do not stand beside is not answered",
            place=place_of(select),
            hint=f"add {', '.join(sorted(missing))} to SELECT",
        )


def parts_of(condition: Expression) -> tuple[Expression, ...]:
    """Return the parts of a condition that all have to hold; none where it is TRUE."""
    if isinstance(condition, Junction) and condition.operator == "AND":
        return condition.operands
    always = isinstance(condition, Literal) and condition.value is True
    return () if always else (condition,)


def limit_of(select: exp.Select, reading: Reading) -> Limit | None:
    """Return LIMIT, FETCH and OFFSET.

    Raises:
        TypeMismatch: what they count is no whole number.
        NotSupported: FETCH with a share or with ties.
    """
    limit, offset = select.args.get("limit"), select.args.get("offset")
    skipped = None if offset is None else reading.count(offset.expression)
    match limit:
        case None if skipped is None:
            return None
        case None:
            most = Literal(MOST_ROWS, LiteralKind.INTEGER, place=place_of(offset))
            return Limit(most, skipped, place=place_of(offset))
        case exp.Fetch():
            options = limit.args.get("limit_options")
            if options is not None and (
                options.args.get("percent") or options.args.get("with_ties")
            ):
                raise NotSupported("FETCH counts rows, without ties", place=place_of(limit))
            counted = limit.args.get("count") or exp.Literal.number(1)
        case _:
            counted = limit.expression
    return Limit(reading.count(counted), skipped, place=place_of(limit))


def ordinal(node: exp.Literal, outputs: list[T], clause: str) -> T:
    """Return the column of SELECT that a number names.

    Raises:
        TypeMismatch: there is none.
    """
    at = int(node.name)
    if not 1 <= at <= len(outputs):
        raise TypeMismatch(
            f"{clause} names a column by its place from 1 to {len(outputs)}", place=place_of(node)
        )
    return outputs[at - 1]


def _bare(name: str, node: exp.Column) -> NotSupported:
    return NotSupported(
        f"{shown(name)} stands without an aggregate, and has no one value in a group",
        place=place_of(node),
        hint=f"write MEASURE({name})",
    )
