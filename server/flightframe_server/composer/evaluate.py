"""Terms evaluated over Arrow columns.

What comes in: a term, and the array that stands for each level and metric in it. What goes out: an
array of the term's declared type. It must never lose SQL's three-valued logic: a comparison with
NULL is unknown, and AND, OR and NOT are Kleene's.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.functions import CHOOSING
from flightframe_server.arrow_types import arrow_type
from flightframe_server.composer.functions import FUNCTIONS, boolean
from flightframe_server.resolver.terms import Apply, Constant, Term

Columns = Callable[[Term], pa.Array]
"""Gives the array of a level, column or metric term."""


def evaluate(term: Term, columns: Columns, rows: int) -> pa.Array:
    """Return the values of a term, one for each of `rows` rows.

    Raises:
        ArithmeticOverflow: a value does not fit its declared type.
    """
    type_ = arrow_type(term.type)
    match term:
        case Constant(value=value):
            return pa.repeat(pa.scalar(value, type_), rows)
        case Apply(function=function) if function in CHOOSING:
            return _chosen(term, columns, rows)
        case Apply(function=function, arguments=arguments):
            return FUNCTIONS[function](term, [evaluate(part, columns, rows) for part in arguments])
    return as_array(columns(term))


def as_array(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a chunked array as one array."""
    if isinstance(array, pa.ChunkedArray):
        return array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return array


def _chosen(term: Apply, columns: Columns, rows: int) -> pa.Array:
    """Return a CASE or COALESCE; each value is computed only for the rows that come to it."""
    left = pa.array(range(rows), pa.int64())
    places: list[pa.Array] = []
    values: list[pa.Array] = [pa.array([], arrow_type(term.type))]
    *ways, last = _ways(term)
    for test, result in ways:
        if test is None:
            computed = evaluate(result, _only(columns, left), len(left))
            matches = pc.is_valid(computed)
            values.append(computed.filter(matches))
        else:
            tested = boolean(evaluate(test, _only(columns, left), len(left)))
            matches = pc.fill_null(tested, False)
            here = left.filter(matches)
            values.append(evaluate(result, _only(columns, here), len(here)))
        places.append(left.filter(matches))
        left = left.filter(pc.invert(matches))
    places.append(left)
    values.append(evaluate(last[1], _only(columns, left), len(left)))
    order = pc.sort_indices(pa.concat_arrays(places))
    return pa.concat_arrays(values).take(order)


def _ways(term: Apply) -> list[tuple[Term | None, Term]]:
    """Return what is tested and what comes of it, in order; without a test: whether it is NULL."""
    if term.function == "coalesce":
        return [(None, argument) for argument in term.arguments]
    *pairs, otherwise = term.arguments
    return [*zip(pairs[::2], pairs[1::2], strict=True), (None, otherwise)]


def _only(columns: Columns, rows: pa.Array) -> Columns:
    return lambda term: as_array(columns(term)).take(rows)
