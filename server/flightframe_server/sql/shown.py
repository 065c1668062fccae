"""Types of answers as SQL has them: the periods of a DATE_TRUNC are timestamps, not dates.

What comes in: the types of a query, and what its text meant. What goes out: the same with those
columns as timestamps, as the answer has them. It must never know a value: `answer` casts them.
"""

from __future__ import annotations

from dataclasses import replace

from flightframe_server.arrow_types import with_moments
from flightframe_server.query_check import CheckedQuery
from flightframe_server.query_types import QuerySignature
from flightframe_server.request import Translation


def typed_in_sql(typed: QuerySignature, translation: Translation | None) -> QuerySignature:
    """Return the types of a query with the columns of SQL."""
    if translation is None or not translation.moments:
        return typed
    return replace(typed, schema=with_moments(typed.schema, translation.moments))


def checked_in_sql(checked: CheckedQuery, translation: Translation | None) -> CheckedQuery:
    """Return a checked query with the columns of SQL."""
    if translation is None or not translation.moments:
        return checked
    columns = tuple(
        replace(column, type="timestamp") if at in translation.moments else column
        for at, column in enumerate(checked.columns)
    )
    return replace(checked, columns=columns)
