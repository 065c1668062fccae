"""The books: the manifest and its image in memory, kept in step under one lock.

What comes in: rows to admit and to delete. What goes out: an immutable snapshot, and whether the
disk took the change. It must never raise for a refusing disk once it is open, and never show what
is not committed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from flightframe_server.cache.access import Hits
from flightframe_server.cache.entries import Collected, Counts, EntryRecord
from flightframe_server.cache.files import EntryFiles
from flightframe_server.cache.index import EntryIndex, Snapshot
from flightframe_server.cache.manifest import Manifest
from flightframe_server.cache.opening import folder_lock, is_damage, open_manifest
from flightframe_server.cache.rows import Row
from flightframe_server.cache.upkeep import Budget, Evicted, admit, collect, recover
from flightframe_server.errors import SetupError
from flightframe_server.planner.holdings import HeldEntry

_log = structlog.get_logger(__name__)


class Books:
    """Manifest, index and counts of one store. Thread-safe.

    Args:
        root: the collection's folder; the manifest lies in it.
        files: the folder of entry files.
        budget: what the entries may take.
        busy: seconds that a statement waits for another process's write.
        left: called with the ids of entries that are no longer held.

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
        left: Callable[[Iterable[str]], None],
    ) -> None:
        """Open the manifest and bring it, the files and the budget into agreement."""
        self._root, self._files, self._budget, self._busy = root, files, budget, busy
        self._left = left
        self._index = EntryIndex()
        self._lock = threading.RLock()
        self._unreadable: set[str] = set()
        self._closed = False
        self.counts = Counts()
        self._manifest = self._open()

    @property
    def snapshot(self) -> Snapshot:
        """What is held now; no lock is taken."""
        return self._index.snapshot

    def admit(self, row: Row) -> HeldEntry | None:
        """Commit the row of a written file, in place of its key's former row.

        Returns:
            The entry; None where the manifest refused, and nothing changed.
        """
        with self._working("admit"):
            admission = admit(self._manifest, self._files, row, self._budget)
            gone = list(admission.evicted.files)
            if admission.superseded is not None:
                gone.append(admission.superseded)
            held = self._index.add(admission.row, gone)
            self._left(gone)
            self._take_away(admission.evicted)
            return held
        return None

    def file_facts(self, entry_id: str) -> tuple[int, bytes] | None:
        """Return size and digest of a file that a row names, a superseded one included."""
        known = self._index.file_facts(entry_id)
        if known is not None:
            return known
        with self._working("look up"):
            return self._manifest.file_facts(entry_id)
        return None

    def drop(self, entry_ids: Iterable[str]) -> None:
        """Take entries out, with their files; unknown ids are fine."""
        known = [entry_id for entry_id in entry_ids if self.file_facts(entry_id) is not None]
        self._delete(known)
        self._files.remove(known)

    def drop_damaged(self, entry_id: str, reason: str) -> None:
        """Drop an entry whose file cannot be right.

        Where its row was gone already, somebody evicted the entry meanwhile: that is no damage.
        """
        with self._lock:
            self._unreadable.add(entry_id)
        if self._delete((entry_id,)) != 0:
            self._damaged(entry_id, reason)
        self._files.remove((entry_id,))

    def records(self) -> list[EntryRecord]:
        """Return every row's record in the order they were put; none where the disk refused."""
        with self._working("records"):
            return [row.record for row in self._manifest.rows()[0]]
        return []

    def set_pins(self, hashes: set[str]) -> None:
        """Pin exactly the keys of these hashes."""
        with self._working("pin"), self._manifest.transaction():
            if self._manifest.pins() != hashes:
                self._manifest.set_pins(hashes)

    def add_hits(self, hits: Mapping[str, Hits]) -> bool:
        """Add hits to the rows and return whether they were written."""
        with self._working("hits"):
            with self._manifest.transaction():
                self._manifest.add_hits(hits)
            return True
        return False

    def collect(self, temporaries_before: float, orphans_before: float) -> Collected:
        """Remove files that nobody needs; see `upkeep.collect`."""
        with self._working("collect"):
            return collect(
                self._manifest,
                self._files,
                temporaries_before=temporaries_before,
                orphans_before=orphans_before,
            )
        return Collected()

    def refresh(self, *, wait: bool = True) -> None:
        """Take over other processes' changes.

        Args:
            wait: False leaves everything as it is where another thread works on the books.
        """
        if self._closed or not self._lock.acquire(blocking=wait):
            return
        try:
            with self._working("refresh"):
                self._follow()
        finally:
            self._lock.release()

    def failed(self, what: str, error: BaseException) -> None:
        """Count and log that the disk refused something."""
        with self._lock:
            self.counts.failures += 1
        _warn("cache_failed", what=what, error=type(error).__name__)

    def unstored(self, reason: str) -> None:
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
    def _working(self, what: str) -> Iterator[None]:
        """Hold the books; a refusal of the disk is counted and logged, and ends the block."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                self.failed(what, error)
                if is_damage(error):
                    self._start_anew()

    def _open(self) -> Manifest:
        self._files.prepare()
        with folder_lock(self._root):
            manifest, older = open_manifest(self._root, self._busy)
            try:
                if older is not None:
                    self._empty(older)
                self._seen = manifest.change_count()
                found = recover(manifest, self._files, self._budget)
            except BaseException:
                manifest.close()
                raise
        self._index.follow(found.rows, self._index.ids())
        for entry_id in found.damaged:
            self._damaged(entry_id, "found at start")
        self._take_away(found.evicted)
        return manifest

    def _empty(self, older: int) -> None:
        """Remove the files of a store of an older format; whoever else has it open finds that out.

        What this version keeps begins with the new manifest, which nobody has seen yet: every file
        that stands there now is of the older one.
        """
        names = [found.name for found in self._files.scan() if found.entry_id]
        removed = self._files.remove_names(names)
        with suppress(OSError):
            _log.warning("cache_emptied", reason="an older format", format=older, files=removed)

    def _start_anew(self) -> None:
        """Go on with another manifest where this one was lost: its entries must be rebuilt."""
        lost = self._index.ids()
        self._index.remove(lost)
        self._left(lost)
        with suppress(sqlite3.Error):
            self._manifest.close()
        try:
            self._manifest = self._open()
        except (SetupError, OSError, sqlite3.Error) as error:
            self.failed("open", error)

    def _follow(self) -> None:
        if self._manifest.moved():
            self._start_anew()
            return
        # Read before the rows: a change between the two is then looked at twice, never missed.
        seen = self._manifest.change_count()
        if seen == self._seen:
            return
        ids = self._manifest.entry_ids() - self._unreadable
        known = self._index.ids()
        rows, _ = self._manifest.rows(ids - known)
        # Whoever opens the store next deletes their rows; until then they are not looked at again.
        self._unreadable.update(ids - known - {row.record.entry_id for row in rows})
        self._index.follow(sorted(rows, key=lambda row: row.record.created), known - ids)
        self._left(known - ids)
        self._seen = seen

    def _delete(self, entry_ids: Collection[str]) -> int | None:
        """Delete rows; return how many there were, None where the manifest refused."""
        deleted: int | None = None
        with self._working("delete"):
            with self._manifest.transaction():
                count = self._manifest.delete(entry_ids)
            deleted = count
        with self._lock:
            self._index.remove(entry_ids)
            self._left(entry_ids)
        return deleted

    def _take_away(self, evicted: Evicted) -> None:
        if evicted.files:
            self._files.remove(evicted.files)
            self.counts.evicted += evicted.entries
            with suppress(OSError):
                _log.debug("cache_evicted", entries=evicted.entries, files=len(evicted.files))

    def _damaged(self, entry_id: str, reason: str) -> None:
        with self._lock:
            self.counts.damaged += 1
        _warn("cache_entry_damaged", entry_id=entry_id, reason=reason)


def _warn(event: str, **facts: str) -> None:
    # The log may lie on the very disk that is full, and must not fail the query either.
    with suppress(OSError):
        _log.warning(event, **facts)
