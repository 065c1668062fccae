"""A SELECT with aggregates: its keys, its columns, HAVING, ORDER BY and LIMIT.

What comes in: a SELECT and the rows, or the question, that it is over. What goes out: one question.
It must never take a name for another: in GROUP BY a column of the table comes before a name of
SELECT, in ORDER BY the name does, and anywhere else a name with both meanings is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.errors import (
    AmbiguousMetric,
    NotSupported,
    QueryError,
    UnknownName,
    shown,
)
from flightframe_server.language.syntax import (
    AdHocLevel,
    Ascribed,
    Call,
    Expression,
    GroupingSets,
    Literal,
    Name,
    OrderKey,
    Parameter,
)
from flightframe_server.sql import idioms
from flightframe_server.sql.aggregate_nodes import has_aggregate
from flightframe_server.sql.aggregates import Aggregates
from flightframe_server.sql.clauses import (
    check_distinct,
    groups_by_all,
    limit_of,
    ordinal,
    parts_of,
)
from flightframe_server.sql.grouping_sets import check_alone, grouping_sets, key_nodes
from flightframe_server.sql.naming import check_levels, rebuilt
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_functions import as_key, from_key
from flightframe_server.sql.row_leaf import row_scalars, row_value
from flightframe_server.sql.rows_read import Rows
from flightframe_server.sql.scalars import Scalars, without_moment
from flightframe_server.sql.scopes import CellValue, FactColumn, MetricColumn
from flightframe_server.sql.totals import check_partitions
from flightframe_server.sql.unwrapping import Grouped, Output, RowsOf


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
        items = [item_of(node) for node in select.expressions]
        keys, sets = self._keys(select, items)
        if sets is not None:
            check_alone(select, cells=self.cells)
        outputs = tuple(self._output(item, keys, select) for item in items)
        check_distinct(select, outputs, keys)
        self._check_windows(select)
        columns = _Columns(self, outputs, keys, select)
        having = select.args.get("having")
        read = () if having is None else self._having(having.this, columns.scalars())
        conditions = tuple(with_keys(condition, keys) for condition in read)
        for condition in conditions:
            check_levels(condition, keys, self.reading.typed)
        table = self.below.scope.table
        order = columns.order(select.args.get("order"))
        limit = limit_of(select, self.reading)
        where = self.below.where
        return Grouped(table, where, keys, outputs, conditions, order, limit, sets=sets)

    def _check_windows(self, select: exp.Select) -> None:
        """Check that no window stands in HAVING, nor over groups that HAVING has chosen."""
        if select.args.get("having") is None:
            return
        window = select.find(exp.Window)
        if window is not None:
            raise NotSupported(
                "a window beside HAVING is not answered",
                place=place_of(window),
                hint="a condition over a sub-select leaves its totals as of all groups",
            )

    def _having(self, node: exp.Expr, scalars: Scalars) -> tuple[Expression, ...]:
        if isinstance(node, exp.Paren):
            return self._having(node.this, scalars)
        if isinstance(node, exp.And):
            return tuple(x for part in node.flatten() for x in self._having(part, scalars))
        if not idioms.is_some_row(node) or self._is_declared(idioms.REALISED) or self.cells:
            return parts_of(scalars.condition(node))
        self.rows.some_row = True
        return (Name((idioms.REALISED,), place=place_of(node)),)

    def values(self, select: exp.Select) -> Scalars:
        """Return the values over groups: aggregates, and levels that are keys."""
        aggregates = self._aggregates()

        def leaf(node: exp.Expr) -> Expression | None:
            read = aggregates.read(node)
            if isinstance(node, exp.Grouping | exp.GroupingId):
                levels = (without_moment(aggregates.scalars.value(key)) for key in node.expressions)
                return Call("GROUPING", tuple(levels), place=place_of(node))
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
            raise _without_aggregate(column.family.name, node)
        if isinstance(column, FactColumn | CellValue):
            raise _without_aggregate(node.name, node)
        return row_value(column, node, self.reading)

    def _keys(
        self, select: exp.Select, items: list[Item]
    ) -> tuple[tuple[Name, ...], GroupingSets | None]:
        """Return the keys of groups, and which stand together where not all do."""
        group = select.args.get("group")
        if group is None and (self.cells or self._reduces_any(select, items)):
            return (), None
        if group is None:
            nodes = [item.node for item in items]
        elif groups_by_all(group):
            nodes = [item.node for item in items if not self._reduces(item.node)]
        else:
            nodes = [self._key_node(node, items) for node in key_nodes(group.expressions)]
        keys: dict[Name, None] = {}

        def key_of(node: exp.Expr) -> Name:
            value = self._key_value(node)
            made = as_key(value)
            for key in keys:
                if isinstance(key, AdHocLevel) and key.expression == made:
                    return key
            return self._key(value, node, items, len(keys))

        for node in nodes:
            keys[key_of(node)] = None
        sets = None
        if group is not None:
            entries = group.expressions
            sets = grouping_sets(entries, lambda node: key_of(self._key_node(node, items)))
        return tuple(keys), sets

    def _reduces_any(self, select: exp.Select, items: list[Item]) -> bool:
        """Whether there is one group, of all rows: DISTINCT over levels alone has one for each."""
        if select.args.get("distinct") is None or select.args.get("having") is not None:
            return True
        order = select.args.get("order")
        nodes = [item.node for item in items] + ([] if order is None else order.expressions)
        return any(has_aggregate(node) for node in nodes)

    def _reduces(self, node: exp.Expr) -> bool:
        if has_aggregate(node):
            return True
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return False
        return isinstance(self.below.scope.column(node), MetricColumn)

    def _key_node(self, node: exp.Expr, items: list[Item]) -> exp.Expr:
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

    def _key_value(self, node: exp.Expr) -> Expression:
        if has_aggregate(node):
            raise NotSupported("GROUP BY takes no aggregate", place=place_of(node))
        return without_moment(row_scalars(self.below.scope, self.reading, self.rows).value(node))

    def _key(self, value: Expression, node: exp.Expr, items: list[Item], count: int) -> Name:
        place = place_of(node)
        if isinstance(value, Literal | Parameter):
            raise NotSupported("GROUP BY takes no constant", place=place)
        if isinstance(value, Name):
            level = self.reading.typed.graph.find(value.text)
            if level is not None:
                return Name((level,), place=place)
            raise NotSupported(
                f"GROUP BY takes levels, and {shown(value.text)} is a metric", place=place
            )
        if self.cells:
            raise NotSupported(
                "a group of a sub-select's points by an expression is not answered", place=place
            )
        return AdHocLevel((self._free_name(node, items, count),), as_key(value), place=place)

    def _free_name(self, node: exp.Expr, items: list[Item], count: int) -> str:
        """Return a name for a key that is an expression: that of its column, where none has it."""
        other_names = [item.name.casefold() for item in items if item.node != node]
        own = next((item.name for item in items if item.named and item.node == node), "")
        for name in (own, *(f"key_{n}" for n in range(count + 1, count + len(items) + 3))):
            if name and name.casefold() not in other_names and not self._is_declared(name):
                return name
        raise NotSupported("GROUP BY has no name left for its key", place=place_of(node))

    def _is_declared(self, name: str) -> bool:
        typed = self.reading.typed
        is_level = typed.graph.find(name) is not None
        return is_level or name.casefold() in typed.collection.folded_families

    def _output(self, item: Item, keys: tuple[Name, ...], select: exp.Select) -> Output:
        node = item.node
        if isinstance(node, exp.Star) or (
            isinstance(node.find(exp.Star), exp.Star) and not (has_aggregate(node))
        ):
            raise NotSupported("* does not stand beside aggregates", place=place_of(node))
        value = with_keys(self.values(select).value(node), keys)
        if isinstance(value, Literal):
            raise NotSupported(
                "a constant column beside aggregates is not answered", place=place_of(node)
            )
        check_levels(value, keys, self.reading.typed)
        check_partitions(value, keys)
        inner = without_moment(value)
        level = level_of(inner, keys, self.reading)
        if level is None:
            return Output(item.name, value, named=item.named)
        unnamed_column = isinstance(node, exp.Column) and not item.named
        name = level if unnamed_column else item.name
        return Output(name, inner, level, moment=inner is not value, named=item.named)


def level_of(value: Expression, keys: tuple[Name, ...], reading: Reading) -> str | None:
    """Return the level that a value is: a declared one, or a key that is an expression."""
    if not isinstance(value, Name):
        return None
    if any(isinstance(key, AdHocLevel) and key.text == value.text for key in keys):
        return value.text
    return reading.typed.graph.find(value.text)


def with_keys(value: Expression, keys: tuple[Name, ...]) -> Expression:
    """Return a value in which the expressions that are keys are named as such."""
    written = [(from_key(x.expression), x.parts) for x in keys if isinstance(x, AdHocLevel)]
    return _with_named(value, written) if written else value


def _with_named(value: Expression, keys: list[tuple[Expression, tuple[str, ...]]]) -> Expression:
    for expression, name in keys:
        if expression == value:
            return Name(name, place=value.place)
    if isinstance(value, Ascribed) or (isinstance(value, Call) and value.function in REDUCER_NAMES):
        return value
    return rebuilt(value, lambda part: _with_named(part, keys))


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of SELECT: its name, what stands before AS, whether the name was written."""

    name: str
    node: exp.Expr
    named: bool

    def is_named(self, node: exp.Column) -> bool:
        """Whether a column names it."""
        return self.named and self.name.casefold() == node.name.casefold()


