"""The body of a query request: JSON text to a `Request`.

What comes in: bytes that anybody may have sent. What goes out: the request and the installation it
was meant for. It must never overlook a key, and never read a number as something near it: digits
with a point are a decimal, and only an exponent makes a double, as in Frame-QL itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flightframe_server.answer import Request
from flightframe_server.errors import FrameQLSyntaxError, TypeMismatch, did_you_mean, shown
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.plan import Freshness

KEYS = (
    "installation_id",
    "source",
    "sql",
    "parameters",
    "collection",
    "ac_name",
    "max_staleness",
    "only_if_cached",
    "no_cache",
)
EXAMPLE = 'send {"installation_id": "…", "source": "SELECT …"} as application/json'

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks, and how.

    Attributes:
        installation_id: which installation it is meant for; None: any.
        request: the query.
        sql: whether its text means what it means to Flight SQL; Frame-QL alone where not.
    """

    installation_id: str | None
    request: Request
    sql: bool = False


def read_body(body: bytes) -> Asked:
    """Read the body of a query request.

    Raises:
        FrameQLSyntaxError: not JSON of the shape that `EXAMPLE` shows.
        TypeMismatch: a value is of a kind that cannot be used.
    """
    fields = _object(body)
    for key in fields:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS) or f"the keys are {', '.join(KEYS)}"
            raise FrameQLSyntaxError(f"there is no key {shown(key)}", hint=hint)
    given = [key for key in ("source", "sql") if fields.get(key) is not None]
    if len(given) > 1:
        raise FrameQLSyntaxError("source and sql are two queries", hint="send one of them")
    (key,) = given or ["source"]
    source = _text(fields, key)
    if not source or not source.strip():
        raise FrameQLSyntaxError(f"the key {key} is missing or empty", hint=EXAMPLE)
    if "\x00" in source:
        raise FrameQLSyntaxError("the query holds a NUL character")
    request = Request(source, _parameters(fields), _collection(fields), _freshness(fields))
    return Asked(_text(fields, "installation_id"), request, key == "sql")


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(
            body.decode(), parse_float=_number, parse_constant=_no_number, object_pairs_hook=_once
        )
    # UnicodeDecodeError and JSONDecodeError are both ValueErrors, as is an integer too long.
    except (ValueError, RecursionError):
        raise FrameQLSyntaxError("the body is not JSON", hint=EXAMPLE) from None
    if not isinstance(fields, dict):
        raise FrameQLSyntaxError("the body is not a JSON object", hint=EXAMPLE)
    return fields


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


def _text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeMismatch(f"{key} is not a text")
    if value is not None and not _is_unicode(value):
        raise FrameQLSyntaxError(f"{key} holds half a surrogate pair")
    return value


def _is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: JSON may escape half of a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _flag(fields: Mapping[str, Any], key: str) -> bool:
    value = fields.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise TypeMismatch(f"{key} is neither true nor false")
    return value


def _collection(fields: Mapping[str, Any]) -> str | None:
    """Return the collection asked, under either of its two names."""
    names = {_text(fields, key) or None for key in ("collection", "ac_name")} - {None}
    if len(names) > 1:
        raise FrameQLSyntaxError(
            "collection and ac_name say different things", hint="send one of them"
        )
    return names.pop() if names else None


def _freshness(fields: Mapping[str, Any]) -> Freshness:
    lag = fields.get("max_staleness")
    if lag is not None:
        if isinstance(lag, bool) or not isinstance(lag, int | float | Decimal) or lag < 0:
            raise TypeMismatch("max_staleness is not a number of seconds from 0 on")
        try:
            lag = float(lag)
        except OverflowError:
            raise TypeMismatch("max_staleness does not fit a double") from None
    only_if_cached, no_cache = _flag(fields, "only_if_cached"), _flag(fields, "no_cache")
    if only_if_cached and no_cache:
        raise FrameQLSyntaxError("only_if_cached and no_cache contradict each other")
    return Freshness(lag, only_if_cached, no_cache)


def _parameters(fields: Mapping[str, Any]) -> tuple[tuple[int | str, LiteralValue], ...]:
    """Return bound values: a list for `?`, an object for `$name`."""
    given = fields.get("parameters")
    named: list[tuple[int | str, Any]]
    match given:
        case None:
            return ()
        case list():
            named = list(enumerate(given))
        case dict():
            for name in given:
                if not _NAME.fullmatch(name):
                    raise FrameQLSyntaxError(
                        f"a parameter cannot be named {shown(name)}",
                        hint="write letters, digits and _, without the $",
                    )
            named = sorted(given.items())
        case _:
            raise TypeMismatch("parameters is neither a list nor an object")
    return tuple((name, _value(name, value)) for name, value in named)


def _value(name: int | str, value: Any) -> LiteralValue:
    if isinstance(value, str) and not _is_unicode(value):
        raise FrameQLSyntaxError(f"parameter {name} holds half a surrogate pair")
    if value is None or isinstance(value, bool | int | Decimal | float | str):
        return value
    raise TypeMismatch(
        f"parameter {shown(name)} is a list or an object",
        hint="bind numbers, texts, true, false or null; write dates as texts",
    )
