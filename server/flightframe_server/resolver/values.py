"""Values and the arithmetic of types: literals, parameters, and what an operation returns.

What comes in: literal values and typed terms. What goes out: constants of the type that the other
side wants, and the declared type of each operation (laws 7 and 8, docs/laws.md: integers and
decimals stay exact, `/` is double, a double makes double). It must never truncate a literal to
make it fit.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    NULL,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.catalog.zones import UTC, wall_clock
from flightframe_server.errors import (
    ArithmeticOverflow,
    LimitExceeded,
    NotSupported,
    Place,
    TypeMismatch,
    UnknownName,
    shown,
)
from flightframe_server.language.syntax import LiteralValue, Parameter, ParameterValue
from flightframe_server.resolver.terms import Apply, Constant, Term

INT64_MAX = 2**63 - 1

MAX_MEMBERS = 10_000
"""The most values of a bound list."""


@dataclass(slots=True)
class Binding:
    """The values of a query's parameters, or, where there are none yet, the types it wants.

    Attributes:
        values: by index for `?`, by name for `$name`; None where the query is only typed.
        types: filled while resolving: the type that each parameter is compared with, by key.
        lists: filled while resolving: the keys of parameters that stand for lists.
        used: filled while resolving: the keys of the parameters that the query has.
        now: the instant at which the question is asked; None where there is no such moment.
        today: filled while resolving: the day of that instant, where the query reads it.
    """

    values: Mapping[int | str, ParameterValue] | None = field(default_factory=dict)
    types: dict[int | str, DataType] = field(default_factory=dict)
    used: set[int | str] = field(default_factory=set)
    now: datetime.datetime | None = None
    today: datetime.date | None = None
    lists: set[int | str] = field(default_factory=set)

    def day_asked(self, zone: str, place: Place) -> Constant:
        """Return the day that a zone's clock shows as the question is asked; NULL where typed.

        Raises:
            NotSupported: it is asked at no moment, as what a collection declares is.
        """
        if self.values is None:
            return Constant(DATE, None)
        if self.now is None:
            raise NotSupported(
                "CURRENT_DATE stands in a query, which is asked at some moment", place=place
            )
        self.today = wall_clock(self.now, zone).date()
        return Constant(DATE, self.today)

    def constant(self, parameter: Parameter) -> Constant:
        """Return the bound value, or NULL where the query is only typed.

        Raises:
            UnknownName: the parameter has no value.
        """
        key = parameter.name if parameter.name is not None else parameter.index or 0
        self.used.add(key)
        if self.values is None:
            self.types.setdefault(key, TEXT)
            return Constant(NULL, None)
        if key not in self.values:
            name = f"${key}" if isinstance(key, str) else f"?{key + 1}"
            raise UnknownName(
                f"parameter {shown(name)} has no value",
                place=parameter.place,
                hint="bind a value to it before the query is carried out",
            )
        value = self.values[key]
        if isinstance(value, tuple):
            raise TypeMismatch(
                "a list stands behind IN alone", place=parameter.place, hint="write x IN $list"
            )
        return constant(value, parameter.place)

    def members(self, parameter: Parameter, type_: DataType) -> tuple[LiteralValue, ...] | None:
        """Return the values of a list; None where the query is only typed.

        Args:
            parameter: stands behind IN.
            type_: what its values are compared with.

        Raises:
            UnknownName: the parameter has no value.
            TypeMismatch: its value is no list.
            LimitExceeded: it is too long.
        """
        key = parameter.name if parameter.name is not None else parameter.index or 0
        self.used.add(key)
        self.lists.add(key)
        self.note_type(parameter, TEXT if type_.kind is Kind.NULL else type_)
        if self.values is None:
            return None
        if key not in self.values:
            return (self.constant(parameter).value,)
        value = self.values[key]
        if not isinstance(value, tuple):
            raise TypeMismatch(
                "what stands behind IN without parentheses is a list",
                place=parameter.place,
                hint="bind a list, or write IN (?) for one value",
            )
        if len(value) > MAX_MEMBERS:
            raise LimitExceeded(f"a list has at most {MAX_MEMBERS:,} values", place=parameter.place)
        return value

    def refuse_surplus(self) -> None:
        """Refuse values that the resolved query has no parameters for.

        Raises:
            TypeMismatch: there are such values.
        """
        values = self.values or {}
        surplus = [key for key in values if key not in self.used]
        if surplus:
            count = f"{len(self.used)} parameter{'' if len(self.used) == 1 else 's'}"
            named = ", ".join(f"${shown(key)}" for key in surplus if isinstance(key, str))
            raise TypeMismatch(
                f"the statement has {count}, {len(values)} came",
                hint=f"leave out {named}" if named else "bind one value for each ?",
            )

    def note_type(self, parameter: Parameter, type_: DataType) -> None:
        """Note the type that a parameter is compared with, for the parameter schema."""
        key = parameter.name if parameter.name is not None else parameter.index or 0
        self.types[key] = type_


def literal_type(value: LiteralValue) -> DataType:
    """Return the type of a Python value; decimals get just the digits they have."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int():
            return INTEGER if -INT64_MAX - 1 <= value <= INT64_MAX else decimal(MAX_PRECISION, 0)
        case Decimal():
            digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
            scale = max(0, -exponent) if isinstance(exponent, int) else 0
            return decimal(max(len(digits), scale, 1), scale)
        case float():
            return DOUBLE
        case datetime.datetime():
            return DataType(Kind.TIMESTAMP, zone=UTC) if value.tzinfo else TIMESTAMP
        case datetime.date():
            return DATE
        case str():
            return TEXT


