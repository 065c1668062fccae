"""Values as JSON text that keeps every digit.

What comes in: the Python values of Arrow columns. What goes out: JSON. It must never turn a decimal
into a float on the way: `3868636.36` is written digit by digit, as is an integer past 2^53, which
is a number in JSON whatever a reader makes of it.
"""

from __future__ import annotations

import datetime
import json
import math
import zoneinfo
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from flightframe_server.errors import shown
from flightframe_server.zone_rules import zoned_text


@dataclass(frozen=True, slots=True)
class BatchText:
    """A batch as JSON.

    Attributes:
        rows: an array for each row.
        lacking: how many values of each column are NaN or infinite, and so null here.
    """

    rows: tuple[str, ...]
    lacking: Counter[str]


def json_text(value: object) -> str:
    """Return one value as JSON.

    Dates and timestamps are ISO 8601 texts; NaN and the infinities, which JSON lacks, are null.

    >>> json_text(Decimal("3868636.30"))
    '3868636.30'
    >>> json_text(float("nan"))
    'null'
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f") if value.is_finite() else "null"
        case float():
            return repr(value) if math.isfinite(value) else "null"
        case datetime.datetime(tzinfo=zoneinfo.ZoneInfo(key=str(zone))):
            # The offset is that by which its day was taken, whatever rules the machine has.
            return f'"{zoned_text(value, zone)}"'
        case datetime.date() | datetime.time():
            return f'"{value.isoformat()}"'
        case _:
            return json.dumps(str(value), ensure_ascii=False)


def batch_text(batch: pa.RecordBatch) -> BatchText:
    """Return the rows of a batch as JSON arrays."""
    lacking: Counter[str] = Counter()
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        texts = [json_text(value) for value in column.to_pylist()]
        if pa.types.is_floating(field.type):
            lacking[field.name] += texts.count("null") - column.null_count
        columns.append(texts)
    rows = tuple(f"[{', '.join(row)}]" for row in zip(*columns, strict=True))
    return BatchText(rows, +lacking)


def null_notes(counts: Counter[str]) -> tuple[str, ...]:
    """Return a remark for each column that has values which JSON lacks.

    >>> null_notes(Counter({"price": 2}))
    ('2 values of price are NaN or infinite, which JSON lacks: they are null here',)
    """
    return tuple(
        f"{count} value{'s' if count > 1 else ''} of {shown(name)} {'are' if count > 1 else 'is'}"
        f" NaN or infinite, which JSON lacks: {'they are' if count > 1 else 'it is'} null here"
        for name, count in counts.items()
    )


def names_text(schema: pa.Schema) -> str:
    """Return the names of the columns as a JSON array."""
    return json.dumps(list(schema.names), ensure_ascii=False)
