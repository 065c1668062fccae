"""Where in a text stands what may not be asked: the rules of a collection know terms, and no text.

What comes in: a question that was refused, and the syntax it was made of. What goes out: a place.
It must never decide anything: what is legal was decided before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.catalog.expressions import names_in
from flightframe_server.errors import FilterUnreachable, NotFiner, Place, QueryError
from flightframe_server.language.nodes import walk
from flightframe_server.language.syntax import Ascribed, Call, Expression, Name, Star, Statement
from flightframe_server.resolver.question import OutputColumn, Question

Check = Callable[[Question], None]


def place_of_refusal(
    statement: Statement, question: Question, refusal: QueryError, check: Check
) -> Place | None:
    """Return where stands what was refused, as closely as it can be told; None where it cannot.

    Args:
        statement: the syntax.
        question: what it means.
        refusal: why that may not be asked.
        check: raises for a question that may not be asked.
    """
    if isinstance(refusal, FilterUnreachable) and statement.where is not None:
        for name in names_in(statement.where):
            if _is_named(name, refusal.message):
                return name.place
    for node, alone in _parts(statement, question):
        try:
            check(alone)
        except QueryError:
            return _closest(node, refusal)
    return None


def _parts(statement: Statement, question: Question) -> Iterator[tuple[Expression, Question]]:
    """Yield what a statement asks for, each with the question of it alone."""
    without_columns = replace(question, columns=(), having=None, ordering=())
    items = statement.items
    if not any(isinstance(item.expression, Star) for item in items):
        # Levels that are not selected stand before the items.
        own = question.columns[len(question.columns) - len(items) :]
        for item, column in zip(items, own, strict=True):
            yield item.expression, replace(without_columns, columns=(column,))
    if statement.having is not None and question.having is not None:
        having = OutputColumn("having", question.having)
        yield statement.having, replace(without_columns, columns=(having,))
    for key, ordering in zip(statement.order_by, question.ordering, strict=False):
        yield (
            key.expression,
            replace(without_columns, columns=(OutputColumn("key", ordering.term),)),
        )


def _closest(node: Expression, refusal: QueryError) -> Place:
    """Return the place of the reducer or the name that a refusal speaks of; else the node's."""
    subject = refusal.message.partition(" cannot ")[0].partition(" may not ")[0]
    calls = [
        part for part in walk(node) if isinstance(part, Call) and part.function in REDUCER_NAMES
    ]
    if isinstance(refusal, NotFiner):
        # It speaks of x, whatever that is.
        over_cells = (
            call for call in calls if isinstance(next(iter(call.arguments), None), Ascribed)
        )
        return next(over_cells, node).place
    for call in calls:
        named = any(_is_named(name, subject) for name in names_in(call))
        if named and call.function in subject.upper():
            return call.place
    reduced = {id(name) for call in calls for name in names_in(call)}
    for name in names_in(node):
        if id(name) not in reduced and _is_named(name, subject):
            return name.place
    return node.place


def _is_named(name: Name, subject: str) -> bool:
    pattern = rf"(?<!\w){re.escape(name.parts[-1].casefold())}(?!\w)"
    return re.search(pattern, subject.casefold()) is not None
