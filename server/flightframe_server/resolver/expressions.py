"""Syntax to terms: types are checked here, once, for every kind of expression.

What comes in: a syntax node and a `Leaf`, which says what names and calls mean where it stands
(levels in WHERE, metrics in an item, outputs in HAVING, inputs in a formula). What goes out: a
typed term. It must never know which of those places it is in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flightframe_server.catalog.types import BOOLEAN, NULL, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.errors import NotSupported, Place, TypeMismatch
from flightframe_server.language.syntax import (
    Ascribed,
    Between,
    Binary,
    Call,
    Compare,
    DistinctFrom,
    Expression,
    IsIn,
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
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import (
    Binding,
    arithmetic,
    common_type,
    constant,
    read_as,
)

Leaf = Callable[[Name | Call | Ascribed | Star], Term]
"""Gives the term that a name, call, ascription or star stands for in one place."""

_COMPARISONS = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


@dataclass(frozen=True, slots=True)
class Typer:
    """Turns syntax into terms in one place of one query.

    Attributes:
        leaf: what names and calls mean there.
        binding: the parameters' values.
    """

    leaf: Leaf
    binding: Binding

    def term(self, node: Expression) -> Term:
        """Return the typed term of an expression.

        Raises:
            TypeMismatch: operands do not go together.
        """
        match node:
            case Name() | Call() | Ascribed() | Star():
                return self.leaf(node)
            case Literal(value=value, place=place):
                return constant(value, place)
            case Parameter():
                return self.binding.constant(node)
            case Unary(operator=operator, operand=operand, place=place):
                return _signed(operator, self.term(operand), place)
            case Binary(operator=operator, left=left, right=right, place=place):
                one, other = self.term(left), self.term(right)
                one, other = self._beside(left, one, other), self._beside(right, other, one)
                return arithmetic(operator, one, other, place)
            case Junction(operator=operator, operands=operands):
                parts = tuple(self.predicate(operand) for operand in operands)
                return Apply(BOOLEAN, operator.lower(), parts)
            case Not(operand=operand):
                return Apply(BOOLEAN, "not", (self.predicate(operand),))
        return self._test(node)

    def predicate(self, node: Expression) -> Term:
        """Return the term of an expression that must be true or false; raises `TypeMismatch`."""
        term = self.term(node)
        if term.type.kind not in (Kind.BOOLEAN, Kind.NULL):
            raise TypeMismatch(
                f"a condition is wanted here, not a {term.type.kind}", place=node.place
            )
        return term

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
            case IsIn(operand=operand, members=members, negated=negated):
                return _negated(self._isin(operand, members), negated)
            case Like(operand=operand, pattern=pattern, negated=negated):
                return _negated(self._like(operand, pattern, node.place), negated)
        raise AssertionError(f"no meaning for {type(node).__name__}")

    def _compare(self, function: str, left: Expression, right: Expression, place: Place) -> Apply:
        one, other = self.term(left), self.term(right)
        self._note(left, other.type)
        self._note(right, one.type)
        if isinstance(one, Constant) and not isinstance(other, Constant):
            one, other, function = other, one, _MIRRORED.get(function, function)
        if isinstance(other, Constant):
            other = read_as(other, one.type, place)
        return comparison(function, one, other, place)

    def _beside(self, node: Expression, own: Term, other: Term) -> Term:
        """Return an operand; a parameter not yet bound has the type of what it stands beside."""
        if not isinstance(node, Parameter) or other.type.kind is Kind.NULL:
            return own
        self.binding.want(node, other.type)
        return Constant(other.type, None) if self.binding.values is None else own

    def _note(self, node: Expression, type_: DataType) -> None:
        if isinstance(node, Parameter) and type_.kind is not Kind.NULL:
            self.binding.want(node, type_)

    def _isin(self, operand: Expression, members: tuple[Expression, ...]) -> Term:
        subject = self.term(operand)
        found: dict[Term, None] = {}
        for member in members:
            self._note(member, subject.type)
            value = self.term(member)
            if not isinstance(value, Constant):
                raise NotSupported("IN takes literals and parameters", place=member.place)
            if value.value is None and self.binding.values is not None:
                raise TypeMismatch(
                    "NULL inside an IN list is never equal to anything",
                    place=member.place,
                    hint="add OR ... IS NULL",
                )
            value = read_as(value, subject.type, member.place)
            found.setdefault(comparison("eq", subject, value, member.place).arguments[1])
        return Apply(BOOLEAN, "in", (subject, *found))

    def _like(self, operand: Expression, pattern: Expression, place: Place) -> Term:
        subject, written = self.term(operand), self.term(pattern)
        self._note(pattern, TEXT)
        for side in (subject, written):
            if side.type.kind not in (Kind.TEXT, Kind.NULL):
                raise TypeMismatch(f"LIKE takes text, not {side.type}", place=place)
        return Apply(BOOLEAN, "like", (subject, written))


def _negated(term: Term, negated: bool) -> Term:
    return Apply(BOOLEAN, "not", (term,)) if negated else term


def _signed(operator: str, operand: Term, place: Place) -> Term:
    if not operand.type.is_number and operand.type.kind is not Kind.NULL:
        raise TypeMismatch(f"a sign stands before a number, not a {operand.type}", place=place)
    return operand if operator == "+" else Apply(operand.type, "negate", (operand,))


def comparison(function: str, left: Term, right: Term, place: Place | None = None) -> Apply:
    """Return `left function right` over one common type; a date beside a timestamp becomes one.

    Raises:
        TypeMismatch: the two cannot be compared.
    """
    shared = common_type(left.type, right.type)
    if shared is None:
        raise TypeMismatch(f"{left.type} and {right.type} cannot be compared", place=place)
    return Apply(BOOLEAN, function, (_raised(left, shared), _raised(right, shared)))


def _raised(term: Term, shared: DataType) -> Term:
    if term.type.kind is Kind.DATE and shared.kind is Kind.TIMESTAMP:
        return Apply(TIMESTAMP, "to_timestamp", (term,))
    if term.type.kind is Kind.NULL and shared.kind is not Kind.NULL:
        return Constant(shared, None) if isinstance(term, Constant) else term
    return term


def scalar(name: str, arguments: tuple[Term, ...], place: Place) -> Term | None:
    """Return the term of a scalar function of formulas, or None where `name` is none.

    Raises:
        TypeMismatch: wrong number or types of arguments.
    """
    match name, arguments:
        case (("COALESCE" | "NULLIF"), (_, *_)):
            shared = NULL
            for argument in arguments:
                merged = common_type(shared, argument.type)
                if merged is None:
                    raise TypeMismatch(f"{name} takes values of one type", place=place)
                shared = merged
            if name == "NULLIF" and len(arguments) != 2:
                raise TypeMismatch("NULLIF takes two values", place=place)
            kept = arguments[0].type if name == "NULLIF" else shared
            return Apply(kept, name.lower(), arguments)
        case "ABS", (only,) if only.type.is_number:
            return Apply(only.type, "abs", (only,))
        case (("COALESCE" | "NULLIF" | "ABS"), _):
            raise TypeMismatch(f"{name} does not take these arguments", place=place)
    return None
