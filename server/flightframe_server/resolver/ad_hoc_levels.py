"""Ad-hoc levels: the expressions over levels that an anchor gives names to.

What comes in: an anchor as it is written, and a scope. What goes out: the scope in which the names
of its ad-hoc levels mean what they stand for. It must never let a name count: two expressions of
one canonical text are one level, whatever they are called.
"""

from __future__ import annotations

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.algebra.types import TEXT, Kind
from flightframe_server.errors import (
    AmbiguousMetric,
    LimitExceeded,
    NotSupported,
    TypeMismatch,
    shown,
)
from flightframe_server.language import format_expression
from flightframe_server.language.syntax import AdHocLevel, Anchor, Ascribed, Call, Name, Star
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import unknown_function
from flightframe_server.resolver.scope import NamedLevel, Scope
from flightframe_server.resolver.terms import (
    Apply,
    ComputedLevel,
    LevelTerm,
    Term,
    computed_level,
    levels_of,
)

MAX_LETTERS = 65_536
"""The most letters of an expression in its canonical text, which is kept with each entry."""

_OF_LEVELS = "a metric has no value before the anchor is known; write it in SELECT or HAVING"
_EXACT = {
    Kind.DOUBLE: "write CAST(ROUND(x, 2) AS decimal(18,2)), or CAST(FLOOR(x) AS integer)",
}


def with_anchor(scope: Scope, anchor: Anchor) -> tuple[Scope, tuple[ComputedLevel, ...]]:
    """Return the scope in which an anchor's ad-hoc levels have their names, and those levels.

    Raises:
        AmbiguousMetric: a name is that of a level, of a metric, or of another ad-hoc level.
        NotSupported: an expression reads no level, or reads a metric.
        TypeMismatch: its values do not group exactly.
    """
    named: dict[str, NamedLevel] = dict(scope.ad_hoc)
    computed: list[ComputedLevel] = []
    for node in anchor.levels:
        if not isinstance(node, AdHocLevel):
            continue
        _refuse_known(scope, node)
        term = _term(scope, node)
        if isinstance(term, LevelTerm):
            level = term.level
        else:
            computed.append(_bounded(computed_level(term), node))
            level = computed[-1].level
        known = named.setdefault(node.text.casefold(), NamedLevel(node.text, level, term))
        if known.level != level:
            raise AmbiguousMetric(
                f"two levels of the anchor are named {shown(node.text)}",
                place=node.place,
                hint="give each a name of its own after AS",
            )
    if not named:
        return scope, ()
    return scope.with_ad_hoc(named, scope.typed.with_levels(computed)), tuple(computed)


def _bounded(computed: ComputedLevel, node: AdHocLevel) -> ComputedLevel:
    if len(computed.level) <= MAX_LETTERS:
        return computed
    raise LimitExceeded(
        f"the expression of {shown(node.text)} takes more than {MAX_LETTERS:,} letters",
        place=node.place,
        hint="declare it in the collection, as a derived dimension or an edge to a table",
    )


def _refuse_known(scope: Scope, node: AdHocLevel) -> None:
    name = Name(node.parts)
    is_level = scope.level(name) is not None
    if is_level or scope.family(node.text) is not None:
        what = "a level" if is_level else "a metric"
        raise AmbiguousMetric(
            f"{shown(node.text)} is {what} of the collection, and names nothing else",
            place=node.place,
            hint="choose another name after AS; the column may have any",
        )


def _term(scope: Scope, node: AdHocLevel) -> Term:
    """Return the term of an expression over declared levels, of a type that groups exactly."""

    def leaf(name: Name | Call | Ascribed | Star) -> Term:
        if isinstance(name, Name):
            return scope.level_term(name, _OF_LEVELS)
        if isinstance(name, Call) and name.function not in REDUCER_NAMES:
            raise unknown_function(name)
        raise NotSupported(
            "a level of an anchor is computed from levels", place=name.place, hint=_OF_LEVELS
        )

    term = Typer(leaf, scope.binding, zone=scope.zone).term(node.expression)
    written = shown(format_expression(node.expression))
    if not levels_of(term):
        raise NotSupported(
            f"{written} reads no level, and makes every point the same",
            place=node.place,
            hint="leave it out of AT",
        )
    if term.type.kind is Kind.NULL and scope.binding.values is None:
        # What a parameter gives is not known until it is bound.
        return Apply(TEXT, "cast", (term,))
    if term.type.kind in (Kind.DOUBLE, Kind.NULL):
        raise TypeMismatch(
            f"{written} is {term.type}, and such values do not group exactly",
            place=node.place,
            hint=_EXACT.get(term.type.kind, "write CAST(x AS type)"),
        )
    return term
