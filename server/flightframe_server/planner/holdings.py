"""What the cache holds, as an immutable value that planning reads.

What comes in: entries, put in and taken out by the cache. What goes out: for one shelf, the
entries on it. It must never read a disk: a snapshot may be out of date, and whoever carries out a
plan finds that out when an entry is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from flightframe_server.planner.identity import EntryKey, Shelf, Version


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """One entry as planning sees it.

    Attributes:
        key: its identity.
        entry_id: its unique, never reused name.
        rows: rows of its table.
        bytes: bytes of its file.
        version: fingerprints of the tables it was made from.
        edges: functional dependencies it was rolled up along, as text, none for a direct answer.
        created: when it was made, seconds since the epoch.
    """

    key: EntryKey
    entry_id: str
    rows: int
    bytes: int
    version: Version
    edges: tuple[str, ...] = ()
    created: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Every entry, shelf by shelf; changing it makes a new value and shares what stays."""

    shelves: Mapping[Shelf, tuple[HeldEntry, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of(cls, entries: Iterable[HeldEntry]) -> Holdings:
        """Return holdings with exactly these entries."""
        shelves: dict[Shelf, list[HeldEntry]] = {}
        for entry in entries:
            shelves.setdefault(entry.key.shelf, []).append(entry)
        return cls(MappingProxyType({shelf: tuple(held) for shelf, held in shelves.items()}))

    def on(self, shelf: Shelf) -> tuple[HeldEntry, ...]:
        """Return the entries of one shelf, in the order they were put there."""
        return self.shelves.get(shelf, ())

    def with_entry(self, entry: HeldEntry) -> Holdings:
        """Return holdings in which `entry` stands for its key, whatever stood there before."""
        shelf = entry.key.shelf
        others = tuple(held for held in self.on(shelf) if held.key != entry.key)
        return Holdings(MappingProxyType({**self.shelves, shelf: (*others, entry)}))

    def without(self, entry_ids: Iterable[str]) -> Holdings:
        """Return holdings that lack these entries; unknown ids are fine."""
        gone = frozenset(entry_ids)
        shelves = dict(self.shelves)
        for shelf, held in self.shelves.items():
            if any(entry.entry_id in gone for entry in held):
                shelves[shelf] = tuple(entry for entry in held if entry.entry_id not in gone)
                if not shelves[shelf]:
                    del shelves[shelf]
        return Holdings(MappingProxyType(shelves))

    def __iter__(self) -> Iterator[HeldEntry]:
        """Iterate over every entry, shelf by shelf."""
        for held in self.shelves.values():
            yield from held
