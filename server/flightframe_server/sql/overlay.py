"""A SELECT over a question: its points with other names, fewer of them, or reduced again.

What comes in: a SELECT and the question that it is over. What goes out: one question. It must never
move a step past another that it does not commute with: a limit below is a limit, and points that
were chosen by their values are not reduced again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import NotSupported
from flightframe_server.language.syntax import Expression, Literal, OrderKey
from flightframe_server.sql.clauses import check_distinct, limit_of, ordinal, parts_of
from flightframe_server.sql.grouping import Grouping, item_of, level_of
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_leaf import row_scalars, row_value
from flightframe_server.sql.rows_read import Rows
from flightframe_server.sql.scalars import Scalars, without_moment
from flightframe_server.sql.scopes import CellValue
from flightframe_server.sql.trees import is_star
from flightframe_server.sql.unwrapping import Grouped, Output, RowsOf


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
        scalars = self._scalars()
        outputs = tuple(self._outputs(select, scalars))
        check_distinct(select, outputs, self.below.keys)
        if self.below.sets is not None and select.args.get("distinct") is not None:
            raise _over_sets("DISTINCT", select)
        where = select.args.get("where")
        conditions = () if where is None else parts_of(scalars.condition(where.this))
        clause = select.args.get("order")
        keys = self.below.order if clause is None else _Over(outputs, scalars).order(clause)
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
        if self.below.sets is not None:
            raise _over_sets("an aggregate", select)
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
        made = Grouping(self.reading, self.rows, rows, True).of(select)
        if self._splits_no_point(made):
            raise NotSupported(
                "an aggregate over values of the same points is not answered",
                place=place_of(select),
            )
        return made

    def _splits_no_point(self, made: Grouped) -> bool:
        """Whether a point has one value of those below: it is not finer, in Frame-QL's words."""
        typed, roots = self.reading.typed, self.rows.roots
        anchor = tuple(key.text for key in made.keys)

        def settled(level: str) -> bool:
            known = level in typed.level_types and bool(roots)
            return known and all(typed.settled(schema, level, anchor) for schema in roots)

        return all(key in made.keys or settled(key.text) for key in self.below.keys)

    def _scalars(self) -> Scalars:
        scope = self.below.scope

        def leaf(node: exp.Expr) -> Expression | None:
            if not isinstance(node, exp.Column):
                return None
            return row_value(scope.column(node), node, self.reading)

        return Scalars(self.reading, leaf, self.rows.folds)

    def _outputs(self, select: exp.Select, scalars: Scalars) -> Iterator[Output]:
        known = {output.name.casefold(): output for output in self.below.outputs}
        for node in select.expressions:
            if is_star(node):
                list(self.below.scope.columns(node if isinstance(node, exp.Column) else None))
                yield from self.below.outputs
                continue
            item = item_of(node)
            value = scalars.value(item.node)
            inner = without_moment(value)
            level = level_of(inner, self.below.keys, self.reading)
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


def _over_sets(what: str, select: exp.Select) -> NotSupported:
    return NotSupported(
        f"{what} over a sub-select with several sets of keys is not answered",
        place=place_of(select),
    )


@dataclass(frozen=True, slots=True)
class _Over:
    """ORDER BY of a SELECT over a question."""

    outputs: tuple[Output, ...]
    scalars: Scalars

    def order(self, clause: exp.Order) -> tuple[OrderKey, ...]:
        return tuple(self._key(node) for node in clause.expressions)

    def _key(self, node: exp.Ordered) -> OrderKey:
        first = True if node.args.get("nulls_first") else None
        value = self._value(node.this)
        return OrderKey(value, bool(node.args.get("desc")), first, place=place_of(node))

    def _value(self, node: exp.Expr) -> Expression:
        outputs = self.outputs
        if isinstance(node, exp.Literal) and node.is_int:
            return ordinal(node, list(outputs), "ORDER BY").expression
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            fits = [x for x in outputs if x.name.casefold() == node.name.casefold()]
            if len(fits) == 1:
                return fits[0].expression
        return without_moment(self.scalars.value(node))
