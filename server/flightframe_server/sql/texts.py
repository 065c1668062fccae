"""Texts to answers: a query, SQL about the catalogue, or what only a server that writes would do.

What comes in: a request of any surface. What goes out: its answer, or its types alone. It must
never run a text in a database: what the catalogue does not answer is Frame-QL.
"""

from __future__ import annotations

import re

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Answer, Request, Serving, Typed, answer, type_request
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.errors import FrameQLSyntaxError, ReadOnly
from flightframe_server.sql.catalogue_query import CatalogueQuery, meaning, sql_meaning
from flightframe_server.sql.tables import PublishedTables

_WRITES = re.compile(
    r"\s*+(?:ALTER|ANALYZE|ATTACH|CALL|CHECKPOINT|COPY|CREATE|DELETE|DETACH|DROP|EXPORT|GRANT"
    r"|IMPORT|INSERT|INSTALL|LOAD|MERGE|PRAGMA|REPLACE|RESET|REVOKE|SET|TRUNCATE|UPDATE|UPSERT"
    r"|USE|VACUUM)\b",
    re.IGNORECASE,
)


def answer_text(
    request: Request,
    serving: Serving,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
) -> Answer:
    """Answer a request of a call, for as long as that waits.

    Raises:
        FlightframeError: as `answer`.
        ReadOnly: the text would change something.
    """
    _note(request)
    meant = meaning(request, tables, serving, context.caller.user)
    if isinstance(meant, CatalogueQuery):
        return meant.answer(serving)
    try:
        return answer(meant, serving, context)
    except FrameQLSyntaxError as error:
        _refuse_writing(request.source, error)
        other = sql_meaning(request, tables, serving, context.caller.user)
        if other is None:
            raise
    if isinstance(other, CatalogueQuery):
        return other.answer(serving)
    return answer(other, serving, context)


def type_text(request: Request, serving: Serving, tables: PublishedTables) -> Typed:
    """Type a request without carrying it out; raises as `answer_text`."""
    _note(request)
    meant = meaning(request, tables, serving, "", typing=True)
    if isinstance(meant, CatalogueQuery):
        return meant.typed
    try:
        return type_request(meant, serving)
    except FrameQLSyntaxError as error:
        _refuse_writing(request.source, error)
        other = sql_meaning(request, tables, serving, "", typing=True)
        if other is None:
            raise
    return other.typed if isinstance(other, CatalogueQuery) else type_request(other, serving)


def read_only() -> ReadOnly:
    """Return the error of a text or a call that would change something."""
    return ReadOnly("this server only reads", hint="send a SELECT")


def _note(request: Request) -> None:
    """Tell the audit what is asked."""
    call = audited_call()
    if call is not None:
        call.request = request


def _refuse_writing(source: str, error: FrameQLSyntaxError) -> None:
    if _WRITES.match(source):
        raise read_only() from error
