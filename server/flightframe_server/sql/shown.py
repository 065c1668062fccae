"""Answers as SQL has them: the periods of a DATE_TRUNC are timestamps, not dates.

What comes in: an answer, or its types, and what the text meant. What goes out: the same with those
columns as timestamps. It must never change a value: a date becomes its first instant.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from flightframe_server.answer import Answer
from flightframe_server.arrow_types import with_sql_metadata
from flightframe_server.provenance import METADATA_KEY
from flightframe_server.query_check import CheckedQuery
from flightframe_server.query_types import QuerySignature
from flightframe_server.request import Translation

_MOMENT = pa.timestamp("us")


def answer_in_sql(answer: Answer, translation: Translation | None) -> Answer:
    """Return an answer with the columns of SQL."""
    if translation is None:
        return answer
    answer = _noted(answer, translation.notes)
    if not translation.moments:
        return answer
    schema = schema_in_sql(answer.schema, translation)
    table = answer.table
    if table is not None:
        columns = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(table.columns, schema, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=schema)
    return replace(answer, schema=schema, table=table)


def typed_in_sql(typed: QuerySignature, translation: Translation | None) -> QuerySignature:
    """Return the types of a query with the columns of SQL."""
    if translation is None or not translation.moments:
        return typed
    return replace(typed, schema=schema_in_sql(typed.schema, translation))


def checked_in_sql(checked: CheckedQuery, translation: Translation | None) -> CheckedQuery:
    """Return a checked query with the columns of SQL."""
    if translation is None or not translation.moments:
        return checked
    columns = tuple(
        replace(column, type="timestamp") if at in translation.moments else column
        for at, column in enumerate(checked.columns)
    )
    return replace(checked, columns=columns)


def schema_in_sql(schema: pa.Schema, translation: Translation) -> pa.Schema:
    """Return a schema with the columns of SQL."""
    fields = [
        (field.name, _MOMENT if at in translation.moments else field.type)
        for at, field in enumerate(schema)
    ]
    return with_sql_metadata(pa.schema(fields)).with_metadata(schema.metadata)


def _noted(answer: Answer, notes: tuple[str, ...]) -> Answer:
    if not notes:
        return answer
    provenance = replace(answer.provenance, notes=(*answer.provenance.notes, *notes))
    metadata = {**(answer.schema.metadata or {}), METADATA_KEY: provenance.to_bytes()}
    schema = answer.schema.with_metadata(metadata)
    table = None if answer.table is None else answer.table.replace_schema_metadata(metadata)
    return replace(answer, provenance=provenance, schema=schema, table=table)
