"""What makes the points of an answer, and whether everything may be asked at them.

What comes in: a question whose terms are typed. What goes out: the question, with the schemas whose
points are listed where no column reads a metric, and with what finds levels after @ at a point. It
must never let a schema make points that does not reach every level of the anchor and of WHERE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flightframe_server.errors import NotSupported
from flightframe_server.resolver.ascribed import places_of_points, schemas_ascribed
from flightframe_server.resolver.known_levels import check_ways
from flightframe_server.resolver.legality import check_metric, check_nested, check_reach
from flightframe_server.resolver.level_schemas import require_reaching
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import (
    Term,
    ascribed_of,
    inner_anchor,
    metrics_of,
    nested_of,
)
from flightframe_server.resolver.typed import TypedCollection


def with_points(scope: Scope, question: Question) -> Question:
    """Return a question that knows what makes its points.

    Args:
        scope: where it was resolved; its collection has the question's computed levels.
        question: one whose terms are typed.

    Raises:
        QueryError: something may not be asked at its anchor, or under its filter.
    """
    check_question(scope.typed, question)
    check_ways(scope.typed, question)
    if not any(metrics_of(term) or nested_of(term) for term in question.selected):
        question = _members(scope, question)
    return _placed(scope.typed, question)


def _placed(typed: TypedCollection, question: Question) -> Question:
    """Return a question that finds the levels after @ at each point of its answer."""
    makers = dict.fromkeys(question.members_of)
    for term in question.selected:
        makers.update((schema, None) for schema in _making(term, question.anchor))
    places = places_of_points(typed, question.anchor, tuple(makers), question.terms)
    if not places:
        return question
    placed = replace(question, places=places)
    check_question(typed, placed)
    return placed


def _making(term: Term, anchor: tuple[str, ...]) -> Iterator[str]:
    """Yield the schemas whose rows make points of the answer for a term."""
    yield from (metric.schema for metric in metrics_of(term))
    for nested in nested_of(term):
        needs = needs_of(nested.inner, inner_anchor(nested, anchor), ())
        yield from (need.metric.schema for need in needs)


def check_question(typed: TypedCollection, question: Question) -> None:
    """Check that every metric of a question may be asked at its anchor, and under its filter.

    Raises:
        QueryError: one may not.
    """
    for need in question.needs:
        own = set(need.anchor) != set(question.anchor)
        check_metric(typed, need.metric, need.anchor, need.filter, ascribed=own)
        if question.source not in (None, need.metric.schema):
            named = f"{need.metric.called} of {question.source}"
            check_reach(typed, str(question.source), named, need.anchor, need.filter)
    for term in question.terms:
        check_nested(typed, term, question.anchor, question.filter)
        for part in ascribed_of(term):
            check_nested(typed, part.inner, part.anchor, question.filter)


def _members(scope: Scope, question: Question) -> Question:
    """Return a question of levels alone: the points of the schema named, or of all that have them.

    Where metrics stand at anchors of their own alone, the points are those of their rows. A schema
    is left out whose rows do not reach every level of the anchor and of WHERE.
    """
    ascribed = schemas_ascribed(question.selected)
    if ascribed:
        for name in ascribed:
            check_reach(scope.typed, name, f"x of {name}", question.anchor, question.filter)
        return replace(question, members_of=ascribed)
    if not question.columns:
        raise NotSupported("no metric may be asked here, and the anchor has no level")
    schema = scope.source
    if scope.sets and not question.anchor:
        # The total of any rows is one point, and nothing of them is to be read for it.
        return question
    if schema is None:
        # All sets of levels are of the same rows.
        anchor = frozenset(scope.row_levels or ())
        schemas = require_reaching(scope.typed, anchor, scope.filtered)
        return replace(question, members_of=schemas)
    check_reach(scope.typed, schema, f"the members of {schema}", question.anchor, question.filter)
    return replace(question, members_of=(schema,))
