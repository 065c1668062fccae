"""What the bytes of a ticket mean: the first arrow of the path, and pure.

What comes in: bytes that anybody may have sent. What goes out: one of four frozen values: a text, a
query with its bound values and what it asks of freshness, a result planned before, or a Flight SQL
message that is not ours to read. It must never let anything but an error of ours out, never hold
more than a small multiple of what was sent, and never overlook a field: what this version does not
know, it refuses.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from flightframe.wire import ticket_pb2
from flightframe_server.algebra.types import MAX_PRECISION
from flightframe_server.errors import (
    FrameQLSyntaxError,
    LimitExceeded,
    NotSupported,
    TypeMismatch,
    shown,
)
from flightframe_server.language.syntax import LiteralValue, ParameterValue
from flightframe_server.planner.plan import Freshness

MAGIC = b"\x00FF1"
MAX_TICKET_BYTES = 4 << 20
MAX_SOURCE_BYTES = 1 << 20
MAX_PARAMETERS = 10_000

_FLIGHT_SQL = b"type.googleapis.com/arrow.flight.protocol.sql."
_ANY_TYPE_URL = b"\x0a"
_JUNK = (
    pa.ArrowException,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    StopIteration,
    struct.error,
)
"""What reading junk as Arrow raises; which of them depends on where the junk sits."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BoundValue(NamedTuple):
    """One parameter: its column's name (an index from 0, or a name), its value, its Arrow type.

    The type belongs to the value's identity: 1 and TRUE are equal in Python.
    """

    name: str
    value: ParameterValue
    arrow_type: str


@dataclass(frozen=True, slots=True)
class TextTicket:
    """Frame-QL text and nothing else."""

    source: str


@dataclass(frozen=True, slots=True)
class QueryTicket:
    """Frame-QL text with everything that can be asked beside it.

    Attributes:
        source: the text, not empty.
        parameters: the bound values, in the order of their columns.
        collection: the Analytic Collection to ask; empty: the only one that fits.
        installation_id: the installation expected to answer; empty: whichever.
        freshness: what the request says about age.
    """

    source: str
    parameters: tuple[BoundValue, ...] = ()
    collection: str = ""
    installation_id: str = ""
    freshness: Freshness = field(default_factory=Freshness)

    @property
    def values(self) -> dict[int | str, ParameterValue]:
        """The bound values by index for `?` and by name for `$name`."""
        return {
            int(bound.name) if bound.name.isdigit() else bound.name: bound.value
            for bound in self.parameters
        }


