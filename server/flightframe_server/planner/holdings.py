"""What the cache holds, as an immutable value that planning reads.

What comes in: entries, put in and taken out by the cache. What goes out: for one shelf, the
entries on it, or those that a filter may use. It must never read a disk: a snapshot may be out of
date, and whoever carries out a plan finds that out when an entry is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations
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


Filter = tuple[str, ...]
"""The canonical texts of an entry's conjuncts, sorted, as in its key."""

OnShelf = Mapping[Filter, tuple[HeldEntry, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Every entry, shelf by shelf and filter by filter; a change makes a new value and shares.

    Attributes:
        shelves: for each shelf its entries by their filter, in the order they were put there.
    """

    shelves: Mapping[Shelf, OnShelf] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, entries: Iterable[HeldEntry]) -> Holdings:
        """Return holdings with exactly these entries."""
        shelves: dict[Shelf, dict[Filter, tuple[HeldEntry, ...]]] = {}
        for entry in entries:
            shelf = shelves.setdefault(entry.key.shelf, {})
            shelf[entry.key.filter] = (*shelf.get(entry.key.filter, ()), entry)
        return cls(MappingProxyType({shelf: MappingProxyType(on) for shelf, on in shelves.items()}))

    def on(self, shelf: Shelf) -> tuple[HeldEntry, ...]:
        """Return the entries of one shelf, filter by filter."""
        return tuple(chain.from_iterable(self.shelves.get(shelf, {}).values()))

    def within(self, shelf: Shelf, conjuncts: Collection[str]) -> Iterator[HeldEntry]:
        """Yield the entries of a shelf that are filtered by nothing but some of the conjuncts.

        It takes time by the conjuncts or by the filters on the shelf, whichever are fewer, and not
        by the entries of other filters.
        """
        on = self.shelves.get(shelf, {})
        wanted = sorted(conjuncts)
        if len(wanted) < len(on).bit_length():
            parts = (combinations(wanted, size) for size in range(len(wanted) + 1))
            filters: Iterable[Filter] = (part for part in chain.from_iterable(parts) if part in on)
        else:
            known = frozenset(wanted)
            filters = (held for held in on if known.issuperset(held))
        for held in filters:
            yield from on[held]

    def beyond(self, shelf: Shelf, conjuncts: Collection[str]) -> Iterator[HeldEntry]:
        """Yield the entries of a shelf that `within` does not."""
        known = frozenset(conjuncts)
        for held, entries in self.shelves.get(shelf, {}).items():
            if not known.issuperset(held):
                yield from entries

    def with_entry(self, entry: HeldEntry) -> Holdings:
        """Return holdings in which `entry` stands for its key, whatever stood there before."""
        key = entry.key
        on = self.shelves.get(key.shelf, {})
        others = tuple(held for held in on.get(key.filter, ()) if held.key != key)
        return self._with(key.shelf, {**on, key.filter: (*others, entry)})

    def without(self, entry_ids: Iterable[str]) -> Holdings:
        """Return holdings that lack these entries; unknown ids are fine."""
        gone, left = frozenset(entry_ids), self
        for shelf, on in self.shelves.items():
            if any(entry.entry_id in gone for held in on.values() for entry in held):
                kept = {
                    filter_: tuple(entry for entry in held if entry.entry_id not in gone)
                    for filter_, held in on.items()
                }
                left = left._with(shelf, {filter_: held for filter_, held in kept.items() if held})
        return left

    def _with(self, shelf: Shelf, on: OnShelf) -> Holdings:
        shelves = {**self.shelves, shelf: MappingProxyType(on)}
        if not on:
            del shelves[shelf]
        return Holdings(MappingProxyType(shelves))

    def __iter__(self) -> Iterator[HeldEntry]:
        """Iterate over every entry, shelf by shelf."""
        for shelf in self.shelves:
            yield from self.on(shelf)
