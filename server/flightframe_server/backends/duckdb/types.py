"""DuckDB's names of types as declared types."""

from __future__ import annotations

import re

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
    fine_timestamp,
)
from flightframe_server.catalog.zones import UTC

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_NAMED = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER"), INTEGER),
    **dict.fromkeys(("HUGEINT", "UHUGEINT", "UBIGINT"), decimal(38, 0)),
    **dict.fromkeys(("FLOAT", "DOUBLE"), DOUBLE),
    **dict.fromkeys(("VARCHAR", "UUID"), TEXT),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"), TIMESTAMP),
    "TIMESTAMP_NS": fine_timestamp(),
    "TIMESTAMP WITH TIME ZONE": DataType(Kind.TIMESTAMP, zone=UTC),
    "TIMESTAMPTZ_NS": fine_timestamp(UTC),
    "DATE": DATE,
    "BOOLEAN": BOOLEAN,
}


def declared_type(named: str) -> DataType | None:
    """Return the declared type of a DuckDB type, or None where we hold no such values.

    >>> str(declared_type("DECIMAL(12,2)"))
    'decimal(12,2)'
    >>> declared_type("STRUCT(a INTEGER)") is None
    True
    """
    if (match := _DECIMAL.fullmatch(named)) is not None:
        return decimal(int(match[1]), int(match[2]))
    if named.startswith("ENUM("):
        return TEXT
    return _NAMED.get(named)
