"""The answer of a statement that several rows of parameters are bound to.

What comes in: the answers, one for each row, in the rows' order. What goes out: one answer, their
rows one after another. It must never mix answers of different columns, and never hold more than
its bound: such an answer is finished, not streamed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import pyarrow as pa

from flightframe_server.answer import Answer
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.errors import LimitExceeded, TypeMismatch
from flightframe_server.provenance import (
    METADATA_KEY,
    SERVED_FROM_KEY,
    ColumnProvenance,
    PartProvenance,
    Provenance,
    fold,
)

MAX_BYTES = 64 * 1024 * 1024


def concatenated(
    answers: Iterable[Answer], schema: pa.Schema, context: CallContext = SERVER_CALL
) -> Answer:
    """Return the rows of answers one after another.

    Args:
        answers: one for each row of parameters; taken one at a time.
        schema: the columns where there is no answer at all.
        context: the call that waits for it.

    Raises:
        LimitExceeded: together they are too large.
        TypeMismatch: they have different columns.
    """
    tables: list[pa.Table] = []
    provenances: list[Provenance] = []
    size = 0
    for answer in answers:
        table = answer.table if answer.table is not None else _collected(answer, context)
        size += table.nbytes
        if size > MAX_BYTES:
            raise _too_large()
        tables.append(table.replace_schema_metadata(None))
        provenances.append(answer.provenance)
        if not tables[0].schema.equals(tables[-1].schema):
            raise TypeMismatch(
                "the rows of parameters give columns of different types",
                hint="bind values of one type to each parameter",
            )
    provenance = _folded(provenances)
    joined = pa.concat_tables(tables) if tables else schema.empty_table()
    carried = {
        SERVED_FROM_KEY: str(provenance.served_from).encode(),
        METADATA_KEY: provenance.to_bytes(),
    }
    return Answer(joined.schema.with_metadata(carried), provenance, joined)


def _collected(answer: Answer, context: CallContext) -> pa.Table:
    """Return a streamed answer's rows, refused as soon as they are too many."""
    reading = answer.open(context)
    batches: list[pa.RecordBatch] = []
    size = 0
    try:
        for batch in reading:
            batches.append(batch)
            size += batch.nbytes
            if size > MAX_BYTES:
                raise _too_large()
    finally:
        reading.close()
    return pa.Table.from_batches(batches, answer.schema)


def _folded(provenances: list[Provenance]) -> Provenance:
    """Return where the whole came from: every column with the parts of all its answers."""
    columns = tuple(
        ColumnProvenance(
            same[0].column,
            fold(column.served_from for column in same),
            _distinct(part for column in same for part in column.parts),
        )
        for same in zip(*(provenance.columns for provenance in provenances), strict=True)
    )
    served_from = fold(provenance.served_from for provenance in provenances)
    collection = provenances[0].collection if provenances else ""
    notes = dict.fromkeys(note for provenance in provenances for note in provenance.notes)
    return Provenance(served_from, uuid.uuid4().hex, collection, columns, tuple(notes))


def _distinct(parts: Iterable[PartProvenance]) -> tuple[PartProvenance, ...]:
    distinct: list[PartProvenance] = []
    for part in parts:
        if part not in distinct:
            distinct.append(part)
    return tuple(distinct)


def _too_large() -> LimitExceeded:
    return LimitExceeded(
        f"the answers of several rows of parameters have at most {MAX_BYTES >> 20} MiB together",
        hint="bind fewer rows at once",
    )
