"""Aggregates of SQL as Frame-QL's reducers over metrics, levels and rows.

What comes in: an aggregate, and what columns mean where it stands. What goes out: the reducer call
that gives the same over the facts. It must never answer another aggregate than the one written: a
SUM that the family does not declare, or that means something else there, is refused.

The reference is the flat table of facts. A SUM that a family fills where there is nothing is NULL
there; one with a snapshot adds up other rows than SQL would, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.catalog import check_families
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import (
    AmbiguousReducer,
    NotSupported,
    Place,
    ReducerNotDeclared,
    shown,
)
from flightframe_server.language.syntax import (
    Anchor,
    Ascribed,
    Call,
    Cast,
    Expression,
    Literal,
    Name,
)
from flightframe_server.sql import idioms
from flightframe_server.sql.aggregate_nodes import MEASURES, REDUCER_OF, is_aggregate
from flightframe_server.sql.folding import constant_truth, folded
from flightframe_server.sql.places import place_of
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
)
from flightframe_server.sql.totals import has_total, of_groups, total


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The aggregates of one SELECT.

    Attributes:
        scope: what its columns mean.
        scalars: reads conditions and values over rows.
        rows: what is noted of the rows read.
        cells: whether the rows are the points of a sub-select, which are not counted.
    """

    scope: Scope
    scalars: Scalars
    rows: Rows
    cells: bool = False

    def read(self, node: exp.Expr) -> Expression | None:
        """Return what an aggregate means; None where a node is none.

        Raises:
            QueryError: one that has no meaning, or another one, over metrics.
        """
        if not is_aggregate(node):
            return None
        if isinstance(node, exp.Filter):
            if not isinstance(node.expression, exp.Where):
                raise NotSupported("FILTER takes WHERE", place=place_of(node))
            return self._filtered(node.this, node.expression.this)
        if isinstance(node, exp.Window):
            return self._windowed(node)
        return self._aggregate(node, None)

    def _windowed(self, node: exp.Window) -> Expression:
        self._refuse_points(place_of(node))
        keys = node.args.get("partition_by") or ()
        values = [without_moment(self.scalars.value(key)) for key in keys]
        return total(self.read(of_groups(node)), values, node, self.rows.typed)

    def measure(self, family: MetricFamily, place: Place) -> Expression:
        """Return a metric as its definition reduces it."""
        self.rows.read(family)
        return Name((family.name,), place=place)

    def _filtered(self, node: exp.Expr, condition: exp.Expr) -> Expression:
        known = constant_truth(condition, self.scalars.reading)
        if known is not None and known.value is True:
            return self._aggregate(node, None)
        if known is not None:
            raise NotSupported("FILTER with a constant is not answered", place=place_of(condition))
        if isinstance(node, exp.Filter) or not is_aggregate(node):
            raise NotSupported("FILTER stands after one aggregate", place=place_of(node))
        return self._aggregate(node, self.scalars.condition(condition))

    def _aggregate(self, node: exp.Expr, condition: Expression | None) -> Expression:
        place = place_of(node)
        match node:
            case exp.Count():
                return self._count(node, condition, place)
            case exp.Agg():
                return self._measured(node.this, condition, place)
            case exp.Anonymous():
                return self._called(node, condition, place)
            case exp.WithinGroup(this=exp.PercentileCont() as quantile):
                return self._percentile(node, quantile, condition, place)
        name = REDUCER_OF.get(type(node))
        if name is None:
            raise NotSupported("WITHIN GROUP stands after PERCENTILE_CONT", place=place)
        if isinstance(node.this, exp.Distinct):
            raise NotSupported(
                f"{name}(DISTINCT x) is not answered", place=place, hint="only COUNT takes DISTINCT"
            )
        if node.this is None:
            raise NotSupported(f"{name} takes an argument", place=place)
        case = idioms.one_case(node.this)
        if case is not None:
            return self._over_case(name, case, condition, place)
        if name == "SUM" and idioms.is_one(node.this):
            return idioms.null_if_zero(self._rows(condition, place, "SUM(1)"), place)
        return self._reduced(name, node.this, condition, place)

    def _called(
        self, node: exp.Anonymous, condition: Expression | None, place: Place
    ) -> Expression:
        name, arguments = node.name.upper(), node.expressions
        if name in MEASURES and len(arguments) == 1:
            return self._measured(arguments[0], condition, place)
        if name == "QUANTILE_CONT" and len(arguments) == 2:
            return self._quantile(arguments[0], arguments[1], condition, place)
        raise NotSupported(f"{name} takes other arguments", place=place)

    def _percentile(
        self,
        node: exp.WithinGroup,
        quantile: exp.PercentileCont,
        condition: Expression | None,
        place: Place,
    ) -> Expression:
        order = node.expression
        keys = order.expressions if isinstance(order, exp.Order) else []
        if len(keys) != 1 or keys[0].args.get("desc"):
            raise NotSupported(
                "PERCENTILE_CONT takes ORDER BY one column, ascending",
                place=place,
                hint="PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x) is answered",
            )
        return self._quantile(keys[0].this, quantile.this, condition, place)

    def _quantile(
        self, argument: exp.Expr, share: exp.Expr, condition: Expression | None, place: Place
    ) -> Expression:
        value = folded(share, self.scalars.reading)
        if value is None:
            raise NotSupported("a quantile is a constant from 0 to 1", place=place_of(share))
        return self._reduced("QUANTILE", argument, condition, place, value)

    def _measured(self, node: exp.Expr, condition: Expression | None, place: Place) -> Expression:
        column = self._column(node)
        if isinstance(column, FactColumn) and len(column.families) == 1:
            column = MetricColumn(column.families[0])
        if not isinstance(column, MetricColumn):
            raise ReducerNotDeclared(
                "MEASURE takes a metric", place=place, hint=self._metrics_hint()
            )
        family = column.family
        if condition is None:
            return self.measure(family, place)
        if not isinstance(family.meaning, RootedMetric):
            raise NotSupported(
                f"{family.name} is derived, and takes no FILTER",
                place=place,
                hint=f"filter what it is made of: {', '.join(family.meaning.inputs)}",
            )
        name = "COUNT" if family.meaning.column is None else _default(family, place)
        self.rows.read(family)
        return Call(name, (Name((family.name,), place=place),), filter=condition, place=place)

    def _metrics_hint(self) -> str:
        return "one of " + ", ".join(list(self.rows.typed.collection.metric_families)[:5])

    def _count(self, node: exp.Count, condition: Expression | None, place: Place) -> Expression:
        argument = node.this
        if isinstance(argument, exp.Distinct):
            if len(argument.expressions) != 1:
                raise NotSupported("COUNT(DISTINCT ...) takes one column", place=place)
            inner = argument.expressions[0]
            case = idioms.one_case(inner)
            if case is None:
                return self._reduced("COUNT", inner, condition, place, distinct=True)
            if case.zero:
                raise NotSupported("COUNT(DISTINCT CASE ... ELSE 0) is not answered", place=place)
            both = idioms.both(condition, self.scalars.condition(case.condition))
            return self._reduced("COUNT", case.result, both, place, distinct=True)
        if isinstance(argument, exp.Star):
            return self._rows(condition, place, "COUNT(*)")
        if argument is None:
            raise NotSupported("COUNT takes * or a column", place=place, hint="write COUNT(*)")
        case = idioms.one_case(argument)
        if case is not None and not case.zero:
            both = idioms.both(condition, self.scalars.condition(case.condition))
            if self._present(case.result):
                return self._rows(both, place, "COUNT")
            return self._reduced("COUNT", case.result, both, place)
        if self._present(argument):
            return self._rows(condition, place, "COUNT(1)")
        return self._reduced("COUNT", argument, condition, place)

    def _present(self, node: exp.Expr) -> bool:
        """Whether a node is a constant that is not NULL."""
        value = folded(node, self.scalars.reading)
        return isinstance(value, Literal) and value.value is not None

    def _rows(self, condition: Expression | None, place: Place, what: str) -> Call:
        self._refuse_points(place)
        self.rows.count(place, what)
        return idioms.row_count(condition, place)

    def _over_case(
        self, name: str, case: idioms.OneCase, condition: Expression | None, place: Place
    ) -> Expression:
        passing = idioms.both(condition, self.scalars.condition(case.condition))
        if not case.zero:
            if name == "SUM" and idioms.is_one(case.result):
                return idioms.null_if_zero(self._rows(passing, place, "SUM"), place)
            return self._reduced(name, case.result, passing, place)
        if name not in ("SUM", "MIN", "MAX") or (name != "SUM" and not idioms.is_one(case.result)):
            raise NotSupported(
                f"{name}(CASE ... ELSE 0 END) is not answered",
                place=place,
                hint=f"{name}(CASE ... END), without ELSE, leaves the other rows out",
            )
        every = self._rows(condition, place, f"{name}(CASE ... ELSE 0 END)")
        count = self._rows(passing, place, name)
        if name != "SUM":
            return idioms.one_or_zero((every, count), greatest=name == "MAX", place=place)
        if idioms.is_one(case.result):
            return idioms.where_rows(every, count, place)
        total = self._reduced("SUM", case.result, passing, place)
        return idioms.summed_or_zero(total, every, count, place)

    def _column(self, node: exp.Expr) -> Column:
        """Return what an argument means."""
        if isinstance(node, exp.Paren):
            return self._column(node.this)
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return self.scope.column(node)
        if isinstance(node, exp.Cast):
            inner = self._column(node.this)
            if not isinstance(inner, LevelColumn) and _is_default(node.args["to"]):
                return inner
        if any(self._is_metric(part) for part in node.find_all(exp.Column)):
            raise self._no_expression(node)
        written = self.scalars.value(node)
        value = without_moment(written)
        level = None if not isinstance(value, Name) else self.rows.typed.graph.find(value.text)
        if level is None:
            raise NotSupported(
                "an aggregate takes a metric or a level, not an expression", place=place_of(node)
            )
        return LevelColumn(level, moment=value is not written)

    def _is_metric(self, node: exp.Column) -> bool:
        return isinstance(self.scope.column(node), MetricColumn | FactColumn | CellValue)

    def _no_expression(self, node: exp.Expr) -> ReducerNotDeclared:
        hint = None
        if isinstance(node, exp.Mul):
            for number, column in ((node.this, node.expression), (node.expression, node.this)):
                if isinstance(number, exp.Literal) and isinstance(column, exp.Column):
                    hint = f"write {number.name} * SUM({column.name})"
        return ReducerNotDeclared(
            "an aggregate takes one metric or one level, not an expression",
            place=place_of(node),
            hint=hint
            or "declare a computed column to reduce it row by row; metrics reduced each by itself"
            " and then computed with are another number, where a row lacks one of them",
        )

    def _reduced(
        self,
        name: str,
        node: exp.Expr,
        condition: Expression | None,
        place: Place,
        *rest: Expression,
        distinct: bool = False,
    ) -> Expression:
        column = self._column(node)

        def call(argument: Expression) -> Call:
            return Call(name, (argument, *rest), distinct, condition, place=place)

        match column:
            case LevelColumn(level=level, moment=moment):
                out = self._level(call(Name((level,), place=place_of(node))), level)
                return Cast(out, MOMENT, place=place) if moment and name in ("MIN", "MAX") else out
            case MetricColumn(family=family):
                return self._metric(family, call, name, place)
            case FactColumn():
                return self._metric(_declaring(column, name, place), call, name, place)
            case CellValue(expression=expression, keys=keys):
                if has_total(expression):
                    raise NotSupported("an aggregate over a window is not answered", place=place)
                if condition is not None:
                    raise NotSupported("FILTER over a sub-select is not answered", place=place)
                inner = self.scalars.reading.written_out(expression, place)
                return call(Ascribed(inner, Anchor(keys, place=place), place=place))
            case RowValue():
                raise NotSupported("an aggregate takes a metric or a level", place=place)

    def _refuse_points(self, place: Place) -> None:
        if self.cells:
            raise NotSupported(
                "the rows of a sub-select with GROUP BY are not counted",
                place=place,
                hint="COUNT(x) of one of its values counts those that are not NULL",
            )

    def _level(self, call: Call, level: str) -> Expression:
        self._refuse_points(call.place)
        if call.function in ("MIN", "MAX"):
            self.rows.bound(call.place, f"{call.function}({level})")
        elif REDUCERS[call.function].of_levels:
            self.rows.count(call.place, f"{call.function}({level})")
        return call

    def _metric(
        self, family: MetricFamily, call: Callable[[Expression], Call], name: str, place: Place
    ) -> Expression:
        self.rows.read(family)
        named = Name((family.name,), place=place)
        made = call(named)
        root = family.meaning
        if not isinstance(root, RootedMetric):
            if name == "SUM" and made.filter is None and self._sum_is_metric(family):
                return named
            return made
        if root.column is None:
            if name != "SUM":
                return made
            return named if made.filter is None else Call("COUNT", (named,), filter=made.filter)
        declared = next((item for item in root.reducers if item.operator == name), None)
        if declared is None and name == "SUM" and made.filter is None:
            return named if self._sum_is_metric(family) else made
        if declared is not None and declared.snapshot is not None:
            raise NotSupported(
                f"{name}({family.name}) is declared over one moment of many, and SQL's {name} is"
                " over all rows",
                place=place,
                hint=f"write MEASURE({family.name})",
            )
        if root.fill is None or not REDUCERS[name].adds_up:
            return made
        count = Call("COUNT", (named,), filter=made.filter, place=place)
        return idioms.where_rows(count, made, place)

    def _sum_is_metric(self, family: MetricFamily) -> bool:
        if not self.scalars.reading.options.sum_is_metric:
            return False
        self.scalars.reading.notes.append(f"SUM({family.name}) is read as {family.name}")
        return True


def _is_default(type_: exp.DataType) -> bool:
    """Whether a cast of a metric's values is the dialect's default, which is read as none."""
    return type_.this is exp.DType.DECIMAL and not type_.expressions


def _declaring(column: FactColumn, name: str, place: Place) -> MetricFamily:
    """Return the family through which a column of facts is reduced."""
    for family in column.families:
        root = family.meaning
        if isinstance(root, RootedMetric) and any(
            item.operator == name and item.snapshot is None for item in root.reducers
        ):
            return family
    if not column.families:
        raise ReducerNotDeclared(f"no metric gives {shown(column.name)} a meaning", place=place)
    return column.families[0]


def _default(family: MetricFamily, place: Place) -> str:
    assert isinstance(family.meaning, RootedMetric)
    name = check_families.default_operator(family.meaning)
    if name is None:
        raise AmbiguousReducer(f"{family.name} alone could mean several reducers", place=place)
    return name
