"""What is remembered of a key after its entry is gone: how often it was asked for, and its cost.

What comes in: the ids of rows that are about to be deleted. What goes out: the same statistics,
when the key is stored again or the hot questions are listed. It must never grow without bound, and
never name a file: nothing can be served from here.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from flightframe_server.cache.canonical import read_key, read_lineage
from flightframe_server.planner.identity import EntryKey

MOST_FORMER = 1_000
"""So many keys are remembered; those that were used last stay."""

FORMER_SCHEMA = (
    """CREATE TABLE former (
        key_hash TEXT PRIMARY KEY, key TEXT NOT NULL, rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL, made TEXT NOT NULL, since REAL NOT NULL,
        last_used REAL NOT NULL, hits INTEGER NOT NULL, seconds REAL) WITHOUT ROWID""",
    "CREATE INDEX former_by_use ON former (last_used)",
)
_COLUMNS = "key_hash, key, rows, bytes, made, since, last_used, hits, seconds"
# A key that was never hit again has nothing to be remembered by.
_REMEMBER = f"""INSERT OR REPLACE INTO former ({_COLUMNS})
    SELECT {_COLUMNS} FROM entries WHERE entry_id = ? AND hits > 0"""
_FORGET_OLDEST = """DELETE FROM former WHERE key_hash IN (
    SELECT key_hash FROM former ORDER BY last_used LIMIT ?)"""


@dataclass(frozen=True, slots=True)
class FormerEntry:
    """The statistics of a key that has no entry now. Moments are seconds since 1970 UTC.

    Attributes:
        key: its identity.
        rows: rows of its last table.
        bytes: bytes of its last file.
        hits: times it was served since `since`.
        since: when it was first stored.
        last_used: when it was last served or stored.
        seconds: how long its last making took; None where that is not known.
        route: how that table was made: `backend` or `rollup`.
    """

    key: EntryKey
    rows: int
    bytes: int
    hits: int
    since: float
    last_used: float
    seconds: float | None
    route: str


def remember(connection: sqlite3.Connection, entry_ids: Collection[str]) -> None:
    """Keep the statistics of entries that are about to be deleted; unknown ids are fine."""
    connection.executemany(_REMEMBER, [(entry_id,) for entry_id in entry_ids])
    (count,) = connection.execute("SELECT count(*) FROM former").fetchone()
    if count > MOST_FORMER:
        connection.execute(_FORGET_OLDEST, (count - MOST_FORMER,))


def recall(connection: sqlite3.Connection, hashed: str) -> tuple[int, float] | None:
    """Take the hits of a key and their beginning out again; None where nothing is remembered."""
    statement = "SELECT hits, since FROM former WHERE key_hash = ?"
    remembered = connection.execute(statement, (hashed,)).fetchone()
    if remembered is None:
        return None
    connection.execute("DELETE FROM former WHERE key_hash = ?", (hashed,))
    hits, since = remembered
    return (hits, since) if _is_count(hits) and _is_moment(since) else None


def former_entries(connection: sqlite3.Connection) -> Iterator[FormerEntry]:
    """Yield what is remembered; a row that we did not write is passed over."""
    for columns in connection.execute(f"SELECT {_COLUMNS} FROM former").fetchall():
        try:
            yield _read(*columns)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue


def _read(
    _: object,
    key: Any,
    rows: Any,
    size: Any,
    made: Any,
    since: Any,
    last: Any,
    hits: Any,
    spent: Any,
) -> FormerEntry:
    if not all(map(_is_count, (rows, size, hits))) or not all(map(_is_moment, (since, last))):
        raise ValueError("a number is none")
    if spent is not None and not _is_moment(spent):
        raise ValueError("a time is none")
    return FormerEntry(
        read_key(key), rows, size, hits, since, last, spent, read_lineage(made).route
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_moment(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value >= 0
