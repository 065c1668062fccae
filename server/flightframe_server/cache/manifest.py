"""The manifest: the SQLite rows that say which entries exist.

What comes in: facts about entries. What goes out: the same facts, also after a crash. A row is the
commit of its entry; a file without one does not exist. It must never look at an entry's file, never
return a fact that it did not write, and its connection must never be used by two threads at once:
the store's lock sees to that.

Every row is sealed with a digest of what it says of its entry. The digest has no key: it finds
damage and careless hands, and is no protection from forgery by a process that may write to the
folder.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flightframe_server.cache.canonical import key_hash, key_text
from flightframe_server.cache.eviction import Candidate, Priority
from flightframe_server.cache.files import ENTRY_ID
from flightframe_server.cache.former import (
    FORMER_SCHEMA,
    FormerEntry,
    former_entries,
    recall,
    remember,
)
from flightframe_server.cache.hits import Hits
from flightframe_server.cache.rows import COLUMNS, Row, group_hash, read_row, row_columns

# It counts the form of an entry's file and of a version too, not only the tables below. A store
# of a lower number is brought to this one by `MIGRATIONS`, or else emptied, when it is opened.
SCHEMA_VERSION = 3
# The ledger is kept by triggers, so that the budget is one row to read and never a sum to compute.
SCHEMA = (
    """CREATE TABLE entries (
        number INTEGER PRIMARY KEY, key_hash TEXT NOT NULL UNIQUE, entry_id TEXT NOT NULL UNIQUE,
        shelf TEXT NOT NULL, filtered INTEGER NOT NULL, key TEXT NOT NULL,
        rows INTEGER NOT NULL, bytes INTEGER NOT NULL, cost INTEGER NOT NULL, digest BLOB NOT NULL,
        version TEXT NOT NULL, made TEXT NOT NULL, created REAL NOT NULL, seal BLOB NOT NULL,
        since REAL NOT NULL, last_used REAL NOT NULL, hits INTEGER NOT NULL, seconds REAL)""",
    """CREATE TABLE superseded (
        number INTEGER PRIMARY KEY, entry_id TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
        cost INTEGER NOT NULL, digest BLOB NOT NULL, moment REAL NOT NULL)""",
    "CREATE INDEX entries_by_use ON entries (last_used, entry_id)",
    "CREATE INDEX filtered_by_use ON entries (shelf, last_used, entry_id) WHERE filtered = 1",
    "CREATE TABLE pins (key_hash TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE ledger (total INTEGER NOT NULL, entries INTEGER NOT NULL)",
    "INSERT INTO ledger VALUES (0, 0)",
    *(
        f"""CREATE TRIGGER {table}_{event} AFTER {event} ON {table} BEGIN UPDATE ledger
            SET total = total {sign} {which}.cost, entries = entries {sign} {count}; END"""
        for table, count in (("entries", 1), ("superseded", 0))
        for event, sign, which in (("INSERT", "+", "NEW"), ("DELETE", "-", "OLD"))
    ),
    *FORMER_SCHEMA,
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
MIGRATIONS = {
    # What SQLite then shows as the table's text is, letter by letter, what stands above.
    2: ("ALTER TABLE entries ADD COLUMN seconds REAL", *FORMER_SCHEMA, "PRAGMA user_version = 3"),
}
"""For an older version the statements that make the next one of it, nothing lost."""

_PINNED = "EXISTS (SELECT 1 FROM pins WHERE pins.key_hash = entries.key_hash)"
ROWS = f"SELECT number, {_PINNED}, {', '.join(COLUMNS)} FROM entries"
INSERT = f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"

# Whatever stands in a row, what is compared must be numbers.
_ENTRIES_BY_USE = f"""SELECT CAST(last_used AS REAL), entry_id, CAST(cost AS INTEGER) FROM entries
    WHERE {{}} {_PINNED} ORDER BY last_used, entry_id"""
EVICTION_ORDER = (
    (
        Priority.SUPERSEDED,
        """SELECT CAST(moment AS REAL), entry_id, CAST(cost AS INTEGER) FROM superseded
        ORDER BY moment, entry_id""",
    ),
    (Priority.UNPINNED, _ENTRIES_BY_USE.format("NOT")),
    (Priority.PINNED, _ENTRIES_BY_USE.format("")),
)
SURPLUS = f"""SELECT CAST(last_used AS REAL), entry_id, CAST(cost AS INTEGER) FROM entries
    WHERE shelf = ? AND filtered = 1 AND NOT {_PINNED} ORDER BY last_used, entry_id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What a replaced row hands on to the row that replaces it; no id where it went before."""

    entry_id: str | None
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
        # Bytes that are no text reach the check of their row instead of failing the statement.
        connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
        self._path = path
        self._identity = _identity(path)

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

    def was_replaced(self) -> bool:
        """Return whether another process set this database aside, or the folder was emptied."""
        return _identity(self._path) != self._identity

    def change_count(self) -> int:
        """Return a number that differs after another connection has committed something."""
        return self._number("PRAGMA data_version")

    def ledger(self) -> tuple[int, int]:
        """Return what all rows cost in bytes, and how many entries there are."""
        totals = self._connection.execute("SELECT total, entries FROM ledger").fetchone()
        if totals is None or not all(isinstance(value, int) for value in totals):
            return self.recount()
        return totals[0], totals[1]

    def recount(self) -> tuple[int, int]:
        """Write the ledger anew from the rows, and return it."""
        total = self._number(
            """SELECT CAST(TOTAL(CAST(cost AS INTEGER)) AS INTEGER) FROM
            (SELECT cost FROM entries UNION ALL SELECT cost FROM superseded)"""
        )
        entries = self._number("SELECT count(*) FROM entries")
        self._connection.execute("DELETE FROM ledger")
        self._connection.execute("INSERT INTO ledger VALUES (?, ?)", (total, entries))
        return total, entries

    def entry_ids(self) -> set[str]:
        """Return the ids of all entries."""
        return _ids(self._connection.execute("SELECT entry_id FROM entries"))

    def named_files(self) -> set[str]:
        """Return the ids of all files that rows name, superseded ones included."""
        return _ids(
            self._connection.execute(
                "SELECT entry_id FROM entries UNION ALL SELECT entry_id FROM superseded"
            )
        )

    def rows(self, entry_ids: Collection[str] | None = None) -> tuple[list[Row], list[int]]:
        """Return rows in the order they were put, and the numbers of invalid rows.

        Args:
            entry_ids: which rows; all of them where None. Unknown ids are left out.
        """
        if entry_ids is None:
            return checked_rows(self.unchecked_rows())
        selected: list[tuple[Any, ...]] = []
        for entry_id in entry_ids:
            selected += self._connection.execute(f"{ROWS} WHERE entry_id = ?", (entry_id,))
        return checked_rows(selected)

    def unchecked_rows(self) -> list[tuple[Any, ...]]:
        """Return all rows as they stand, to be given to `checked_rows` where no lock is held."""
        return self._connection.execute(f"{ROWS} ORDER BY number").fetchall()

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return bytes and digest of a file that a row names, superseded ones included."""
        facts = self._connection.execute(
            """SELECT bytes, digest FROM entries WHERE entry_id = :id
            UNION ALL SELECT bytes, digest FROM superseded WHERE entry_id = :id""",
            {"id": entry_id},
        ).fetchone()
        if facts is None or not isinstance(facts[0], int) or not isinstance(facts[1], bytes):
            return None
        return facts[0], facts[1]

    def insert(self, row: Row) -> None:
        """Add a row; its key must have none. A pinned one pins its key."""
        if row.record.pinned:
            hashed = key_hash(key_text(row.record.key))
            self._connection.execute("INSERT OR IGNORE INTO pins VALUES (?)", (hashed,))
        self._connection.execute(INSERT, row_columns(row))

    def supersede(self, hashed: str, moment: float) -> Predecessor | None:
        """Take the row of a key out and keep its file's name until the collector comes.

        Args:
            hashed: the hash of the key's canonical text.
            moment: seconds since 1970 UTC from which the grace period counts.

        Returns:
            What the new row carries on; None where nothing is known of the key.
        """
        former = self._connection.execute(f"{ROWS} WHERE key_hash = ?", (hashed,)).fetchone()
        if former is None:
            remembered = recall(self._connection, hashed)
            return None if remembered is None else Predecessor(None, *remembered)
        number, pinned, *columns = former
        self._connection.execute("DELETE FROM entries WHERE number = ?", (number,))
        before = read_row(columns, pinned=bool(pinned))
        if before is None:
            return None
        record = before.record
        self._connection.execute(
            "INSERT INTO superseded (entry_id, bytes, cost, digest, moment) VALUES (?, ?, ?, ?, ?)",
            (record.entry_id, record.bytes, record.bytes, before.digest, moment),
        )
        return Predecessor(record.entry_id, record.hits, record.since)

    def superseded_before(self, moment: float) -> list[str]:
        """Return the ids of superseded files whose grace period began before `moment`."""
        ids = self._connection.execute(
            "SELECT entry_id FROM superseded WHERE moment < ?", (moment,)
        )
        return sorted(_ids(ids))

    def delete(self, entry_ids: Iterable[str]) -> int:
        """Delete rows, those of superseded files included, and return how many there were."""
        pairs = [(entry_id,) for entry_id in entry_ids]
        if not pairs:
            return 0
        remember(self._connection, [entry_id for (entry_id,) in pairs])
        entries = self._connection.executemany("DELETE FROM entries WHERE entry_id = ?", pairs)
        superseded = self._connection.executemany(
            "DELETE FROM superseded WHERE entry_id = ?", pairs
        )
        return entries.rowcount + superseded.rowcount

    def purge(self, numbers: Iterable[int]) -> None:
        """Delete entries by row number, and every invalid row of a superseded file."""
        statement = "DELETE FROM entries WHERE number = ?"
        self._connection.executemany(statement, [(number,) for number in numbers])
        superseded = self._connection.execute(
            "SELECT number, entry_id, bytes, cost, digest, moment FROM superseded"
        ).fetchall()
        self._connection.executemany(
            "DELETE FROM superseded WHERE number = ?",
            [(number,) for number, *columns in superseded if not _names_a_file(columns)],
        )

    def candidates(self, excess: int, surplus: int = 0) -> list[Candidate]:
        """Return the files that go first, enough for `excess` bytes and `surplus` entries.

        Each part is read along an index and no further than needed: a full cache evicts at every
        put, and must not read all its rows for it.
        """
        candidates: list[Candidate] = []
        for priority, statement in EVICTION_ORDER:
            if priority is Priority.SUPERSEDED and excess <= 0:
                continue
            rows = self._connection.execute(statement)
            while (excess > 0 or surplus > 0) and (row := rows.fetchone()) is not None:
                candidate = Candidate(int(priority), *row)
                if _is_id(candidate.entry_id):
                    candidates.append(candidate)
                    excess -= candidate.bytes
                    surplus -= priority is not Priority.SUPERSEDED
            rows.close()
        return candidates

    def filtered_surplus(self, row: Row, max_filtered: int) -> list[Candidate]:
        """Return the filtered entries to evict, so that a group holds `max_filtered` with a row."""
        group = group_hash(row.record.key.group)
        count = self._number(
            "SELECT count(*) FROM entries WHERE shelf = ? AND filtered = 1", (group,)
        )
        surplus = self._connection.execute(SURPLUS, (group, max(count + 1 - max_filtered, 0)))
        candidates = [Candidate(int(Priority.UNPINNED), *columns) for columns in surplus]
        return [candidate for candidate in candidates if _is_id(candidate.entry_id)]

    def add_hits(self, hits: Mapping[str, Hits]) -> None:
        """Add hits to rows; an id without a row is passed over."""
        self._connection.executemany(
            """UPDATE entries SET hits = hits + ?, last_used = max(last_used, ?)
            WHERE entry_id = ?""",
            [(count, last, entry_id) for entry_id, (count, last) in hits.items()],
        )

    def former(self) -> list[FormerEntry]:
        """Return what is remembered of keys that have no entry now."""
        return list(former_entries(self._connection))

    def pins(self) -> set[str]:
        """Return the hashes of the pinned keys."""
        return {hashed for (hashed,) in self._connection.execute("SELECT key_hash FROM pins")}

    def set_pins(self, hashes: Iterable[str]) -> None:
        """Pin exactly the keys of these hashes."""
        self._connection.execute("DELETE FROM pins")
        pairs = [(hashed,) for hashed in hashes]
        self._connection.executemany("INSERT INTO pins VALUES (?)", pairs)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _number(self, statement: str, parameters: tuple[str, ...] = ()) -> int:
        return int(self._connection.execute(statement, parameters).fetchone()[0])


def checked_rows(selected: Iterable[tuple[Any, ...]]) -> tuple[list[Row], list[int]]:
    """Return the rows that were written as they stand, and the numbers of the invalid ones."""
    rows: list[Row] = []
    invalid: list[int] = []
    for number, pinned, *columns in selected:
        row = read_row(columns, pinned=bool(pinned))
        if row is None:
            invalid.append(number)
        else:
            rows.append(row)
    return rows, invalid


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        facts = path.stat()
        return facts.st_dev, facts.st_ino
    return None


def _is_id(value: object) -> bool:
    """Whether a value may become a file's name: one that the cache did not make must never."""
    return isinstance(value, str) and ENTRY_ID.fullmatch(value) is not None


def _ids(rows: Iterable[tuple[object]]) -> set[str]:
    return {value for (value,) in rows if isinstance(value, str) and _is_id(value)}


def _names_a_file(columns: Collection[object]) -> bool:
    entry_id, size, cost, digest, moment = columns
    numbers = isinstance(size, int) and size >= 0 and cost == size and isinstance(moment, float)
    return _is_id(entry_id) and numbers and isinstance(digest, bytes)
