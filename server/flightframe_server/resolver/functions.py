"""The functions of one row: which there are, what they take, and the type of what they give.

What comes in: the name of a function and typed terms. What goes out: one term in which nothing is
left to a back-end's choice: values that must be of one type are brought to it, NULL without a type
has the one that is due. It must never look at a value, except at the places of ROUND, on which its
type depends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flightframe_server.algebra.functions import CALLED, RowFunction, Takes
from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.algebra.types import (
    BOOLEAN,
    INTEGER,
    MAX_PRECISION,
    NULL,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.catalog.declared_types import read_type
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import (
    CatalogError,
    LimitExceeded,
    Place,
    TypeMismatch,
    UnknownName,
    did_you_mean,
    shown,
)
from flightframe_server.language.syntax import Call
from flightframe_server.resolver.moments import aligned
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import common_type

Arguments = tuple[Term, ...]

FIELDS: Mapping[str, str] = {
    "year": "1 to 9999",
    "quarter": "1 to 4",
    "month": "1 to 12",
    "week": "the ISO week, 1 to 53: weeks start on Monday, the first holds 4 January",
    "isoyear": "the year that the ISO week belongs to",
    "day": "of the month, 1 to 31",
    "doy": "day of the year, 1 to 366",
    "dow": "day of the week, 0 Sunday to 6 Saturday",
    "isodow": "day of the week, 1 Monday to 7 Sunday",
    "hour": "0 to 23; of a timestamp only",
    "minute": "0 to 59; of a timestamp only",
    "second": "whole seconds, 0 to 59; of a timestamp only",
}
"""What EXTRACT gives, by field."""

MAX_DOUBLE_PLACES = 22
"""The largest power of ten that is a double exactly."""

MAX_GROWTH = 10_000
"""How many times longer REPLACE may make a text, those inside of it included."""

_OF_TIMESTAMPS = frozenset({"hour", "minute", "second"})
_CASTS: Mapping[Kind, frozenset[Kind]] = {
    Kind.INTEGER: frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE, Kind.TEXT}),
    Kind.DECIMAL: frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE, Kind.TEXT}),
    Kind.DOUBLE: frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE}),
    Kind.TEXT: frozenset(Kind) - {Kind.NULL},
    Kind.DATE: frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT}),
    Kind.TIMESTAMP: frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT}),
    Kind.BOOLEAN: frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.TEXT}),
}
_REFUSED_CASTS = {
    (Kind.DOUBLE, Kind.TEXT): "a double has no one text: CAST(ROUND(x, 2) AS decimal(18,2)) first",
    (Kind.BOOLEAN, Kind.DECIMAL): "cast it to integer first",
    (Kind.INTEGER, Kind.BOOLEAN): "write a comparison, such as x <> 0",
    (Kind.TIMESTAMP, Kind.TEXT): "an instant has no one text: CAST(x AS timestamp) first",
}


def call(name: str, arguments: Arguments, place: Place | None, zone: str = UTC) -> Term:
    """Return the term of a function called by name.

    Args:
        name: one of `CALLED`.
        arguments: what it is called with.
        place: where it stands.
        zone: the collection's, in which moments without an offset are read beside instants.

    Raises:
        TypeMismatch: wrong number or types of arguments.
        LimitExceeded: the text could grow too long.
    """
    function = CALLED[name]
    term = None
    maximum = len(arguments) if function.more else len(function.takes)
    if function.least <= len(arguments) <= maximum:
        expected = argument_types(function, len(arguments))
        term = _built(function, tuple(map(typed, arguments, expected)), zone)
    if term is None:
        types = ", ".join(str(argument.type) for argument in arguments)
        raise TypeMismatch(
            f"{name} does not take ({shown(types)})", place=place, hint=f"write {function.form}"
        )
    if _growth(term) > MAX_GROWTH:
        raise LimitExceeded(
            f"REPLACE may make a text at most {MAX_GROWTH:,} times longer", place=place
        )
    return term


def applied(name: str, arguments: Arguments, place: Place | None = None) -> Term:
    """Return a function over terms of ours; raises `TypeMismatch` where they do not fit."""
    return call(name.upper(), arguments, place)


def argument_types(function: RowFunction, count: int) -> tuple[DataType | None, ...]:
    """Return the one type that each of some arguments must have, or None where several fit."""
    types = (takes.type for takes in function.takes)
    return (*types, *(None,) * count)[:count]


def case(
    whens: tuple[tuple[Term, Term], ...], otherwise: Term, place: Place, zone: str = UTC
) -> Term:
    """Return a CASE over conditions and results; `zone` as in `call`.

    Raises:
        TypeMismatch: the results are of types that do not go together.
    """
    results = unified([*(result for _, result in whens), otherwise], zone)
    if results is None:
        raise TypeMismatch("the results of a CASE are of one type", place=place, hint=_ONE_TYPE)
    arguments: list[Term] = []
    for (test, _), result in zip(whens, results, strict=False):
        arguments += [test, result]
    return Apply(results[-1].type, "case", (*arguments, results[-1]))


_ONE_TYPE = "numbers go together, and dates with timestamps; else write CAST(x AS type)"


def unified(terms: list[Term], zone: str) -> Arguments | None:
    """Return terms brought to one type, or None where there is none for all of them."""
    shared: DataType | None = NULL
    for term in terms:
        shared = None if shared is None else common_type(shared, term.type)
    if shared is None:
        return None
    moments = aligned(terms, zone) if shared.is_moment else tuple(terms)
    if moments is None:
        return None
    if shared.zone:
        shared = next(term.type for term in moments if term.type.zone)
    return tuple(_brought(term, shared) for term in moments)


def _brought(term: Term, shared: DataType) -> Term:
    if term.type.kind is Kind.NULL:
        return Constant(shared, None)
    return term if term.type == shared else Apply(shared, "cast", (term,))


def cast(term: Term, written: str, place: Place) -> Term:
    """Return `CAST(term AS written)`, checked row by row.

    Raises:
        TypeMismatch: there is no such type, or no value of the one can be a value of the other.
    """
    try:
        target = read_type(written)
    except CatalogError as error:
        raise TypeMismatch(error.message, place=place, hint=error.hint) from None
    source = term.type
    if source.kind is Kind.NULL:
        return Constant(target, None)
    if source == target:
        return term
    far = (
        source.kind is Kind.DOUBLE
        and target.kind is Kind.DECIMAL
        and target.scale > MAX_DOUBLE_PLACES
    )
    unsaid = source.zone is not None and target.kind is Kind.TEXT
    if far or unsaid or target.kind not in _CASTS[source.kind]:
        hint = _REFUSED_CASTS.get((source.kind, target.kind))
        raise TypeMismatch(f"{source} cannot be cast to {target}", place=place, hint=hint)
    return Apply(target, "cast", (term,))


def extract(field: str, term: Term, place: Place) -> Term:
    """Return `EXTRACT(field FROM term)`: of an instant, what the collection's clock shows.

    Raises:
        TypeMismatch: there is no such field, or values of that type have none.
    """
    if field not in FIELDS:
        raise TypeMismatch(
            f"there is no field {shown(field)}", place=place, hint=f"one of {', '.join(FIELDS)}"
        )
    type_ = term.type
    if type_.kind is Kind.NULL:
        return Constant(INTEGER, None)
    if not type_.is_moment:
        raise TypeMismatch(f"EXTRACT takes a date or a timestamp, not a {type_}", place=place)
    if type_.zone:
        term = Apply(TIMESTAMP, "cast", (term,))
    if type_.kind is Kind.DATE and field in _OF_TIMESTAMPS:
        raise TypeMismatch(f"a date has no {field}", place=place)
    return Apply(INTEGER, "extract", (Constant(TEXT, field), term))


def concat(left: Term, right: Term, place: Place) -> Term:
    """Return `left || right`.

    Raises:
        TypeMismatch: a side is no text.
    """
    sides = typed(left, TEXT), typed(right, TEXT)
    for side in sides:
        if side.type.kind is not Kind.TEXT:
            raise TypeMismatch(
                f"|| joins texts, not {side.type}", place=place, hint="write CAST(x AS text)"
            )
    return Apply(TEXT, "concat", sides)


def typed(term: Term, type_: DataType | None) -> Term:
    """Return a term; NULL without a type has the one that is due."""
    return Constant(type_, None) if type_ and term.type.kind is Kind.NULL else term


def _built(function: RowFunction, arguments: Arguments, zone: str) -> Term | None:
    """Return the term of a function over arguments, or None where they do not fit."""
    if function.name in _RULES:
        return _RULES[function.name](arguments, zone)
    assert function.gives is not None
    for argument, takes in zip(arguments, function.takes, strict=False):
        if takes is Takes.NUMBER and argument.type.kind is Kind.NULL:
            return Constant(function.gives(NULL), None)
        if not _fits(argument.type, takes):
            return None
    return Apply(function.gives(arguments[0].type), function.name, arguments)


def _fits(type_: DataType, takes: Takes) -> bool:
    if takes is Takes.NUMBER:
        return type_.is_number
    return takes.type is None or type_.kind is takes.type.kind


def _coalesce(arguments: Arguments, zone: str) -> Term | None:
    sides = unified(list(arguments), zone)
    return None if sides is None else Apply(sides[0].type, "coalesce", sides)


def _nullif(arguments: Arguments, zone: str) -> Term | None:
    shared = common_type(arguments[0].type, arguments[1].type)
    sides = None if shared is None else aligned(arguments, zone)
    return None if sides is None else Apply(sides[0].type, "nullif", sides)


def _round(arguments: Arguments, zone: str = UTC) -> Term | None:
    value, *rest = arguments
    places = rest[0] if rest else Constant(INTEGER, 0)
    if not isinstance(places, Constant) or places.type.kind is not Kind.INTEGER:
        return None
    if places.value is None:
        # NULL, or a parameter without a value yet: the type is as without places.
        rounded = _round((value,))
        return rounded and _never(rounded)
    count = places.value if isinstance(places.value, int) else 0
    double = value.type.kind is Kind.DOUBLE
    if abs(count) > (MAX_DOUBLE_PLACES if double else MAX_PRECISION):
        return None
    if value.type.kind is Kind.NULL:
        return value
    if not value.type.is_number:
        return None
    if not double and count >= value.type.scale:
        return value
    type_ = value.type
    result = decimal(MAX_PRECISION, max(count, 0)) if type_.kind is Kind.DECIMAL else type_
    return Apply(result, "round", (value, Constant(INTEGER, count)))


def _floor(arguments: Arguments, zone: str) -> Term | None:
    return _without_fraction("floor", arguments[0])


def _ceil(arguments: Arguments, zone: str) -> Term | None:
    return _without_fraction("ceil", arguments[0])


def _without_fraction(name: str, value: Term) -> Term | None:
    """Return a number without a fraction: a whole one is its own, a double stays a double."""
    kind = value.type.kind
    if kind in (Kind.NULL, Kind.INTEGER) or (kind is Kind.DECIMAL and not value.type.scale):
        return value
    if not value.type.is_number:
        return None
    result = value.type if kind is Kind.DOUBLE else decimal(MAX_PRECISION, 0)
    return Apply(result, name, (value,))


def _replace(arguments: Arguments, zone: str) -> Term | None:
    """Return texts with a part replaced; the parts are written out, as the pattern of LIKE is."""
    subject, *parts = arguments
    if any(part.type.kind is not Kind.TEXT for part in arguments):
        return None
    if not all(isinstance(part, Constant) for part in parts):
        return None
    replaced = Apply(TEXT, "replace", arguments)
    unknown = any(isinstance(part, Constant) and part.value is None for part in parts)
    return _never(subject) if unknown else replaced


def _growth(term: Term) -> int:
    """Return how many times longer than before a text may be after what REPLACE writes."""
    if not isinstance(term, Apply) or term.function != "replace":
        return 1
    subject, old, new = term.arguments
    lengths = [
        len(part.value) if isinstance(part, Constant) and isinstance(part.value, str) else 1
        for part in (old, new)
    ]
    return _growth(subject) * max(1, -(-lengths[1] // max(1, lengths[0])))


def _never(term: Term) -> Term:
    """Return NULL of a term's type, which still reads what the term reads."""
    return Apply(term.type, "case", (Constant(BOOLEAN, False), term, Constant(term.type, None)))


_RULES: Mapping[str, Callable[[Arguments, str], Term | None]] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "round": _round,
    "floor": _floor,
    "ceil": _ceil,
    "replace": _replace,
}
"""The functions whose type does not follow from that of their first argument."""


def unknown_function(node: Call) -> UnknownName:
    """Return the error for a call of something that is no function at all."""
    return UnknownName(
        f"there is no function {shown(node.function)}",
        place=node.place,
        hint=did_you_mean(node.function, sorted({*REDUCER_NAMES, *CALLED})),
    )
