"""The canonical text of keys, versions and lineages, as the manifest stores them.

What comes in: frozen values of the planner. What goes out: ASCII JSON that is equal exactly where
the values are equal, and the values again. It must never order or drop anything by itself: equal
meaning is decided where keys are made.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.entries import Lineage
from flightframe_server.planner.identity import EntryGroup, EntryKey, Version


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("not a list of texts")
    return tuple(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _group_body(group: EntryGroup) -> dict[str, Any]:
    return {
        "collection": group.collection,
        "backend": group.backend,
        "domain": str(group.domain),
        "family": group.family,
        "operator": group.operator.name,
        "arguments": list(group.operator.arguments),
    }


def group_text(group: EntryGroup) -> str:
    """Return the one canonical text of a group."""
    return _dumped(_group_body(group))


def key_text(key: EntryKey) -> str:
    """Return the one canonical text of a key."""
    return _dumped(
        {**_group_body(key.group), "anchor": list(key.anchor), "filter": list(key.filter)}
    )


def key_hash(text: str) -> str:
    """Return 32 hexadecimal digits that name a key's files: BLAKE2b of its canonical text."""
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def read_key(text: str) -> EntryKey:
    """Return the key of a canonical text.

    Raises:
        ValueError, KeyError, TypeError: the text was not written by `key_text`.
    """
    body = json.loads(text)
    operator = Operator(_string(body["operator"]), _strings(body["arguments"]))
    group = EntryGroup(
        _string(body["collection"]),
        _string(body["backend"]),
        Domain(body["domain"]),
        _string(body["family"]),
        operator,
    )
    return EntryKey(group, _strings(body["anchor"]), _strings(body["filter"]))


def version_text(version: Version) -> str:
    """Return the canonical text of a version vector."""
    return _dumped([list(pair) for pair in version])


def read_version(text: str) -> Version:
    """Return the version vector of its canonical text.

    Raises:
        ValueError, TypeError: the text was not written by `version_text`.
    """
    return tuple((_string(table), _string(sign)) for table, sign in json.loads(text))


def lineage_text(lineage: Lineage) -> str:
    """Return the canonical text of an entry's lineage."""
    return _dumped(
        {
            "route": lineage.route,
            "source_entry": lineage.source_entry,
            "source_anchor": None if lineage.source_anchor is None else list(lineage.source_anchor),
            "edges": list(lineage.edges),
        }
    )


def read_lineage(text: str) -> Lineage:
    """Return the lineage of its canonical text.

    Raises:
        ValueError, KeyError, TypeError: the text was not written by `lineage_text`.
    """
    body = json.loads(text)
    anchor, source = body["source_anchor"], body["source_entry"]
    return Lineage(
        _string(body["route"]),
        None if source is None else _string(source),
        None if anchor is None else _strings(anchor),
        _strings(body["edges"]),
    )
