"""Instants as drivers of Flight SQL read them: always announced in UTC.

What comes in: answers whose instants are announced in their collection's zone. What goes out: the
same instants, announced in UTC. It must never move one: the zone of an Arrow timestamp says how to
show it, and not when it is.

Two JDBC drivers of Apache Arrow (17.0.0 and 18.3.0) add the offset of an announced zone to the
value, so that a moment of another zone than UTC is read hours away, without an error.
"""

from __future__ import annotations

import weakref
from dataclasses import replace

import pyarrow as pa

from flightframe_server.answer import Answer

UTC = "UTC"


def schema_in_utc(schema: pa.Schema) -> pa.Schema:
    """Return a schema with every instant announced in UTC; the same one where all are."""
    # A list: iterating over a schema makes other objects of the same fields each time.
    before = list(schema)
    fields = [_in_utc(field) for field in before]
    if all(one is other for one, other in zip(fields, before, strict=True)):
        return schema
    return pa.schema(fields, metadata=schema.metadata)


def answer_in_utc(answer: Answer) -> Answer:
    """Return an answer with every instant announced in UTC; no value of it changes.

    A hot answer is given as the very same object each time, as it is without instants: what is
    made for its readers is found again by that.
    """
    known = _IN_UTC.get(answer)
    if known is None:
        known = _answer_in_utc(answer)
        if answer.hot and known is not answer:
            _IN_UTC[answer] = known
    return known


_IN_UTC: weakref.WeakKeyDictionary[Answer, Answer] = weakref.WeakKeyDictionary()


def _answer_in_utc(answer: Answer) -> Answer:
    schema = schema_in_utc(answer.schema)
    if schema is answer.schema:
        return answer
    table = answer.table
    if table is not None:
        columns = [
            column.cast(field.type) for column, field in zip(table.columns, schema, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=schema)
    return replace(answer, schema=schema, table=table)


def _in_utc(field: pa.Field[pa.DataType]) -> pa.Field[pa.DataType]:
    type_ = field.type
    if not pa.types.is_timestamp(type_) or type_.tz in (None, UTC):
        return field
    return field.with_type(pa.timestamp(type_.unit, UTC))
