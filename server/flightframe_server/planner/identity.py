"""The identity of a cache entry (law 9, docs/laws.md): equal keys, equal meaning.

What comes in: names and canonical texts from the resolver. What goes out: hashable keys. It must
never hold anything that does not change the meaning of the number: no anchor order, no alias, no
LIMIT.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.algebra.reducers import Domain, Operator

Version = tuple[tuple[str, str], ...]
"""Sorted pairs (table, fingerprint) of every table an answer was read from, via tables included."""


@dataclass(frozen=True, slots=True)
class EntryGroup:
    """Where entries that could answer one metric stand together: all but anchor and filter.

    `collection` is of the collection what the metric rests on: the hash of its family's definition.
    """

    collection: str
    backend: str
    domain: Domain
    family: str
    operator: Operator


@dataclass(frozen=True, slots=True)
class EntryKey:
    """The identity of one entry.

    Attributes:
        group: hash of the definition, back-end id, domain, family and operator.
        anchor: levels, sorted, without duplicates.
        filter: canonical texts of the normalised conjuncts, sorted; empty for a complete entry.
    """

    group: EntryGroup
    anchor: tuple[str, ...]
    filter: tuple[str, ...] = ()
