"""The saved frames of a collection held against the types of its data.

What comes in: a collection and the types of its tables. What goes out: the collection with its
types, in which each frame is a question that may be asked; or the frames that are none, at their
lines. It must never ask the data: what only they decide, an answer finds.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from flightframe_server.algebra.types import Kind
from flightframe_server.catalog.collection import Collection, SavedFrame
from flightframe_server.catalog.expressions import mistake_in
from flightframe_server.errors import CatalogError, QueryError, shown
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import (
    TableTypes,
    TypedCollection,
    Unanswered,
    type_collection,
)
from flightframe_server.resolver.values import Binding

_SOME_DAY = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
"""Stands for the moment of asking: no type and no rule depends on which it is."""


def fitted_collection(
    collection: Collection, tables: TableTypes, unanswered: Callable[[], Unanswered] = dict
) -> TypedCollection:
    """Give a collection its types, as `type_collection`, and check its saved frames on them.

    Raises:
        CatalogError: as `type_collection`; or frames break a rule, and it carries all of these.
    """
    typed = type_collection(collection, tables, unanswered)
    mistakes: list[CatalogError] = []
    for frame in collection.frames.values():
        try:
            frame_question(frame, typed)
        except CatalogError as error:
            mistakes.append(error)
    if mistakes:
        raise CatalogError.of_all(mistakes)
    return typed


def frame_question(frame: SavedFrame, typed: TypedCollection) -> Question:
    """Return what a saved frame asks.

    Raises:
        CatalogError: it breaks a rule, or has a column without a type.
    """
    try:
        question = resolve(frame.statement, typed, Binding({}, now=_SOME_DAY))
    except QueryError as error:
        message, hint = mistake_in(frame.query, error, "query")
        raise _wrong(frame, typed, f"{message} ({error.code})", hint) from error
    for column in question.columns:
        if column.term.type.kind is Kind.NULL:
            message = f"the column {shown(column.name)} is NULL alone, and has no type"
            raise _wrong(frame, typed, message, "leave it out")
    return question


def _wrong(
    frame: SavedFrame, typed: TypedCollection, message: str, hint: str | None
) -> CatalogError:
    return CatalogError(
        message,
        file=typed.collection.file,
        path=frame.location.path,
        line=frame.location.line,
        hint=hint,
    )
