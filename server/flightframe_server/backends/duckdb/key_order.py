"""Keys that stand in order: each row after the one before, which makes every key unique.

What comes in: the key columns of a table, batch by batch, in any order that the database gives.
What goes out: whether that order proves them unique. It must never take a text for a key in order:
a collation of the database may hold two texts equal that are not the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc


def are_increasing(next_batch: Callable[[], pa.RecordBatch | None]) -> bool:
    """Return whether every row stands strictly after the one before, by its columns in turn.

    Args:
        next_batch: gives the next batch, None at the end; it is called no more once a row does not.
    """
    last: pa.RecordBatch | None = None
    while (batch := next_batch()) is not None:
        if batch.num_rows == 0:
            continue
        if not all(map(_is_ordered, batch.schema.types)):
            return False
        if last is not None and not _increases(last, batch.slice(0, 1)):
            return False
        if not _increases(batch.slice(0, batch.num_rows - 1), batch.slice(1)):
            return False
        last = batch.slice(batch.num_rows - 1)
    return True


def _is_ordered(type_: pa.DataType) -> bool:
    number = pa.types.is_integer(type_) or pa.types.is_decimal(type_)
    return bool(number or pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def _increases(before: pa.RecordBatch, after: pa.RecordBatch) -> bool:
    """Return whether each row of the one is less than the row of the other; NULL is never."""
    less = pa.scalar(False)
    for one, other in reversed(list(zip(before.columns, after.columns, strict=True))):
        equal = pc.and_kleene(pc.equal(one, other), less)
        less = pc.or_kleene(pc.less(one, other), equal)
    return bool(pc.all(pc.fill_null(less, False), min_count=0).as_py())
