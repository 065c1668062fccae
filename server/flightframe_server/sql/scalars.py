"""Values and conditions of SQL as Frame-QL's, for every place in which they stand.

What comes in: a tree, and what its columns and aggregates mean in its place. What goes out: syntax
of Frame-QL with the places of the text. It must never read an argument in part: every node that the
allow-list lets through is read here whole, or refused.

A value that SQL has as a timestamp where the level is a date is written as a cast, and compared
without it: a date beside a timestamp is its first instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server import row_values
from flightframe_server.errors import NotSupported, Place, TypeMismatch
from flightframe_server.language.syntax import (
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Expression,
    Extract,
    IsIn,
    IsNull,
    Junction,
    Like,
    Literal,
    LiteralKind,
    Name,
    Not,
    Parameter,
    Unary,
    When,
)
from flightframe_server.sql.cast_keys import without_cast
from flightframe_server.sql.casts import cast, date_of
from flightframe_server.sql.comparing import check_side
from flightframe_server.sql.date_moves import (
    interval_beside,
    interval_of,
    is_date,
    moved,
    period_of,
)
from flightframe_server.sql.folding import constant_truth, folded, unit_of
from flightframe_server.sql.periods import Fold, fold, function_of
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.row_functions import row_function
from flightframe_server.sql.written_moments import in_zone, written
from flightframe_server.sql.written_words import word_of

Leaf = Callable[[exp.Expr], Expression | None]
"""What a column or an aggregate means in one place; None for every other node."""

MOMENT = "timestamp"
IN_SELECT = "IN (SELECT ...) stands in WHERE, and over an answer beside AND alone"

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.DPipe: "||",
}
_PARTS: dict[type[exp.Expr], str] = {exp.Year: "year", exp.Quarter: "quarter", exp.Month: "month"}
_TESTS = (exp.Predicate, exp.Connector, exp.Not)


@dataclass(frozen=True, slots=True)
class Scalars:
    """The values and conditions of one place.

    Attributes:
        reading: the text's.
        leaf: what columns and aggregates mean here.
        folds: the truncations that were read as levels, filled while reading.
    """

    reading: Reading
    leaf: Leaf
    folds: list[Fold]

    def value(self, node: exp.Expr) -> Expression:
        """Return a value.

        Raises:
            QueryError: a construct that has no meaning here.
        """
        if isinstance(node, exp.Paren):
            return self.value(node.this)
        constant = folded(node, self.reading)
        if constant is not None:
            return constant
        own = self.leaf(node)
        if own is not None:
            return own
        place = place_of(node)
        operator = _ARITHMETIC.get(type(node))
        if operator is not None:
            return self._moved(node, place) or self._combined(operator, node, place)
        if isinstance(node, _TESTS):
            return self.condition(node)
        return self._moment(node, place) or self._function(node, place)

    def _combined(self, operator: str, node: exp.Expr, place: Place) -> Binary:
        return Binary(operator, self.value(node.this), self.value(node.expression), place=place)

    def _moved(self, node: exp.Expr, place: Place) -> Expression | None:
        """Return a date that an interval moves; None where none stands beside it."""
        sides = interval_beside(node)
        if sides is None:
            return None
        left, interval = sides
        day = without_moment(self.value(left))
        if not is_date(self.reading.typed, day):
            raise NotSupported("an interval moves a level that is a date", place=place_of(left))
        size, less = interval_of(interval, self.reading), isinstance(node, exp.Sub)
        return Cast(moved(day, size, place, less=less), MOMENT, place=place)

    def condition(self, node: exp.Expr) -> Expression:
        """Return a condition; raises as `value`."""
        known = constant_truth(node, self.reading)
        if known is not None:
            return known
        node, place = without_cast(self, node), place_of(node)
        match node:
            case exp.Paren():
                return self.condition(node.this)
            case exp.And() | exp.Or():
                return self._junction(node, place)
            case exp.Not():
                return self._negated(node.this, place)
        operator = _COMPARISONS.get(type(node))
        if operator is not None:
            return Compare(operator, *self._compared(node), place=place)
        return self._test(node, place) or self._truth(node, place)

    def _truth(self, node: exp.Expr, place: Place) -> Expression:
        value = self.value(node)
        if isinstance(value, Literal) and value.kind not in (LiteralKind.BOOLEAN, LiteralKind.NULL):
            raise TypeMismatch("a condition is TRUE or FALSE, and no other constant", place=place)
        return value

    def _test(self, node: exp.Expr, place: Place) -> Expression | None:
        match node:
            case exp.In() if node.args.get("query") is not None:
                raise NotSupported(IN_SELECT, place=place)
            case exp.In(expressions=[]):
                raise NotSupported("IN () has no members, and is not answered", place=place)
            case exp.In(this=subject):
                members = tuple(self.value(member) for member in node.expressions)
                operand = self._beside(subject, *members)
                return IsIn(operand, members, place=place)
            case exp.Between(this=subject):
                low, high = self.value(node.args["low"]), self.value(node.args["high"])
                return Between(self._beside(subject, low, high), low, high, place=place)
            case exp.Is():
                return self._is(node, place)
            case exp.Like() | exp.ILike():
                return self._like(node, None, place)
            case exp.Escape(this=exp.Like() | exp.ILike() as like):
                return self._like(like, node.expression, place)
            case exp.NullSafeEQ() | exp.NullSafeNEQ():
                left, right = self._compared(node)
                same = isinstance(node, exp.NullSafeEQ)
                return DistinctFrom(left, right, same, place=place)
        return None

    def _negated(self, node: exp.Expr, place: Place) -> Expression:
        inner = self.condition(node)
        match inner:
            case IsIn() | Between() | Like() | IsNull() | DistinctFrom() if not isinstance(
                node, exp.Paren
            ):
                return replace(inner, negated=not inner.negated)
        return Not(inner, place=place)

    def _junction(self, node: exp.And | exp.Or, place: Place) -> Expression:
        operator = "AND" if isinstance(node, exp.And) else "OR"
        operands: list[Expression] = []
        for part in node.flatten():
            inner = self.condition(part)
            if isinstance(inner, Junction) and inner.operator == operator:
                operands.extend(inner.operands)
            else:
                operands.append(inner)
        deciding = operator == "OR"
        known = [x for x in operands if isinstance(x, Literal) and x.value is not None]
        if any(literal.value is deciding for literal in known):
            return Literal(deciding, LiteralKind.BOOLEAN, place=place)
        open_ = [operand for operand in operands if operand not in known]
        if not open_:
            return Literal(not deciding, LiteralKind.BOOLEAN, place=place)
        return open_[0] if len(open_) == 1 else Junction(operator, tuple(open_), place=place)

    def _compared(self, node: exp.Expr) -> tuple[Expression, Expression]:
        for side in (node.this, node.expression):
            if isinstance(side.unnest(), _TESTS):
                # Dialects differ in what `a = b IS NULL` means.
                raise NotSupported(
                    "a comparison of conditions is not answered", place=place_of(side)
                )
        left, right = self.value(node.this), self.value(node.expression)
        left, right = self._checked(left, right), self._checked(right, left)
        return left, right

    def _beside(self, subject: exp.Expr, *others: Expression) -> Expression:
        """Return what is compared with values, each of them checked to be of its kind."""
        if isinstance(subject.unnest(), _TESTS):
            raise NotSupported("a test of a condition is not answered", place=place_of(subject))
        operand = self.value(subject)
        for other in others:
            check_side(self.reading.typed, other, operand)
            check_side(self.reading.typed, operand, other)
        return without_moment(operand)

    def _checked(self, side: Expression, beside: Expression) -> Expression:
        check_side(self.reading.typed, side, beside)
        # A parameter has the type that SQL gives the other side.
        return side if isinstance(beside, Parameter) else without_moment(side)

    def _is(self, node: exp.Is, place: Place) -> Expression:
        negated = bool(node.args.get("negate"))
        subject = node.this
        match node.expression:
            case exp.Null():
                if isinstance(subject.unnest(), _TESTS):
                    raise NotSupported("a test of a condition is not answered", place=place)
                return IsNull(without_moment(self.value(subject)), negated, place=place)
            case exp.Boolean(this=truth):
                truth_value = Literal(bool(truth), LiteralKind.BOOLEAN, place=place)
                if isinstance(subject.unnest(), _TESTS):
                    raise NotSupported("a test of a condition is not answered", place=place)
                return DistinctFrom(self.value(subject), truth_value, not negated, place=place)
        raise NotSupported("IS takes NULL, TRUE or FALSE", place=place)

    def _like(
        self, node: exp.Like | exp.ILike, escape: exp.Expr | None, place: Place
    ) -> Expression:
        subject = self.value(node.this)
        pattern = folded(node.expression, self.reading)
        if not isinstance(pattern, Literal | Parameter):
            raise NotSupported("LIKE takes a pattern that is a constant", place=place)
        if isinstance(pattern, Literal):
            self._check_escape(pattern, escape)
        elif escape is not None or isinstance(node, exp.ILike):
            raise NotSupported(
                "a pattern of ILIKE or with ESCAPE is a text, not a parameter", place=place
            )
        if isinstance(node, exp.ILike):
            subject = Call("LOWER", (subject,), place=place)
            if isinstance(pattern, Literal) and isinstance(pattern.value, str):
                pattern = replace(pattern, value=row_values.lower(pattern.value))
        return Like(subject, pattern, bool(node.args.get("negate")), place=place)

    def _check_escape(self, pattern: Literal, escape: exp.Expr | None) -> None:
        if escape is None:
            return
        sign = folded(escape, self.reading)
        written = sign.value if isinstance(sign, Literal) else None
        if not isinstance(written, str) or len(written) != 1 or written in str(pattern.value):
            raise NotSupported(
                "a pattern that escapes a sign is not answered",
                place=place_of(escape),
                hint="a pattern without its ESCAPE sign is",
            )

    def _moment(self, node: exp.Expr, place: Place) -> Expression | None:
        match node:
            case exp.DateTrunc():
                return self._truncated(node, place)
            case exp.Cast():
                return cast(self, node, place)
            case exp.Date():
                return date_of(self, self.value(node.this), place)
            case exp.AtTimeZone():
                return in_zone(self, node, place)
            case exp.Extract():
                return Extract(node.name.lower(), self.value(node.expression), place=place)
            case exp.Trunc(this=exp.Extract() as whole):
                # What EXTRACT gives is whole.
                return self.value(whole)
        part = _PARTS.get(type(node))
        if part is not None:
            return Extract(part, self.value(node.this), place=place)
        return written(self, node, place)

    def _truncated(self, node: exp.DateTrunc, place: Place) -> Expression:
        inner = self.value(node.this)
        level = self.level(inner)
        if level is None and is_date(self.reading.typed, without_moment(inner)):
            return self._period(without_moment(inner), node, place)
        if level is None:
            raise NotSupported(
                "DATE_TRUNC takes a level that is a date or a timestamp", place=place_of(node.this)
            )
        unit = unit_of(node, self.reading)
        if unit is None:
            # The type is the same whatever the unit; the level is known once it is bound.
            return Cast(Name((level,), place=place), MOMENT, place=place)
        return Cast(self.truncated(level, function_of(unit, place), place), MOMENT, place=place)

    def _period(self, day: Expression, node: exp.DateTrunc, place: Place) -> Expression:
        unit = unit_of(node, self.reading)
        first = day if unit is None else period_of(day, function_of(unit, place), place)
        return Cast(first, MOMENT, place=place)

    def truncated(self, level: str, function: str, place: Place) -> Name:
        """Return the level that holds the periods of a level; raises as `periods.fold`."""
        made = fold(self.reading.typed, level, function, place)
        self.folds.append(made)
        return Name((made.period,), place=place)

    def level(self, node: Expression) -> str | None:
        """Return the level of moments that a value is, whatever it is cast to; None: it is none."""
        inner = without_moment(node)
        if not isinstance(inner, Name):
            return None
        name = self.reading.typed.graph.find(inner.text)
        moment = name is not None and self.reading.typed.level_types[name].is_moment
        return name if moment else None

    def _function(self, node: exp.Expr, place: Place) -> Expression:
        match node:
            case exp.Neg():
                return Unary("-", self.value(node.this), place=place)
            case exp.Case():
                return self._case(node, place)
            case exp.Coalesce():
                values = (node.this, *node.expressions)
                return Call("COALESCE", tuple(map(self.value, values)), place=place)
            case exp.Nullif():
                sides = self.value(node.this), self.value(node.expression)
                return Call("NULLIF", sides, place=place)
            case exp.Abs() | exp.Sqrt() | exp.Length() | exp.Lower() | exp.Upper():
                return Call(node.key.upper(), (self.value(node.this),), place=place)
            case exp.Round():
                places = node.args.get("decimals")
                rest = () if places is None else (self.value(places),)
                return Call("ROUND", (self.value(node.this), *rest), place=place)
        own = row_function(self, node, place)
        if own is not None:
            return own
        raise NotSupported(f"{word_of(node)} is not answered here", place=place)

    def _case(self, node: exp.Case, place: Place) -> Expression:
        operand = None if node.this is None else self.value(node.this)
        whens = tuple(
            When(
                self.condition(part.this) if operand is None else self.value(part.this),
                self.value(part.args["true"]),
                place=place_of(part),
            )
            for part in node.args["ifs"]
        )
        default = node.args.get("default")
        otherwise = None if default is None else self.value(default)
        return Case(operand, whens, otherwise, place=place)


def without_moment(value: Expression) -> Expression:
    """Return a value without its cast to a timestamp, where it is a date."""
    dates = (Name, Binary, Call)
    if isinstance(value, Cast) and value.type == MOMENT and isinstance(value.operand, dates):
        return value.operand
    return value
