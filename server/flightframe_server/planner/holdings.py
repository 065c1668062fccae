"""What the cache holds, as an immutable value that planning reads.

What comes in: entries, put in and taken out by the cache. What goes out: for one group, the
entries on it, or those that a filter may use. It must never read a disk: a snapshot may be out of
date, and the engine finds that out when an entry of the plan can no longer be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations
from types import MappingProxyType

from flightframe_server.planner.identity import EntryGroup, EntryKey, Version


@dataclass(frozen=True, slots=True)
class CacheEntry:
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

EntriesByFilter = Mapping[Filter, tuple[CacheEntry, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Every entry, group by group and filter by filter; a change makes a new value and shares.

    Attributes:
        groups: for each group its entries by their filter, in the order they were put there.
    """

    groups: Mapping[EntryGroup, EntriesByFilter] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of(cls, entries: Iterable[CacheEntry]) -> Holdings:
        """Return holdings with exactly these entries."""
        groups: dict[EntryGroup, dict[Filter, tuple[CacheEntry, ...]]] = {}
        for entry in entries:
            group = groups.setdefault(entry.key.group, {})
            group[entry.key.filter] = (*group.get(entry.key.filter, ()), entry)
        return cls(MappingProxyType({group: MappingProxyType(on) for group, on in groups.items()}))

    def on(self, group: EntryGroup) -> tuple[CacheEntry, ...]:
        """Return the entries of one group, filter by filter."""
        return tuple(chain.from_iterable(self.groups.get(group, {}).values()))

    def within(self, group: EntryGroup, conjuncts: Collection[str]) -> Iterator[CacheEntry]:
        """Yield the entries of a group that are filtered by nothing but some of the conjuncts.

        It takes time by the conjuncts or by the filters on the group, whichever are fewer, and not
        by the entries of other filters.
        """
        on = self.groups.get(group, {})
        texts = sorted(conjuncts)
        if len(texts) < len(on).bit_length():
            parts = (combinations(texts, size) for size in range(len(texts) + 1))
            filters: Iterable[Filter] = (part for part in chain.from_iterable(parts) if part in on)
        else:
            known = frozenset(texts)
            filters = (filter_ for filter_ in on if known.issuperset(filter_))
        for filter_ in filters:
            yield from on[filter_]

    def beyond(self, group: EntryGroup, conjuncts: Collection[str]) -> Iterator[CacheEntry]:
        """Yield the entries of a group that `within` does not."""
        known = frozenset(conjuncts)
        for filter_, entries in self.groups.get(group, {}).items():
            if not known.issuperset(filter_):
                yield from entries

    def with_entry(self, entry: CacheEntry) -> Holdings:
        """Return holdings in which `entry` stands for its key, whatever stood there before."""
        key = entry.key
        on = self.groups.get(key.group, {})
        others = tuple(other for other in on.get(key.filter, ()) if other.key != key)
        return self._with(key.group, {**on, key.filter: (*others, entry)})

    def without(self, entry_ids: Collection[str]) -> Holdings:
        """Return holdings that lack the entries of these ids; unknown ids are fine."""
        return self.without_entries(entry for entry in self if entry.entry_id in entry_ids)

    def without_entries(self, entries: Iterable[CacheEntry]) -> Holdings:
        """Return holdings that lack these entries; unknown ones are fine.

        A full cache drops one for each that comes: no other entry is looked at for it.
        """
        dropped: dict[EntryGroup, dict[Filter, set[str]]] = {}
        for entry in entries:
            filters = dropped.setdefault(entry.key.group, {})
            filters.setdefault(entry.key.filter, set()).add(entry.entry_id)
        holdings = self
        for group, filters in dropped.items():
            on = dict(self.groups.get(group, {}))
            for filter_, ids in filters.items():
                left = tuple(one for one in on.pop(filter_, ()) if one.entry_id not in ids)
                if left:
                    on[filter_] = left
            if group in self.groups:
                holdings = holdings._with(group, on)
        return holdings

    def _with(self, group: EntryGroup, on: EntriesByFilter) -> Holdings:
        groups = {**self.groups, group: MappingProxyType(on)}
        if not on:
            del groups[group]
        return Holdings(MappingProxyType(groups))

    def __iter__(self) -> Iterator[CacheEntry]:
        """Iterate over every entry, group by group."""
        for group in self.groups:
            yield from self.on(group)
