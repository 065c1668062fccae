"""Terms to Polars expressions.

What comes in: a typed term and, for the levels, columns and metrics in it, the values that stand
for them. What goes out: one value of the term's declared type. It must never change three-valued
logic: a comparison with NULL is unknown, AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from flightframe_server.algebra.types import BOOLEAN, DOUBLE, INTEGER, TIMESTAMP, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.row_functions import ROW_FUNCTIONS, row_function
from flightframe_server.backends.polars.values import (
    Value,
    as_boolean,
    as_double,
    cast,
    constant,
    held,
    plain,
)
from flightframe_server.errors import InternalError
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import common_type

Leaf = Callable[[Term], Value]
"""Gives the value of a level, column or metric term."""

Keep = Callable[[Value], Value]
"""Holds a value in a column of its own and gives that column.

An exact operation reads its sides several times, so that an expression left as it is would double
with every operation around it.
"""

_READ_ONCE = frozenset({"and", "or", "not", "is_null", "like", "to_timestamp"})

_ARITHMETIC = frozenset({"add", "subtract", "multiply"})
_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_SPECIAL = r"([\\.+*?()|\[\]{}^$#&~\-])"
_LISTED = frozenset({Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.BOOLEAN})


def compile_term(term: Term, leaf: Leaf, keep: Keep, guard: pl.Expr | None = None) -> Value:
    """Return a term as a value.

    Polars computes every branch for every row. Under a guard, all that a value is made from is NULL
    in the other rows, so that nothing can fail there.

    Args:
        term: what is computed.
        leaf: gives levels, columns and metrics.
        keep: holds what is read several times.
        guard: the rows for which it is computed at all; None for every row.
    """
    if isinstance(term, Constant):
        return _guarded(constant(term.value, term.type), guard)
    if not isinstance(term, Apply):
        return _guarded(leaf(term), guard)
    if term.function in ("case", "coalesce"):
        return _chosen(term, leaf, keep, guard)
    sides = [compile_term(argument, leaf, keep, guard) for argument in term.arguments]
    if term.function not in _READ_ONCE:
        sides = [
            keep(side) if isinstance(argument, Apply) else side
            for side, argument in zip(sides, term.arguments, strict=True)
        ]
    if term.function in _ARITHMETIC:
        return _arithmetic(term.function, sides[0], sides[1], term.type)
    if term.function in ROW_FUNCTIONS:
        return row_function(term, sides)
    if term.type.kind is Kind.BOOLEAN and term.function != "nullif":
        test = Value(_test(term, sides), BOOLEAN)
        # These make a truth value of NULL.
        return _guarded(test, guard) if term.function in ("is_null", "distinct") else test
    return _scalar(term, sides)


def _guarded(value: Value, guard: pl.Expr | None) -> Value:
    return value if guard is None else Value(pl.when(guard).then(value.expr), value.type)


def _chosen(term: Apply, leaf: Leaf, keep: Keep, guard: pl.Expr | None) -> Value:
    """Return a CASE or COALESCE: each value computed for the rows that come to it."""

    def computed(part: Term, rows: pl.Expr | None) -> Value:
        return compile_term(part, leaf, keep, rows)

    def rows(test: pl.Expr, within: pl.Expr | None) -> pl.Expr:
        chosen = test if within is None else test & within
        return keep(Value(chosen, BOOLEAN)).expr

    results: list[pl.Expr] = []
    for test, part in _ways(term):
        if test is None:
            value = keep(cast(computed(part, guard), term.type))
            taken = value.expr.is_not_null()
        else:
            taken = rows(as_boolean(computed(test, guard)).fill_null(value=False), guard)
            value = cast(computed(part, taken), term.type)
        results.append(pl.when(taken).then(value.expr))
        guard = rows(~taken, guard)
    return Value(pl.coalesce(results), term.type)


def _ways(term: Apply) -> list[tuple[Term | None, Term]]:
    """Return what is tested and what comes of it, in order; without a test: whether it is NULL."""
    if term.function == "coalesce":
        return [(None, argument) for argument in term.arguments]
    *pairs, otherwise = term.arguments
    return [*zip(pairs[::2], pairs[1::2], strict=True), (None, otherwise)]


def _arithmetic(function: str, left: Value, right: Value, wanted: DataType) -> Value:
    if wanted.kind is Kind.DOUBLE:
        one, other = as_double(left).expr, as_double(right).expr
        plainly = {"add": one + other, "subtract": one - other, "multiply": one * other}
        return Value(plainly[function], DOUBLE)
    left, right = (cast(side, INTEGER) if _untyped(side) else side for side in (left, right))
    if function == "multiply":
        return _number(exact.multiply(left.digits, right.digits), wanted)
    scale = max(left.type.scale, right.type.scale)
    sides = [exact.rescale(side.digits, side.type.scale, scale) for side in (left, right)]
    operation = exact.add if function == "add" else exact.subtract
    return _number(operation(*sides), wanted)


def _untyped(side: Value) -> bool:
    return side.type.kind is Kind.NULL


def _number(digits: pl.Expr, wanted: DataType) -> Value:
    return Value(exact.integer(digits) if wanted.kind is Kind.INTEGER else digits, wanted)


def _test(term: Apply, sides: list[Value]) -> pl.Expr:
    if term.function in _COMPARISONS:
        return compare(term.function, sides[0], sides[1])
    match term.function:
        case "and":
            return pl.all_horizontal(*map(as_boolean, sides))
        case "or":
            return pl.any_horizontal(*map(as_boolean, sides))
        case "not":
            return ~as_boolean(sides[0])
        case "is_null":
            return sides[0].expr.is_null()
        case "distinct":
            absent = [side.expr.is_null() for side in sides]
            same = compare("eq", sides[0], sides[1]).fill_null(value=False)
            return ~(same | (absent[0] & absent[1]))
        case "in":
            return _among(term, sides)
        case "like":
            return _like(sides[0], sides[1], term.arguments[1])
    raise InternalError(f"no meaning for {term.function}")


def compare(function: str, left: Value, right: Value) -> pl.Expr:
    """Return `left function right` over their common type; NaN is above every number."""
    shared = common_type(left.type, right.type)
    if shared is None:
        raise InternalError(f"{left.type} and {right.type} cannot be compared")
    if shared.kind is Kind.NULL:
        return pl.lit(None, dtype=pl.Boolean)
    if function == "ne":
        return ~compare("eq", left, right)
    if function in ("gt", "ge"):
        return compare({"gt": "lt", "ge": "le"}[function], right, left)
    if shared.kind is Kind.DECIMAL:
        one, other = (cast(side, INTEGER) if _untyped(side) else side for side in (left, right))
        scales = one.type.scale, other.type.scale
        return exact.compare(function, one.digits, other.digits, *scales)
    one, other = (cast(side, shared) for side in (left, right))
    plainly = {
        "eq": one.expr == other.expr,
        "lt": one.expr < other.expr,
        "le": one.expr <= other.expr,
    }
    return plainly[function]


def _among(term: Apply, sides: list[Value]) -> pl.Expr:
    subject, members = sides[0], term.arguments[1:]
    kind = subject.type.kind
    values = [
        plain(member.value, member.type)
        for member in members
        if isinstance(member, Constant) and member.value is not None and member.type.kind is kind
    ]
    if kind in _LISTED and len(values) == len(members):
        listed = pl.Series(values, dtype=held(subject.type))
        return subject.expr.is_in(listed.implode())
    return pl.any_horizontal(*(compare("eq", subject, side) for side in sides[1:]))


def _like(subject: Value, pattern: Value, written: Term) -> pl.Expr:
    if Kind.NULL in (subject.type.kind, pattern.type.kind):
        return pl.lit(None, dtype=pl.Boolean)
    if isinstance(written, Constant):
        if written.value is None:
            return pl.lit(None, dtype=pl.Boolean)
        return subject.expr.str.contains(rf"(?s)\A{like_regex(str(written.value))}\z")
    body = pattern.expr.str.replace_all(_SPECIAL, r"\$1")
    body = body.str.replace_all("%", ".*", literal=True).str.replace_all("_", ".", literal=True)
    return subject.expr.str.contains(pl.lit(r"(?s)\A") + body + pl.lit(r"\z"))


def like_regex(pattern: str) -> str:
    r"""Return the regular expression of a LIKE pattern: `%` any text, `_` one character.

    >>> like_regex("a.%_")
    'a\\x{2e}.*.'
    """
    holes = {"%": ".*", "_": "."}
    return "".join(
        holes.get(letter) or (letter if letter.isalnum() else f"\\x{{{ord(letter):x}}}")
        for letter in pattern
    )


def _scalar(term: Apply, sides: list[Value]) -> Value:
    match term.function:
        case "divide":
            left, right = (as_double(side).expr for side in sides)
            return Value(exact.divide(left, pl.when(right != 0.0).then(right)), DOUBLE)
        case "modulo":
            left, right = (cast(side, INTEGER).digits for side in sides)
            return Value(exact.integer(exact.remainder(left, right)), INTEGER)
        case "negate" | "abs":
            return _signed(term.function, sides[0])
        case "nullif":
            same = compare("eq", sides[0], sides[1]).fill_null(value=False)
            return Value(pl.when(~same).then(cast(sides[0], term.type).expr), term.type)
        case "to_timestamp":
            return cast(sides[0], TIMESTAMP)
        case "to_double":
            return as_double(sides[0])
    raise InternalError(f"no meaning for {term.function}")


def _signed(function: str, side: Value) -> Value:
    match side.type.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            digits = side.digits
            return _number(
                exact.negative(digits) if function == "negate" else digits.abs(), side.type
            )
        case Kind.DOUBLE:
            return Value(-side.expr if function == "negate" else side.expr.abs(), side.type)
    return side


def every(tests: Sequence[Value]) -> pl.Expr:
    """Return whether all of some tests are true: neither false nor unknown."""
    return pl.all_horizontal(*map(as_boolean, tests)).fill_null(value=False)
