"""The entry store: finished tables of one collection, in memory and on disk.

What comes in: tables with their keys. What goes out: the same tables, and an immutable snapshot of
the entries. It must never fail a query: a table that cannot be stored is served all the same, and
an entry that cannot be read is gone (`EntryGone`), which costs a new query of the back-end.

Several threads may use one store, and several processes one folder (on one host, on a local disk).
A process with an open store must not `fork`: SQLite's locks and the maintenance thread do not
survive it. Start workers with `spawn`, and let each open its own store.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from flightframe_server.cache.cache_index import CacheIndex
from flightframe_server.cache.canonical import key_hash, key_text
from flightframe_server.cache.entries import (
    CollectorReport,
    Counts,
    EntryGone,
    EntryRecord,
    Lineage,
)
from flightframe_server.cache.files import EntryFiles, FileDamaged, TooLarge, WrittenFile
from flightframe_server.cache.former import FormerEntry
from flightframe_server.cache.hits import HitCounter
from flightframe_server.cache.hot_tier import HotTier
from flightframe_server.cache.maintenance import Budget
from flightframe_server.cache.maintenance_thread import MaintenanceThread
from flightframe_server.cache.rows import Row
from flightframe_server.errors import SetupError
from flightframe_server.planner.holdings import CacheEntry, Holdings
from flightframe_server.planner.identity import EntryKey, Version

__all__ = [
    "CollectorReport",
    "Counts",
    "EntryGone",
    "EntryRecord",
    "EntryStore",
    "Lineage",
    "Timing",
]

HOT_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 10_000
FILTERED_ENTRIES = 1_000
MAX_KEY = 8 * 1024
ENTRY_FOLDER = "entries"


@dataclass(frozen=True, slots=True)
class Timing:
    """The store's intervals, in seconds.

    Attributes:
        refresh: how often `holdings` looks for other processes' changes.
        flush: how often hits are written and files are synced; None starts no thread: the caller
            flushes, syncs and collects.
        flush_hits: hits (a number) after which they are written at once.
        grace: how long superseded files and orphans stay; longer than a reader needs from
            finding an entry to opening its file.
        temporary: how long an unfinished file stays; longer than the longest write.
        busy: how long a statement waits for another process's write.
    """

    refresh: float = 0.25
    flush: float | None = 5.0
    flush_hits: int = 1000
    grace: float = 300.0
    temporary: float = 3600.0
    busy: float = 5.0


class EntryStore:
    """All entries of one collection.

    Args:
        root: the collection's folder; made where it does not exist.
        max_bytes: the most bytes that its finished files, their rows in the manifest and their
            keys in memory may take.
        max_entries: the most entries.
        filtered_entries: the most entries with a filter of one family and reducer.
        hot_bytes: the most bytes of decoded tables in memory.
        clock: the time, in seconds since 1970 UTC.
        timing: intervals.

    Raises:
        SetupError: the folder cannot be used, or a newer version wrote it.
    """

    def __init__(
        self,
        root: Path,
        *,
        max_bytes: int,
        max_entries: int = MAX_ENTRIES,
        filtered_entries: int = FILTERED_ENTRIES,
        hot_bytes: int = HOT_BYTES,
        clock: Callable[[], float] = time.time,
        timing: Timing | None = None,
    ) -> None:
        """Open the folder, find the entries again, and remove what a crash left."""
        self._max_bytes, self._clock, self._timing = max_bytes, clock, timing or Timing()
        self._files = EntryFiles(root / ENTRY_FOLDER)
        self._hot = HotTier(hot_bytes)
        self._hits = HitCounter()
        self._closed = False
        self._pinning, self._pinned_by = threading.Lock(), 0
        try:
            self._index = CacheIndex(
                root,
                self._files,
                budget=Budget(max_bytes, max_entries, filtered_entries),
                busy=self._timing.busy,
                on_removed=self._hot.drop,
            )
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or "the disk refused"
            raise SetupError(
                f"the cache folder cannot be used: {reason}",
                hint="give it a folder on a local disk that the server may write",
            ) from error
        self._next_refresh = time.monotonic() + self._timing.refresh
        self.collect()
        self._maintenance = self._start_maintenance()

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    @property
    def epoch(self) -> int:
        """A number that moves whenever `holdings` changes; read it before the holdings."""
        self._refresh_if_due()
        return self._index.snapshot.epoch

    @property
    def max_bytes(self) -> int:
        """The most bytes that the entries may take."""
        return self._max_bytes

    @property
    def damaged(self) -> int:
        """How many entries were dropped because their file was missing or altered."""
        return self._index.counts.damaged

    def holdings(self) -> Holdings:
        """Return the current snapshot; no lock is waited for, and it is O(1) between refreshes."""
        self._refresh_if_due()
        return self._index.snapshot.holdings

    def counts(self) -> Counts:
        """Return what happened since the store was opened, as a copy."""
        return replace(self._index.counts)

    def put(
        self,
        key: EntryKey,
        table: pa.Table,
        version: Version,
        lineage: Lineage,
        *,
        pinned: bool = False,
        seconds: float | None = None,
    ) -> CacheEntry | None:
        """Keep a table under a key, in place of what the key had before.

        Args:
            key: the entry's identity.
            table: exactly what `read` shall give back.
            version: fingerprints of the tables it was made from.
            lineage: how it was made.
            pinned: True pins the key as a hint would; False leaves its pin as it is.
            seconds: how long its making took; None where that is not known.

        Returns:
            The entry; None where it is not kept: larger than the budget, under a key of more than
            `MAX_KEY` characters, or the disk refused.
        """
        written = self._write(key, table)
        if written is None:
            return None
        # The oldest goes first: what was just hit must count before something is evicted.
        self.flush()
        now = self._clock()
        record = EntryRecord(
            key=key,
            entry_id=written.entry_id,
            rows=table.num_rows,
            bytes=written.size,
            hits=0,
            created=now,
            since=now,
            last_used=now,
            pinned=pinned,
            lineage=lineage,
            version=version,
            seconds=seconds,
        )
        entry = self._index.admit(Row(record, written.digest))
        if entry is None:
            self._files.remove((written.entry_id,))
            self._index.report_unstored("manifest")
            return None
        self._hot.put(entry.entry_id, table)
        return entry

    def read(self, entry: CacheEntry) -> pa.Table:
        """Return the table of an entry, from memory or else from its checked file.

        Raises:
            EntryGone: the entry can no longer be read.
        """
        entry_id = entry.entry_id
        table = self._hot.get(entry_id)
        if table is not None:
            return table
        table = self._from_file(entry_id)
        self._hot.put(entry_id, table)
        return table

    def verify(self, entry: CacheEntry) -> None:
        """Read the file of an entry again, whatever is in memory; raises as `read`."""
        self._from_file(entry.entry_id)

    def _from_file(self, entry_id: str) -> pa.Table:
        facts = self._index.file_facts(entry_id)
        if facts is None:
            raise EntryGone(entry_id)
        try:
            return self._files.read(entry_id, *facts)
        except FileNotFoundError:
            self._index.drop_damaged(entry_id, "missing")
            raise EntryGone(entry_id) from None
        except FileDamaged as damage:
            self._index.drop_damaged(entry_id, str(damage))
            raise EntryGone(entry_id) from None
        except OSError as error:
            # Too many open files, say: no reason to throw away an entry that may be sound.
            self._index.report_failure("read", error)
            raise EntryGone(entry_id) from error

    def touch(self, entry_id: str) -> None:
        """Count one hit of an entry, in memory; it is written with others, later."""
        unwritten = self._hits.touch(entry_id, self._clock())
        # Once per so many hits, also while the disk refuses them and their number grows.
        if unwritten % self._timing.flush_hits == 0 and self._maintenance is not None:
            self._maintenance.run_soon(self.flush)

    def records(self) -> list[EntryRecord]:
        """Return the record of every entry, in the order they were put."""
        self.flush()
        return self._index.records()

    def former(self) -> list[FormerEntry]:
        """Return the statistics of keys that were hit and have no entry now, in no order."""
        return self._index.former()

    def drop(self, entry_ids: Iterable[str]) -> None:
        """Take entries out, with their files; unknown ids are fine."""
        self._index.drop(entry_ids)

    def set_pinned(self, keys: Collection[EntryKey], generation: int = 0) -> None:
        """Pin exactly these keys, whether they have an entry now or later.

        Args:
            keys: the keys.
            generation: of the engine that pins; one that was replaced pins nothing over its
                successor, however late its warm-up ends.
        """
        hashes = {key_hash(key_text(key)) for key in keys}
        with self._pinning:
            if generation >= self._pinned_by:
                self._pinned_by = generation
                self._index.set_pins(hashes)

    def collect(self) -> CollectorReport:
        """Remove orphans, superseded files and unfinished ones that are past their time."""
        now = self._clock()
        return self._index.collect(now - self._timing.temporary, now - self._timing.grace)

    def refresh(self) -> bool:
        """Look for other processes' changes now and return whether the snapshot moved."""
        before = self._index.snapshot
        self._index.refresh()
        return self._index.snapshot is not before

    def flush(self) -> None:
        """Write the hits that wait."""
        hits = self._hits.drain()
        if hits and not self._index.add_hits(hits):
            self._hits.restore(hits)

    def sync(self) -> None:
        """Have the disk keep what was put, so that a power cut takes none of it back."""
        try:
            self._files.sync()
        except OSError as error:
            self._index.report_failure("sync", error)

    def change_budget(self, max_bytes: int) -> None:
        """Take at most so many bytes from now on; what is past that is evicted at once."""
        if max_bytes != self._max_bytes:
            self._max_bytes = max_bytes
            self._index.change_cost(max_bytes)

    def close(self) -> None:
        """Write the hits and close the manifest; may be called again. Nothing is kept after it."""
        if self._closed:
            return
        self._closed = True
        if self._maintenance is not None:
            self._maintenance.stop()
        self.flush()
        self.sync()
        self._index.close()

    def _start_maintenance(self) -> MaintenanceThread | None:
        if self._timing.flush is None:
            return None
        every = self._timing.flush
        return MaintenanceThread(
            {self.flush: every, self.sync: every, self.collect: self._timing.grace}
        )

    def _refresh_if_due(self) -> None:
        now = time.monotonic()
        if now >= self._next_refresh:
            self._next_refresh = now + self._timing.refresh
            self._index.refresh(wait=False)

    def _write(self, key: EntryKey, table: pa.Table) -> WrittenFile | None:
        text = key_text(key)
        if len(text) > MAX_KEY:
            # The same thousand literals hardly come again: the entry would cost more than it saves.
            self._index.report_unstored("its key is too long")
            return None
        try:
            return self._files.write(key_hash(text), table, self._max_bytes)
        except TooLarge:
            self._index.report_unstored("larger than the budget")
        except pa.ArrowException as error:
            self._index.report_unstored(type(error).__name__)
        except OSError as error:
            self._index.report_failure("write", error)
            self._index.report_unstored("disk")
        return None
