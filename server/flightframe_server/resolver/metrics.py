"""Metric names and reducer calls to metrics; derived families to their formulas.

What comes in: names and calls as they stand in an item, HAVING, ORDER BY or a formula. What goes
out: terms over `Metric` values. It must never pick one of several meanings: an undeclared reducer
or a missing default is an error that says what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from flightframe_server.algebra.reducers import (
    REDUCER_NAMES,
    REDUCERS,
    Operator,
    result_type,
)
from flightframe_server.algebra.types import DOUBLE, INTEGER
from flightframe_server.catalog import check_families
from flightframe_server.catalog.collection import (
    DerivedMetric,
    MetricFamily,
    ReducerDeclaration,
    RootedMetric,
)
from flightframe_server.errors import (
    AmbiguousReducer,
    NotSupported,
    Place,
    ReducerNotDeclared,
    TypeMismatch,
    UnknownName,
    shown,
)
from flightframe_server.language import format_expression
from flightframe_server.language.syntax import Ascribed, Call, Expression, Name, Parameter, Star
from flightframe_server.resolver.ad_hoc_levels import with_anchor
from flightframe_server.resolver.ascribed import ascribed_term
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.finishing import finished
from flightframe_server.resolver.functions import unknown_function
from flightframe_server.resolver.grouping_sets import GROUPING, grouping
from flightframe_server.resolver.level_schemas import first_of, row_schemas, rows_metric
from flightframe_server.resolver.period_literals import filter_with_periods
from flightframe_server.resolver.predicates import conjuncts, merged_conjuncts
from flightframe_server.resolver.scope import Scope, column_named
from flightframe_server.resolver.terms import (
    ColumnTerm,
    Constant,
    LevelTerm,
    Metric,
    MetricTerm,
    NestedTerm,
    Term,
    metrics_of,
    nested_of,
)
from flightframe_server.resolver.values import fill_of

_RESERVED = frozenset({"PRIOR", "RUNNING"})

IN_HAVING = "a condition on a metric stands in HAVING"


@dataclass(frozen=True, slots=True)
class MetricNames:
    """The leaves of every expression over metrics.

    Attributes:
        scope: what names mean.
        formula: the derived family whose formula is read, or none.
        inside: whether an anchor of its own is around.
    """

    scope: Scope
    formula: str = ""
    inside: bool = False

    def leaf(self, node: Name | Call | Ascribed | Star) -> Term:
        """Return the term of a metric name or a call.

        Raises:
            UnknownName: no such metric or function.
            AmbiguousReducer: a bare metric with several reducers and no default.
            ReducerNotDeclared: the family does not declare the reducer.
            NotSupported: the construct is not answered.
        """
        match node:
            case Name():
                return self._named(node)
            case Call():
                return self._reduced(node)
            case Ascribed() if not self.formula and not self.inside:
                return ascribed_term(
                    node, self.scope, lambda scope: replace(self, scope=scope, inside=True).leaf
                )
            case Ascribed(place=place):
                raise NotSupported(
                    "an anchor of its own stands inside a reducer, or by itself in an item",
                    place=place,
                    hint="a reducer around it makes one value of those at that anchor",
                )
        raise NotSupported("* stands alone in SELECT or inside COUNT", place=node.place)

    def _named(self, node: Name) -> Term:
        family = self.scope.family(node.text)
        if family is None:
            if self.scope.level(node) is not None or self.scope.ad_hoc_level(node) is not None:
                if self.formula:
                    raise NotSupported(
                        f"{self.formula} is made of metrics, and {shown(node.text)} is a level",
                        place=node.place,
                    )
                return self.scope.point_term(node)
            raise self.scope.unknown_metric(node)
        if isinstance(family.meaning, DerivedMetric):
            within = self if self.formula else replace(self, formula=family.name)
            return self._typer(within.leaf).term(family.meaning.formula)
        operator = default_operator(family, family.meaning, node.place)
        return self._metric(family, operator, (), (), node.place)

    def _reduced(self, node: Call) -> Term:
        if node.function == GROUPING and not self.formula:
            return grouping(self.scope, node)
        name = _operator_name(node)
        if not node.arguments:
            raise TypeMismatch(f"{node.function} takes an argument", place=node.place)
        subject, *rest = node.arguments
        arguments = _arguments(name, rest, self.scope, node.place)
        match subject:
            case Star():
                if not REDUCERS[name].of_rows:
                    raise NotSupported(f"{node.function}(*) has no meaning", place=node.place)
                return self._rows(None, name, node)
            case Name():
                family = self.scope.family(subject.text)
                if family is not None:
                    return self._metric(family, name, arguments, self._filter(node), node.place)
                if self.scope.level(subject) is not None:
                    return self._rows(subject, name, node)
                if self.scope.ad_hoc_level(subject) is not None:
                    raise NotSupported(
                        f"{shown(subject.text)} is an ad-hoc level, and a reducer takes none",
                        place=subject.place,
                        hint="count the members of a level that the collection declares",
                    )
                raise self.scope.unknown_metric(subject)
            case Ascribed():
                return self._nested(node, name, arguments, subject)
        raise _no_expression(node, subject)

    def _nested(
        self, node: Call, name: str, arguments: tuple[str, ...], subject: Ascribed
    ) -> NestedTerm:
        if node.filter is not None:
            raise NotSupported(
                "a reducer over an anchor of its own takes no FILTER",
                place=node.place,
                hint="filter the metric inside",
            )
        reducer = REDUCERS[name]
        if reducer.ordered:
            raise NotSupported(f"{name} over an anchor of its own is refused", place=node.place)
        scope, computed = with_anchor(self.scope, subject.anchor)
        anchor = tuple(sorted(scope.levels(subject.anchor)))
        within = replace(self, scope=scope.within(anchor), inside=True)
        inner = self._typer(within.leaf).term(subject.operand)
        if not metrics_of(inner) and not nested_of(inner):
            raise NotSupported("an anchor of its own is given to metrics", place=subject.place)
        what = format_expression(subject.operand)[:40]
        type_ = result_type(reducer, inner.type, what)
        return NestedTerm(type_, Operator(name, arguments), inner, anchor, computed)

    def _filter(self, node: Call) -> tuple[Term, ...]:
        if node.filter is None:
            return ()
        return conjuncts(self._predicate(node.filter))

    def _predicate(self, node: Expression) -> Term:
        return self._typer(lambda leaf: _level_leaf(self.scope, leaf)).predicate(node)

    def _typer(self, leaf: Callable[[Name | Call | Ascribed | Star], Term]) -> Typer:
        return Typer(leaf, self.scope.binding, zone=self.scope.zone)

    def _row_filter(self, schema: str, node: Expression) -> Term:
        """Return a declared filter, whose names are levels, or columns of the root schema."""

        def leaf(name: Name | Call | Ascribed | Star) -> Term:
            if isinstance(name, Name) and self.scope.level(name) is None:
                return column_named(self.scope.typed, schema, name)
            return _level_leaf(self.scope, name)

        return self._typer(leaf).predicate(filter_with_periods(node, self.scope))

    def _rows(self, level: Name | None, operator: str, node: Call) -> Term:
        if not REDUCERS[operator].of_levels:
            raise ReducerNotDeclared(
                f"{operator} takes a metric, and {shown(level.text if level else '*')} is a level",
                place=node.place,
            )
        argument = None if level is None else self.scope.level_term(level)
        filters = self._filter(node)
        type_ = INTEGER if argument is None else REDUCERS[operator].type_of(argument.type)
        ranked = REDUCERS[operator].ranks
        terms: list[Term] = []
        scope = replace(self.scope, in_play=()) if self.formula else self.scope
        for schema in row_schemas(scope, node, argument, ranked, filters):
            metric = rows_metric(schema, operator, argument, type_, filters)
            terms.append(MetricTerm(type_, metric))
        return first_of(ranked, tuple(terms))

    def _metric(
        self,
        family: MetricFamily,
        name: str,
        arguments: tuple[str, ...],
        filters: tuple[Term, ...],
        place: Place,
    ) -> Term:
        root = family.meaning
        if isinstance(root, DerivedMetric):
            raise ReducerNotDeclared(
                f"{family.name} is derived, and a reducer over it needs an anchor of its own",
                place=place,
                hint=f"name a level after @ to reduce its values there; {family.name} alone is its"
                " formula over what was reduced",
            )
        declared = _declaration(family, root, name, place)
        reducer = REDUCERS[name]
        if not reducer.parts:
            return self._stored(family, root, name, arguments, (declared, filters), place)
        # A mean has no fill: where there is nothing, there is no mean.
        unfilled, called = replace(root, fill=None), f"{name}({family.name})"
        if root.column is not None:
            column_type = self.scope.typed.column_types[root.schema, root.column]
            result_type(reducer, column_type, family.name)

        def part(name: str) -> Term:
            return self._stored(family, unfilled, name, (), (declared, filters), place, called)

        return finished(reducer.finish, part, place)

    def _stored(
        self,
        family: MetricFamily,
        root: RootedMetric,
        name: str,
        arguments: tuple[str, ...],
        reduction: tuple[ReducerDeclaration | None, tuple[Term, ...]],
        place: Place,
        called: str = "",
    ) -> MetricTerm:
        declared, filters = reduction
        self._pin(family, root, name, place)
        argument: Term | None = None
        type_ = INTEGER
        if root.column is not None:
            column_type = self.scope.typed.column_types[root.schema, root.column]
            argument = ColumnTerm(column_type, root.schema, root.column)
            type_ = result_type(REDUCERS[name], column_type, family.name)
        elif not REDUCERS[name].of_rows:
            raise ReducerNotDeclared(f"{family.name} counts rows and has no values", place=place)
        own = () if root.filter is None else conjuncts(self._row_filter(root.schema, root.filter))
        both = merged_conjuncts(own + filters)
        order: tuple[LevelTerm, ...] = ()
        if declared is not None and declared.snapshot is not None:
            at = declared.snapshot
            arguments = (*arguments, f"{at.pick} {at.level}", *at.per)
        if declared is not None and REDUCERS[name].ordered:
            order = tuple(self.scope.level_term(Name((level,))) for level in declared.order_by)
            arguments = tuple(term.level for term in order)
        metric = Metric(
            family.name,
            Operator(name, arguments),
            root.schema,
            argument,
            type_,
            both,
            declared.a_block if declared is not None else (),
            fill_of(root.fill, type_) if REDUCERS[name].adds_up else None,
            order,
            None if declared is None else declared.snapshot,
        )
        shown_as = self._display_name(called, metric)
        return MetricTerm(type_, replace(metric, display_name=shown_as) if shown_as else metric)

    def _display_name(self, called: str, metric: Metric) -> str:
        """Return what a refusal calls a metric; nothing where that is its own text."""
        if not self.formula:
            return called
        return f"{called or metric}, which {self.formula} is made of,"

    def _pin(self, family: MetricFamily, root: RootedMetric, name: str, place: Place) -> None:
        source = self.scope.source
        if source is None or source == root.schema:
            return
        operators = [item.operator for item in root.siblings if item.schema == source]
        if name in operators:
            return
        if operators:
            raise ReducerNotDeclared(
                f"{source} holds {operators[0]}({family.name}), not {name}",
                place=place,
                hint=f"leave FROM out, or name {root.schema}",
            )
        raise UnknownName(
            f"{family.name} has no rows in schema {source}",
            place=place,
            hint=f"its rows are in {root.schema}",
        )


def default_operator(family: MetricFamily, root: RootedMetric, place: Place | None = None) -> str:
    """Return the reducer that a family's bare name means.

    Raises:
        AmbiguousReducer: it has several, or none, and no default.
    """
    declared = check_families.default_operator(root)
    if declared is not None:
        return declared
    choices = [f"{reducer.operator}({family.name})" for reducer in root.reducers]
    raise AmbiguousReducer(
        f"{family.name} alone could mean several reducers"
        if choices
        else f"{family.name} declares no default reducer",
        place=place,
        hint=f"write {' or '.join(choices)}" if choices else "name one, such as MIN, MAX or COUNT",
    )


def _declaration(
    family: MetricFamily, root: RootedMetric, name: str, place: Place
) -> ReducerDeclaration | None:
    declaration = next((reducer for reducer in root.reducers if reducer.operator == name), None)
    statistic = not REDUCERS[name].must_be_declared
    if declaration is None and name == root.default_reducer and statistic:
        return None
    if declaration is None and (root.closed or not statistic) and root.column is not None:
        declared = [reducer.operator for reducer in root.reducers]
        raise ReducerNotDeclared(
            f"{family.name} does not declare {name}",
            place=place,
            hint=f"it declares {', '.join(declared)}" if declared else "it declares none",
        )
    return declaration


def _operator_name(node: Call) -> str:
    if node.function in _RESERVED:
        raise NotSupported(f"{node.function} is reserved and not answered yet", place=node.place)
    if node.function not in REDUCER_NAMES:
        raise unknown_function(node)
    if not node.distinct:
        return node.function
    if distinct := REDUCERS[node.function].distinct:
        return distinct
    takers = [name for name in REDUCER_NAMES if REDUCERS[name].distinct]
    raise NotSupported(
        f"{node.function}(DISTINCT x) is refused",
        place=node.place,
        hint=f"only {' and '.join(takers)} takes DISTINCT",
    )


def _arguments(name: str, rest: list[Expression], scope: Scope, place: Place) -> tuple[str, ...]:
    count = 1 if REDUCERS[name].parameter else 0
    if len(rest) != count:
        raise TypeMismatch(f"{name} takes {1 + count} argument{'s' if count else ''}", place=place)
    if not count:
        return ()
    value = Typer(MetricNames(scope).leaf, scope.binding, zone=scope.zone).term(rest[0])
    if isinstance(rest[0], Parameter):
        scope.binding.note_type(rest[0], DOUBLE)
        if scope.binding.values is None:
            value = Constant(DOUBLE, 0.5)
    if isinstance(value, Constant) and value.type.is_number:
        q = Decimal(str(value.value))
        if q.is_finite() and 0 <= q <= 1:
            return (str(q.normalize() + 0),)
    raise TypeMismatch(f"{name} takes a number from 0 to 1", place=place)


def _level_leaf(scope: Scope, node: Name | Call | Ascribed | Star) -> Term:
    if isinstance(node, Call) and node.function not in REDUCER_NAMES:
        raise unknown_function(node)
    if not isinstance(node, Name):
        raise NotSupported("a condition is over levels", place=node.place, hint=IN_HAVING)
    return scope.member_term(node, IN_HAVING)


def _no_expression(node: Call, subject: Expression) -> ReducerNotDeclared:
    return ReducerNotDeclared(
        f"{node.function} takes one metric or one level, not an expression",
        place=subject.place,
        hint="declare a computed column to reduce it row by row; metrics reduced each by itself and"
        " then computed with are another number, where a row lacks one of them",
    )
