"""Flight SQL messages to bytes and back, by an explicit list of names.

What comes in: bytes that anybody may have sent. What goes out: a message of a known kind. It must
never look a name up among a module's attributes, where a client would find more than messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import DecodeError, Message

from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded
from flightframe_server.flight.wire_errors import unimplemented

PREFIX = "type.googleapis.com/"
PACKAGE = "arrow.flight.protocol.sql."
MAX_COMMAND_BYTES = (1 << 20) + (64 << 10)

Known = TypeVar("Known", bound=Message)


def names(*messages: type[Message]) -> dict[str, type[Message]]:
    """Return an allow-list: the full name of each message, such as `...sql.CommandGetTables`."""
    return {message.DESCRIPTOR.full_name: message for message in messages}


def wrap(message: Message) -> bytes:
    """Return a message in an Any, as tickets and results of actions travel."""
    packed = Packed(
        type_url=PREFIX + message.DESCRIPTOR.full_name, value=message.SerializeToString()
    )
    return packed.SerializeToString(deterministic=True)


def unwrap(data: bytes, known: Mapping[str, type[Message]]) -> Message:
    """Return the message in an Any.

    Args:
        data: the bytes.
        known: the messages that may be in it, by full name.

    Raises:
        LimitExceeded: more than 1 MiB of text and a little beside it.
        FrameQLSyntaxError: no Any, one of a foreign message, or a malformed message.
        CallNotAnswered: a message of Flight SQL's that is not in the list.
    """
    if len(data) > MAX_COMMAND_BYTES:
        raise LimitExceeded("a query has at most 1 MiB of text")
    packed = parse_message(data, Packed)
    name = packed.type_url.removeprefix(PREFIX)
    if name == packed.type_url or not name.startswith(PACKAGE):
        raise FrameQLSyntaxError("the command is no message of Flight SQL")
    if name not in known:
        raise unimplemented("this message of Flight SQL")
    return parse_message(packed.value, known[name])


def parse_message(data: bytes, kind: type[Known]) -> Known:
    """Return a message that travels without an Any.

    Raises:
        FrameQLSyntaxError: the bytes are no such message.
    """
    try:
        return kind.FromString(data)
    except DecodeError:
        raise FrameQLSyntaxError("the message is malformed") from None
