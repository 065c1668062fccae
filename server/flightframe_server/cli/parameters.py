"""The values of `--param`: texts of a command line as values of a query.

What comes in: texts of the form `[NAME][:TYPE]=VALUE`, or a value alone. What goes out: values in
order for `?`, or by name for `$name`. It must never guess a type: a value without one is a text,
which the server reads as what it is compared with.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flightframe import ArgumentError
from flightframe.parameters import Value
from flightframe_server.errors import did_you_mean, shown

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_NAMED = re.compile(rf"({NAME})=(.*)", re.DOTALL)
_TYPED = re.compile(rf"({NAME})?:({NAME})(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bound:
    """One value, and its name; without one it is that of the next `?`."""

    name: str | None
    value: Value


def bound(texts: Sequence[str]) -> list[Value] | dict[str, Value] | None:
    """Return the values of `--param`: by name where they have one, else in order.

    >>> bound(["r=West", "d:date=2023-05-01"])
    {'r': 'West', 'd': datetime.date(2023, 5, 1)}
    >>> bound(["West", "2 = 2", ":integer=3", ":null"])
    ['West', '2 = 2', 3, None]

    Raises:
        ArgumentError: some have a name and others have none, a name stands twice, there is no such
            type, or a value is none of its type.
    """
    if not texts:
        return None
    parameters = [_read(text) for text in texts]
    values = {each.name: each.value for each in parameters if each.name is not None}
    if not values:
        return [each.value for each in parameters]
    if any(each.name is None for each in parameters):
        raise ArgumentError(
            "some parameters have a name and others have none",
            "write --param name=value for $name, or --param value for each ?",
        )
    if len(values) < len(parameters):
        raise ArgumentError("a parameter is given twice")
    return values


def _read(text: str) -> Bound:
    typed = _TYPED.fullmatch(text)
    if typed is not None and (typed[3] is not None or typed[2].casefold() == "null"):
        return Bound(typed[1], _converted(typed[2], typed[3] or ""))
    named = _NAMED.fullmatch(text)
    return Bound(None, text) if named is None else Bound(named[1], named[2])


def _converted(type_: str, text: str) -> Value:
    convert = TYPES.get(type_.casefold())
    if convert is None:
        raise ArgumentError(
            f"there is no type {shown(type_)} for a parameter",
            did_you_mean(type_, TYPES)
            or f"one of {', '.join(TYPES)}; a text with a colon is written :text=…",
        )
    try:
        return convert(text)
    except (KeyError, ValueError, InvalidOperation):
        hint = f"such as :{type_.casefold()}={_EXAMPLES[type_.casefold()]}"
        raise ArgumentError(f"'{shown(text)}' is no {type_.casefold()}", hint) from None


def _null(text: str) -> None:
    if text:
        raise ValueError(text)


def _list(text: str) -> Value:
    """Return the values of a list as JSON writes it; dates stand in it as texts."""
    values = json.loads(text, parse_float=Decimal)
    scalar_types = str | int | Decimal | bool | None
    if not isinstance(values, list) or not all(isinstance(one, scalar_types) for one in values):
        raise ValueError(text)
    return tuple(values)


TYPES: dict[str, Callable[[str], Value]] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "double": float,
    "boolean": lambda text: {"true": True, "false": False}[text.casefold()],
    "date": datetime.date.fromisoformat,
    "timestamp": datetime.datetime.fromisoformat,
    "null": _null,
    "list": _list,
}
_EXAMPLES = {
    "integer": "42",
    "decimal": "10.50",
    "double": "1.5e3",
    "boolean": "true",
    "date": "2024-02-01",
    "timestamp": "2024-02-01T12:30:00",
    "null": "",
    "list": '["East", "West"]',
}
