"""The Flight server: every call of the protocol, each a few lines that say what it means.

What comes in: calls of any Flight client. What goes out: what it asked for, or one error of the
wire. It must never leave a method of the protocol to its default, which would answer with a
traceback, and never do a thing twice for a question that was answered before.

A command or a ticket is one of three: Frame-QL text or our own message (`tickets.py`), a message
of Flight SQL (`sql/commands.py`), or the handle of an answer. Whatever it is, it is answered
through `answer_text`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from google.protobuf.message import Message
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.access.access import OPEN, Access
from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Answer, Request, Runtime
from flightframe_server.call_context import CallContext, Caller
from flightframe_server.errors import (
    FrameQLSyntaxError,
    LimitExceeded,
    SetupError,
    UnknownName,
    shown,
)
from flightframe_server.flight.actions import ACTIONS, ActionCall, carry_out
from flightframe_server.flight.auditing import audited, note_answer, note_command
from flightframe_server.flight.caller import call_of, caller_of
from flightframe_server.flight.handshake import encryption, hooks
from flightframe_server.flight.incoming import IncomingBounds
from flightframe_server.flight.incoming_watch import CountedReader, IncomingWatch
from flightframe_server.flight.result_handles import HeldResult
from flightframe_server.flight.session_options import applied
from flightframe_server.flight.sql.commands import (
    LISTINGS,
    answer_of,
    bind,
    read_message,
    schema_of,
)
from flightframe_server.flight.state import FlightBounds, FlightState
from flightframe_server.flight.stream import (
    data_stream,
    finished_chunks,
    finished_stream,
    is_large,
    listing_batches,
    live_stream,
)
from flightframe_server.flight.tickets import (
    FlightSqlTicket,
    QueryTicket,
    ResultTicket,
    TextTicket,
    decode,
)
from flightframe_server.flight.tracing import middleware, traced
from flightframe_server.flight.wire_errors import bounded, unimplemented
from flightframe_server.sql.texts import answer_text, type_text

DEFAULT_ADDRESS = "127.0.0.1:0"
SERVED_FROM_HEADER = "x-served-from"

GRACE_SECONDS = 10.0
COMMAND_BYTES = 4096
COMMAND_COUNT = 1024

Command = Request | ResultTicket | Message


# pyarrow has no types: its classes are Any to the checker.
class FlightServer(flight.FlightServerBase):  # type: ignore[misc]
    """Serves an installation over Arrow Flight and Flight SQL, from the moment it is made.

    Args:
        runtime: what answers. It is the caller's to close, after this server.
        location: where to listen, such as `grpc://127.0.0.1:0`, or `grpc+tls://` with TLS; port 0
            takes any free one, and `port` says which. None: that one.
        bounds: how much is held for clients; None: what the installation's limits allow.
        handshake: whether a Handshake is answered where no client is asked for credentials. Clients
            that send a user name need it; every call pays for it, see `handshake.py`.
        access: who is let in, and whether over TLS.

    Raises:
        OSError: the address cannot be listened at.
        SetupError: the location and the certificates contradict each other.
    """

    def __init__(
        self,
        runtime: Runtime,
        location: str | None = None,
        *,
        bounds: FlightBounds | None = None,
        handshake: bool = True,
        access: Access = OPEN,
    ) -> None:
        """Begin to listen; see the class."""
        limits = runtime.statements.limits
        self._runtime = runtime
        scheme = "grpc" if access.tls is None else "grpc+tls"
        self._location = location or f"{scheme}://{DEFAULT_ADDRESS}"
        if not self._location.startswith(f"{scheme}://"):
            # pyarrow would listen unencrypted, certificates or not.
            raise SetupError(f"the location does not begin with {scheme}://")
        self._short: Callable[[bytes], Command] = lru_cache(maxsize=COMMAND_COUNT)(self._read)
        before = hooks(access, handshake=handshake)
        self.audit = access.audit
        self.metrics, self.tracing = runtime.metrics, runtime.tracing
        self._state = FlightState.of(
            runtime,
            bounds,
            cookies="middleware" in before,
            secure=access.tls is not None,
        )
        if access.authenticator is not None:
            access.authenticator.on_session_end(self._state.forget)
        if self.tracing.on:
            before["middleware"] = {**before.get("middleware", {}), **middleware(self.tracing)}
        self._watch = IncomingWatch(IncomingBounds.within(limits))
        runtime.statements.follow_limits(self._watch.change_limits)
        # From here on calls are answered, in other threads.
        super().__init__(self._location, **before, **encryption(access))
        self._watch.begin(self.port)

    @property
    def uri(self) -> str:
        """The address that clients connect to, with the port that was taken."""
        head, _, _ = self._location.rpartition(":")
        return f"{head}:{self.port}"

    def shutdown(self) -> None:
        """Take no more calls, and wait for those under way, however long they take."""
        super().shutdown()
        self._watch.close()

    def stop(self, grace: float = GRACE_SECONDS) -> bool:
        """Take no more calls, and wait for those under way.

        Args:
            grace: seconds to wait; a client that neither reads on nor goes away would otherwise
                hold the server for ever.

        Returns:
            Whether all calls ended in time.
        """
        ending = threading.Thread(target=self.shutdown, name="flight-shutdown", daemon=True)
        ending.start()
        ending.join(grace)
        return not ending.is_alive()

    @audited
    @bounded
    @traced
    def get_flight_info(
        self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        """Answer a query, pin the answer, and say what DoGet will stream; errors come early."""
        caller = self._let_in(context, descriptor)
        data = _command_bytes(descriptor)
        command = self._command(data)
        if isinstance(command, ResultTicket):
            raise _no_command()
        if not isinstance(command, Request) and type(command) in LISTINGS:
            # The ticket is the command again: listings are cheap and hold nothing.
            endpoint = flight.FlightEndpoint(data, [])
            return flight.FlightInfo(
                schema_of(command, self._state, caller), descriptor, [endpoint]
            )
        call = call_of(context, caller, self._state)
        if isinstance(command, Request):
            answer = self._answer(command, call)
        else:
            answer = answer_of(command, self._state, call)
        note_answer(answer)
        result = self._state.results.hold(answer, caller)
        return result.info(descriptor, data, flight_sql=not isinstance(command, Request))

    @audited
    @bounded
    @traced
    def get_schema(
        self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.SchemaResult:
        """Return the columns that a command answers with, without carrying it out."""
        caller = self._let_in(context, descriptor)
        command = self._command(_command_bytes(descriptor))
        if isinstance(command, ResultTicket):
            raise _no_command()
        if not isinstance(command, Request) and type(command) in LISTINGS:
            return flight.SchemaResult(schema_of(command, self._state, caller))
        call = call_of(context, caller, self._state)
        if isinstance(command, Request):
            request = applied(call.options, command)
            typed = type_text(request, self._runtime, self._state.tables)
            return flight.SchemaResult(typed.schema)
        return flight.SchemaResult(schema_of(command, self._state, caller, call.options))

    @audited
    @bounded
    @traced
    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.FlightDataStream:
        """Stream an answer under a handle, a listing, or the answer of a ticket that is a query."""
        caller = self._let_in(context, ticket)
        command = self._command(ticket.ticket)
        match command:
            case Request():
                return self._one_call(command, context, caller)
            case ResultTicket(handle=handle):
                return self._result_stream(self._state.results.get(handle, caller), context, caller)
            case sql.TicketStatementQuery(statement_handle=handle):
                return self._result_stream(self._state.results.get(handle, caller), context, caller)
        listing = LISTINGS.get(type(command))
        if listing is None:
            raise FrameQLSyntaxError("this command is no ticket", hint="send it to GetFlightInfo")
        with self._state.pinned() as pinned:
            table = listing.table(command, pinned)
        return data_stream(table.schema, listing_batches(table))

    @audited
    @bounded
    @traced
    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: Any,
        writer: Any,
    ) -> None:
        """Bind the parameters of a prepared statement; nothing is ever written."""
        caller = self._let_in(context, descriptor)
        reader = CountedReader(reader, self._watch, context.peer())
        command = self._command(_command_bytes(descriptor))
        if isinstance(command, Request | ResultTicket):
            raise FrameQLSyntaxError("this command takes no rows")
        call = call_of(context, caller, self._state)
        bound = bind(command, reader, self._state, call)
        writer.write(bound.SerializeToString())

    @audited
    @bounded
    @traced
    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> list[bytes]:
        """Carry out an action of the list."""
        caller = self._let_in(context, action)
        self._check_size(action.body.size)
        body = action.body.to_pybytes()
        return carry_out(action.type, body, ActionCall(self._state, caller, context))

    @audited
    @bounded
    @traced
    def list_actions(self, context: flight.ServerCallContext) -> list[tuple[str, str]]:
        """Return the actions that there are."""
        self._let_in(context)
        return [(kind, action.description) for kind, action in ACTIONS.items()]

    @audited
    @bounded
    @traced
    def list_flights(self, context: flight.ServerCallContext, criteria: bytes) -> NoReturn:
        """Refuse: there are as many flights as questions."""
        self._let_in(context, criteria)
        raise unimplemented("ListFlights")

    @audited
    @bounded
    @traced
    def do_exchange(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: Any,
        writer: Any,
    ) -> NoReturn:
        """Refuse: nothing is computed on a client's rows."""
        self._let_in(context, descriptor)
        raise unimplemented("DoExchange")

    def _let_in(self, context: flight.ServerCallContext, message: Any = None) -> Caller:
        """Return who makes a call, and note that its message was taken; raises as `caller_of`."""
        target = context.peer()
        caller = caller_of(context, target)
        self._watch.take(target, _message_bytes(message))
        call = audited_call()
        if call is not None:
            call.caller = caller
        return caller

    def _command(self, data: bytes) -> Command:
        command = self._short(data) if len(data) <= COMMAND_BYTES else self._read(data)
        note_command(command)
        return command

    def _read(self, data: bytes) -> Command:
        self._check_size(len(data))
        ticket = decode(data)
        match ticket:
            case TextTicket(source=source):
                return Request(source)
            case QueryTicket():
                return self._request(ticket)
            case FlightSqlTicket(message=message):
                return read_message(message)
            case ResultTicket():
                return ticket

    def _check_size(self, size: int) -> None:
        max_bytes = self._runtime.statements.limits.request_bytes
        if size > max_bytes:
            raise LimitExceeded(f"a request has at most {max_bytes:,} bytes")

    def _request(self, ticket: QueryTicket) -> Request:
        installation, here = ticket.installation_id, self._runtime.installation_id
        if installation and installation != here:
            raise UnknownName(f"the installation {shown(installation)} is not served here")
        return Request(
            ticket.source,
            tuple(ticket.values.items()),
            ticket.collection or None,
            ticket.freshness,
        )

    def _answer(self, request: Request, call: CallContext) -> Answer:
        return answer_text(applied(call.options, request), self._runtime, self._state.tables, call)

    def _one_call(
        self, request: Request, context: flight.ServerCallContext, caller: Caller
    ) -> flight.FlightDataStream:
        call = call_of(context, caller, self._state)
        answer = self._answer(request, call)
        note_answer(answer)
        if answer.hot:
            return self._result_stream(self._state.results.hot(answer, caller), context, caller)
        context.add_header(SERVED_FROM_HEADER, str(answer.provenance.served_from))
        if answer.table is None:
            return live_stream(answer, call)
        if is_large(answer):
            return finished_stream(answer, call, self._runtime.statements)
        chunks = finished_chunks(answer, answer.provenance.to_bytes())
        return data_stream(answer.schema, chunks)

    def _result_stream(
        self, result: HeldResult, context: flight.ServerCallContext, caller: Caller
    ) -> flight.FlightDataStream:
        note_answer(result.answer)
        context.add_header(SERVED_FROM_HEADER, result.served_from)
        if result.chunks is None:
            return live_stream(result.answer, call_of(context, caller, self._state))
        if is_large(result.answer):
            call = call_of(context, caller, self._state)
            return finished_stream(result.answer, call, self._runtime.statements)
        return data_stream(result.answer.schema, result.chunks)


def _command_bytes(descriptor: flight.FlightDescriptor) -> bytes:
    command = descriptor.command
    if command is None:
        raise FrameQLSyntaxError("a path names nothing here", hint="send Frame-QL as the command")
    return bytes(command)


def _message_bytes(message: Any) -> int:
    """Return the bytes of what a call brings."""
    match message:
        case flight.Ticket():
            return len(message.ticket)
        case flight.Action():
            return len(message.type) + int(message.body.size)
        case flight.FlightDescriptor():
            return len(message.command or b"") + sum(len(part) for part in message.path or ())
        case bytes():
            return len(message)
    return 0


def _no_command() -> FrameQLSyntaxError:
    return FrameQLSyntaxError("a ticket is no command", hint="read it with DoGet")
