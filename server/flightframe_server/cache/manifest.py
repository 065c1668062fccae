"""The manifest: the SQLite rows that say which entries exist.

What comes in: facts about entries. What goes out: the same facts, also after a crash. A row is the
commit of its entry; a file without one does not exist. It must never look at a file, and its
connection must never be used by two threads at once: the store's lock sees to that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.cache.access import Hits
from flightframe_server.cache.canonical import (
    key_text,
    made_text,
    read_key,
    read_made,
    read_version,
    version_text,
)
from flightframe_server.cache.entries import EntryRecord
from flightframe_server.cache.eviction import Candidate, Standing
from flightframe_server.cache.files import ENTRY_ID

SCHEMA_VERSION = 1
# The ledger is kept by triggers, so that the budget is one row to read and never a sum to compute.
SCHEMA = (
    """CREATE TABLE entries (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, entry_id TEXT NOT NULL UNIQUE,
        rows INTEGER NOT NULL, bytes INTEGER NOT NULL, digest BLOB NOT NULL,
        version TEXT NOT NULL, made TEXT NOT NULL, created REAL NOT NULL, since REAL NOT NULL,
        last_used REAL NOT NULL, hits INTEGER NOT NULL)""",
    """CREATE TABLE superseded (
        entry_id TEXT PRIMARY KEY, bytes INTEGER NOT NULL, digest BLOB NOT NULL,
        moment REAL NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX entries_by_use ON entries (last_used, entry_id)",
    "CREATE TABLE pins (key TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE ledger (total INTEGER NOT NULL)",
    "INSERT INTO ledger VALUES (0)",
    *(
        f"""CREATE TRIGGER {table}_{event} AFTER {event} ON {table}
            BEGIN UPDATE ledger SET total = total {sign} {which}.bytes; END"""
        for table in ("entries", "superseded")
        for event, sign, which in (("INSERT", "+", "NEW"), ("DELETE", "-", "OLD"))
    ),
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
ROWS = """SELECT key, entry_id, rows, bytes, hits, created, since, last_used,
    EXISTS (SELECT 1 FROM pins WHERE pins.key = entries.key), made, version, digest FROM entries"""

_GOING_ENTRIES = """SELECT last_used, entry_id, bytes FROM entries
    WHERE {} (SELECT 1 FROM pins WHERE pins.key = entries.key) ORDER BY last_used, entry_id"""
GOING = (
    (
        Standing.SUPERSEDED,
        "SELECT moment, entry_id, bytes FROM superseded ORDER BY moment, entry_id",
    ),
    (Standing.PLAIN, _GOING_ENTRIES.format("NOT EXISTS")),
    (Standing.PINNED, _GOING_ENTRIES.format("EXISTS")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the entry's record and the BLAKE2b digest of its file."""

    record: EntryRecord
    digest: bytes


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What a replaced row hands on to the row that replaces it."""

    entry_id: str
    hits: int
    since: float


class Manifest:
    """Statements over one open database. Every method may raise `sqlite3.Error`.

    Args:
        connection: an open connection in autocommit mode, to a database with our schema.
        path: its file, to see whether it still stands there.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take over the connection."""
        self._connection = connection
        self._path = path

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the one write lock of the database; commit at the end, or undo everything."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def moved(self) -> bool:
        """Return whether another process set this database aside, or the folder was emptied."""
        return not self._path.exists()

    def change_count(self) -> int:
        """Return a number that differs after another connection has committed something."""
        return self._number("PRAGMA data_version")

    def total(self) -> int:
        """Return the bytes of all files that rows name."""
        return self._number("SELECT total FROM ledger")

    def entry_ids(self) -> set[str]:
        """Return the ids of all entries."""
        return {
            entry_id for (entry_id,) in self._connection.execute("SELECT entry_id FROM entries")
        }

    def named_files(self) -> set[str]:
        """Return the ids of all files that rows name, superseded ones included."""
        found = self._connection.execute(
            "SELECT entry_id FROM entries UNION ALL SELECT entry_id FROM superseded"
        )
        return {entry_id for (entry_id,) in found}

    def rows(self, entry_ids: Collection[str] | None = None) -> tuple[list[Row], list[str]]:
        """Return rows in the order they were put, and the ids of rows that make no sense.

        Args:
            entry_ids: which rows; all of them where None. Unknown ids are left out.
        """
        if entry_ids is None:
            found = self._connection.execute(f"{ROWS} ORDER BY number").fetchall()
        else:
            found = []
            for entry_id in entry_ids:
                found += self._connection.execute(f"{ROWS} WHERE entry_id = ?", (entry_id,))
        rows: list[Row] = []
        senseless: list[str] = []
        for raw in found:
            try:
                rows.append(_row(raw))
            except (ValueError, KeyError, TypeError):
                senseless.append(raw[1])
        return rows, senseless

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return bytes and digest of a file that a row names, superseded ones included."""
        found: tuple[int, bytes] | None = self._connection.execute(
            """SELECT bytes, digest FROM entries WHERE entry_id = :id
            UNION ALL SELECT bytes, digest FROM superseded WHERE entry_id = :id""",
            {"id": entry_id},
        ).fetchone()
        return found

    def insert(self, row: Row) -> None:
        """Add a row; its key must have none. A pinned one pins its key."""
        record, text = row.record, key_text(row.record.key)
        if record.pinned:
            self._connection.execute("INSERT OR IGNORE INTO pins VALUES (?)", (text,))
        self._connection.execute(
            """INSERT INTO entries (key, entry_id, rows, bytes, digest, version, made, created,
            since, last_used, hits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                text,
                record.entry_id,
                record.rows,
                record.bytes,
                row.digest,
                version_text(record.version),
                made_text(record.made),
                record.created,
                record.since,
                record.last_used,
                record.hits,
            ),
        )

    def supersede(self, text: str, moment: float) -> Predecessor | None:
        """Take the row of a key out and keep its file's name until the collector comes.

        Args:
            text: the key's canonical text.
            moment: seconds since 1970 UTC from which the grace period counts.

        Returns:
            What the new row carries on; None where the key had no row.
        """
        found = self._connection.execute(
            "SELECT entry_id, bytes, digest, hits, since FROM entries WHERE key = ?", (text,)
        ).fetchone()
        if found is None:
            return None
        entry_id, size, digest, hits, since = found
        self._connection.execute("DELETE FROM entries WHERE entry_id = ?", (entry_id,))
        self._connection.execute(
            "INSERT INTO superseded VALUES (?, ?, ?, ?)", (entry_id, size, digest, moment)
        )
        return Predecessor(entry_id, hits, since)

    def superseded_before(self, moment: float) -> list[str]:
        """Return the ids of superseded files whose grace period began before `moment`."""
        found = self._connection.execute(
            "SELECT entry_id FROM superseded WHERE moment < ?", (moment,)
        )
        return [entry_id for (entry_id,) in found]

    def delete(self, entry_ids: Iterable[str]) -> int:
        """Delete rows, those of superseded files included, and return how many there were."""
        pairs = [(entry_id,) for entry_id in entry_ids]
        if not pairs:
            return 0
        plain = self._connection.executemany("DELETE FROM entries WHERE entry_id = ?", pairs)
        old = self._connection.executemany("DELETE FROM superseded WHERE entry_id = ?", pairs)
        return plain.rowcount + old.rowcount

    def candidates(self, excess: int) -> list[Candidate]:
        """Return the files that go first, as many as make up for `excess` bytes.

        Each part is read along an index and no further than needed: a full cache evicts at every
        put, and must not read all its rows for it.
        """
        found: list[Candidate] = []
        for standing, statement in GOING:
            if excess <= 0:
                break
            rows = self._connection.execute(statement)
            while excess > 0 and (row := rows.fetchone()) is not None:
                candidate = Candidate(int(standing), *row)
                found.append(candidate)
                excess -= candidate.bytes
            rows.close()
        return found

    def add_hits(self, hits: Mapping[str, Hits]) -> None:
        """Add hits to rows; an id without a row is passed over."""
        self._connection.executemany(
            """UPDATE entries SET hits = hits + ?, last_used = max(last_used, ?)
            WHERE entry_id = ?""",
            [(count, last, entry_id) for entry_id, (count, last) in hits.items()],
        )

    def pins(self) -> set[str]:
        """Return the canonical texts of the pinned keys."""
        return {text for (text,) in self._connection.execute("SELECT key FROM pins")}

    def set_pins(self, texts: Iterable[str]) -> None:
        """Pin exactly the keys of these canonical texts."""
        self._connection.execute("DELETE FROM pins")
        self._connection.executemany("INSERT INTO pins VALUES (?)", [(text,) for text in texts])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _number(self, statement: str) -> int:
        return int(self._connection.execute(statement).fetchone()[0])


def _row(raw: tuple[str, str, int, int, int, float, float, float, int, str, str, bytes]) -> Row:
    text, entry_id, rows, size, hits, created, since, last_used, pinned, made, version, digest = raw
    # The id becomes a file name: one that the cache did not make must never reach the disk.
    if not ENTRY_ID.fullmatch(entry_id):
        raise ValueError("not an entry id")
    record = EntryRecord(
        read_key(text),
        entry_id,
        rows,
        size,
        hits,
        created,
        since,
        last_used,
        bool(pinned),
        read_made(made),
        read_version(version),
    )
    return Row(record, digest)
