"""What a client may do with a FlightInfo besides reading it: cancel it, or keep it longer.

What comes in: messages of actions, from anybody. What goes out: what became of the answer that a
ticket names. It must never end what another caller still reads: a hot answer is shared, costs
nothing, and is not cancellable.
"""

from __future__ import annotations

from collections.abc import Iterable

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.call_context import Caller
from flightframe_server.errors import TicketRefused
from flightframe_server.flight.sql.commands import read_message
from flightframe_server.flight.state import FlightState
from flightframe_server.flight.tickets import FlightSqlTicket, ResultTicket, decode

Status = sql.CancelFlightInfoResult.CancelStatus

_CANCELLED = sql.CancelFlightInfoResult.CANCEL_STATUS_CANCELLED
_CANCELLING = sql.CancelFlightInfoResult.CANCEL_STATUS_CANCELLING
_NOT_CANCELLABLE = sql.CancelFlightInfoResult.CANCEL_STATUS_NOT_CANCELLABLE


def cancel(info: sql.FlightInfo, state: FlightState, caller: Caller) -> Status:
    """End what runs for a FlightInfo of the caller's, and forget its answer.

    Returns:
        CANCELLED; CANCELLING where the database has not ended yet; NOT_CANCELLABLE where nothing
        is held for this caller alone.

    Raises:
        TicketRefused: it names no answer that is held, or another caller's.
        QueryError: its ticket is none.
    """
    if not info.endpoint:
        raise TicketRefused("the FlightInfo names no result")
    statuses = [_cancel(endpoint.ticket.ticket, state, caller) for endpoint in info.endpoint]
    return _worst(statuses)


def _worst(statuses: Iterable[Status]) -> Status:
    kinds = set(statuses)
    for status in (_CANCELLING, _CANCELLED):
        if status in kinds:
            return status
    return _NOT_CANCELLABLE


def _cancel(ticket: bytes, state: FlightState, caller: Caller) -> Status:
    handle = handle_in(ticket)
    if handle is None:
        return _NOT_CANCELLABLE
    result = state.results.find(handle, caller)
    if result.answer.hot:
        return _NOT_CANCELLABLE
    state.results.drop(handle, caller)
    ended = state.runtime.statements.cancel(result.answer.provenance.query_id)
    return _CANCELLING if ended is False else _CANCELLED


def renew(endpoint: sql.FlightEndpoint, state: FlightState, caller: Caller) -> sql.FlightEndpoint:
    """Keep the answer that an endpoint names, and return the endpoint with its new expiry.

    A ticket that is a question or a listing itself never expires: it comes back as it is.

    Raises:
        TicketRefused: it names no answer that is held, or another caller's.
        QueryError: its ticket is none.
    """
    renewed = sql.FlightEndpoint(ticket=endpoint.ticket, location=endpoint.location)
    handle = handle_in(endpoint.ticket.ticket)
    if handle is not None:
        result = state.results.find(handle, caller)
        renewed.app_metadata = result.provenance
        renewed.expiration_time.FromDatetime(result.expiry())
    return renewed


def handle_in(ticket: bytes) -> bytes | None:
    """Return the handle in a ticket, None where the ticket is a question itself.

    Raises:
        QueryError: it is no ticket.
    """
    read = decode(ticket)
    match read:
        case ResultTicket(handle=handle):
            return handle
        case FlightSqlTicket(message=message):
            query = read_message(message)
            return query.statement_handle if isinstance(query, sql.TicketStatementQuery) else None
    return None
