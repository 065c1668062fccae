"""Expressions of SQL over one row in memory: the values and conditions of catalogue queries.

What comes in: a tree of sqlglot and the columns it may name. What goes out: a type and a function
of a row. It must never guess at what it does not know: another function, or values that do not
compare, are errors.

Logic has three values, None standing for unknown. Text compares by code point and names in any
case, as in Frame-QL.
"""

from __future__ import annotations

import datetime
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlglot import exp

from flightframe_server.errors import NotSupported, TypeMismatch, UnknownName, did_you_mean, shown
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.sql.allowed_sql import construct
from flightframe_server.sql.parse import parameter_index
from flightframe_server.sql.patterns import pattern
from flightframe_server.sql.places import place_of
from flightframe_server.sql.session_values import Session, SessionValue, session_value

Row = Sequence[Any]

_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """One expression: its field, what it is for a row, and whether it is the same for all."""

    field: pa.Field
    value: Callable[[Row], Any]
    constant: bool = False

    @property
    def type(self) -> pa.DataType:
        """The type of its values."""
        return self.field.type


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values bound to a text's parameters, and the types that they are compared with.

    Attributes:
        values: by index; None while the text is typed only.
        types: filled as expressions are compiled.
    """

    values: Mapping[int | str, LiteralValue] | None
    types: dict[int, pa.DataType] = field(default_factory=dict)

    def refuse_surplus(self) -> None:
        """Refuse values that the compiled text has no parameters for.

        Raises:
            TypeMismatch: there are such values.
        """
        values = self.values or {}
        if any(index not in self.types for index in values):
            raise TypeMismatch(
                f"the statement has {len(self.types)} parameters, {len(values)} came",
                hint="bind one value for each ?",
            )

    def compiled(self, node: exp.Placeholder, type_: pa.DataType) -> Compiled:
        """Return a parameter as a constant of a type.

        Raises:
            UnknownName: nothing is bound to it.
            TypeMismatch: what is bound to it is of another kind.
        """
        index = parameter_index(node)
        self.types.setdefault(index, type_)
        if self.values is None:
            return _constant(None, type_)
        if index not in self.values:
            raise UnknownName(
                f"parameter ?{index + 1} has no value",
                hint="bind a value to it before the query is carried out",
            )
        value = self.values[index]
        kind, expected = _kind(pa.scalar(value).type), _kind(type_)
        # A moment may be written as a text.
        written = expected == "moments" and isinstance(value, str)
        if kind not in ("null", expected) and not written:
            raise TypeMismatch(f"parameter ?{index + 1} stands among {expected}, not {kind}")
        return _constant(value, type_)


@dataclass(frozen=True, slots=True)
class Columns:
    """What expressions may name: the fields of one source and the names it goes by.

    Attributes:
        schema: the fields, in the order of a row's values.
        path: the source's name with what qualifies it, the name last; empty for none.
        parameters: the text's.
        session: who asks; None where values of the session are not answered.
    """

    schema: pa.Schema
    path: tuple[str, ...]
    parameters: Parameters
    session: Session | None = None

    def compiled(self, node: exp.Expr, like: pa.DataType | None = None) -> Compiled:
        """Return an expression compiled; `like` is the type that a parameter in its place has.

        Raises:
            UnknownName: there is no column of that name.
            TypeMismatch: values that do not go together.
            NotSupported: a construct that catalogue queries do not have.
        """
        match node:
            case exp.Paren():
                return self.compiled(node.this, like)
            case exp.Column():
                return self._column(node)
            case exp.Placeholder():
                return self.parameters.compiled(node, like or pa.string())
            case exp.Literal() | exp.Boolean() | exp.Null() | exp.Neg():
                return _literal(node)
            case exp.Lower() | exp.Upper():
                return self._cased(node)
        asks = session_value(node)
        return self._condition(node) if asks is None else self._of_session(node, asks)

    def places(self, qualifier: exp.Column) -> range:
        """Return the places of all columns, for `*` and `t.*`; raises `UnknownName`."""
        self._check_qualifier(qualifier)
        return range(len(self.schema))

    def _column(self, node: exp.Column) -> Compiled:
        self._check_qualifier(node)
        name = node.name.casefold()
        for place, known in enumerate(self.schema):
            if known.name.casefold() == name:
                return Compiled(known, operator.itemgetter(place))
        asks = session_value(node)
        if asks is not None:
            return self._of_session(node, asks)
        raise UnknownName(
            f"there is no column {shown(node.name)}",
            hint=did_you_mean(node.name, self.schema.names),
        )

    def _of_session(self, node: exp.Expr, asks: SessionValue) -> Compiled:
        value = asks.answer(self.session, place_of(node))
        return Compiled(pa.field(asks.name, asks.type), lambda row: value)

    def _check_qualifier(self, node: exp.Column) -> None:
        written = tuple(part.name.casefold() for part in node.parts[:-1])
        known = tuple(name.casefold() for name in self.path)
        if written and known[-len(written) :] != written:
            raise UnknownName(f"there is no table {shown(node.parts[-2].name)} in FROM")

    def _cased(self, node: exp.Lower | exp.Upper) -> Compiled:
        inner = self.compiled(node.this)
        _expect(inner, pa.types.is_string, "LOWER and UPPER take texts")
        turn = str.lower if isinstance(node, exp.Lower) else str.upper

        def value(row: Row) -> str | None:
            text = inner.value(row)
            return None if text is None else turn(text)

        return Compiled(pa.field("", pa.string()), value, inner.constant)

    def _condition(self, node: exp.Expr) -> Compiled:
        match node:
            case exp.And() | exp.Or():
                return self._junction(node)
            case exp.Not():
                inner = self._truth(node.this)
                return _truth(lambda row: _not(inner.value(row)), inner)
            case exp.In(this=subject, expressions=members) if members:
                return self._in(subject, members)
            case exp.Between(this=subject):
                return self._between(subject, node)
            case exp.Is():
                return self._is(node)
            case exp.Like() | exp.ILike():
                return self._like(node, "")
            case exp.Escape(this=exp.Like() | exp.ILike() as like, expression=exp.Literal() as by):
                return self._like(like, by.name)
        for kind, holds in _COMPARISONS.items():
            if type(node) is kind:
                return self._compared(node.this, node.expression, holds)
        raise NotSupported(
            f"{construct(node)} is not answered here over the catalogue", place=place_of(node)
        )

    def _truth(self, node: exp.Expr) -> Compiled:
        condition = self.compiled(node, pa.bool_())
        _expect(condition, pa.types.is_boolean, "a condition is TRUE or FALSE")
        return condition

    def _junction(self, node: exp.And | exp.Or) -> Compiled:
        parts = [self._truth(part) for part in node.flatten()]
        deciding = isinstance(node, exp.Or)

        def value(row: Row) -> bool | None:
            results = [part.value(row) for part in parts]
            if deciding in results:
                return deciding
            return None if None in results else not deciding

        # One constant that decides makes the whole a constant: `1 = 0 AND region = 'East'`.
        settled = any(part.constant and part.value(()) is deciding for part in parts)
        return Compiled(_CONDITION, value if not settled else lambda row: deciding,
                        settled or all(part.constant for part in parts))  # fmt: skip

    def _compared(
        self, left: exp.Expr, right: exp.Expr, holds: Callable[[Any, Any], bool]
    ) -> Compiled:
        one, other = self._alike(left, right)

        def value(row: Row) -> bool | None:
            a, b = one.value(row), other.value(row)
            return None if a is None or b is None else holds(a, b)

        return _truth(value, one, other)

    def _alike(self, left: exp.Expr, right: exp.Expr) -> tuple[Compiled, Compiled]:
        """Return two sides that compare, a parameter of the other side's type."""
        if isinstance(left.unnest(), _CONDITIONS) or isinstance(right.unnest(), _CONDITIONS):
            # Dialects differ in what `a = b IS NULL` means, and the tree does not tell which
            # parentheses were written.
            raise NotSupported("a comparison of conditions is not answered over the catalogue")
        placed = [isinstance(side.unnest(), exp.Placeholder) for side in (left, right)]
        if placed == [True, False]:
            other, one = self._alike(right, left)
            return one, other
        one = self.compiled(left)
        other = self.compiled(right, one.type)
        return _comparable(one, other)

    def _in(self, subject: exp.Expr, members: list[exp.Expr]) -> Compiled:
        parts = [self._compared(subject, member, operator.eq) for member in members]

        def value(row: Row) -> bool | None:
            results = [part.value(row) for part in parts]
            return True if True in results else None if None in results else False

        return _truth(value, *parts)

    def _between(self, subject: exp.Expr, node: exp.Between) -> Compiled:
        low = self._compared(subject, node.args["low"], operator.ge)
        high = self._compared(subject, node.args["high"], operator.le)

        def value(row: Row) -> bool | None:
            results = (low.value(row), high.value(row))
            return False if False in results else None if None in results else True

        return _truth(value, low, high)

    def _is(self, node: exp.Is) -> Compiled:
        inner = self.compiled(node.this)
        truth: bool | None
        match node.expression:
            case exp.Null():
                truth = None
            case exp.Boolean(this=written):
                truth = bool(written)
            case _:
                raise NotSupported("IS takes NULL, TRUE or FALSE")
        negated = bool(node.args.get("negate"))
        return _truth(lambda row: (inner.value(row) is truth) is not negated, inner)

    def _like(self, node: exp.Like | exp.ILike, escape: str) -> Compiled:
        subject = self.compiled(node.this, pa.string())
        template = self.compiled(node.expression, pa.string())
        for side in (subject, template):
            _expect(side, pa.types.is_string, "LIKE takes texts")
        if len(escape) > 1 or not template.constant:
            raise NotSupported("LIKE takes one pattern, and ESCAPE one character")
        written = template.value(())
        if written is None:
            return _truth(lambda row: None, template)
        fits = pattern(written, escape=escape, any_case=isinstance(node, exp.ILike)).fullmatch
        negated = bool(node.args.get("negate"))

        def value(row: Row) -> bool | None:
            text = subject.value(row)
            return None if text is None else (fits(text) is not None) is not negated

        return _truth(value, subject)


