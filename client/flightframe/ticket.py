"""The bytes of a ticket: what one DoGet asks for.

What comes in: a query and what it asks of freshness. What goes out: the query's own text where it
asks for nothing else, so that anybody can write a ticket by hand; otherwise the message of
`proto/flightframe/wire/ticket.proto`, encoded here field by field, because protobuf is not a
dependency of the client. It must never depend on chance: the same question is the same bytes, which
is what the server finds finished answers by.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import timedelta

from flightframe.errors import ArgumentError

MAGIC = b"\x00FF1"
"""What a protobuf ticket starts with; no text and no Flight SQL message does."""

_LENGTH_DELIMITED = 2
_FIXED64 = 1


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a query asks of freshness.

    Attributes:
        max_staleness: seconds by which the answer may lag behind its source; None: never lag.
        only_if_cached: refuse rather than touch the back-end.
        no_cache: ask the back-end even where the cache could answer.
    """

    max_staleness: float | None = None
    only_if_cached: bool = False
    no_cache: bool = False


ALWAYS_FRESH = Freshness()


def freshness(
    max_staleness: float | timedelta | None, only_if_cached: bool, no_cache: bool
) -> Freshness:
    """Check and collect the three options.

    Raises:
        ArgumentError: the staleness is not a finite number of seconds from 0 on, an option is of
            another type, or two of them contradict each other.
    """
    if not isinstance(only_if_cached, bool) or not isinstance(no_cache, bool):
        raise ArgumentError("only_if_cached and no_cache are True or False")
    if only_if_cached and no_cache:
        raise ArgumentError("only_if_cached and no_cache contradict each other")
    if max_staleness is None:
        return Freshness(None, only_if_cached, no_cache)
    if isinstance(max_staleness, timedelta):
        max_staleness = max_staleness.total_seconds()
    if isinstance(max_staleness, bool) or not isinstance(max_staleness, int | float):
        raise ArgumentError("max_staleness is neither a number of seconds nor a timedelta")
    try:
        seconds = float(max_staleness)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds < 0:
        raise ArgumentError("max_staleness is not a finite number of seconds from 0 on")
    return Freshness(seconds + 0.0, only_if_cached, no_cache)


def encode_query(
    source: str,
    *,
    parameters: bytes = b"",
    collection: str = "",
    installation_id: str = "",
    fresh: Freshness = ALWAYS_FRESH,
) -> bytes:
    """Return the ticket of one query.

    Args:
        source: Frame-QL text.
        parameters: the IPC stream of the bound values; empty: none.
        collection: the Analytic Collection to ask; empty: the only one that fits.
        installation_id: the installation expected to answer; empty: whichever.
        fresh: what is asked of freshness.

    Raises:
        ArgumentError: the text is empty, no text, or holds a NUL or half a character.
    """
    text = _utf8(source, "the query")
    if not text.strip():
        raise ArgumentError("the query is empty")
    if b"\x00" in text:
        raise ArgumentError("the query holds a NUL character")
    rest = (
        _bytes_field(2, parameters)
        + _bytes_field(3, _utf8(collection, "the collection"))
        + _bytes_field(4, _utf8(installation_id, "the installation id"))
        + _message_field(5, _encode_freshness(fresh))
    )
    if not rest:
        return text
    return MAGIC + _message_field(1, _bytes_field(1, text) + rest)


def _encode_freshness(fresh: Freshness) -> bytes:
    """Return the message `Freshness`; empty where nothing is asked."""
    lag = fresh.max_staleness
    # The one field with presence: 0 seconds is not the same as unset.
    staleness = b"" if lag is None else _key(1, _FIXED64) + struct.pack("<d", lag)
    return staleness + _flag(2, fresh.only_if_cached) + _flag(3, fresh.no_cache)


def _utf8(text: str, what: str) -> bytes:
    """Return the text as UTF-8."""
    if not isinstance(text, str):
        raise ArgumentError(f"{what} is not a text")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{what} holds half a surrogate pair") from None


def _varint(number: int) -> bytes:
    """Return an unsigned number, seven bits to a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _key(number: int, wire_type: int) -> bytes:
    """Return what stands before a field's value."""
    return _varint(number << 3 | wire_type)


def _bytes_field(number: int, content: bytes) -> bytes:
    """Return a string or bytes field, left out where empty, as proto3 does."""
    return _message_field(number, content)


def _message_field(number: int, content: bytes) -> bytes:
    """Return a message field, left out where the message says nothing."""
    return _key(number, _LENGTH_DELIMITED) + _varint(len(content)) + content if content else b""


def _flag(number: int, value: bool) -> bytes:
    """Return a bool field, left out where false."""
    return _key(number, 0) + b"\x01" if value else b""
