"""The text of a column's type to a `DataType`.

What comes in: what a collection says after `type:`. What goes out: the declared type. It must never
know a database's own type names beyond the few synonyms listed here.
"""

from __future__ import annotations

import re

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    TEXT,
    TIMESTAMP,
    DataType,
    decimal,
)
from flightframe_server.errors import CatalogError, did_you_mean, shown

TYPE_NAMES = {
    "integer": INTEGER,
    "int64": INTEGER,
    "bigint": INTEGER,
    "double": DOUBLE,
    "text": TEXT,
    "string": TEXT,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "boolean": BOOLEAN,
}

_DECIMAL = re.compile(r"decimal\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")


def read_type(text: str) -> DataType:
    """Return the declared type that a text names, in any case.

    Raises:
        CatalogError: it names none. The caller knows the place.

    >>> str(read_type("DECIMAL(10, 2)"))
    'decimal(10,2)'
    """
    folded = text.strip().casefold()
    if folded in TYPE_NAMES:
        return TYPE_NAMES[folded]
    parts = _DECIMAL.fullmatch(folded)
    if parts is None:
        names = [*TYPE_NAMES, "decimal(p,s)"]
        hint = did_you_mean(folded, names) or f"known types: {', '.join(names)}"
        if folded.startswith("decimal"):
            hint = "write precision and scale: decimal(18,2)"
        raise CatalogError(f"there is no type '{shown(text)}'", hint=hint)
    precision, scale = int(parts[1]), int(parts[2])
    if not (1 <= precision <= MAX_PRECISION and scale <= precision):
        raise CatalogError(
            f"there is no type '{shown(text)}'",
            hint=f"precision is 1 to {MAX_PRECISION}, and scale at most the precision",
        )
    return decimal(precision, scale)