@dataclass(frozen=True, slots=True)
class ResultTicket:
    """A result that GetFlightInfo has planned; whether the handle is good is not decided here."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class FlightSqlTicket:
    """A `google.protobuf.Any` of a Flight SQL message, as it came."""

    message: bytes


Ticket = TextTicket | QueryTicket | ResultTicket | FlightSqlTicket


def decode(ticket: bytes) -> Ticket:
    """Return what a ticket asks for.

    Raises:
        LimitExceeded: more than 4 MiB in all, 1 MiB of text, or 10,000 parameters.
        FrameQLSyntaxError: neither a text nor a well-formed message.
        NotSupported: a message of ours with fields that this version does not know.
        TypeMismatch: a parameter or the staleness is of a kind that cannot be bound.
    """
    if len(ticket) > MAX_TICKET_BYTES:
        raise LimitExceeded("a ticket has at most 4 MiB")
    if ticket.startswith(MAGIC):
        return _decode_message(ticket[len(MAGIC) :])
    if _is_flight_sql(ticket):
        return FlightSqlTicket(ticket)
    if len(ticket) > MAX_SOURCE_BYTES:
        raise _too_long()
    try:
        return TextTicket(_checked_source(ticket.decode()))
    except UnicodeDecodeError:
        raise FrameQLSyntaxError(
            "the ticket is neither UTF-8 text nor a message that this server knows"
        ) from None


def encode(ticket: ResultTicket) -> bytes:
    """Return the bytes that `decode` reads back as the same ticket."""
    message = ticket_pb2.Ticket(pinned=ticket_pb2.Pinned(handle=ticket.handle))
    return MAGIC + message.SerializeToString(deterministic=True)


def _is_flight_sql(ticket: bytes) -> bool:
    """Return whether the bytes start as an Any of a Flight SQL message does.

    The length of the type URL takes one byte: none of the messages has a name past 81 letters.
    """
    return ticket.startswith(_ANY_TYPE_URL) and ticket.startswith(_FLIGHT_SQL, 2)


def _decode_message(data: bytes) -> QueryTicket | ResultTicket:
    """Return the ticket in a message of ours."""
    try:
        ticket = ticket_pb2.Ticket.FromString(data)
    except DecodeError:
        raise FrameQLSyntaxError("the ticket is malformed") from None
    _refuse_unknown(ticket)
    match ticket.WhichOneof("kind"):
        case "query":
            return _decode_query(ticket.query)
        case "pinned" if ticket.pinned.handle:
            _refuse_unknown(ticket.pinned)
            return ResultTicket(ticket.pinned.handle)
        case _:
            raise FrameQLSyntaxError("the ticket asks for nothing")


def _decode_query(query: ticket_pb2.Query) -> QueryTicket:
    """Return the query ticket in its message."""
    _refuse_unknown(query)
    _refuse_unknown(query.freshness)
    if len(query.source) > MAX_SOURCE_BYTES or len(query.source.encode()) > MAX_SOURCE_BYTES:
        raise _too_long()
    return QueryTicket(
        source=_checked_source(query.source),
        parameters=decode_parameters(query.parameters) if query.parameters else (),
        collection=query.collection,
        installation_id=query.installation_id,
        freshness=_decode_freshness(query.freshness),
    )


def _decode_freshness(message: ticket_pb2.Freshness) -> Freshness:
    """Return what the message asks of freshness."""
    if message.only_if_cached and message.no_cache:
        raise FrameQLSyntaxError("only_if_cached and no_cache contradict each other")
    lag = message.max_staleness if message.HasField("max_staleness") else None
    if lag is not None and not (math.isfinite(lag) and lag >= 0):
        raise TypeMismatch("max_staleness is not a finite number of seconds from 0 on")
    return Freshness(lag, message.only_if_cached, message.no_cache)


def _refuse_unknown(message: Message) -> None:
    """Refuse fields of a newer version: what they ask for would be silently left out."""
    if len(UnknownFieldSet(message)):
        raise NotSupported(
            "the ticket asks for something that this version does not know",
            hint="use a client of the server's version",
        )


def _checked_source(source: str) -> str:
    """Return the query's text, refused where it is none."""
    if not source:
        raise FrameQLSyntaxError("the query is empty", hint="send Frame-QL text as the ticket")
    if "\x00" in source:
        raise FrameQLSyntaxError("the query holds a NUL character")
    return source


def _too_long() -> LimitExceeded:
    """Return the error for a text past its bound."""
    return LimitExceeded("a query has at most 1 MiB of text")


def decode_parameters(stream: bytes) -> tuple[BoundValue, ...]:
    """Return the values in an Arrow IPC stream of one record batch with one row.

    Raises:
        LimitExceeded: more than 10,000 columns.
        FrameQLSyntaxError: not such a stream, or columns with names that bind nothing.
        TypeMismatch: a column whose type, or a value that, Frame-QL has no literal for.
    """
    try:
        batch = _read_one_row(stream)
        values = tuple(
            _bound(name, batch.column(index)) for index, name in enumerate(batch.schema.names)
        )
    except _JUNK:
        raise FrameQLSyntaxError("the parameters are not one row of Arrow values") from None
    _check_names([value.name for value in values])
    return values


def _read_one_row(stream: bytes) -> pa.RecordBatch:
    """Return the only record batch of the stream; raises anything where the stream is junk."""
    messages = iter(pa.ipc.MessageReader.open_stream(pa.py_buffer(stream)))
    schema = pa.ipc.read_schema(next(messages))
    if len(schema) > MAX_PARAMETERS:
        raise LimitExceeded(f"a query has at most {MAX_PARAMETERS} parameters")
    for column in schema:
        _literal_type(column)
    body = next(messages)
    if body.type != "record batch" or _is_compressed(body.metadata.to_pybytes()):
        raise FrameQLSyntaxError("the parameters are not one uncompressed record batch")
    batch = pa.ipc.read_record_batch(body, schema)
    if batch.num_rows != 1 or next(messages, None) is not None:
        raise FrameQLSyntaxError("the parameters are not exactly one row")
    batch.validate(full=True)
    return batch


