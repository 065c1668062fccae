"""What the store of one collection holds, as pages and commands list it.

What comes in: an engine and the time. What goes out: one line for each entry, and the totals. It
must never show a filter's values, nor an id from which they could be guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from flightframe_server.cache.entries import Counts, EntryRecord
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import UnknownName, shown
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.promotion.names import family_of, levels_in, own_filter

SHORT_ID = 8
"""So many letters of the drawn part of an id may stand for it."""


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """One entry as everybody may see it.

    Attributes:
        id: its name; of a filtered one the part that was drawn by chance, since the other part
            is a hash of the key, from which a value could be guessed.
        family: the metric family, or `rows(schema)` and `level(schema.x)`.
        anchor: its levels, sorted.
        operator: the reducer with its arguments.
        filtered: whether it has a filter.
        filter: the levels that the filter names.
        rows: rows of its table.
        bytes: bytes of its file.
        hits: times its key was served.
        age_seconds: since its table was made.
        last_used_seconds: since it was last served or stored.
        pinned: whether a hint keeps it.
        route: how it was made: `backend` or `rollup`.
        from_anchor: the anchor that it was rolled up from.
        fresh: whether it is of the data, and of the collection, as they are now.
        seconds: how long its making took; None where that is not known.
    """

    id: str
    family: str
    anchor: tuple[str, ...]
    operator: str
    filtered: bool
    filter: tuple[str, ...]
    rows: int
    bytes: int
    hits: int
    age_seconds: float
    last_used_seconds: float
    pinned: bool
    route: str
    from_anchor: tuple[str, ...] | None
    fresh: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The store of one collection: its entries, the most often used first, and the totals."""

    ac_name: str
    enabled: bool
    entries: tuple[ListedEntry, ...]
    budget_bytes: int
    counts: Counts

    @property
    def bytes(self) -> int:
        """What the files of all entries take."""
        return sum(entry.bytes for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        percent = 100 * self.bytes / self.budget_bytes if self.budget_bytes else 0.0
        return {
            "ac_name": self.ac_name,
            "enabled": self.enabled,
            "entries": [asdict(entry) for entry in self.entries],
            "entry_count": len(self.entries),
            "bytes": self.bytes,
            "budget_bytes": self.budget_bytes,
            "budget_percent": round(percent, 4),
            "hits": sum(entry.hits for entry in self.entries),
            "counts": asdict(self.counts),
        }


def listing(engine: MetricEngine, now: float) -> Listing:
    """Return what the store of an engine holds.

    Args:
        engine: the collection's engine.
        now: seconds since 1970 UTC.
    """
    name = engine.collection.name
    if engine.store is None:
        return Listing(name, False, (), 0, Counts())
    versions = dict(engine.fingerprint())
    levels = frozenset(engine.typed.level_types)
    entries = [
        listed(record, now, levels, fresh=is_fresh(record, engine, versions))
        for record in engine.store.records()
    ]
    entries.sort(key=lambda one: (-one.hits, one.family, one.anchor, one.operator, one.id))
    return Listing(name, True, tuple(entries), engine.store.max_bytes, engine.store.counts())


def is_fresh(record: EntryRecord, engine: MetricEngine, versions: dict[str, str | None]) -> bool:
    """Return whether an entry is of the collection as it is declared, and of the data now."""
    group = record.key.group
    definition = engine.collection.definition_hash(family_of(group.family))
    declared = group.collection == definition
    current = all(versions.get(table) == sign for table, sign in record.version)
    return declared and current and group.backend == engine.backend.id


def listed(record: EntryRecord, now: float, levels: Collection[str], *, fresh: bool) -> ListedEntry:
    """Return one entry as everybody may see it."""
    group = record.key.group
    own = own_filter(group.family)
    conditions = (*record.key.filter, *((own,) if own else ()))
    finer = record.lineage.source_anchor
    return ListedEntry(
        public_id(record),
        family_of(group.family),
        masked_anchor(record.key.anchor),
        str(group.operator),
        bool(conditions),
        levels_in(conditions, levels),
        record.rows,
        record.bytes,
        record.hits,
        max(now - record.created, 0.0),
        max(now - record.last_used, 0.0),
        record.pinned,
        record.lineage.route,
        None if finer is None else masked_anchor(finer),
        fresh,
        record.seconds,
    )


def public_id(record: EntryRecord) -> str:
    """Return the name of an entry as everybody may see it; see `ListedEntry`."""
    entry_id = record.entry_id
    hidden = record.key.filter or own_filter(record.key.group.family)
    return entry_id.rpartition("-")[2] if hidden else entry_id


def entry_named(records: Iterable[EntryRecord], name: str) -> EntryRecord:
    """Return the entry of an id: in full, as everybody sees it, or the beginning of that.

    Raises:
        UnknownName: there is none of that id, or several begin with it.
    """
    matches: list[EntryRecord] = []
    for record in records:
        suffix = record.entry_id.rpartition("-")[2]
        if name in (record.entry_id, suffix):
            return record
        if len(name) >= SHORT_ID and suffix.startswith(name):
            matches.append(record)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnknownName(
            f"{len(matches)} entries begin with {shown(name)}", hint="write more of it"
        )
    raise UnknownName(f"there is no entry {shown(name)}", hint="list the entries again")
