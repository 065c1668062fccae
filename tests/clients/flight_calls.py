"""What the tests of the Flight surface send: messages as bytes, and calls as raw gRPC."""

import contextlib
from collections.abc import Sequence
from decimal import Decimal

import grpc
import pyarrow as pa
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.server import FlightServer

BY_REGION = "SELECT region, SUM(revenue) AS total_revenue AT region"
CENTRAL = Decimal("3868636.36")
ROWS = 523_023
BIG = "SELECT transaction, revenue AT transaction"
STREAMS_IN = {"Handshake", "DoPut", "DoExchange"}


def packed(message: Message) -> bytes:
    """Return a Flight SQL message as a command, a ticket or the body of an action."""
    name = message.DESCRIPTOR.full_name
    return Packed(
        type_url=f"type.googleapis.com/{name}", value=message.SerializeToString()
    ).SerializeToString()


def descriptor_of(command: bytes) -> sql.FlightDescriptor:
    return sql.FlightDescriptor(type=sql.FlightDescriptor.CMD, cmd=command)


class Wire:
    """Calls as bytes: what no Flight client would send, and the statuses as they are."""

    def __init__(self, server: FlightServer) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")

    def call(
        self, rpc: str, message: bytes, headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[str, str]:
        """Return the name of the status and its text."""
        sent = iter([message]) if rpc in STREAMS_IN else message
        try:
            for _ in self._method(rpc)(sent, metadata=tuple(headers)):
                pass
        except grpc.RpcError as error:
            return error.code().name, error.details()
        return "OK", ""

    def request_id(self, rpc: str, message: bytes) -> str:
        """Return the name that a call which fails is given in its trailers."""
        call = self._method(rpc)(message)
        with contextlib.suppress(grpc.RpcError):
            list(call)
        return dict(call.trailing_metadata())["x-request-id"]

    def handshake(self, *headers: tuple[str, str]) -> dict[str, str]:
        """Return the headers of the response to a Handshake."""
        call = self._method("Handshake")(iter([]), metadata=headers)
        answered = dict(call.initial_metadata())
        assert list(call) == []
        return answered

    def _method(self, rpc: str):
        make = self._channel.stream_stream if rpc in STREAMS_IN else self._channel.unary_stream
        return make(
            f"/arrow.flight.protocol.FlightService/{rpc}",
            request_serializer=bytes,
            response_deserializer=bytes,
        )

    def close(self) -> None:
        self._channel.close()


def unpacked(body: bytes, into: Message) -> Message:
    """Return the message in the result of a Flight SQL action."""
    assert Packed.FromString(body).Unpack(into)
    return into


def info_of(client: flight.FlightClient, command: bytes | str) -> flight.FlightInfo:
    return client.get_flight_info(flight.FlightDescriptor.for_command(command))


def chunks_of(
    client: flight.FlightClient, ticket: flight.Ticket
) -> tuple[pa.Schema, list[flight.FlightStreamChunk]]:
    reader = client.do_get(ticket)
    return reader.schema, list(reader)


def table_of(client: flight.FlightClient, message: Message) -> pa.Table:
    """Return what a Flight SQL command answers with, by both calls."""
    (endpoint,) = info_of(client, packed(message)).endpoints
    return client.do_get(endpoint.ticket).read_all()


def act(client: flight.FlightClient, kind: str, body: bytes) -> list[bytes]:
    return [result.body.to_pybytes() for result in client.do_action(flight.Action(kind, body))]
