"""The actions that this server answers, as one list.

What comes in: an action's type and body, and who calls. What goes out: the bodies of its results.
It must never answer an action that is not in the list; an unknown one is UNIMPLEMENTED, whatever
its body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.access.audit import audited_call
from flightframe_server.call_context import CallContext, Caller, SessionOptions
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.request import read_body
from flightframe_server.flight.caller import MIDDLEWARE
from flightframe_server.flight.cancelling import cancel, renew
from flightframe_server.flight.cookies import cookie_of
from flightframe_server.flight.session_options import current_options
from flightframe_server.flight.sql.wire import names, parse_message, unwrap, wrap
from flightframe_server.flight.state import FlightState
from flightframe_server.flight.wire_errors import unimplemented

DESCRIBE = "flightframe.describe"


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One call of an action.

    Attributes:
        state: what the server holds.
        caller: who calls.
        context: the call.
    """

    state: FlightState
    caller: Caller
    context: flight.ServerCallContext

    @property
    def options(self) -> SessionOptions:
        """The options that the caller has set."""
        return self.state.sessions.options(self.caller, self.context.peer)


@dataclass(frozen=True, slots=True)
class KnownAction:
    """One action: what it is for, and how it is carried out."""

    description: str
    carry_out: Callable[[bytes, ActionCall], list[bytes]]


def _create(body: bytes, call: ActionCall) -> list[bytes]:
    message = unwrap(body, names(sql.ActionCreatePreparedStatementRequest))
    assert isinstance(message, sql.ActionCreatePreparedStatementRequest)
    return [wrap(call.state.prepared.create(message, call.caller, call.options))]


def _close(body: bytes, call: ActionCall) -> list[bytes]:
    message = unwrap(body, names(sql.ActionClosePreparedStatementRequest))
    assert isinstance(message, sql.ActionClosePreparedStatementRequest)
    call.state.prepared.close(message.prepared_statement_handle, call.caller)
    return []


def _cancel_info(body: bytes, call: ActionCall) -> list[bytes]:
    message = parse_message(body, sql.CancelFlightInfoRequest)
    status = cancel(message.info, call.state, call.caller)
    return [sql.CancelFlightInfoResult(status=status).SerializeToString()]


def _cancel_query(body: bytes, call: ActionCall) -> list[bytes]:
    message = unwrap(body, names(sql.ActionCancelQueryRequest))
    assert isinstance(message, sql.ActionCancelQueryRequest)
    status = cancel(parse_message(message.info, sql.FlightInfo), call.state, call.caller)
    # The numbers of the two enumerations are the same.
    result = sql.ActionCancelQueryResult.CancelResult.Name(status)
    return [wrap(sql.ActionCancelQueryResult(result=result))]


def _renew(body: bytes, call: ActionCall) -> list[bytes]:
    message = parse_message(body, sql.RenewFlightEndpointRequest)
    return [renew(message.endpoint, call.state, call.caller).SerializeToString()]


def _set_options(body: bytes, call: ActionCall) -> list[bytes]:
    message = parse_message(body, sql.SetSessionOptionsRequest)
    peer = call.context.peer()
    errors, session = call.state.sessions.change(call.caller, peer, message.session_options)
    if session is not None:
        call.context.add_header("set-cookie", cookie_of(session, secure=call.state.secure))
    return [sql.SetSessionOptionsResult(errors=errors).SerializeToString()]


def _get_options(body: bytes, call: ActionCall) -> list[bytes]:
    parse_message(body, sql.GetSessionOptionsRequest)
    options = current_options(call.options, call.state.runtime)
    return [sql.GetSessionOptionsResult(session_options=options).SerializeToString()]


def _close_session(body: bytes, call: ActionCall) -> list[bytes]:
    parse_message(body, sql.CloseSessionRequest)
    call.state.sessions.close(call.caller, call.context.peer())
    proven = call.context.get_middleware(MIDDLEWARE)
    if proven is not None:
        proven.leave()
    # A client may have a token and a cookie; what it has under the token ends with the token.
    if call.caller.session is not None:
        call.state.forget(call.caller.session)
    closed = sql.CloseSessionResult(status=sql.CloseSessionResult.STATUS_CLOSED)
    return [closed.SerializeToString()]


def _describe(body: bytes, call: ActionCall) -> list[bytes]:
    context = CallContext(call.caller, call.options, call.context.is_cancelled)
    return [describe(read_body(body), call.state.runtime, context)]


ACTIONS: dict[str, KnownAction] = {
    DESCRIBE: KnownAction(
        "What can be asked: collections, levels with their members, metrics, schemas.", _describe
    ),
    "CreatePreparedStatement": KnownAction("Prepare a statement.", _create),
    "ClosePreparedStatement": KnownAction("Forget a prepared statement.", _close),
    "CancelFlightInfo": KnownAction("End what runs for a FlightInfo, and forget it.", _cancel_info),
    "CancelQuery": KnownAction("CancelFlightInfo, as it was called before.", _cancel_query),
    "RenewFlightEndpoint": KnownAction("Keep a result longer.", _renew),
    "SetSessionOptions": KnownAction("Set or erase options of a session.", _set_options),
    "GetSessionOptions": KnownAction("Tell the options of a session.", _get_options),
    "CloseSession": KnownAction("End a session.", _close_session),
}


def carry_out(kind: str, body: bytes, call: ActionCall) -> list[bytes]:
    """Carry an action out and return the bodies of its results.

    Raises:
        FlightframeError: as the action says.
        CallNotAnswered: there is no such action.
    """
    action = ACTIONS.get(kind)
    if action is None:
        raise unimplemented("this action")
    noted = audited_call()
    if noted is not None:
        noted.what = kind
    return action.carry_out(body, call)
