"""The declared types: the small vocabulary in which catalog, resolver and planner speak of values.

What comes in: nothing, these are values. What goes out: types that one function of the shell turns
into an Arrow type. It must never import pyarrow: the planner is pure, and a type is a promise that
every back-end is held to, not what one of them happened to return.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_PRECISION = 38
NANOSECONDS = 9


class Kind(StrEnum):
    """The kinds of value a column can hold."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    DOUBLE = "double"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class DataType:
    """One declared type.

    Attributes:
        kind: what it holds. INTEGER is 64 bits signed, TIMESTAMP counts microseconds.
        precision: decimal digits in all, for DECIMAL, at most 38; NANOSECONDS for a TIMESTAMP
            that a database stores so: no level and no metric has such a type.
        scale: decimal digits after the point, for DECIMAL.
        zone: the time zone's name, for a zoned TIMESTAMP.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0
    zone: str | None = None

    def __str__(self) -> str:
        """Return the type as it is shown and hashed: `decimal(38,2)`, `timestamp[UTC]`."""
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        if self.kind is Kind.TIMESTAMP and self.zone:
            return f"timestamp[{self.zone}]"
        return self.kind.value

    @property
    def is_fine(self) -> bool:
        """Whether it is a stored timestamp that counts nanoseconds."""
        return self.kind is Kind.TIMESTAMP and self.precision == NANOSECONDS

    @property
    def is_number(self) -> bool:
        """Whether arithmetic is defined on it."""
        return self.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)

    @property
    def is_moment(self) -> bool:
        """Whether it is a date or a timestamp."""
        return self.kind in (Kind.DATE, Kind.TIMESTAMP)


INTEGER = DataType(Kind.INTEGER)
DOUBLE = DataType(Kind.DOUBLE)
TEXT = DataType(Kind.TEXT)
DATE = DataType(Kind.DATE)
TIMESTAMP = DataType(Kind.TIMESTAMP)
BOOLEAN = DataType(Kind.BOOLEAN)
NULL = DataType(Kind.NULL)


def fine_timestamp(zone: str | None = None) -> DataType:
    """Return the type of a stored timestamp that counts nanoseconds."""
    return DataType(Kind.TIMESTAMP, NANOSECONDS, zone=zone)


def in_micros(stored: DataType) -> DataType:
    """Return a type as it counts here: timestamps in microseconds."""
    return DataType(stored.kind, zone=stored.zone) if stored.is_fine else stored


def decimal(precision: int, scale: int) -> DataType:
    """Return DECIMAL(precision, scale)."""
    return DataType(Kind.DECIMAL, precision, scale)