_CONDITIONS = (exp.Predicate, exp.Connector, exp.Not)
_CONDITION = pa.field("", pa.bool_())


def _truth(value: Callable[[Row], bool | None], *parts: Compiled) -> Compiled:
    return Compiled(_CONDITION, value, all(part.constant for part in parts))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _constant(value: Any, type_: pa.DataType) -> Compiled:
    return Compiled(pa.field("", type_), lambda row: value, True)


def _literal(node: exp.Expr) -> Compiled:
    match node:
        case exp.Null():
            return _constant(None, pa.null())
        case exp.Boolean(this=value):
            return _constant(bool(value), pa.bool_())
        case exp.Neg(this=exp.Literal(is_string=False) as number):
            inner = _literal(number)
            return _constant(-inner.value(()), inner.type)
        case exp.Literal(is_string=True):
            return _constant(node.name, pa.string())
        case exp.Literal():
            return _number(node.name)
    raise NotSupported("a sign stands before a number")


def _number(text: str) -> Compiled:
    if not text.isdecimal():
        return _constant(_double(text), pa.float64())
    number = int(text) if len(text) < 20 else 2**64
    if number >= 2**63:
        raise TypeMismatch("a whole number has at most 64 bits")
    return _constant(number, pa.int64())


def _double(text: str) -> float:
    # The reader takes `1e` for a number, and any exponent.
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise TypeMismatch(f"{shown(text)} is no number of 64 bits")
    return value


