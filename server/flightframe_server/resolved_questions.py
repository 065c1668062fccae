"""Questions that were resolved, for the next request of the same text.

What comes in: a request, its statement, and a collection on one version of its data. What goes out:
what the statement means there. It must never give the question of another tree, of other values, or
of other types: a text can mean another tree once its conditions were asked for, and an equal value
of another type is another value.
"""

from __future__ import annotations

import datetime
import weakref
from dataclasses import dataclass

from flightframe_server.bounded_cache import BoundedCache
from flightframe_server.language.syntax import Statement
from flightframe_server.request import Request
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding

RESOLVED_BYTES = 16 * 1024 * 1024
QUESTION_BYTES = 128
"""Bytes of a question for each byte of its request, which counts four for a letter."""


@dataclass(frozen=True, slots=True, eq=False)
class _Resolved:
    """A question, and what it was resolved from."""

    statement: Statement
    typed: weakref.ref[TypedCollection]
    question: Question


class ResolvedQuestions:
    """The last questions, bounded by their bytes. Thread-safe."""

    def __init__(self, max_bytes: int = RESOLVED_BYTES) -> None:
        """Start empty."""
        self._cache: BoundedCache[tuple[object, ...], _Resolved] = BoundedCache(max_bytes)

    def __len__(self) -> int:
        """Return how many questions are kept."""
        return len(self._cache)

    def resolve(
        self,
        request: Request,
        statement: Statement,
        typed: TypedCollection,
        now: datetime.datetime,
    ) -> Question:
        """Return what a request's statement means in one collection.

        Args:
            request: the request, for its values and its key.
            statement: what it says; only the very tree that was resolved before is known again.
            typed: the collection with its types.
            now: the moment at which it is asked, for CURRENT_DATE.

        Raises:
            QueryError: as `resolve`, and for values that the statement does not take.
        """
        key = request.key
        known = self._cache.get(key)
        if known is not None and known.statement is statement and known.typed() is typed:
            return known.question
        binding = Binding(request.values, now=now)
        question = resolve(statement, typed, binding)
        binding.refuse_surplus()
        if question.today is None:
            kept = _Resolved(statement, weakref.ref(typed), question)
            self._cache.put(key, kept, QUESTION_BYTES * request.bytes)
        return question
