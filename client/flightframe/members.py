"""Members of levels, out of the JSON that a server sends.

What comes in: a JSON value, and the type of the level it belongs to. What goes out: the Python
value that a query would give: dates as dates, decimals as decimals. It must never guess: a value
that is none of its type is a `ProtocolError`; of an unknown type, which a newer server may have, it
stays as it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flightframe.errors import ProtocolError
from flightframe.fields import Fields

Member = str | int | bool | Decimal | datetime.date | datetime.datetime | None
"""A member of a level; NULL is None."""

_FROM_TEXT: dict[str, Callable[[str], Member]] = {
    "date": datetime.date.fromisoformat,
    "timestamp": datetime.datetime.fromisoformat,
    "decimal": Decimal,
}
_AS_THEY_ARE: dict[str, type[str | bool | int]] = {"text": str, "boolean": bool, "integer": int}


def read_member(value: Any, type_: str) -> Member:
    """Return one member of a level of a type such as `text`, `date`, `decimal(12,2)`.

    Raises:
        ProtocolError: the value is none of that type.
    """
    kind = type_.partition("(")[0].partition("[")[0]
    if value is None:
        return None
    known = _AS_THEY_ARE.get(kind)
    if type(value) is known and isinstance(value, str | int):
        return value
    if kind in _FROM_TEXT and isinstance(value, str):
        try:
            return _FROM_TEXT[kind](value)
        except (ValueError, InvalidOperation):
            raise _wrong(kind) from None
    if known is None and kind not in _FROM_TEXT and isinstance(value, str | int | bool):
        return value
    raise _wrong(kind)


def read_members(fields: Fields, key: str, type_: str) -> tuple[Member, ...]:
    """Return the members under `key`.

    Raises:
        ProtocolError: they are no list of such members.
    """
    values = fields.get(key)
    if not isinstance(values, list):
        raise ProtocolError("PROTOCOL", f"the server's field {key!r} is not a list")
    return tuple(read_member(value, type_) for value in values)


def _wrong(kind: str) -> ProtocolError:
    return ProtocolError("PROTOCOL", f"the server sent a member that is no {kind or 'value'}")