def _is_compressed(metadata: bytes) -> bool:
    """Return whether a record batch's message says that its buffers are compressed.

    Decompressing is the one step whose cost is not bounded by what was sent, and pyarrow cannot be
    told to refuse it. The layout is that of Arrow's `Message.fbs`: `header` is field 2 of Message,
    `compression` field 3 of RecordBatch. A flatbuffer table begins with the distance back to its
    vtable; a vtable holds its own size, the table's, and the place of each field in the table.
    """

    def place_of(table: int, number: int) -> int:
        (back,) = struct.unpack_from("<i", metadata, table)
        (size,) = struct.unpack_from("<H", metadata, table - back)
        slot = 4 + 2 * number
        return struct.unpack_from("<H", metadata, table - back + slot)[0] if slot < size else 0

    (message,) = struct.unpack_from("<I", metadata, 0)
    header = message + place_of(message, 2)
    (ahead,) = struct.unpack_from("<I", metadata, header)
    return place_of(header + ahead, 3) != 0


def _literal_type(column: pa.Field[Any]) -> pa.DataType:
    """Return the type that a column is read as, which is one that Frame-QL has literals for."""
    of: pa.DataType = column.type
    if pa.types.is_list(of) or pa.types.is_large_list(of):
        if pa.types.is_nested(of.value_type):
            raise TypeMismatch(f"parameter {shown(column.name)} is a list of lists")
        return pa.list_(_literal_type(pa.field(column.name, of.value_type)))
    if pa.types.is_timestamp(of):
        return pa.timestamp("us", tz="UTC" if of.tz else None)
    if pa.types.is_date(of):
        return pa.date32()
    if pa.types.is_large_string(of) or pa.types.is_string_view(of):
        return pa.string()
    if pa.types.is_decimal(of) and not 0 <= of.scale <= MAX_PRECISION:
        raise TypeMismatch(
            f"parameter {shown(column.name)} has a scale outside 0 to {MAX_PRECISION}"
        )
    bindable = (
        pa.types.is_null,
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_float32,
        pa.types.is_float64,
        pa.types.is_decimal32,
        pa.types.is_decimal64,
        pa.types.is_decimal128,
        pa.types.is_string,
    )
    if any(fits(of) for fits in bindable):
        return of
    raise TypeMismatch(
        f"parameter {shown(column.name)} is of type {shown(of)}, which cannot be bound",
        hint="bind integers, decimals, doubles, texts, booleans, dates or timestamps, or a list"
        " of such",
    )


def _bound(name: str, column: pa.Array[Any]) -> BoundValue:
    """Return the value in the column's only row."""
    type_ = _literal_type(pa.field(name, column.type))
    if pa.types.is_list(type_) and column[0].is_valid and len(column[0]) > MAX_PARAMETERS:
        raise LimitExceeded(f"a list has at most {MAX_PARAMETERS:,} values")
    exact = column if column.type == type_ else column.cast(type_, safe=True)
    value = exact[0].as_py()
    members: tuple[LiteralValue, ...] = tuple(value) if isinstance(value, list) else (value,)
    if any(isinstance(one, float) and not math.isfinite(one) for one in members):
        raise TypeMismatch(f"parameter {shown(name)} is not a finite number")
    return BoundValue(name, members if isinstance(value, list) else value, str(type_))


def _check_names(names: list[str]) -> None:
    """Refuse columns that bind neither the next `?` nor a `$name` of their own."""
    position = 0
    seen: set[str] = set()
    for name in names:
        if name == str(position):
            position += 1
        elif name in seen or not _NAME.fullmatch(name):
            raise FrameQLSyntaxError(
                f"a parameter cannot be named {shown(name)}",
                hint="name the columns 0, 1, ... for ?, or by letters, digits and _ for $name",
            )
        seen.add(name)
