"""What an unquoted YAML scalar means here: fewer surprises than YAML 1.1.

What comes in: the letters of a plain scalar. What goes out: NULL, TRUE or FALSE, a number, a date,
a timestamp, or the letters themselves. It must never guess: `no`, `on`, `12:30`, `1_000`, `0x1F`
and `007` are text, since a country, a switch or a code is more likely than the number that YAML
1.1 reads there.

A point makes a decimal, a point with an exponent makes a double, as in Frame-QL.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal

from flightframe_server.errors import CatalogError, shown
from flightframe_server.language.syntax import LiteralValue

MAX_DIGITS = 38
INT64 = range(-(1 << 63), 1 << 63)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+")
_DOUBLE = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+[eE][-+]?[0-9]{1,4}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")


def scalar_value(text: str) -> LiteralValue:
    """Return what an unquoted scalar means.

    Raises:
        CatalogError: it has the shape of a number or a day and is none that we can hold. The
            caller knows the place.

    >>> scalar_value("no"), scalar_value("true"), scalar_value("1.50"), scalar_value("007")
    ('no', True, Decimal('1.50'), '007')
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not (text[0].isdigit() or text[0] in "+-."):
        return text
    if _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
        return _exact(text)
    if _DOUBLE.fullmatch(text):
        return _double(text)
    if _DATE.fullmatch(text) or _TIMESTAMP.fullmatch(text):
        return _moment(text)
    return text


def _exact(text: str) -> int | Decimal:
    if len(text) <= MAX_DIGITS + 2:
        value = Decimal(text)
        if "." not in text and int(text) in INT64:
            return int(text)
        if "." in text and len(value.as_tuple().digits) <= MAX_DIGITS:
            return value
    raise CatalogError(
        f"the number {shown(text)} is too large",
        hint="integers have 64 bits and decimals 38 digits; quote it if it is text",
    )


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise CatalogError(f"the number {shown(text)} is too large for a double")
    return value


def _moment(text: str) -> datetime.date | datetime.datetime:
    try:
        if len(text) == len("2024-01-01"):
            return datetime.date.fromisoformat(text)
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise CatalogError(
            f"{shown(text)} is no day of the calendar", hint="quote it if it is text"
        ) from None
