"""One step of a SELECT over answers: its rows, and what expressions mean there.

What comes in: expressions of a tree. What goes out: typed terms over places of columns. It must
never read a column that the rows do not have, nor a value that was not reduced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.algebra.types import Kind
from flightframe_server.errors import NotSupported, TypeMismatch, shown
from flightframe_server.language.syntax import (
    Between,
    Binary,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Expression,
    Extract,
    IsIn,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.outer.algebra import Filter, Project, columns
from flightframe_server.outer.typing import place_name, typer
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.terms import Term
from flightframe_server.resolver.values import Binding
from flightframe_server.sql.aggregate_nodes import is_aggregate
from flightframe_server.sql.casts import WRITTEN
from flightframe_server.sql.comparing import check_text
from flightframe_server.sql.date_moves import (
    WHOLE_DAYS,
    day_of,
    interval_beside,
    interval_of,
    moved,
    period_of,
)
from flightframe_server.sql.folding import unit_of
from flightframe_server.sql.naming import parts
from flightframe_server.sql.periods import function_of
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.relations import Relation
from flightframe_server.sql.scalars import MOMENT, Scalars, without_moment
from flightframe_server.sql.trees import Key, key_of

_CASTS: Mapping[exp.DType, Kind] = {
    exp.DType.VARCHAR: Kind.TEXT,
    exp.DType.TEXT: Kind.TEXT,
    exp.DType.DATE: Kind.DATE,
    exp.DType.TIMESTAMP: Kind.TIMESTAMP,
    exp.DType.DATETIME: Kind.TIMESTAMP,
    exp.DType.INT: Kind.INTEGER,
    exp.DType.BIGINT: Kind.INTEGER,
    exp.DType.BOOLEAN: Kind.BOOLEAN,
    exp.DType.DOUBLE: Kind.DOUBLE,
}
"""The kind that each type of a cast without digits is."""


@dataclass(frozen=True, slots=True)
class Context:
    """What one text is read with.

    Attributes:
        reading: the text's.
        binding: notes the types of parameters, while they have no values.
    """

    reading: Reading
    binding: Binding


@dataclass(frozen=True, slots=True)
class Stage:
    """The rows of one step.

    Attributes:
        context: the text's.
        relation: the rows.
        column_key: what a column is told apart by, as FROM names it.
        known: the places of expressions that earlier steps computed, by their keys.
        grouped: whether rows were reduced, so that nothing else is known.
    """

    context: Context
    relation: Relation
    column_key: Callable[[exp.Column], Key]
    known: Mapping[Key, int]
    grouped: bool = False

    @property
    def typer(self) -> Typer:
        """What types expressions here."""
        reading = self.context.reading
        return typer(self.relation.types, self.context.binding, reading.typed.zone)

    def key(self, node: exp.Expr) -> Key:
        """Return what makes an expression the same as another."""
        return key_of(node, self.context.reading, self.column_key)

    def term(self, node: exp.Expr) -> Term:
        """Return a value as a term.

        Raises:
            QueryError: it has no meaning here.
        """
        written = self._scalars().value(node)
        self._check(written)
        return self.typer.term(written)

    def predicate(self, node: exp.Expr) -> Term:
        """Return a condition as a term; raises as `term`."""
        written = self._scalars().condition(node)
        self._check(written)
        return self.typer.predicate(written)

    def filtered(self, node: exp.Expr) -> Stage:
        """Return the rows for which a condition is true."""
        made = Filter(self.relation.node, self.predicate(node))
        return replace(self, relation=replace(self.relation, node=made))

    def with_terms(self, terms: list[Term]) -> tuple[Project, list[int]]:
        """Return the rows with further values behind them, and their places."""
        own = columns(self.relation.types)
        places = list(range(len(own), len(own) + len(terms)))
        return Project(self.relation.node, (*own, *terms)), places

    def _scalars(self) -> Scalars:
        return Scalars(self.context.reading, self._leaf, [])

    def _leaf(self, node: exp.Expr) -> Expression | None:
        place = place_of(node)
        if isinstance(node, exp.Query):
            raise NotSupported("a SELECT inside an expression is not answered", place=place)
        at = self.known.get(self.key(node))
        if at is None and isinstance(node, exp.Column):
            if self.grouped:
                raise NotSupported(
                    f"{shown(node.name)} is neither a key of GROUP BY nor reduced",
                    place=place,
                    hint=f"add {shown(node.name)} to GROUP BY, or reduce it: MAX(...)",
                )
            at = self.relation.place(node)
        if at is not None:
            return place_name(at, place)
        if isinstance(node, exp.Cast):
            return self._kept(node)
        if isinstance(node, exp.DateTrunc):
            return self._truncated(node)
        if isinstance(node, exp.Add | exp.Sub):
            return self._moved(node)
        if isinstance(node, exp.Window):
            raise NotSupported("a window function (OVER) stands in SELECT or ORDER BY", place=place)
        if is_aggregate(node):
            raise NotSupported("an aggregate has no meaning here", place=place)
        return None

    def _truncated(self, node: exp.DateTrunc) -> Expression:
        """Return the first instant of the period that holds a date or timestamp."""
        place, unit = place_of(node), unit_of(node, self.context.reading)
        moment, kind = self._moment(node.this, "DATE_TRUNC takes a date or a timestamp")
        function = "DAY_OF" if unit is None else function_of(unit, place)
        if kind is Kind.DATE:
            return Cast(period_of(moment, function, place), MOMENT, place=place)
        if function not in WHOLE_DAYS:
            raise NotSupported(
                f"a timestamp of an answer is not cut to a {shown(str(unit))}",
                place=place,
                hint="a day, week, month, quarter or year is",
            )
        return Cast(period_of(day_of(moment, place), function, place), MOMENT, place=place)

    def _moved(self, node: exp.Add | exp.Sub) -> Expression | None:
        """Return a date or timestamp that an interval moves; None where none stands beside it."""
        sides = interval_beside(node)
        if sides is None:
            return None
        left, interval = sides
        place, less = place_of(node), isinstance(node, exp.Sub)
        size = interval_of(interval, self.context.reading)
        moment, kind = self._moment(left, "an interval moves a date or a timestamp")
        if kind is Kind.DATE:
            return Cast(moved(moment, size, place, less=less), MOMENT, place=place)
        return Binary("-" if less else "+", moment, size, place=place)

    def _moment(self, node: exp.Expr, what: str) -> tuple[Expression, Kind]:
        """Return a date, or a timestamp that is not the first instant of one, and which it is.

        Raises:
            NotSupported: it is neither.
        """
        written = without_moment(self._scalars().value(node))
        kind = self.typer.term(written).type.kind
        if kind not in (Kind.DATE, Kind.TIMESTAMP):
            raise NotSupported(what, place=place_of(node))
        return written, kind

    def _kept(self, node: exp.Cast) -> Expression | None:
        """Return a value that is cast to the type it has, a date to a timestamp, or to a text."""
        kinds = _CASTS.get(node.args["to"].this)
        if kinds is None or node.args["to"].expressions:
            return None
        if next(node.this.find_all(exp.Column), None) is None:
            return None
        inner = self._scalars().value(node.this)
        kind = self.typer.term(inner).type.kind
        if kind is kinds:
            return inner
        if kinds is Kind.DATE and without_moment(inner) is not inner:
            return without_moment(inner)
        if (kind, kinds) == (Kind.DATE, Kind.TIMESTAMP):
            return Cast(inner, "timestamp", place=place_of(node))
        if kinds is Kind.TEXT and kind in WRITTEN and isinstance(inner, Name | Extract):
            return Cast(inner, "text", place=place_of(node))
        return None

    def _check(self, written: Expression) -> None:
        """Check texts beside values of other types, which the reference dialect reads its way."""
        for node in _walked(written):
            for side, beside in _sides(node):
                if not isinstance(side, Literal) or side.kind is not LiteralKind.TEXT:
                    continue
                kind = self.typer.term(beside).type.kind
                if kind in (Kind.TEXT, Kind.NULL):
                    continue
                if not isinstance(beside, Name):
                    raise TypeMismatch(f"a text stands beside a {kind}", place=side.place)
                check_text(str(side.value), kind, side)


def stage_of(context: Context, relation: Relation) -> Stage:
    """Return the rows of FROM, before any step."""
    return Stage(context, relation, lambda column: ("at", relation.place(column)), {})


def _walked(node: Expression) -> Iterator[Expression]:
    yield node
    for part in parts(node):
        yield from _walked(part)


def _sides(node: Expression) -> Iterator[tuple[Expression, Expression]]:
    match node:
        case Compare(left=left, right=right) | DistinctFrom(left=left, right=right):
            yield left, right
            yield right, left
        case IsIn(operand=operand, members=members):
            for member in members:
                yield member, operand
        case Case(operand=operand, whens=whens) if operand is not None:
            for when in whens:
                yield when.condition, operand
        case Between(operand=operand, low=low, high=high):
            yield low, operand
            yield high, operand
