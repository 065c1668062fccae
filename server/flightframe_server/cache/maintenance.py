"""Keeping folder and manifest in agreement: admission, recovery after a crash, the collector.

What comes in: a manifest and its files. What goes out: a manifest whose every row has its file, a
total within the budget, and the removal of files that no row names. Every function that removes a
file on the ground of rows must hold the manifest's write lock while it looks: that is why a file
whose row is about to be committed can never be taken for an orphan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flightframe_server.cache.canonical import key_hash, key_text
from flightframe_server.cache.entries import CollectorReport
from flightframe_server.cache.eviction import Candidate, Priority, victims
from flightframe_server.cache.files import FINISHED, EntryFiles
from flightframe_server.cache.manifest import Manifest
from flightframe_server.cache.rows import Row


@dataclass(frozen=True, slots=True)
class Budget:
    """What the entries of one collection may take.

    Attributes:
        cost: the most bytes of files, of their rows, and of their keys in memory.
        entries: the most entries.
        filtered: the most entries with a filter in one group.
    """

    cost: int
    entries: int
    filtered: int


@dataclass(frozen=True, slots=True)
class Evicted:
    """Evicted files: all of them, and how many were entries still to be served."""

    files: tuple[str, ...] = ()
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """What one new row changed: the row as committed, the id it replaced, evicted files."""

    row: Row
    superseded: str | None
    evicted: Evicted


@dataclass(frozen=True, slots=True)
class Recovered:
    """A manifest when it was opened: sound rows, names of damaged ones, evicted files."""

    rows: tuple[Row, ...]
    damaged: tuple[str, ...]
    evicted: Evicted


def admit(manifest: Manifest, files: EntryFiles, row: Row, budget: Budget) -> Admission:
    """Commit the row of a file that is written, making room for it.

    Raises:
        FileNotFoundError: the file is gone: a collector took it for an unfinished one.
        sqlite3.Error: the manifest could not be written; nothing changed.
    """
    with manifest.transaction():
        if not files.exists(row.record.entry_id):
            raise FileNotFoundError("the entry's file is gone")
        before = manifest.supersede(key_hash(key_text(row.record.key)), row.record.created)
        if before is not None:
            record = replace(row.record, hits=before.hits, since=before.since)
            row = replace(row, record=record)
        evicted = _make_room(manifest, row, budget)
        manifest.insert(row)
    return Admission(row, None if before is None else before.entry_id, evicted)


def shrink(manifest: Manifest, budget: Budget) -> Evicted:
    """Bring the entries within another budget.

    Raises:
        sqlite3.Error: the manifest could not be written; nothing changed.
    """
    with manifest.transaction():
        return _make_room(manifest, None, budget)


def recover(manifest: Manifest, files: EntryFiles, budget: Budget) -> Recovered:
    """Drop rows that are invalid or whose file is not there in its size; enforce the budget.

    Raises:
        sqlite3.Error, OSError: the disk refused.
    """
    with manifest.transaction():
        sizes = {file.entry_id: file.bytes for file in files.scan() if file.regular}
        rows, invalid = manifest.rows()
        damaged = [
            row.record.entry_id
            for row in rows
            if sizes.get(row.record.entry_id) != row.record.bytes
        ]
        manifest.delete(damaged)
        manifest.purge(invalid)
        manifest.recount()
        evicted = _make_room(manifest, None, budget)
    removed = {*damaged, *evicted.files}
    sound = tuple(row for row in rows if row.record.entry_id not in removed)
    damaged += [f"row {number}" for number in invalid]
    return Recovered(sound, tuple(damaged), evicted)


def collect(
    manifest: Manifest,
    files: EntryFiles,
    *,
    temporaries_before: float,
    orphans_before: float,
) -> CollectorReport:
    """Remove the files that no reader can need any more.

    Args:
        manifest: the rows.
        files: the folder.
        temporaries_before: unfinished files written before this moment go.
        orphans_before: files that no row names go if written before this moment, and superseded
            ones if replaced before it. Seconds since 1970 UTC.

    Raises:
        sqlite3.Error, OSError: the disk refused.
    """
    scanned = list(files.scan())
    stale = [
        file.name for file in scanned if file.is_temporary and file.written < temporaries_before
    ]
    with manifest.transaction():
        superseded = manifest.superseded_before(orphans_before)
        manifest.delete(superseded)
        named = manifest.named_files().union(superseded)
        orphans = files.remove_names(
            file.name
            for file in scanned
            if file.entry_id and file.entry_id not in named and file.written < orphans_before
        )
    return CollectorReport(
        temporaries=files.remove_names(stale),
        orphans=orphans,
        superseded=files.remove_names(entry_id + FINISHED for entry_id in superseded),
    )


def _make_room(manifest: Manifest, incoming: Row | None, budget: Budget) -> Evicted:
    evicted_files: list[Candidate] = []
    cost, count = 0, 0
    if incoming is not None:
        cost, count = incoming.cost, 1
        if incoming.record.key.filter:
            evicted_files += manifest.filtered_surplus(incoming, budget.filtered)
            manifest.delete(file.entry_id for file in evicted_files)
    total, entries = manifest.ledger()
    excess, surplus = total + cost - budget.cost, entries + count - budget.entries
    others = victims(manifest.candidates(excess, surplus), excess, surplus)
    manifest.delete(file.entry_id for file in others)
    evicted_files += others
    return Evicted(
        tuple(file.entry_id for file in evicted_files),
        sum(file.priority != Priority.SUPERSEDED for file in evicted_files),
    )
