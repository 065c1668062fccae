"""Syntax to terms: types are checked here, once, for every kind of expression.

What comes in: a syntax node and a `Leaf`, which says what names and calls mean where it stands
(levels in WHERE, metrics in an item, outputs in HAVING, inputs in a formula). What goes out: a
typed term. It must never know which of those places it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flightframe_server.algebra.functions import CALLED
from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    TEXT,
    DataType,
    Kind,
)
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import (
    NotSupported,
    Place,
    QueryError,
    TypeMismatch,
    UnknownName,
)
from flightframe_server.language.syntax import (
    Ascribed,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Expression,
    Extract,
    Interval,
    IsIn,
    IsInLast,
    IsInList,
    IsKnown,
    IsNull,
    Junction,
    Like,
    Literal,
    Name,
    Not,
    Parameter,
    Star,
    Unary,
)
from flightframe_server.resolver import functions
from flightframe_server.resolver.comparisons import comparison, unquoted
from flightframe_server.resolver.days import day_arithmetic, moved_by
from flightframe_server.resolver.terms import UNKNOWN, Apply, Constant, Term
from flightframe_server.resolver.values import (
    Binding,
    arithmetic,
    constant,
    read_as,
)

Leaf = Callable[[Name | Call | Ascribed | Star], Term]
"""Gives the term that a name, call, ascription or star stands for in one place."""

_COMPARISONS = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_TODAY = "CURRENT_DATE"
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


@dataclass(frozen=True, slots=True)
class Typer:
    """Turns syntax into terms in one place of one query.

    Attributes:
        leaf: what names and calls mean there.
        binding: the parameters' values.
        named: what a call of a row function means there before all else, or None: the output that
            has its text for a name.
        zone: the collection's, in which literals are read beside instants.
    """

    leaf: Leaf
    binding: Binding
    named: Callable[[Call], Term | None] | None = None
    zone: str = UTC

    def term(self, node: Expression) -> Term:
        """Return the typed term of an expression.

        Raises:
            TypeMismatch: operands do not go together.
        """
        match node:
            case Call() if node.function in CALLED:
                return self._call(node)
            case Name():
                return self._named(node)
            case Call() | Ascribed() | Star():
                return self.leaf(node)
            case Literal(value=value, place=place):
                return constant(value, place)
            case Parameter():
                return self.binding.constant(node)
            case Unary() | Binary():
                return self._arithmetic(node)
            case Case() | Cast() | Extract() | Interval():
                return self._function(node)
            case Junction(operator=operator, operands=operands):
                parts = tuple(self.predicate(operand) for operand in operands)
                return Apply(BOOLEAN, operator.lower(), parts)
            case Not(operand=operand):
                return Apply(BOOLEAN, "not", (self.predicate(operand),))
        return self._test(node)

    def _named(self, node: Name) -> Term:
        """Return what a name stands for; CURRENT_DATE is a day where it names nothing else."""
        try:
            return self.leaf(node)
        except UnknownName:
            if node.text.upper() != _TODAY:
                raise
            return self.binding.day_asked(self.zone, node.place)

    def predicate(self, node: Expression) -> Term:
        """Return the term of an expression that must be true or false; raises `TypeMismatch`."""
        term = self.term(node)
        if term.type.kind is Kind.NULL:
            return Constant(BOOLEAN, None)
        if term.type.kind is not Kind.BOOLEAN:
            raise TypeMismatch(
                f"a condition is wanted here, not a {term.type.kind}", place=node.place
            )
        return term

    def _arithmetic(self, node: Unary | Binary) -> Term:
        if isinstance(node, Unary):
            return _signed(node.operator, self.term(node.operand), node.place)
        if node.operator == "||":
            sides = self._as(node.left, TEXT), self._as(node.right, TEXT)
            return functions.concat(*sides, node.place)
        if isinstance(node.left, Interval) or isinstance(node.right, Interval):
            return self._moved(node)
        one, other = self.term(node.left), self.term(node.right)
        one, other = self._beside(node.left, one, other), self._beside(node.right, other, one)
        if Kind.DATE in (one.type.kind, other.type.kind):
            return day_arithmetic(node.operator, one, other, node.place)
        return arithmetic(node.operator, one, other, node.place)

    def _moved(self, node: Binary) -> Term:
        """Return a date or timestamp plus or less an interval."""
        moment, interval = node.left, node.right
        if isinstance(moment, Interval) and node.operator == "+":
            moment, interval = interval, moment
        if isinstance(interval, Interval) and node.operator in ("+", "-"):
            self._note(moment, DATE)
            return moved_by(node.operator, self.term(moment), interval, node.place)
        raise _no_value(node)

    def _function(self, node: Case | Cast | Extract | Interval) -> Term:
        match node:
            case Case():
                return self._case(node)
            case Cast(operand=operand, type=written, place=place):
                term = functions.cast(self.term(operand), written, place)
                self._note(operand, term.type)
                return term
            case Interval():
                raise _no_value(node)
        return functions.extract(node.field, self.term(node.operand), node.place)

    def _call(self, node: Call) -> Term:
        term = self.named(node) if self.named is not None else None
        if term is not None:
            return term
        if node.distinct or node.filter is not None:
            raise TypeMismatch(f"{node.function} takes no DISTINCT and no FILTER", place=node.place)
        function = CALLED[node.function]
        types = functions.argument_types(function, len(node.arguments))
        arguments = tuple(map(self._as, node.arguments, types))
        if not any(takes.type for takes in function.takes):
            self._note_all(node.arguments, arguments)
        return functions.call(node.function, arguments, node.place, self.zone)

    def _case(self, node: Case) -> Term:
        whens: list[tuple[Term, Term]] = []
        for when in node.whens:
            if node.operand is None:
                test = functions.typed(self.predicate(when.condition), BOOLEAN)
            else:
                test = self._compare("eq", node.operand, when.condition, when.place)
            whens.append((test, self.term(when.result)))
        otherwise = UNKNOWN if node.otherwise is None else self.term(node.otherwise)
        written = [
            *(when.result for when in node.whens),
            *([node.otherwise] if node.otherwise else []),
        ]
        self._note_all(written, [*(result for _, result in whens), otherwise])
        return functions.case(tuple(whens), otherwise, node.place, self.zone)

    def _note_all(self, nodes: Sequence[Expression], terms: Sequence[Term]) -> None:
        """Note that the parameters among values of one type have that of the first known one."""
        known = next((term.type for term in terms if term.type.kind is not Kind.NULL), NULL)
        for node in nodes:
            self._note(node, known)

    def _as(self, node: Expression, type_: DataType | None) -> Term:
        """Return the term of an argument; a parameter is noted to have the type wanted."""
        if type_ is not None:
            self._note(node, type_)
        return self.term(node)

    def _test(self, node: Expression) -> Term:
        match node:
            case Compare(operator=operator, left=left, right=right):
                return self._compare(_COMPARISONS[operator], left, right, node.place)
            case DistinctFrom(left=left, right=right, negated=negated):
                return _negated(self._compare("distinct", left, right, node.place), negated)
            case Between(operand=operand, low=low, high=high, negated=negated):
                bounds = (
                    self._compare("ge", operand, low, node.place),
                    self._compare("le", operand, high, node.place),
                )
                return _negated(Apply(BOOLEAN, "and", bounds), negated)
            case IsNull(operand=operand, negated=negated):
                return _negated(Apply(BOOLEAN, "is_null", (self.term(operand),)), negated)
            case IsKnown():
                raise NotSupported(
                    "IS KNOWN is a condition on rows",
                    place=node.place,
                    hint="write it in WHERE, or in FILTER (WHERE ...)",
                )
            case IsIn(operand=operand, members=members, negated=negated):
                return _negated(self._isin(operand, members), negated)
            case IsInLast():
                raise TypeMismatch(
                    "IN (LAST ...) takes periods of a calendar level",
                    place=node.place,
                    hint="write it behind a level such as day or month",
                )
            case IsInList(operand=operand, values=values, negated=negated):
                return _negated(self._in_list(operand, values), negated)
            case Like(operand=operand, pattern=pattern, negated=negated):
                return _negated(self._like(operand, pattern, node.place), negated)
        raise AssertionError(f"no meaning for {type(node).__name__}")

    def _compare(self, function: str, left: Expression, right: Expression, place: Place) -> Apply:
        one, other = self._operand(left, right), self._operand(right, left)
        self._note(left, other.type)
        self._note(right, one.type)
        if isinstance(one, Constant) and not isinstance(other, Constant):
            one, other, function = other, one, _MIRRORED.get(function, function)
        if isinstance(other, Constant):
            other = read_as(other, one.type, place)
        return comparison(function, one, other, self.zone, place)

    def _operand(self, node: Expression, beside: Expression) -> Term:
        """Return one side of a comparison; a name unknown beside a text may be a text itself."""
        try:
            return self.term(node)
        except UnknownName as unknown:
            if isinstance(node, Name) and self._is_text(beside):
                raise unquoted(node, unknown) from None
            raise

    def _is_text(self, node: Expression) -> bool:
        if isinstance(node, Literal | Parameter):
            return False
        try:
            return self.term(node).type.kind is Kind.TEXT
        except QueryError:
            return False

    def _beside(self, node: Expression, own: Term, other: Term) -> Term:
        """Return an operand; a parameter not yet bound has the type of what it stands beside."""
        if not isinstance(node, Parameter) or other.type.kind is Kind.NULL:
            return own
        # What is added to a date is a number of days.
        due = INTEGER if other.type.kind is Kind.DATE else other.type
        self.binding.note_type(node, due)
        return Constant(due, None) if self.binding.values is None else own

    def _note(self, node: Expression, type_: DataType) -> None:
        if isinstance(node, Parameter) and type_.kind is not Kind.NULL:
            self.binding.note_type(node, type_)

    def _isin(self, operand: Expression, members: tuple[Expression, ...]) -> Term:
        subject = self.term(operand)
        alternatives: dict[Term, None] = {}
        for member in members:
            self._note(member, subject.type)
            value = self.term(member)
            if not isinstance(value, Constant):
                raise NotSupported("IN takes literals and parameters", place=member.place)
            if value.value is None and self.binding.values is not None:
                raise TypeMismatch(
                    "NULL inside an IN list is never equal to anything",
                    place=member.place,
                    hint="take it out of the list, and test for it apart: IS NULL, IS NOT NULL",
                )
            alternatives.setdefault(self._member(subject, value, member.place))
        return Apply(BOOLEAN, "in", (subject, *alternatives))

    def _member(self, subject: Term, value: Constant, place: Place) -> Term:
        """Return a value of a list as it is compared with its subject."""
        value = read_as(value, subject.type, place)
        return comparison("eq", subject, value, self.zone, place).arguments[1]

    def _in_list(self, operand: Expression, parameter: Parameter) -> Term:
        """Return a test for membership of a bound list, in which NULL is as SQL has it."""
        subject = self.term(operand)
        values = self.binding.members(parameter, subject.type)
        if values is None:
            return Apply(BOOLEAN, "in", (subject, Constant(subject.type, None)))
        place = parameter.place
        known = (constant(value, place) for value in values if value is not None)
        members = dict.fromkeys(self._member(subject, value, place) for value in known)
        membership: Term = Constant(BOOLEAN, False)
        if members:
            membership = Apply(BOOLEAN, "in", (subject, *members))
        if None not in values:
            return membership
        # Nothing equals NULL, and whether it is in the list is not known.
        unknown = Constant(BOOLEAN, None)
        return Apply(BOOLEAN, "or", (membership, unknown)) if members else unknown

    def _like(self, operand: Expression, pattern: Expression, place: Place) -> Term:
        subject, written = self.term(operand), self.term(pattern)
        self._note(pattern, TEXT)
        for side in (subject, written):
            if side.type.kind not in (Kind.TEXT, Kind.NULL):
                raise TypeMismatch(f"LIKE takes text, not {side.type}", place=place)
        return Apply(BOOLEAN, "like", (subject, written))


def _no_value(node: Expression) -> TypeMismatch:
    return TypeMismatch(
        "an interval stands behind + or -, beside a date or a timestamp",
        place=node.place,
        hint="write day + INTERVAL 1 month",
    )


def _negated(term: Term, negated: bool) -> Term:
    return Apply(BOOLEAN, "not", (term,)) if negated else term


def _signed(operator: str, operand: Term, place: Place) -> Term:
    if not operand.type.is_number and operand.type.kind is not Kind.NULL:
        raise TypeMismatch(f"a sign stands before a number, not a {operand.type}", place=place)
    return operand if operator == "+" else Apply(operand.type, "negate", (operand,))
