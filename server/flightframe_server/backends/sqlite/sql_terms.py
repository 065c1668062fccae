"""Terms to SQLite expressions, by the types of their arguments.

What comes in: a function of typed terms and what compiles its arguments. What goes out: one
expression. It must never compare or compute values of different types as they stand: whole numbers
and decimals are brought to one scale, dates beside timestamps to microseconds, and a number beside
a double to the nearest double.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal

from sqlglot import exp

from flightframe_server.algebra.types import DOUBLE, TIMESTAMP, DataType, Kind
from flightframe_server.backends.sql.dialect import Bound
from flightframe_server.backends.sql.terms import computed_arguments
from flightframe_server.backends.sqlite.sql_row_terms import (
    ROW_TERMS,
    called,
    integer,
    row_cast,
    row_term,
)
from flightframe_server.errors import InternalError, NotSupported
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import common_type
from flightframe_server.row_values import INT64_MAX, INT64_MIN

Compiled = Callable[[Term], exp.Expr]

_DIGITS = Context(prec=100)
_EXACT = (Kind.INTEGER, Kind.DECIMAL)
_COMPARE: dict[str, type[exp.Binary]] = {
    "eq": exp.EQ,
    "ne": exp.NEQ,
    "lt": exp.LT,
    "le": exp.LTE,
    "gt": exp.GT,
    "ge": exp.GTE,
}
_ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide"})


def text_literal(value: str) -> exp.Expr:
    """Return text of ours (never a client's) as it stands in the text."""
    return exp.Literal.string(value)


def converted(value: exp.Expr, given: DataType, wanted: DataType) -> exp.Expr:
    """Return a value of one type as the same value of another; what does not fit is refused."""
    if given.kind is Kind.NULL or (given.kind is wanted.kind and given.kind is not Kind.DECIMAL):
        return value
    if wanted.kind is Kind.DOUBLE and given.kind in _EXACT:
        if given.kind is Kind.INTEGER:
            return exp.Cast(this=value, to=exp.DataType.build("REAL"))
        return called("ff_real", value, integer(given.scale))
    if wanted.kind in _EXACT and given.kind in _EXACT:
        digits = 38 if wanted.kind is Kind.INTEGER else wanted.precision
        if given.scale == wanted.scale and digits >= min(given.precision or 19, 19):
            return value
        return called(
            "ff_rescale", value, integer(given.scale), integer(wanted.scale), integer(digits)
        )
    if given.kind is Kind.DATE and wanted.kind is Kind.TIMESTAMP:
        seconds = called("strftime", text_literal("%s"), value)
        whole = exp.Cast(this=seconds, to=exp.DataType.build("BIGINT"))
        return exp.Paren(this=exp.Mul(this=whole, expression=integer(1_000_000)))
    if given.kind is Kind.TIMESTAMP and wanted.kind is Kind.DATE:
        return called("ff_midnight", value)
    return row_cast(value, given, wanted)


def apply_term(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    """Return a function of terms as an expression.

    Raises:
        NotSupported: the function is not answered on SQLite.
        ArithmeticOverflow: a constant of more digits than 64 bits hold.
    """
    function, arguments = term.function, term.arguments
    if function in ("and", "or"):
        return _joined(function, [compiled(part) for part in arguments])
    if function in _COMPARE:
        return _compared(function, arguments[0], arguments[1], compiled, bound)
    match function:
        case "not":
            return exp.Not(this=exp.Paren(this=compiled(arguments[0])))
        case "is_null":
            return _is_null(compiled(arguments[0]))
        case "distinct":
            return _distinct(arguments, compiled)
        case "in":
            return _isin(arguments, compiled, bound)
        case "like":
            return called("ff_like", *(compiled(part) for part in arguments))
        case "nullif" if _alike(arguments):
            one, other = (exp.Paren(this=compiled(part)) for part in arguments)
            return exp.Nullif(this=one, expression=other)
        case "nullif":
            return called("ff_nullif", *_formed(arguments, compiled))
    return _value(term, compiled)


def _value(term: Apply, compiled: Compiled) -> exp.Expr:
    if term.function in _ARITHMETIC:
        return _arithmetic(term, compiled)
    types = [part.type for part in term.arguments]
    sides = [compiled(part) for part in computed_arguments(term)]
    if term.function in ROW_TERMS:
        return row_term(term, sides)
    match term.function:
        case "modulo":
            left, right = (exp.Paren(this=side) for side in sides)
            return exp.Paren(this=exp.Mod(this=left, expression=right))
        case "negate":
            if types[0].kind in _EXACT:
                return called("ff_subtract", integer(0), sides[0])
            return called("ff_double", text_literal("multiply"), sides[0], integer(-1))
        case "abs":
            return called("ff_abs", sides[0])
        case "coalesce":
            sides = [converted(side, of, term.type) for side, of in zip(sides, types, strict=True)]
            return exp.Coalesce(this=sides[0], expressions=sides[1:]) if sides[1:] else sides[0]
        case "to_timestamp":
            return converted(sides[0], types[0], TIMESTAMP)
        case "cast" | "to_double":
            return converted(sides[0], types[0], term.type)
    raise NotSupported(f"{term.function.upper()} is not answered on SQLite")


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=exp.Paren(this=value), expression=exp.Null())


def _joined(function: str, sides: list[exp.Expr]) -> exp.Expr:
    """Join tests as a balanced tree: SQLite refuses expressions more than 1,000 deep."""
    if len(sides) == 1:
        return exp.Paren(this=sides[0])
    half = len(sides) // 2
    node = exp.And if function == "and" else exp.Or
    left, right = _joined(function, sides[:half]), _joined(function, sides[half:])
    return exp.Paren(this=node(this=left, expression=right))


def _arithmetic(term: Apply, compiled: Compiled) -> exp.Expr:
    sides = [compiled(part) for part in term.arguments]
    types = [part.type for part in term.arguments]
    if term.type.kind is Kind.DOUBLE:
        numbers = [converted(side, given, DOUBLE) for side, given in zip(sides, types, strict=True)]
        return called("ff_double", text_literal(term.function), *numbers)
    if term.function != "multiply":
        scaled = DataType(Kind.DECIMAL, 38, term.type.scale)
        sides = [converted(side, given, scaled) for side, given in zip(sides, types, strict=True)]
    return called(f"ff_{term.function}", *sides)


def _sides(left: Term, right: Term, compiled: Compiled) -> tuple[exp.Expr, exp.Expr]:
    """Return two values of the type in which they are compared."""
    shared = common_type(left.type, right.type)
    if shared is None:
        raise InternalError(f"{left.type} and {right.type} cannot be compared")
    one, other = (
        exp.Paren(this=converted(compiled(side), side.type, shared)) for side in (left, right)
    )
    return one, other


def _compared(function: str, left: Term, right: Term, compiled: Compiled, bound: Bound) -> exp.Expr:
    exact = left.type.kind in _EXACT and right.type.kind in _EXACT
    if not exact:
        one, other = _sides(left, right, compiled)
        return exp.Paren(this=_COMPARE[function](this=one, expression=other))
    if isinstance(right, Constant) and right.value is not None:
        return _bounded(function, exp.Paren(this=compiled(left)), left.type, right, bound)
    one, other = compiled(left), compiled(right)
    if left.type.scale != right.type.scale:
        # At one scale a large number might not fit: these are compared without a limit.
        scales = integer(left.type.scale), integer(right.type.scale)
        one, other = called("ff_compare", one, scales[0], other, scales[1]), integer(0)
    else:
        one, other = exp.Paren(this=one), exp.Paren(this=other)
    return exp.Paren(this=_COMPARE[function](this=one, expression=other))


def _scaled(constant: Constant, scale: int) -> tuple[int, bool]:
    """Return the floor of a constant at a scale, and whether it is exactly that and fits."""
    number = Decimal(str(constant.value)).scaleb(scale, context=_DIGITS)
    floor = math.floor(number)
    return floor, floor == number and INT64_MIN <= floor <= INT64_MAX


def _bounded(
    function: str, value: exp.Expr, given: DataType, constant: Constant, bound: Bound
) -> exp.Expr:
    """Compare a scaled integer with a constant, which may lie between two of them."""
    floor, fits = _scaled(constant, given.scale)
    if fits:
        return exp.Paren(this=_COMPARE[function](this=value, expression=bound.add(floor)))
    if function in ("eq", "ne"):
        return _known(value, holds=function == "ne")
    limit = max(INT64_MIN, min(floor, INT64_MAX))
    over: type[exp.Binary] = exp.GT if floor >= INT64_MIN else exp.GTE
    under: type[exp.Binary] = exp.LTE if floor >= INT64_MIN else exp.LT
    node = over if function in ("gt", "ge") else under
    return exp.Paren(this=node(this=value, expression=bound.add(limit)))


def _known(value: exp.Expr, *, holds: bool) -> exp.Expr:
    """Return whether, for a value that is no NULL; unknown for one that is."""
    case = exp.Case().when(_is_null(value), exp.Null())
    return exp.Paren(this=case.else_(integer(int(holds))))


def _alike(arguments: tuple[Term, ...]) -> bool:
    """Return whether two values stand in the same form, so that SQLite itself compares them."""
    one, other = (argument.type for argument in arguments)
    exact = one.kind in _EXACT and other.kind in _EXACT and one.scale == other.scale
    return exact or (one.kind is other.kind and one.kind not in _EXACT)


def _distinct(arguments: tuple[Term, ...], compiled: Compiled) -> exp.Expr:
    """Return whether two values differ, NULL counted as a value."""
    if _alike(arguments):
        left, right = (exp.Paren(this=compiled(part)) for part in arguments)
        return exp.Paren(this=exp.Not(this=exp.Is(this=left, expression=right)))
    return called("ff_distinct", *_formed(arguments, compiled))


def _formed(arguments: tuple[Term, ...], compiled: Compiled) -> list[exp.Expr]:
    """Return two values, each with its scale, or the name of its form where it has none."""
    found: list[exp.Expr] = []
    for part in arguments:
        exact = part.type.kind in _EXACT
        form = integer(part.type.scale) if exact else text_literal(str(part.type.kind))
        found += [compiled(part), form]
    return found


def _isin(arguments: tuple[Term, ...], compiled: Compiled, bound: Bound) -> exp.Expr:
    """Return membership in a list, as one IN for the members that stand as the subject does."""
    subject, *members = arguments
    alike: list[exp.Expr] = []
    others: list[exp.Expr] = []
    for member in members:
        known = isinstance(member, Constant) and member.value is not None
        exact = known and member.type.kind in _EXACT
        if subject.type.kind in _EXACT and exact:
            assert isinstance(member, Constant)
            floor, fits = _scaled(member, subject.type.scale)
            # One that lies between two of the subject's values equals none of them.
            alike += [bound.add(floor)] if fits else []
        elif subject.type == member.type:
            alike.append(compiled(member))
        else:
            others.append(_compared("eq", subject, member, compiled, bound))
    value = exp.Paren(this=compiled(subject))
    listed = exp.In(this=value, expressions=alike) if alike else _known(value, holds=False)
    return _joined("or", [exp.Paren(this=listed), *others])