def constant(value: LiteralValue, place: Place | None = None) -> Constant:
    """Return a value as a constant of its own type.

    Raises:
        ArithmeticOverflow: a number with more than 38 digits.
    """
    type_ = literal_type(value)
    if type_.kind is Kind.DECIMAL and (
        type_.precision > MAX_PRECISION
        or (isinstance(value, int) and abs(value) >= 10**MAX_PRECISION)
    ):
        raise ArithmeticOverflow(
            f"a number has at most 38 digits, and {shown(value)} has more", place=place
        )
    return Constant(type_, value)


def read_as(literal: Constant, type_: DataType, place: Place | None = None) -> Constant:
    """Read a text constant as the type it is compared with; other constants stay.

    Raises:
        TypeMismatch: the text is no value of that type.
    """
    if literal.type.kind is not Kind.TEXT or type_.kind in (Kind.TEXT, Kind.NULL):
        return literal
    written = str(literal.value).strip()
    try:
        return _parsed(written, type_)
    except (KeyError, ValueError, InvalidOperation):
        raise TypeMismatch(
            f"'{shown(written)}' is not a {type_.kind}", place=place, hint=_EXAMPLES[type_.kind]
        ) from None


_EXAMPLES = {
    Kind.INTEGER: "write a whole number such as 42",
    Kind.DECIMAL: "write a number such as 10.50",
    Kind.DOUBLE: "write a number such as 1.5e3",
    Kind.BOOLEAN: "write TRUE or FALSE",
    Kind.DATE: "write a date such as '2024-02-01'",
    Kind.TIMESTAMP: "write a timestamp such as '2024-02-01 12:30:00'",
}


def _parsed(written: str, type_: DataType) -> Constant:
    match type_.kind:
        case Kind.INTEGER:
            return constant(int(written))
        case Kind.DECIMAL:
            return constant(Decimal(written))
        case Kind.DOUBLE:
            return Constant(DOUBLE, float(written))
        case Kind.BOOLEAN:
            return Constant(BOOLEAN, {"true": True, "false": False}[written.lower()])
        case _:
            if len(written) == len("2024-02-01"):
                return Constant(DATE, datetime.date.fromisoformat(written))
            return constant(datetime.datetime.fromisoformat(written))


OPERATIONS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "%"}
"""The functions of arithmetic, each with its operator."""

_NAMES = {operator: name for name, operator in OPERATIONS.items()}


def arithmetic(operator: str, left: Term, right: Term, place: Place | None = None) -> Apply:
    """Return `left operator right` with its declared type.

    Raises:
        TypeMismatch: an operand is no number, or `%` is given something else than integers.
    """
    for side in (left, right):
        if not side.type.is_number and side.type.kind is not Kind.NULL:
            raise TypeMismatch(f"{operator} takes numbers, not {side.type}", place=place)
    name = _NAMES[operator]
    kinds = {left.type.kind, right.type.kind}
    if operator == "/" or (Kind.DOUBLE in kinds and operator != "%"):
        return Apply(DOUBLE, name, (left, right))
    if operator == "%":
        if not kinds <= {Kind.INTEGER, Kind.NULL}:
            raise TypeMismatch("% takes integers only", place=place)
        return Apply(INTEGER, name, (left, right))
    if Kind.DECIMAL not in kinds:
        return Apply(INTEGER, name, (left, right))
    scales = (left.type.scale, right.type.scale)
    scale = sum(scales) if operator == "*" else max(scales)
    if scale > MAX_PRECISION:
        raise TypeMismatch("a product keeps at most 38 decimal places", place=place)
    return Apply(decimal(MAX_PRECISION, scale), name, (left, right))


def common_type(left: DataType, right: DataType) -> DataType | None:
    """Return the type in which two values are compared, or None where they are not comparable."""
    kinds = {left.kind, right.kind}
    if Kind.NULL in kinds:
        return right if left.kind is Kind.NULL else left
    if left.is_number and right.is_number:
        if Kind.DOUBLE in kinds:
            return DOUBLE
        if Kind.DECIMAL in kinds:
            return decimal(MAX_PRECISION, max(left.scale, right.scale))
        return INTEGER
    if left.is_moment and right.is_moment:
        if kinds == {Kind.DATE}:
            return DATE
        # A literal's offset says which instant it is, and no more.
        zones = [zone for zone in (left.zone, right.zone) if zone is not None]
        named = max(zones, key=lambda zone: zone != UTC, default=None)
        return DataType(Kind.TIMESTAMP, zone=named)
    return left if left.kind is right.kind else None


def fill_of(fill: LiteralValue, type_: DataType) -> LiteralValue:
    """Return what a family declares to stand for a sum of nothing, as a value of the sum's type.

    None where it declares nothing, or no number of that type: a cent is no value of whole euros.
    """
    if fill is None or isinstance(fill, bool) or not isinstance(fill, int | Decimal | float):
        return None
    match type_.kind:
        case Kind.DOUBLE:
            return float(fill)
        case Kind.INTEGER if fill == int(fill) and literal_type(int(fill)) == INTEGER:
            return int(fill)
        case Kind.DECIMAL if not isinstance(fill, float):
            digits = Context(prec=MAX_PRECISION, traps=[])
            read = Decimal(fill).quantize(Decimal(1).scaleb(-type_.scale), context=digits)
            return read if read == fill else None
    return None


def castable(source: DataType, target: DataType) -> bool:
    """Return whether a computed value may be declared to have another type, checked row by row.

    A double is never declared a decimal or an integer: its last digits would be lost unseen.
    """
    if source == target or source.kind is Kind.NULL:
        return True
    if source.is_number and target.is_number:
        return source.kind is not Kind.DOUBLE or target.kind is Kind.DOUBLE
    return source.kind is target.kind or (source.is_moment and target.kind is Kind.TIMESTAMP)
