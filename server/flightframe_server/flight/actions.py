"""The actions that this server answers, as one list.

What comes in: an action's type and body. What goes out: the bodies of its results. It must never
answer an action that is not in the list; an unknown one is UNIMPLEMENTED, whatever its body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.boundary import unimplemented
from flightframe_server.flight.describe import ACTION, describe
from flightframe_server.flight.sql.wire import bare, names, unwrap, wrap
from flightframe_server.flight.state import FlightState


@dataclass(frozen=True, slots=True)
class KnownAction:
    """One action: what it is for, and how it is carried out."""

    description: str
    carry_out: Callable[[bytes, FlightState], list[bytes]]


def _create(body: bytes, state: FlightState) -> list[bytes]:
    message = unwrap(body, names(sql.ActionCreatePreparedStatementRequest))
    assert isinstance(message, sql.ActionCreatePreparedStatementRequest)
    return [wrap(state.prepared.create(message))]


def _close(body: bytes, state: FlightState) -> list[bytes]:
    message = unwrap(body, names(sql.ActionClosePreparedStatementRequest))
    assert isinstance(message, sql.ActionClosePreparedStatementRequest)
    state.prepared.close(message.prepared_statement_handle)
    return []


def _close_session(body: bytes, state: FlightState) -> list[bytes]:
    # Nothing is held for a session, so that closing one twice, or none, is closing it.
    bare(body, sql.CloseSessionRequest)
    closed = sql.CloseSessionResult(status=sql.CloseSessionResult.STATUS_CLOSED)
    return [closed.SerializeToString()]


def _describe(body: bytes, state: FlightState) -> list[bytes]:
    return [describe(body, state.serving)]


ACTIONS: dict[str, KnownAction] = {
    ACTION: KnownAction(
        "What can be asked: collections, levels with their members, metrics, schemas.", _describe
    ),
    "CreatePreparedStatement": KnownAction("Prepare a statement.", _create),
    "ClosePreparedStatement": KnownAction("Forget a prepared statement.", _close),
    "CloseSession": KnownAction("End a session.", _close_session),
}


def carry_out(kind: str, body: bytes, state: FlightState) -> list[bytes]:
    """Carry an action out and return the bodies of its results.

    Raises:
        FlightframeError: as the action says.
        CallRefused: UNIMPLEMENTED, there is no such action.
    """
    action = ACTIONS.get(kind)
    if action is None:
        raise unimplemented("this action")
    return action.carry_out(body, state)
