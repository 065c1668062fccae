"""An anchor of several sets of levels: a question for each, whose rows are stacked.

What comes in: the sets as written, and what resolves a statement at one of them. What goes out: one
question that holds those of the sets. It must never reduce a set from another: each is a question
of its own over the facts, and where one is refused, all are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flightframe_server.algebra.types import INTEGER
from flightframe_server.errors import LimitExceeded, QueryError, TypeMismatch
from flightframe_server.language.grouping_sets import count_of_sets, level_sets
from flightframe_server.language.nodes import Node, walk
from flightframe_server.language.syntax import Call, Expression, GroupingSets, Name
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Constant, level_text

GROUPING = "GROUPING"
"""The function that tells a level which a set leaves out from a member that is NULL."""

MAX_SETS = 64
"""The most sets of levels of one query."""

_MOST_LEVELS = 62


def over_sets(scope: Scope, sets: GroupingSets, at_anchor: Callable[[Scope], Question]) -> Question:
    """Return the question that stacks the rows of several sets of levels.

    Args:
        scope: what names mean; its anchor has the levels of all sets.
        sets: as written.
        at_anchor: resolves the statement at the anchor of a scope.

    Raises:
        LimitExceeded: there are too many sets.
        QueryError: the statement is refused at one of them, which the message names.
    """
    if count_of_sets(sets) > MAX_SETS:
        raise LimitExceeded(
            f"{sets.word} stands for {count_of_sets(sets):,} sets of levels,"
            f" and a query has at most {MAX_SETS}",
            place=sets.place,
            hint="GROUPING SETS lists those that are wanted",
        )
    anchors = tuple(scope.levels(one) for one in level_sets(sets))
    within = replace(scope, sets=anchors)
    questions: list[Question] = []
    for anchor in anchors:
        try:
            questions.append(at_anchor(replace(within, anchor=anchor)))
        except QueryError as error:
            others = (replace(within, anchor=other) for other in anchors if other != anchor)
            if all(_is_refused_alike(error, at_anchor, other) for other in others):
                raise
            raise _in_set(error, anchor) from None
    first = questions[0]
    for other in questions[1:]:
        _check_types(first, other)
    return replace(
        first,
        anchor=scope.anchor or (),
        members_of=(),
        places=(),
        computed=tuple(dict.fromkeys(level for one in questions for level in one.computed)),
        sets=tuple(replace(one, window=None) for one in questions),
    )


def grouping(scope: Scope, node: Call) -> Constant:
    """Return what GROUPING gives at an anchor: 1 for a level that it leaves out, else 0.

    Of several levels the last counts once, the one before it twice, and so on, as in SQL.

    Raises:
        TypeMismatch: it has no levels for arguments, or too many.
        LevelNotInAnchor: one stands in no set.
    """
    arguments = node.arguments
    names = [name for name in arguments if isinstance(name, Name)]
    if not names or len(names) < len(arguments) or len(names) > _MOST_LEVELS or node.distinct:
        raise TypeMismatch("GROUPING takes levels of the anchor", place=node.place)
    value = 0
    for name in names:
        left_out = scope.point_term(name).level not in (scope.anchor or ())
        value = 2 * value + left_out
    return Constant(INTEGER, value)


def reads_grouping(node: Node) -> bool:
    """Whether GROUPING is part of an expression."""
    return any(isinstance(part, Call) and part.function == GROUPING for part in walk(node))


def reads_name(node: Expression) -> bool:
    """Whether any name is part of an expression."""
    return any(isinstance(part, Name) for part in walk(node))


def _check_types(first: Question, other: Question) -> None:
    for one, same in zip(first.columns, other.columns, strict=True):
        if one.term.type != same.term.type:
            raise TypeMismatch(
                f"{one.name} is {one.term.type} at one set of levels, {same.term.type} at another",
                hint="write CAST(x AS type)",
            )


def _is_refused_alike(
    error: QueryError, at_anchor: Callable[[Scope], Question], scope: Scope
) -> bool:
    """Whether another set is refused in the same words, so that no set is at fault."""
    try:
        at_anchor(scope)
    except QueryError as other:
        return (other.code, other.message) == (error.code, error.message)
    return False


def _in_set(error: QueryError, anchor: tuple[str, ...]) -> QueryError:
    """Return the refusal of a statement at one set, which it names."""
    named = f"({', '.join(map(level_text, anchor))})"
    message = f"at the set {named}: {error.message}"
    others = "leave that set out: GROUPING SETS lists those that are wanted"
    hint = others if error.hint is None else f"{error.hint}; or {others}"
    return type(error)(message, hint=hint, place=error.place, details=error.details)
