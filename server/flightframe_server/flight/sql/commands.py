"""The commands of Flight SQL that this server knows, and what each of them means.

What comes in: the bytes of a command or a ticket. What goes out: the statement to answer, or the
listing to make. It must never answer what is not in its lists: unknown messages are UNIMPLEMENTED,
so that clients fall back; what would write is PERMISSION_DENIED, so that they do not try again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Answer
from flightframe_server.call_context import NO_OPTIONS, CallContext, Caller, SessionOptions
from flightframe_server.errors import FrameQLSyntaxError
from flightframe_server.flight.auditing import note_answer, note_request, note_rows
from flightframe_server.flight.session_options import applied, refreshed
from flightframe_server.flight.sql import info, key_listings, metadata, types
from flightframe_server.flight.sql.instants import answer_in_utc, schema_in_utc
from flightframe_server.flight.sql.prepared import Prepared
from flightframe_server.flight.sql.statements import statement_request
from flightframe_server.flight.sql.wire import names, unwrap
from flightframe_server.flight.state import FlightState
from flightframe_server.sql.concatenation import concatenated
from flightframe_server.sql.texts import answer_text, read_only, type_text


@dataclass(frozen=True, slots=True)
class Listing:
    """A command that lists what there is.

    Attributes:
        schema: the columns, from the message alone.
        table: the rows, from the message and what the server holds.
    """

    schema: Callable[[Any], pa.Schema]
    table: Callable[[Any, FlightState], pa.Table]


def _fixed(schema: pa.Schema) -> Callable[[Any], pa.Schema]:
    return lambda message: schema


LISTINGS: dict[type[Message], Listing] = {
    sql.CommandGetCatalogs: Listing(
        _fixed(metadata.CATALOGS), lambda message, state: metadata.catalogs(state.tables)
    ),
    sql.CommandGetDbSchemas: Listing(
        _fixed(metadata.DB_SCHEMAS),
        lambda message, state: metadata.db_schemas(message, state.tables),
    ),
    sql.CommandGetTables: Listing(
        metadata.tables_schema, lambda message, state: metadata.table_rows(message, state.tables)
    ),
    sql.CommandGetTableTypes: Listing(
        _fixed(metadata.TABLE_TYPES), lambda message, state: metadata.table_types(state.tables)
    ),
    sql.CommandGetPrimaryKeys: Listing(
        _fixed(key_listings.PRIMARY_KEYS),
        lambda message, state: key_listings.primary_keys(message, state.tables),
    ),
    sql.CommandGetExportedKeys: Listing(
        _fixed(key_listings.FOREIGN_KEYS),
        lambda message, state: key_listings.exported_keys(message, state.tables),
    ),
    sql.CommandGetImportedKeys: Listing(
        _fixed(key_listings.FOREIGN_KEYS),
        lambda message, state: key_listings.imported_keys(message, state.tables),
    ),
    sql.CommandGetCrossReference: Listing(
        _fixed(key_listings.FOREIGN_KEYS),
        lambda message, state: key_listings.cross_reference(message, state.tables),
    ),
    sql.CommandGetXdbcTypeInfo: Listing(
        _fixed(types.SCHEMA), lambda message, state: types.type_info(message)
    ),
    sql.CommandGetSqlInfo: Listing(
        _fixed(info.SCHEMA),
        lambda message, state: info.sql_info(message.info, state.runtime.statements.limits),
    ),
}

UNKNOWN = -1
"""A record count that is not known: that of an answer which is streamed."""

STATEMENTS = (sql.CommandStatementQuery, sql.CommandPreparedStatementQuery)
WRITES = (
    sql.CommandStatementUpdate,
    sql.CommandPreparedStatementUpdate,
    sql.CommandStatementIngest,
)

_COMMANDS = names(*STATEMENTS, *LISTINGS, *WRITES, sql.TicketStatementQuery)


def read_message(data: bytes) -> Message:
    """Return the message in a command or a ticket of Flight SQL; raises as `unwrap`."""
    return unwrap(data, _COMMANDS)


def answer_of(message: Message, state: FlightState, call: CallContext) -> Answer:
    """Answer a statement of a caller's, under the options of its session.

    Raises:
        TicketRefused: a prepared statement or a transaction that there is not.
        ReadOnly: a command that would write.
        FlightframeError: as `answer_text`; a message that asks nothing is a FrameQLSyntaxError.
    """
    match message:
        case sql.CommandStatementQuery():
            request = applied(call.options, statement_request(message))
            answer = answer_text(request, state.runtime, state.tables, call)
        case sql.CommandPreparedStatementQuery():
            prepared = state.prepared.get(message.prepared_statement_handle, call.caller)
            answer = _executed(prepared, state, call)
        case _:
            raise _no_statement(message)
    return answer_in_utc(answer)


def _executed(prepared: Prepared, state: FlightState, call: CallContext) -> Answer:
    """Answer a prepared statement: for several rows of parameters, their answers in order.

    Its collection was settled when it was prepared; its time is that of all rows together, and so
    are the definitions that they are answered by.
    """
    call = state.runtime.statements.bounded(call)
    with state.pinned() as pinned:
        answers = (
            answer_text(refreshed(call.options, request), pinned.runtime, pinned.tables, call)
            for request in prepared.requests
        )
        if len(prepared.requests) == 1:
            return next(answers)
        return concatenated(answers, prepared.typed.schema, call)


def schema_of(
    message: Message, state: FlightState, caller: Caller, options: SessionOptions = NO_OPTIONS
) -> pa.Schema:
    """Return the columns that a command answers with, without carrying it out.

    Raises:
        QueryError: the statement cannot be answered.
        ReadOnly: a command that would write.
    """
    match message:
        case sql.CommandPreparedStatementQuery():
            prepared = state.prepared.get(message.prepared_statement_handle, caller)
            # Typed anew: definitions and types may have moved since it was prepared.
            return schema_in_utc(type_text(prepared.request, state.runtime, state.tables).schema)
        case sql.CommandStatementQuery():
            request = applied(options, statement_request(message))
            return schema_in_utc(type_text(request, state.runtime, state.tables).schema)
    listing = LISTINGS.get(type(message))
    if listing is None:
        raise _no_statement(message)
    return listing.schema(message)


def bind(message: Message, reader: Any, state: FlightState, call: CallContext) -> Message:
    """Carry out a DoPut: bind a prepared statement or run it, and refuse everything else.

    Args:
        message: the command in the descriptor.
        reader: pyarrow's reader of the rows.
        state: what the server holds.
        call: the one that sends the rows.

    Raises:
        ReadOnly: a command that would write.
        QueryError: the rows cannot be bound, or the command is not one of DoPut.
    """
    match message:
        case sql.CommandPreparedStatementQuery(prepared_statement_handle=handle):
            _note_bound(state.prepared.bind(handle, reader, call.caller))
            return sql.DoPutPreparedStatementResult(prepared_statement_handle=handle)
        case sql.CommandPreparedStatementUpdate(prepared_statement_handle=handle) if (
            state.prepared.knows(handle, call.caller)
        ):
            # How drivers run a statement for its effect alone, whatever it is. A query has none:
            # it is answered, and counted as DB-API counts the rows that a statement gave.
            bound = state.prepared.bind(handle, reader, call.caller)
            answer = _executed(bound, state, call)
            note_answer(answer)
            rows = answer.rows
            return sql.DoPutUpdateResult(record_count=UNKNOWN if rows is None else rows)
    if isinstance(message, WRITES):
        raise read_only()
    raise FrameQLSyntaxError("this command takes no rows")


def _note_bound(bound: Prepared) -> None:
    note_request(bound.request)
    note_rows(len(bound.rows or ()))


def _no_statement(message: Message) -> Exception:
    if isinstance(message, WRITES):
        return read_only()
    return FrameQLSyntaxError("a ticket is no command", hint="read it with DoGet")
