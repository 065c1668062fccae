"""Terms to SQLite expressions, by the types of their arguments.

What comes in: a function of typed terms and what compiles its arguments. What goes out: one
expression. It must never compare or compute values of different types as they stand: whole numbers
and decimals are brought to one scale, dates beside timestamps to microseconds, and a number beside
a double to the nearest double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal

from sqlglot import exp

from flightframe_server.algebra.types import DOUBLE, DataType, Kind
from flightframe_server.backends.sql.dialect import Bound
from flightframe_server.backends.sql.terms import computed_arguments
from flightframe_server.backends.sqlite.sql_row_terms import (
    ROW_TERMS,
    RowTerm,
    called,
    integer,
    row_cast,
)
from flightframe_server.errors import InternalError
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

Word = Callable[[Apply, Compiled, Bound], exp.Expr]
"""Gives the expression of a function; it compiles the arguments as their types want it."""


def text_literal(value: str) -> exp.Expr:
    """Return text of ours (never a client's) as it stands in the text."""
    return exp.Literal.string(value)


def converted(value: exp.Expr, source: DataType, target: DataType) -> exp.Expr:
    """Return a value of one type as the same value of another; what does not fit is refused."""
    if source.kind is Kind.NULL or (source.kind is target.kind and source.kind is not Kind.DECIMAL):
        return value
    if target.kind is Kind.DOUBLE and source.kind in _EXACT:
        if source.kind is Kind.INTEGER:
            return exp.Cast(this=value, to=exp.DataType.build("REAL"))
        return called("ff_real", value, integer(source.scale))
    if target.kind in _EXACT and source.kind in _EXACT:
        digits = 38 if target.kind is Kind.INTEGER else target.precision
        if source.scale == target.scale and digits >= min(source.precision or 19, 19):
            return value
        return called(
            "ff_rescale", value, integer(source.scale), integer(target.scale), integer(digits)
        )
    if source.kind is Kind.DATE and target.kind is Kind.TIMESTAMP:
        seconds = called("strftime", text_literal("%s"), value)
        number = exp.Cast(this=seconds, to=exp.DataType.build("BIGINT"))
        return exp.Paren(this=exp.Mul(this=number, expression=integer(1_000_000)))
    if source.kind is Kind.TIMESTAMP and target.kind is Kind.DATE:
        return called("ff_midnight", value)
    return row_cast(value, source, target)


def _and_or(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return _joined(term.function, [compiled(part) for part in term.arguments])


def _comparison(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return _compared(term.function, term.arguments[0], term.arguments[1], compiled, bound)


def _not(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return exp.Not(this=exp.Paren(this=compiled(term.arguments[0])))


def _null(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return _is_null(compiled(term.arguments[0]))


def _like(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return called("ff_like", *(compiled(part) for part in term.arguments))


def _nullif(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    if not _alike(term.arguments):
        return called("ff_nullif", *_formed(term.arguments, compiled))
    left, right = (exp.Paren(this=compiled(part)) for part in term.arguments)
    return exp.Nullif(this=left, expression=right)


def _modulo(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    left, right = (exp.Paren(this=compiled(part)) for part in term.arguments)
    return exp.Paren(this=exp.Mod(this=left, expression=right))


def _negate(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    side = compiled(term.arguments[0])
    if term.arguments[0].type.kind in _EXACT:
        return called("ff_subtract", integer(0), side)
    return called("ff_double", text_literal("multiply"), side, integer(-1))


def _coalesce(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    sides = [converted(compiled(part), part.type, term.type) for part in term.arguments]
    return exp.Coalesce(this=sides[0], expressions=sides[1:]) if sides[1:] else sides[0]


def _converted(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    only = term.arguments[0]
    return converted(compiled(only), only.type, term.type)


def _square_root(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    return called("ff_sqrt", _converted(term, compiled, bound))


def _row_term(word: RowTerm) -> Word:
    """Return the word of a function that takes its arguments as they are."""
    return lambda term, compiled, _: word(
        term, [compiled(part) for part in computed_arguments(term)]
    )


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


def _arithmetic(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    sides = [compiled(part) for part in term.arguments]
    types = [part.type for part in term.arguments]
    if term.type.kind is Kind.DOUBLE:
        numbers = [converted(side, type_, DOUBLE) for side, type_ in zip(sides, types, strict=True)]
        return called("ff_double", text_literal(term.function), *numbers)
    if term.function != "multiply":
        scaled = DataType(Kind.DECIMAL, 38, term.type.scale)
        sides = [converted(side, type_, scaled) for side, type_ in zip(sides, types, strict=True)]
    return called(f"ff_{term.function}", *sides)


def _sides(left: Term, right: Term, compiled: Compiled) -> tuple[exp.Expr, exp.Expr]:
    """Return two values of the type in which they are compared."""
    shared = common_type(left.type, right.type)
    if shared is None:
        raise InternalError(f"{left.type} and {right.type} cannot be compared")
    first, second = (
        exp.Paren(this=converted(compiled(side), side.type, shared)) for side in (left, right)
    )
    return first, second


def _compared(function: str, left: Term, right: Term, compiled: Compiled, bound: Bound) -> exp.Expr:
    exact = left.type.kind in _EXACT and right.type.kind in _EXACT
    if not exact:
        first, second = _sides(left, right, compiled)
        return exp.Paren(this=_COMPARE[function](this=first, expression=second))
    if isinstance(right, Constant) and right.value is not None:
        return _bounded(function, exp.Paren(this=compiled(left)), left.type, right, bound)
    first, second = compiled(left), compiled(right)
    if left.type.scale != right.type.scale:
        # A large number might not fit at one scale: these are compared without a limit.
        scales = integer(left.type.scale), integer(right.type.scale)
        first, second = called("ff_compare", first, scales[0], second, scales[1]), integer(0)
    else:
        first, second = exp.Paren(this=first), exp.Paren(this=second)
    return exp.Paren(this=_COMPARE[function](this=first, expression=second))


def _scaled(constant: Constant, scale: int) -> tuple[int, bool]:
    """Return the floor of a constant at a scale, and whether it is exactly that and fits."""
    number = Decimal(str(constant.value)).scaleb(scale, context=_DIGITS)
    floor = math.floor(number)
    return floor, floor == number and INT64_MIN <= floor <= INT64_MAX


def _bounded(
    function: str, value: exp.Expr, type_: DataType, constant: Constant, bound: Bound
) -> exp.Expr:
    """Compare a scaled integer with a constant, which may lie between two of them."""
    floor, fits = _scaled(constant, type_.scale)
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
    left, right = (argument.type for argument in arguments)
    exact = left.kind in _EXACT and right.kind in _EXACT and left.scale == right.scale
    return exact or (left.kind is right.kind and left.kind not in _EXACT)


def _distinct(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    """Return whether two values differ, NULL counted as a value."""
    arguments = term.arguments
    if _alike(arguments):
        left, right = (exp.Paren(this=compiled(part)) for part in arguments)
        return exp.Paren(this=exp.Not(this=exp.Is(this=left, expression=right)))
    return called("ff_distinct", *_formed(arguments, compiled))


def _formed(arguments: tuple[Term, ...], compiled: Compiled) -> list[exp.Expr]:
    """Return two values, each with its scale, or the name of its form where it has none."""
    formed: list[exp.Expr] = []
    for part in arguments:
        exact = part.type.kind in _EXACT
        form = integer(part.type.scale) if exact else text_literal(str(part.type.kind))
        formed += [compiled(part), form]
    return formed


def _isin(term: Apply, compiled: Compiled, bound: Bound) -> exp.Expr:
    """Return membership in a list, as one IN for the members that stand as the subject does."""
    subject, *members = term.arguments
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


FUNCTIONS: Mapping[str, Word] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide"), _arithmetic),
    "modulo": _modulo,
    "negate": _negate,
    **dict.fromkeys(_COMPARE, _comparison),
    "and": _and_or,
    "or": _and_or,
    "not": _not,
    "is_null": _null,
    "distinct": _distinct,
    "in": _isin,
    "like": _like,
    "nullif": _nullif,
    "coalesce": _coalesce,
    "cast": _converted,
    "to_timestamp": _converted,
    "sqrt": _square_root,
    **{name: _row_term(word) for name, word in ROW_TERMS.items()},
}
"""Every row function in SQLite's words, most of them functions of ours."""