def item_of(node: exp.Expr) -> Item:
    """Return an entry of SELECT."""
    if isinstance(node, exp.Alias):
        return Item(node.alias, node.this, True)
    if isinstance(node, exp.Column):
        return Item(node.name, node, False)
    return Item(node.sql(normalize_functions="lower", comments=False), node, False)


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
            same = (
                without_moment(row_value(column, node, self.grouping.reading)) == output.expression
            )
            if same:
                return output
        raise AmbiguousMetric(
            f"{shown(node.name)} is a column of the table, and another one of SELECT",
            place=place_of(node),
            hint="give the selected column another name",
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
        value = with_keys(self._ordered_by(node.this), self.keys)
        check_levels(value, self.keys, self.grouping.reading.typed)
        check_partitions(value, self.keys)
        first = True if node.args.get("nulls_first") else None
        return OrderKey(value, bool(node.args.get("desc")), first, place=place_of(node))

    def _ordered_by(self, node: exp.Expr) -> Expression:
        if isinstance(node, exp.Literal) and node.is_int:
            return ordinal(node, list(self.outputs), "ORDER BY").expression
        if isinstance(node, exp.Column) and (output := self._alias(node)) is not None:
            return output.expression
        return without_moment(self.scalars().value(node))


def _without_aggregate(name: str, node: exp.Column) -> NotSupported:
    return NotSupported(
        f"{shown(name)} stands without an aggregate, and has no one value in a group",
        place=place_of(node),
        hint=f"write MEASURE({name})",
    )
