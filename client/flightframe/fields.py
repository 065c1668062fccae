"""Typed reading of the JSON that a server sends.

What comes in: JSON text, or an object out of it. What goes out: values of the type that was asked
for. It must never guess: a field of the wrong type is a `ProtocolError`, an unknown field is left
alone, because a newer server may say more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flightframe.errors import ProtocolError

Fields = Mapping[str, Any]


def parse_object(data: bytes) -> Fields:
    """Return the JSON object in `data`.

    Raises:
        ProtocolError: it is not JSON, or not an object.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise ProtocolError("PROTOCOL", "the server sent something that is not JSON") from None
    if not isinstance(body, dict):
        raise ProtocolError("PROTOCOL", "the server sent JSON that is not an object")
    return body


def text(fields: Fields, key: str) -> str:
    """Return the text under `key`, which must be there."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise _wrong(key, "a text")
    return value


def text_or_none(fields: Fields, key: str) -> str | None:
    """Return the text under `key`; None where it is absent or null."""
    return None if fields.get(key) is None else text(fields, key)


def texts_or_none(fields: Fields, key: str) -> tuple[str, ...] | None:
    """Return the list of texts under `key`; None where it is absent or null."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(key, "a list of texts")
    return tuple(value)


def texts(fields: Fields, key: str) -> tuple[str, ...]:
    """Return the list of texts under `key`, empty where it is absent."""
    return texts_or_none(fields, key) or ()


def text_map(fields: Fields, key: str) -> dict[str, str]:
    """Return the object of texts under `key`, empty where it is absent."""
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _wrong(key, "an object of texts")
    return value


def objects(fields: Fields, key: str) -> tuple[Fields, ...]:
    """Return the list of objects under `key`, empty where it is absent."""
    value = fields.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong(key, "a list of objects")
    return tuple(value)


def object_or_none(fields: Fields, key: str) -> Fields | None:
    """Return the object under `key`; None where it is absent or null."""
    value = fields.get(key)
    if value is not None and not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def count(fields: Fields, key: str) -> int:
    """Return the whole number from 0 on under `key`, which must be there."""
    value = fields.get(key)
    if type(value) is not int or value < 0:
        raise _wrong(key, "a count")
    return value


def truth(fields: Fields, key: str) -> bool:
    """Return the truth value under `key`, which must be there."""
    value = fields.get(key)
    if not isinstance(value, bool):
        raise _wrong(key, "true or false")
    return value


def _wrong(key: str, expected: str) -> ProtocolError:
    """Return the error for a field that is not what it has to be."""
    return ProtocolError("PROTOCOL", f"the server's field {key!r} is not {expected}")
