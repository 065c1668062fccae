"""The values that pass between the store and its callers beside tables.

What comes in: facts about one entry. What goes out: frozen values for the engine and for surfaces.
They must never hold a path: an entry is known outside the cache by its key and its entry id.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.identity import EntryKey, Version


class EntryGone(Exception):
    """An entry can no longer be read: it was evicted, dropped, or found damaged.

    A signal between cache and engine, which plans that part again; no user ever sees it, hence it
    stands outside the error tree.
    """

    def __init__(self, entry_id: str) -> None:
        """Keep the id of the entry that is gone."""
        super().__init__(entry_id)
        self.entry_id = entry_id


@dataclass(frozen=True, slots=True)
class Lineage:
    """How an entry was made.

    Attributes:
        route: `backend`, or `rollup` of another entry.
        source_entry: id of the entry it was rolled up from.
        source_anchor: anchor of that entry.
        edges: functional dependencies it was rolled up along, as text.
    """

    route: str
    source_entry: str | None = None
    source_anchor: tuple[str, ...] | None = None
    edges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """One entry as surfaces show it. Moments are seconds since 1970 UTC.

    Attributes:
        key: its identity.
        entry_id: its unique, never reused name.
        rows: rows of its table.
        bytes: bytes of its file.
        hits: times its key was served since `since`.
        created: when this table was made.
        since: when its key was first stored; kept when the entry is made anew.
        last_used: when its key was last served or stored.
        pinned: whether a hint asks to keep it.
        lineage: how it was made.
        version: fingerprints of the tables it was made from.
        seconds: how long its making took: the statement's time, or that of rolling it up; None
            where that is not known.
    """

    key: EntryKey
    entry_id: str
    rows: int
    bytes: int
    hits: int
    created: float
    since: float
    last_used: float
    pinned: bool
    lineage: Lineage
    version: Version
    seconds: float | None = None

    def as_entry(self) -> CacheEntry:
        """Return the entry as planning sees it."""
        return CacheEntry(
            self.key,
            self.entry_id,
            self.rows,
            self.bytes,
            self.version,
            self.lineage.edges,
            self.created,
        )


@dataclass(frozen=True, slots=True)
class CollectorReport:
    """The files that one run of the collector removed.

    Attributes:
        temporaries: files whose writer never finished.
        orphans: finished files that no manifest row names.
        superseded: files that a newer table of the same key replaced.
    """

    temporaries: int = 0
    orphans: int = 0
    superseded: int = 0


@dataclass(slots=True)
class Counts:
    """What happened since a store was opened, for the system tables.

    Attributes:
        damaged: entries dropped because their file was missing or not what was written.
        evicted: entries dropped to keep within the budget.
        unstored: tables that were answered but not kept.
        failures: operations on the manifest or on files that the disk refused.
    """

    damaged: int = 0
    evicted: int = 0
    unstored: int = 0
    failures: int = 0
