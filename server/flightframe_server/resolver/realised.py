"""REALISED in HAVING: whether some row of facts stands behind a point of the answer.

What comes in: what is selected, and the anchor. What goes out: a condition over the finished frame.
It must never ask more than the schemas whose rows make the points.
"""

from __future__ import annotations

from collections.abc import Iterable

from flightframe_server.algebra.reducers import COUNT_OF_ROWS
from flightframe_server.algebra.types import BOOLEAN, INTEGER
from flightframe_server.language.syntax import Name
from flightframe_server.resolver.level_schemas import rows_metric
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Apply, Constant, MetricTerm, Term

WORD = "realised"


def is_realised(scope: Scope, name: Name) -> bool:
    """Whether a name is the word, and none of the collection's own."""
    own = scope.level(name) is not None or scope.family(name.text) is not None
    return name.text.casefold() == WORD and not own and scope.ad_hoc_level(name) is None


def realised(scope: Scope, selected: Iterable[Term]) -> Term:
    """Return whether a row stands behind a point: always, but for the grand total of nothing."""
    anchor = scope.anchor or ()
    if anchor:
        return Constant(BOOLEAN, True)
    schemas = [scope.source] if scope.source is not None else _schemas(selected)
    tests = tuple(_has_rows(schema) for schema in schemas)
    return tests[0] if len(tests) == 1 else Apply(BOOLEAN, "or", tests)


def _schemas(selected: Iterable[Term]) -> list[str]:
    needs = (need for term in selected for need in needs_of(term, (), ()))
    return list(dict.fromkeys(need.metric.schema for need in needs))


def _has_rows(schema: str) -> Term:
    count = MetricTerm(INTEGER, rows_metric(schema, COUNT_OF_ROWS, None, INTEGER, ()))
    return Apply(BOOLEAN, "gt", (count, Constant(INTEGER, 0)))
