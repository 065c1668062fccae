"""The body of a query request: JSON text to a `Request`.

What comes in: bytes that anybody may have sent. What goes out: the request and the installation it
was meant for. It must never take half of a contradiction, nor a value for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flightframe_server.answer import Request
from flightframe_server.errors import FrameQLSyntaxError, TypeMismatch, shown
from flightframe_server.language.syntax import LiteralValue, ParameterValue
from flightframe_server.planner.plan import Freshness
from flightframe_server.web.json_body import (
    check_keys,
    flag_of,
    is_unicode,
    read_object,
    text_of,
)

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
class QueryBody:
    """What the body of a query says.

    Attributes:
        installation_id: which installation it is meant for; None: any.
        request: the query.
        sql: whether its text means what it means to Flight SQL; Frame-QL alone where not.
    """

    installation_id: str | None
    request: Request
    sql: bool = False


def read_body(body: bytes) -> QueryBody:
    """Read the body of a query request.

    Raises:
        FrameQLSyntaxError: not JSON of the shape that `EXAMPLE` shows.
        TypeMismatch: a value is of a kind that cannot be used.
    """
    fields = read_object(body, EXAMPLE)
    check_keys(fields, KEYS)
    present = [key for key in ("source", "sql") if fields.get(key) is not None]
    if len(present) > 1:
        raise FrameQLSyntaxError("source and sql are two queries", hint="send one of them")
    (key,) = present or ["source"]
    source = text_of(fields, key)
    if not source or not source.strip():
        raise FrameQLSyntaxError(f"the key {key} is missing or empty", hint=EXAMPLE)
    if "\x00" in source:
        raise FrameQLSyntaxError("the query holds a NUL character")
    request = Request(source, _parameters(fields), _collection(fields), _freshness(fields))
    return QueryBody(text_of(fields, "installation_id"), request, key == "sql")


def _collection(fields: Mapping[str, Any]) -> str | None:
    """Return the collection asked, under either of its two names."""
    names = {text_of(fields, key) or None for key in ("collection", "ac_name")} - {None}
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
    only_if_cached, no_cache = flag_of(fields, "only_if_cached"), flag_of(fields, "no_cache")
    if only_if_cached and no_cache:
        raise FrameQLSyntaxError("only_if_cached and no_cache contradict each other")
    return Freshness(lag, only_if_cached, no_cache)


def _parameters(fields: Mapping[str, Any]) -> tuple[tuple[int | str, ParameterValue], ...]:
    """Return bound values: a list for `?`, an object for `$name`."""
    bound = fields.get("parameters")
    named: list[tuple[int | str, Any]]
    match bound:
        case None:
            return ()
        case list():
            named = list(enumerate(bound))
        case dict():
            for name in bound:
                if not _NAME.fullmatch(name):
                    raise FrameQLSyntaxError(
                        f"a parameter cannot be named {shown(name)}",
                        hint="write letters, digits and _, without the $",
                    )
            named = sorted(bound.items())
        case _:
            raise TypeMismatch("parameters is neither a list nor an object")
    return tuple((name, _bound(name, value)) for name, value in named)


def _bound(name: int | str, value: Any) -> ParameterValue:
    """Return one value, or the values of a list."""
    if isinstance(value, list):
        return tuple(_value(name, member) for member in value)
    return _value(name, value)


def _value(name: int | str, value: Any) -> LiteralValue:
    if isinstance(value, str) and not is_unicode(value):
        raise FrameQLSyntaxError(f"parameter {name} holds half a surrogate pair")
    if value is None or isinstance(value, bool | int | Decimal | float | str):
        return value
    raise TypeMismatch(
        f"parameter {shown(name)} is an object, or a list in a list",
        hint="bind numbers, texts, true, false or null, or a list of such; write dates as texts",
    )
