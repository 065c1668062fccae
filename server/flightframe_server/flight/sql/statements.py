"""Texts to answers: a query, SQL about the catalogue, or what only a server that writes would do.

What comes in: a request of any Flight path. What goes out: its answer, or its types alone. It must
never run a text in a database: what the catalogue does not answer is Frame-QL.
"""

from __future__ import annotations

import re

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Answer, QuerySignature, Request, Runtime, answer, type_request
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.errors import FrameQLSyntaxError, TicketRefused
from flightframe_server.flight.auditing import note_request
from flightframe_server.flight.boundary import read_only
from flightframe_server.flight.sql import probes
from flightframe_server.flight.sql.tables import PublishedTables

_WRITES = re.compile(
    r"\s*+(?:ALTER|ANALYZE|ATTACH|CALL|CHECKPOINT|COPY|CREATE|DELETE|DETACH|DROP|EXPORT|GRANT"
    r"|IMPORT|INSERT|INSTALL|LOAD|MERGE|PRAGMA|REPLACE|RESET|REVOKE|SET|TRUNCATE|UPDATE|UPSERT"
    r"|USE|VACUUM)\b",
    re.IGNORECASE,
)


def answer_text(
    request: Request,
    serving: Runtime,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
) -> Answer:
    """Answer a request of a call, for as long as that waits.

    Raises:
        FlightframeError: as `answer`.
        CallRefused: PERMISSION_DENIED, the text would change something.
    """
    note_request(request)
    meant = probes.meaning(request, tables, serving, context.caller.user)
    if isinstance(meant, probes.Probe):
        return meant.answer(serving)
    try:
        return answer(meant, serving, context)
    except FrameQLSyntaxError as error:
        _refuse_writing(request.source, error)
        other = probes.sql_meaning(request, tables, serving, context.caller.user)
        if other is None:
            raise
    if isinstance(other, probes.Probe):
        return other.answer(serving)
    return answer(other, serving, context)


def type_text(request: Request, serving: Runtime, tables: PublishedTables) -> QuerySignature:
    """Type a request without carrying it out; raises as `answer_text`."""
    note_request(request)
    meant = probes.meaning(request, tables, serving, "", typing=True)
    if isinstance(meant, probes.Probe):
        return meant.typed
    try:
        return type_request(meant, serving)
    except FrameQLSyntaxError as error:
        _refuse_writing(request.source, error)
        other = probes.sql_meaning(request, tables, serving, "", typing=True)
        if other is None:
            raise
    return other.typed if isinstance(other, probes.Probe) else type_request(other, serving)


def statement_request(message: sql.CommandStatementQuery) -> Request:
    """Return the request of CommandStatementQuery."""
    check_transaction(message)
    return Request(message.query)


def check_transaction(
    message: sql.CommandStatementQuery | sql.ActionCreatePreparedStatementRequest,
) -> None:
    """Refuse a statement inside a transaction: there are none.

    Raises:
        TicketRefused: the message names one.
    """
    if message.transaction_id:
        raise TicketRefused("there is no such transaction")


def _refuse_writing(source: str, error: FrameQLSyntaxError) -> None:
    if _WRITES.match(source):
        raise read_only() from error
