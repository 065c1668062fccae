"""The cache index: the manifest and its image in memory, kept in step under one lock.

What comes in: rows to admit and to delete. What goes out: an immutable snapshot, and whether the
disk took the change. It must never raise for a refusing disk once it is open, and never show what
is not committed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from flightframe_server.cache.entries import CollectorReport, Counts, EntryRecord
from flightframe_server.cache.entry_index import EntryIndex, HoldingsSnapshot
from flightframe_server.cache.files import EntryFiles
from flightframe_server.cache.former import FormerEntry
from flightframe_server.cache.hits import Hits
from flightframe_server.cache.maintenance import Budget, Evicted, admit, collect, recover, shrink
from flightframe_server.cache.manifest import Manifest, checked_rows
from flightframe_server.cache.open_manifest import folder_lock, is_damage, open_manifest
from flightframe_server.cache.rows import Row
from flightframe_server.errors import SetupError
from flightframe_server.planner.holdings import CacheEntry

_log = structlog.get_logger(__name__)


class CacheIndex:
    """Manifest, index and counts of one store. Thread-safe.

    Args:
        root: the collection's folder; the manifest lies in it.
        files: the folder of entry files.
        budget: what the entries may take.
        busy: seconds that a statement waits for another process's write.
        on_removed: called with the ids of entries that are removed.

    Raises:
        SetupError: a newer version wrote the folder.
        OSError, sqlite3.Error: the folder cannot be used.
    """

    def __init__(
        self,
        root: Path,
        files: EntryFiles,
        *,
        budget: Budget,
        busy: float,
        on_removed: Callable[[Iterable[str]], None],
    ) -> None:
        """Open the manifest and bring it, the files and the budget into agreement."""
        self._root, self._files, self._budget, self._busy = root, files, budget, busy
        self._on_removed = on_removed
        self._entries = EntryIndex()
        self._lock = threading.RLock()
        self._unreadable: set[str] = set()
        self._closed = False
        self.counts = Counts()
        self._manifest = self._open()

    @property
    def snapshot(self) -> HoldingsSnapshot:
        """The current holdings; no lock is taken."""
        return self._entries.snapshot

    def admit(self, row: Row) -> CacheEntry | None:
        """Commit the row of a written file, in place of its key's former row.

        Returns:
            The entry; None where the manifest refused, and nothing changed.
        """
        with self._guarded("admit"):
            admission = admit(self._manifest, self._files, row, self._budget)
            removed = list(admission.evicted.files)
            if admission.superseded is not None:
                removed.append(admission.superseded)
            entry = self._entries.add(admission.row, removed)
            self._on_removed(removed)
            self._remove_evicted(admission.evicted)
            return entry
        return None

    def change_cost(self, cost: int) -> None:
        """Keep within another budget of bytes from now on; what is past it goes at once."""
        with self._guarded("shrink"):
            self._budget = replace(self._budget, cost=cost)
            evicted = shrink(self._manifest, self._budget)
            self._entries.remove(evicted.files)
            self._on_removed(evicted.files)
            self._remove_evicted(evicted)

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return size and digest of a file that a row names, a superseded one included."""
        known = self._entries.file_facts(entry_id)
        if known is not None:
            return known
        with self._guarded("look up"):
            return self._manifest.file_facts(entry_id)
        return None

    def drop(self, entry_ids: Iterable[str]) -> None:
        """Take entries out, with their files; unknown ids are fine."""
        known = [entry_id for entry_id in entry_ids if self.file_facts(entry_id) is not None]
        self._delete(known)
        self._files.remove(known)

    def drop_damaged(self, entry_id: str, reason: str) -> None:
        """Drop an entry whose file cannot be right.

        Where its row is missing already, another process evicted the entry: that is no damage.
        """
        with self._lock:
            self._unreadable.add(entry_id)
        if self._delete((entry_id,)) != 0:
            self._report_damage(entry_id, reason)
        self._files.remove((entry_id,))

    def records(self) -> list[EntryRecord]:
        """Return every row's record in the order they were put; none where the disk refused."""
        selected: list[tuple[Any, ...]] = []
        with self._guarded("records"):
            selected = self._manifest.unchecked_rows()
        # Without the lock: no entry waits for the check of ten thousand rows.
        return [row.record for row in checked_rows(selected)[0]]

    def former(self) -> list[FormerEntry]:
        """Return what is remembered of keys without an entry; nothing where the disk refused."""
        with self._guarded("former"):
            return self._manifest.former()
        return []

    def set_pins(self, hashes: set[str]) -> None:
        """Pin exactly the keys of these hashes."""
        with self._guarded("pin"), self._manifest.transaction():
            if self._manifest.pins() != hashes:
                self._manifest.set_pins(hashes)

    def add_hits(self, hits: Mapping[str, Hits]) -> bool:
        """Add hits to the rows and return whether they were written."""
        with self._guarded("hits"):
            with self._manifest.transaction():
                self._manifest.add_hits(hits)
            return True
        return False

    def collect(self, temporaries_before: float, orphans_before: float) -> CollectorReport:
        """Remove unneeded files; see `maintenance.collect`."""
        with self._guarded("collect"):
            return collect(
                self._manifest,
                self._files,
                temporaries_before=temporaries_before,
                orphans_before=orphans_before,
            )
        return CollectorReport()

    def refresh(self, *, wait: bool = True) -> None:
        """Apply the changes of other processes.

        Args:
            wait: False leaves everything as it is where another thread holds the lock.
        """
        if self._closed or not self._lock.acquire(blocking=wait):
            return
        try:
            with self._guarded("refresh"):
                self._apply_changes()
        finally:
            self._lock.release()

    def report_failure(self, what: str, error: BaseException) -> None:
        """Count and log that the disk refused something."""
        with self._lock:
            self.counts.failures += 1
        _warn("cache_failed", what=what, error=type(error).__name__)

    def report_unstored(self, reason: str) -> None:
        """Count and log that a table was not kept."""
        with self._lock:
            self.counts.unstored += 1
        _warn("cache_entry_not_stored", reason=reason)

    def close(self) -> None:
        """Close the manifest; may be called again."""
        with self._lock:
            self._closed = True
            self._manifest.close()

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """Hold the lock; a refusal of the disk is counted and logged, and ends the block."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                self.report_failure(what, error)
                if is_damage(error):
                    self._reopen()

    def _open(self) -> Manifest:
        self._files.prepare()
        with folder_lock(self._root):
            manifest, older = open_manifest(self._root, self._busy)
            try:
                if older is not None:
                    self._discard_older(older)
                self._last_change = manifest.change_count()
                recovered = recover(manifest, self._files, self._budget)
            except BaseException:
                manifest.close()
                raise
        self._entries.apply_changes(recovered.rows, self._entries.ids())
        for entry_id in recovered.damaged:
            self._report_damage(entry_id, "found at start")
        self._remove_evicted(recovered.evicted)
        return manifest

    def _discard_older(self, older: int) -> None:
        """Remove the files of a store of an older format; other processes that have it open notice.

        The entries of this version begin with the new manifest, which no process has read yet:
        every file that stands there now is of the older one.
        """
        names = [file.name for file in self._files.scan() if file.entry_id]
        count = self._files.remove_names(names)
        with suppress(OSError):
            _log.warning("cache_emptied", reason="an older format", format=older, files=count)

    def _reopen(self) -> None:
        """Open another manifest where this one was lost: its entries must be rebuilt."""
        lost = self._entries.ids()
        self._entries.remove(lost)
        self._on_removed(lost)
        with suppress(sqlite3.Error):
            self._manifest.close()
        try:
            self._manifest = self._open()
        except (SetupError, OSError, sqlite3.Error) as error:
            self.report_failure("open", error)

    def _apply_changes(self) -> None:
        if self._manifest.was_replaced():
            self._reopen()
            return
        # Read before the rows: a change between the two is then looked at twice, never missed.
        change = self._manifest.change_count()
        if change == self._last_change:
            return
        ids = self._manifest.entry_ids() - self._unreadable
        known = self._entries.ids()
        rows, _ = self._manifest.rows(ids - known)
        # The next process to open the store deletes their rows; until then they are not read again.
        self._unreadable.update(ids - known - {row.record.entry_id for row in rows})
        self._entries.apply_changes(sorted(rows, key=lambda row: row.record.created), known - ids)
        self._on_removed(known - ids)
        self._last_change = change

    def _delete(self, entry_ids: Collection[str]) -> int | None:
        """Delete rows; return how many there were, None where the manifest refused."""
        deleted: int | None = None
        with self._guarded("delete"):
            with self._manifest.transaction():
                count = self._manifest.delete(entry_ids)
            deleted = count
        with self._lock:
            self._entries.remove(entry_ids)
            self._on_removed(entry_ids)
        return deleted

    def _remove_evicted(self, evicted: Evicted) -> None:
        if evicted.files:
            self._files.remove(evicted.files)
            self.counts.evicted += evicted.entries
            with suppress(OSError):
                _log.debug("cache_evicted", entries=evicted.entries, files=len(evicted.files))

    def _report_damage(self, entry_id: str, reason: str) -> None:
        with self._lock:
            self.counts.damaged += 1
        _warn("cache_entry_damaged", entry_id=entry_id, reason=reason)


def _warn(event: str, **fields: str) -> None:
    # The log may lie on the very disk that is full, and must not fail the query either.
    with suppress(OSError):
        _log.warning(event, **fields)
