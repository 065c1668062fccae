"""Random changes to bytes: what a broken client, a broken network or an enemy would send."""

from __future__ import annotations

import re
from random import Random

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import DecodeError, Message

from flightframe.wire import flight_sql_pb2 as sql

_VARINTS = (b"\x00", b"\x7f", b"\x80\x01", b"\xff\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01")
_TEXTS = (b"'", b'"', b"(", b")", b"--", b"/*", b"\x00", b"\xff", b" OR 1=1 ", b"; DROP TABLE x")
_PIECES = re.compile(r"\w+|\s+|.", re.DOTALL)
_VOCABULARY = """
    region store category day month year revenue cost units margin profit on_hand SUM AVG MIN MAX
    COUNT SELECT AT WHERE HAVING LIMIT ORDER BY AND OR NOT IN ( ) , . ; @ * ? % _ = < > 0 1 2 10
    -1 1e3 'East' 'West' NULL DATE 'x' -- /* \0 é metrics stores % retail_full
"""
_WORDS = _VOCABULARY.split()
_LONGEST_CUT = 40
_STEPS = 4


def mutated(message: bytes, pool: list[bytes], random: Random) -> bytes:
    """Return a message changed in one to four places; `pool` lends pieces of other messages."""
    for _ in range(random.randint(1, _STEPS)):
        message = random.choice(_CHANGES)(message, pool, random)
    return message


def _place(message: bytes, random: Random) -> int:
    return random.randint(0, len(message))


def _flip(message: bytes, pool: list[bytes], random: Random) -> bytes:
    if not message:
        return message
    at = random.randrange(len(message))
    return message[:at] + bytes([message[at] ^ (1 << random.randrange(8))]) + message[at + 1 :]


def _byte(message: bytes, pool: list[bytes], random: Random) -> bytes:
    at = _place(message, random)
    return message[:at] + bytes([random.randrange(256)]) + message[at + 1 :]


def _cut(message: bytes, pool: list[bytes], random: Random) -> bytes:
    at = _place(message, random)
    return message[:at] + message[at + random.randint(1, _LONGEST_CUT) :]


def _shorten(message: bytes, pool: list[bytes], random: Random) -> bytes:
    return message[: _place(message, random)]


def _double(message: bytes, pool: list[bytes], random: Random) -> bytes:
    at = _place(message, random)
    piece = message[at : at + random.randint(1, _LONGEST_CUT)]
    return message[:at] + piece * random.randint(2, 3) + message[at + len(piece) :]


def _varint(message: bytes, pool: list[bytes], random: Random) -> bytes:
    at = _place(message, random)
    return message[:at] + random.choice(_VARINTS) + message[at + 1 :]


def _text(message: bytes, pool: list[bytes], random: Random) -> bytes:
    at = _place(message, random)
    return message[:at] + random.choice(_TEXTS) + message[at:]


def _graft(message: bytes, pool: list[bytes], random: Random) -> bytes:
    other = random.choice(pool)
    start = _place(other, random)
    piece = other[start : start + random.randint(1, _LONGEST_CUT)]
    at = _place(message, random)
    return message[:at] + piece + message[at + random.choice((0, len(piece))) :]


_CHANGES = (_flip, _byte, _cut, _shorten, _double, _varint, _text, _graft)


def mutated_inside(message: Message, pool: list[bytes], random: Random) -> bytes:
    """Return a message changed in one of its texts or bytes, all lengths around it made right.

    Without this, hardly a change would ever get past the first decoder.
    """
    leaves = [
        (field, value)
        for field, value in message.ListFields()
        if field.type in (field.TYPE_STRING, field.TYPE_BYTES) and not field.is_repeated
    ]
    if leaves:
        field, value = random.choice(leaves)
        setattr(message, field.name, _leaf(value, pool, random))
    return message.SerializeToString()


def _leaf(value: str | bytes, pool: list[bytes], random: Random) -> str | bytes:
    if isinstance(value, str):
        return _reworded(value, random)
    inner = _message_in(value)
    if inner is not None:
        packed, known = inner
        packed.value = mutated_inside(known, pool, random)
        return packed.SerializeToString()
    try:
        return _reworded(value.decode(), random).encode()
    except UnicodeDecodeError:
        return random.choice(_CHANGES)(value, pool, random)


def _message_in(data: bytes) -> tuple[Packed, Message] | None:
    """Return the Flight SQL message that bytes hold, with the Any around it."""
    try:
        packed = Packed.FromString(data)
    except DecodeError:
        return None
    kind = getattr(sql, packed.type_url.rpartition(".")[2], None)
    if kind is None or not packed.type_url:
        return None
    try:
        return packed, kind.FromString(packed.value)
    except DecodeError:
        return None


def _reworded(text: str, random: Random) -> str:
    """Return a text with one of its words, numbers or signs put in place of another."""
    pieces = _PIECES.findall(text)
    if not pieces:
        return random.choice(_WORDS)
    at = random.randrange(len(pieces))
    pieces[at] = random.choice((random.choice(_WORDS), random.choice(pieces), "", pieces[at] * 2))
    return "".join(pieces)
