"""An answer with where it came from, finished or ready to stream.

What comes in: what an engine served, or a plan that EXPLAIN shows. What goes out: an `Answer`, its
provenance in the schema's metadata. It must never give rows without their provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from flightframe_server.arrow_types import with_moments, with_sql_metadata
from flightframe_server.backends.protocol import BATCH_ROWS
from flightframe_server.batching import OpenAnswer
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.composer.compose import answer_schema
from flightframe_server.engine.attempt import Served
from flightframe_server.engine.engine import EngineState, MetricEngine
from flightframe_server.engine.frames import StreamedFrame
from flightframe_server.engine.unknown_members import remarks
from flightframe_server.provenance import (
    METADATA_KEY,
    SERVED_FROM_KEY,
    ColumnProvenance,
    PartProvenance,
    Provenance,
    ServedFrom,
    fold,
)
from flightframe_server.request import Translation
from flightframe_server.resolver.needs import Need
from flightframe_server.telemetry.metrics import route_of


# Without slots: a hot answer is given again and again, and to size it takes longer than to find it.
@dataclass(frozen=True, eq=False)
class Answer:
    """One answer, finished or ready to stream.

    Attributes:
        schema: of every batch, with the provenance in its metadata.
        provenance: where it came from.
        table: the finished rows; None where they are streamed.
        stream: the planned frame, where there is no table.
        state: what must not have moved for the same request to be given this very answer again;
            None where it may not be.
        entries: ids of the entries that it was read from.
    """

    schema: pa.Schema
    provenance: Provenance
    table: pa.Table | None
    stream: StreamedFrame | None = None
    state: EngineState | None = None
    entries: tuple[str, ...] = ()

    @property
    def hot(self) -> bool:
        """Whether the same request may be given this very answer again."""
        return self.state is not None

    @property
    def rows(self) -> int | None:
        """The number of rows, None where they are streamed."""
        return None if self.table is None else self.table.num_rows

    @property
    def route(self) -> str | None:
        """The one word for how it was made; None for a plan that EXPLAIN shows."""
        columns = self.provenance.columns
        if not columns:
            return None
        routes = (str(part.route) for column in columns for part in column.parts)
        return route_of(routes, streamed=self.table is None)

    @cached_property
    def bytes(self) -> int | None:
        """The bytes of the finished rows, None where they are streamed."""
        return None if self.table is None else int(self.table.nbytes)

    def open(self, context: CallContext = SERVER_CALL) -> OpenAnswer:
        """Start reading: from memory any number of times, from the back-end anew each time.

        Args:
            context: the call that reads.

        Raises:
            TicketRefused: a streamed frame whose data changed since it was planned.
            BackendError: the database failed, or has too much to do.
        """
        if self.stream is None:
            assert self.table is not None
            return OpenAnswer(self.schema, self.table.to_batches(BATCH_ROWS))
        running = self.stream.open(context.named(self.provenance.query_id))
        return OpenAnswer(self.schema, running, running)


def labelled(
    served: Served, engine: MetricEngine, query_id: str, state: EngineState | None
) -> Answer:
    """Return what an engine served, each column with where it came from.

    Args:
        served: the rows, or the frame to stream, and what each part was read from.
        engine: what served it.
        query_id: names the question in logs and provenance.
        state: under which the answer may be given again; None where it may not be.
    """
    question = served.plan.question
    parts = {part.need: done for part, done in zip(served.plan.parts, served.parts, strict=True)}
    listed = served.parts[: len(question.listed)]
    served_from = fold(part.served_from for part in served.parts)
    columns = tuple(
        ColumnProvenance(column.name, label, used)
        for number, column in enumerate(question.columns)
        for label, used in (_column(question.column_needs(number), parts, listed, served_from),)
    )
    notes = remarks(served, engine.store)
    provenance = Provenance(served_from, query_id, engine.collection.name, columns, notes)
    exact = all(part.route == "exact" for part in served.parts)
    lasting = state if served.table is not None and exact else None
    entries = tuple(part.entry for part in served.parts if part.entry)
    schema = answer_schema(question)
    return finished(schema, provenance, served.table, served.stream, lasting, entries)


def _column(
    needs: tuple[Need, ...],
    parts: Mapping[Need, PartProvenance],
    listed: tuple[PartProvenance, ...],
    served_from: ServedFrom,
) -> tuple[ServedFrom, tuple[PartProvenance, ...]]:
    """Return where a column came from; a level is of every part, and of those that list members."""
    used = (*listed, *(parts[need] for need in needs))
    if not needs:
        return served_from, used
    return fold(part.served_from for part in used), used


def explained(table: pa.Table, engine: MetricEngine, query_id: str) -> Answer:
    """Return the plan that EXPLAIN shows as an answer."""
    label = ServedFrom.ENGINE_CACHE if engine.enabled else ServedFrom.BACKEND
    provenance = Provenance(label, query_id, engine.collection.name)
    return finished(table.schema, provenance, table, None, None)


def in_sql(answer: Answer, made: Translation) -> Answer:
    """Return an answer as SQL has it: with timestamps for truncated dates, and notes."""
    if not made.moments and not made.notes:
        return answer
    provenance = replace(answer.provenance, notes=(*answer.provenance.notes, *made.notes))
    schema, table = with_moments(answer.schema, made.moments), answer.table
    schema = schema.with_metadata({**answer.schema.metadata, METADATA_KEY: provenance.to_bytes()})
    if table is not None:
        columns = [
            column.cast(field.type) for column, field in zip(table.columns, schema, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=schema)
    return replace(answer, schema=schema, provenance=provenance, table=table)


def finished(
    schema: pa.Schema,
    provenance: Provenance,
    table: pa.Table | None,
    stream: StreamedFrame | None,
    state: EngineState | None,
    entries: tuple[str, ...] = (),
) -> Answer:
    """Return rows as an answer, its provenance in the schema's metadata."""
    metadata = {
        SERVED_FROM_KEY: str(provenance.served_from).encode(),
        METADATA_KEY: provenance.to_bytes(),
    }
    labelled = with_sql_metadata(schema).with_metadata(metadata)
    return Answer(labelled, provenance, table, stream, state, entries)
