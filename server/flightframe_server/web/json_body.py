"""JSON that a client sent, read key by key.

What comes in: the bytes of a body. What goes out: its fields, and single values of the kind that is
wanted. It must never overlook a key, take one of two that stand for the same, or read a number as
something near it: digits with a point are a decimal, and only an exponent makes a double.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from flightframe_server.errors import FrameQLSyntaxError, TypeMismatch, did_you_mean, shown

Fields = Mapping[str, Any]


def read_fields(body: bytes, keys: Collection[str], example: str) -> dict[str, Any]:
    """Return the fields of a body that is a JSON object; an empty body has none.

    Args:
        body: the body.
        keys: which fields there may be.
        example: what to send, for the refusal.

    Raises:
        FrameQLSyntaxError: it is not JSON, no object, or holds another key, or one twice.
        TypeMismatch: a number in it does not fit a double.
    """
    fields = read_object(body, example) if body else {}
    check_keys(fields, keys)
    return fields


def read_object(body: bytes, example: str) -> dict[str, Any]:
    """Return the fields of a body, whichever they are; raises as `read_fields`."""
    try:
        fields = json.loads(
            body.decode(), parse_float=_number, parse_constant=_no_number, object_pairs_hook=_once
        )
    # UnicodeDecodeError and JSONDecodeError are both ValueErrors, as is an integer too long.
    except (ValueError, RecursionError):
        raise FrameQLSyntaxError("the body is not JSON", hint=example) from None
    if not isinstance(fields, dict):
        raise FrameQLSyntaxError("the body is not a JSON object", hint=example)
    return fields


def check_keys(fields: Fields, keys: Collection[str]) -> None:
    """Refuse fields that are none of `keys`."""
    for key in fields:
        if key not in keys:
            hint = did_you_mean(key, keys) or f"the keys are {', '.join(keys)}"
            raise FrameQLSyntaxError(f"there is no key {shown(key)}", hint=hint)


def text_of(fields: Fields, key: str) -> str | None:
    """Return a text, None where there is none.

    Raises:
        TypeMismatch: it is something else.
        FrameQLSyntaxError: it holds half a surrogate pair, which is no character.
    """
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeMismatch(f"{key} is not a text")
    if value is not None and not is_unicode(value):
        raise FrameQLSyntaxError(f"{key} holds half a surrogate pair")
    return value


def required_text(fields: Fields, key: str, example: str) -> str:
    """Return a text that must be there; raises as `text_of`."""
    value = text_of(fields, key)
    if value is None:
        raise FrameQLSyntaxError(f"the key {key} is missing or empty", hint=example)
    return value


def flag_of(fields: Fields, key: str) -> bool:
    """Return a truth, false where there is none.

    Raises:
        TypeMismatch: it is something else.
    """
    value = fields.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise TypeMismatch(f"{key} is neither true nor false")
    return value


def list_of(fields: Fields, key: str) -> list[Any] | None:
    """Return a list, None where there is none.

    Raises:
        TypeMismatch: it is something else.
    """
    value = fields.get(key)
    if value is not None and not isinstance(value, list):
        raise TypeMismatch(f"{key} is not a list")
    return value


def is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: JSON may escape half of a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _number(text: str) -> Decimal | float:
    if "e" not in text.lower():
        return Decimal(text)
    value = float(text)
    if not math.isfinite(value):
        raise TypeMismatch(f"{shown(text)} does not fit a double")
    return value


def _no_number(text: str) -> None:
    raise TypeMismatch(f"{shown(text)} is not a number in JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FrameQLSyntaxError("a key stands twice in one object of the body")
    return fields