def _expect(compiled: Compiled, fits: Callable[[pa.DataType], bool], message: str) -> None:
    if not fits(compiled.type) and not pa.types.is_null(compiled.type):
        raise TypeMismatch(message)


def _comparable(one: Compiled, other: Compiled) -> tuple[Compiled, Compiled]:
    """Return both sides, a text literal beside a moment read as one."""
    for first, second in ((one, other), (other, one)):
        if pa.types.is_timestamp(first.type) and second.constant:
            moment = _constant(_moment(second.value(())), first.type)
            return (one, moment) if first is one else (moment, other)
    kinds = {_kind(side.type) for side in (one, other)} - {"null"}
    if len(kinds) > 1:
        raise TypeMismatch(f"{' and '.join(sorted(kinds))} do not compare")
    if kinds == {"moments"} and one.type != other.type:
        raise TypeMismatch("a date, a timestamp and an instant do not compare with one another")
    return one, other


def _moment(value: Any) -> datetime.datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise TypeMismatch(f"{shown(value)} is not a timestamp") from None
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
    raise TypeMismatch("a timestamp compares with a timestamp")


def _kind(type_: pa.DataType) -> str:
    for fits, kind in (
        (pa.types.is_null, "null"),
        (pa.types.is_boolean, "booleans"),
        (pa.types.is_string, "texts"),
        (pa.types.is_temporal, "moments"),
    ):
        if fits(type_):
            return kind
    return "numbers"
