"""One row of the manifest: an entry's record as columns, sealed, and read back with suspicion.

What comes in: records, or the columns that stand in a database. What goes out: columns, or the
record that they say. It must never give out a record that was not written as it stands: a row that
was altered is none.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flightframe_server.cache.canonical import (
    key_hash,
    key_text,
    made_text,
    read_key,
    read_made,
    read_version,
    shelf_text,
    version_text,
)
from flightframe_server.cache.entries import EntryRecord
from flightframe_server.cache.files import ENTRY_ID
from flightframe_server.planner.identity import Shelf

COLUMNS = (
    *("key_hash", "entry_id", "shelf", "filtered", "key", "rows", "bytes", "cost", "digest"),
    *("version", "made", "created", "seal", "since", "last_used", "hits"),
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
        texts = key_text(record.key), version_text(record.version), made_text(record.made)
        return _cost(record.bytes, *texts)


def shelf_hash(shelf: Shelf) -> str:
    """Return 32 hexadecimal digits that stand for a shelf."""
    return key_hash(shelf_text(shelf))


def written_row(row: Row) -> tuple[Any, ...]:
    """Return a row's `COLUMNS`."""
    record = row.record
    key, version, made = key_text(record.key), version_text(record.version), made_text(record.made)
    said = (key, record.entry_id, record.rows, record.bytes, row.digest, version, made)
    return (
        key_hash(key),
        record.entry_id,
        shelf_hash(record.key.shelf),
        int(bool(record.key.filter)),
        key,
        record.rows,
        record.bytes,
        _cost(record.bytes, key, version, made),
        row.digest,
        version,
        made,
        record.created,
        _seal(*said, record.created),
        record.since,
        record.last_used,
        record.hits,
    )


def read_row(columns: Sequence[Any], *, pinned: bool) -> Row | None:
    """Return the row that `COLUMNS` say, or None where they make no sense.

    Args:
        columns: values of any type: anybody may have written them.
        pinned: whether the row's key is pinned.
    """
    try:
        return _read(columns, pinned)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(columns: Sequence[Any], pinned: bool) -> Row:
    hashed, entry_id, shelf, filtered, text, rows, size, cost, digest, *others = columns
    version, made, created, seal, since, last_used, hits = others
    if not all(isinstance(count, int) and count >= 0 for count in (rows, size, hits)):
        raise ValueError("a count is none")
    if not all(isinstance(at, float) and math.isfinite(at) for at in (created, since, last_used)):
        raise ValueError("a moment is none")
    if seal != _seal(text, entry_id, rows, size, digest, version, made, created):
        raise ValueError("the seal is broken")
    # The id becomes a file name: one that the cache did not make must never reach the disk.
    if not ENTRY_ID.fullmatch(entry_id) or not entry_id.startswith(key_hash(text)):
        raise ValueError("not an id of this key")
    key = read_key(text)
    ordered = (key_hash(text), shelf_hash(key.shelf), int(bool(key.filter)))
    if (hashed, shelf, filtered) != ordered or cost != _cost(size, text, version, made):
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
        read_made(made),
        read_version(version),
    )
    return Row(record, digest)


def _seal(*said: Any) -> bytes:
    """Return the digest of what a row says of its entry and never changes."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in said]
    return hashlib.blake2b(json.dumps(plain).encode("ascii"), digest_size=16).digest()


def _cost(size: int, *texts: str) -> int:
    # A text stands in the row, and once more, as an object, in the memory of each server.
    return size + ROW_BYTES + 2 * sum(len(text) for text in texts)
