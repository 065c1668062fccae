"""Predicates as conjuncts: normalised, merged, and what they hold to one member.

What comes in: typed predicates. What goes out: their outermost conjuncts, sorted by canonical text,
each once. It must never rewrite a conjunct: equal texts mean the same, and nothing else does.
"""

from __future__ import annotations

from flightframe_server.algebra.types import Kind
from flightframe_server.resolver.terms import Apply, Constant, LevelTerm, Term, text


def conjuncts(predicate: Term) -> tuple[Term, ...]:
    """Return the operands of a predicate's outermost ANDs, sorted by text, each once."""
    if isinstance(predicate, Apply) and predicate.function == "and":
        parts = [part for argument in predicate.arguments for part in conjuncts(argument)]
    else:
        parts = [predicate]
    by_text = {text(part): part for part in parts}
    return tuple(by_text[key] for key in sorted(by_text))


def merged_conjuncts(parts: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return conjuncts from several places as one normalised tuple."""
    by_text = {text(item): item for part in parts for item in conjuncts(part)}
    return tuple(by_text[key] for key in sorted(by_text))


def pinned_levels(filters: tuple[Term, ...]) -> frozenset[str]:
    """Return the levels that some conjunct holds to at most one member.

    `= value`, `IN (value)` of one value, and `IS NULL` do.

    A level equal to a double is not held: whole numbers and decimals past 2^53 share one. One equal
    to NULL is: no member is, and a parameter stands as NULL until it is bound.
    """
    pinned = set()
    for part in filters:
        match part:
            case Apply(function="eq" | "in", arguments=(LevelTerm(level=level), Constant(type=of))):
                if of.kind is not Kind.DOUBLE:
                    pinned.add(level)
            case Apply(function="is_null", arguments=(LevelTerm(level=level),)):
                pinned.add(level)
    return frozenset(pinned)
