"""Two values compared: over one common type, or refused.

What comes in: typed terms. What goes out: a comparison of two terms of one type. It must never
compare a text with what only looks like it.
"""

from __future__ import annotations

from flightframe_server.algebra.types import BOOLEAN, TIMESTAMP, DataType, Kind
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import Place, TypeMismatch, UnknownName, shown
from flightframe_server.language.syntax import Name
from flightframe_server.resolver.moments import compared
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import common_type


def comparison(
    function: str, left: Term, right: Term, zone: str = UTC, place: Place | None = None
) -> Apply:
    """Return `left function right` over one common type; a date beside a timestamp becomes one.

    Raises:
        TypeMismatch: the two cannot be compared.
        ArithmeticOverflow: a literal is past the end of time in the zone.
    """
    left, right = compared(function, left, right, zone, place)
    shared = common_type(left.type, right.type)
    if shared is None:
        raise TypeMismatch(
            f"{left.type} and {right.type} cannot be compared",
            place=place,
            hint=_as_written({left.type.kind, right.type.kind}),
        )
    # NULL beside NULL is of no type, and neither are its values.
    shared = BOOLEAN if shared.kind is Kind.NULL else shared
    return Apply(BOOLEAN, function, (_raised(left, shared), _raised(right, shared)))


def unquoted(name: Name, unknown: UnknownName) -> UnknownName:
    """Return the error of an unknown name that stands where a text may have been meant."""
    text = shown(name.text).replace("'", "''")
    quoted = f"a text stands in single quotes: '{text}'"
    hint = quoted if unknown.hint is None else f"{unknown.hint} And {quoted}"
    return UnknownName(unknown.message, place=unknown.place, hint=hint)


def _as_written(kinds: set[Kind]) -> str | None:
    """Return how the value is written that may have been meant by a number, or None."""
    if not kinds & {Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE}:
        return None
    if Kind.TEXT in kinds:
        return "a text stands in single quotes: '12'"
    if Kind.DATE in kinds:
        return "a date is written DATE '2024-02-01'"
    if Kind.TIMESTAMP in kinds:
        return "a moment is written TIMESTAMP '2024-02-01 12:00:00'"
    return None


def _raised(term: Term, shared: DataType) -> Term:
    if term.type.kind is Kind.DATE and shared.kind is Kind.TIMESTAMP:
        return Apply(TIMESTAMP, "to_timestamp", (term,))
    if term.type.kind is Kind.NULL and shared.kind is not Kind.NULL:
        return Constant(shared, None) if isinstance(term, Constant) else term
    return term
