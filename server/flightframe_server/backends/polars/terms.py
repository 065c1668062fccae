"""Terms to Polars expressions.

What comes in: a typed term and, for the levels, columns and metrics in it, the values that stand
for them. What goes out: one value of the term's declared type. It must never change three-valued
logic: a comparison with NULL is unknown, AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from flightframe_server.algebra import functions as algebra
from flightframe_server.algebra.functions import Nulls
from flightframe_server.algebra.types import BOOLEAN
from flightframe_server.backends.polars.functions import FUNCTIONS
from flightframe_server.backends.polars.values import Value, as_boolean, cast, constant
from flightframe_server.resolver.terms import Apply, Constant, Term

Leaf = Callable[[Term], Value]
"""Gives the value of a level, column or metric term."""

Keep = Callable[[Value], Value]
"""Holds a value in a column of its own and gives that column.

An exact operation reads its sides several times, so that an expression left as it is would double
with every operation around it.
"""

_READ_ONCE = frozenset({"and", "or", "not", "is_null", "like", "to_timestamp"})


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
    if term.function in algebra.CHOOSING:
        return _chosen(term, leaf, keep, guard)
    sides = [compile_term(argument, leaf, keep, guard) for argument in term.arguments]
    if term.function not in _READ_ONCE:
        sides = [
            keep(side) if isinstance(argument, Apply) else side
            for side, argument in zip(sides, term.arguments, strict=True)
        ]
    value = FUNCTIONS[term.function](term, sides)
    # A function that makes a truth value of NULL would make one of rows that are left out.
    never_null = algebra.FUNCTIONS[term.function].nulls is Nulls.NEVER
    return _guarded(value, guard) if never_null else value


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
            matches = value.expr.is_not_null()
        else:
            matches = rows(as_boolean(computed(test, guard)).fill_null(value=False), guard)
            value = cast(computed(part, matches), term.type)
        results.append(pl.when(matches).then(value.expr))
        guard = rows(~matches, guard)
    return Value(pl.coalesce(results), term.type)


def _ways(term: Apply) -> list[tuple[Term | None, Term]]:
    """Return what is tested and what comes of it, in order; without a test: whether it is NULL."""
    if term.function == "coalesce":
        return [(None, argument) for argument in term.arguments]
    *pairs, otherwise = term.arguments
    return [*zip(pairs[::2], pairs[1::2], strict=True), (None, otherwise)]


def every(tests: Sequence[Value]) -> pl.Expr:
    """Return whether all of some tests are true: neither false nor unknown."""
    return pl.all_horizontal(*map(as_boolean, tests)).fill_null(value=False)
