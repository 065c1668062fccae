"""One row of the manifest: an entry's record as columns, sealed, and checked when read back.

What comes in: records, or the columns that stand in a database. What goes out: columns, or the
record of them. It must never return a record that was not written as it stands: an altered row is
none.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flightframe_server.cache.canonical import (
    group_text,
    key_hash,
    key_text,
    lineage_text,
    read_key,
    read_lineage,
    read_version,
    version_text,
)
from flightframe_server.cache.entries import EntryRecord
from flightframe_server.cache.files import ENTRY_ID
from flightframe_server.planner.identity import EntryGroup

COLUMNS = (
    *("key_hash", "entry_id", "shelf", "filtered", "key", "rows", "bytes", "cost", "digest"),
    *("version", "made", "created", "seal", "since", "last_used", "hits", "seconds"),
)
# What a row takes beside its texts: numbers, digests, its place in four indexes, and in memory.
ROW_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the entry's record and the BLAKE2b digest of its file."""

    record: EntryRecord
    digest: bytes

    @property
    def cost(self) -> int:
        """Bytes that count against the budget: the file, the row, and the key in memory."""
        record = self.record
        texts = key_text(record.key), version_text(record.version), lineage_text(record.lineage)
        return _cost(record.bytes, *texts)


def group_hash(group: EntryGroup) -> str:
    """Return 32 hexadecimal digits that stand for a group."""
    return key_hash(group_text(group))


def row_columns(row: Row) -> tuple[Any, ...]:
    """Return a row's `COLUMNS`."""
    record = row.record
    key, version, lineage = (
        key_text(record.key),
        version_text(record.version),
        lineage_text(record.lineage),
    )
    sealed = (key, record.entry_id, record.rows, record.bytes, row.digest, version, lineage)
    return (
        key_hash(key),
        record.entry_id,
        group_hash(record.key.group),
        int(bool(record.key.filter)),
        key,
        record.rows,
        record.bytes,
        _cost(record.bytes, key, version, lineage),
        row.digest,
        version,
        lineage,
        record.created,
        _seal(*sealed, record.created),
        record.since,
        record.last_used,
        record.hits,
        record.seconds,
    )


def read_row(columns: Sequence[Any], *, pinned: bool) -> Row | None:
    """Return the row of `COLUMNS`, or None where they are invalid.

    Args:
        columns: values of any type: others may have written them.
        pinned: whether the row's key is pinned.
    """
    try:
        return _read(columns, pinned)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(columns: Sequence[Any], pinned: bool) -> Row:
    hashed, entry_id, group, filtered, text, rows, size, cost, digest, *others = columns
    version, lineage, created, seal, since, last_used, hits, seconds = others
    if not all(isinstance(count, int) and count >= 0 for count in (rows, size, hits)):
        raise ValueError("a count is none")
    if not all(isinstance(at, float) and math.isfinite(at) for at in (created, since, last_used)):
        raise ValueError("a moment is none")
    if seconds is not None and not (isinstance(seconds, float) and 0 <= seconds < math.inf):
        raise ValueError("a time is none")
    if seal != _seal(text, entry_id, rows, size, digest, version, lineage, created):
        raise ValueError("the seal is broken")
    # The id becomes a file name: one that the cache did not make must never reach the disk.
    if not ENTRY_ID.fullmatch(entry_id) or not entry_id.startswith(key_hash(text)):
        raise ValueError("not an id of this key")
    key = read_key(text)
    expected = (key_hash(text), group_hash(key.group), int(bool(key.filter)))
    if (hashed, group, filtered) != expected or cost != _cost(size, text, version, lineage):
        raise ValueError("a column differs from what it is computed from")
    record = EntryRecord(
        key,
        entry_id,
        rows,
        size,
        hits,
        created,
        since,
        last_used,
        pinned,
        read_lineage(lineage),
        read_version(version),
        seconds,
    )
    return Row(record, digest)


def _seal(*values: Any) -> bytes:
    """Return the digest of the values of a row that never change."""
    serializable = [value.hex() if isinstance(value, bytes) else value for value in values]
    return hashlib.blake2b(json.dumps(serializable).encode("ascii"), digest_size=16).digest()


def _cost(size: int, *texts: str) -> int:
    # A text stands in the row, and once more, as an object, in the memory of each server.
    return size + ROW_BYTES + 2 * sum(len(text) for text in texts)
