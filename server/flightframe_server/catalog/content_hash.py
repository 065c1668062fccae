"""The identity of a collection's content, as a whole and family by family.

What comes in: a collection's document as plain data. What goes out: hashes that are equal for equal
content. It must never depend on layout, comments, the order of a mapping's keys, a `description`
(prose for people, the levels' included) or a `cache_hint` (what to keep, not what a number means).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

HASH_BYTES = 16
MEANING = 2
"""Moves when the same content means another number, so that no entry of the old one answers."""

_FAMILIES = "metric_families"
_FRAMES = "frames"
_LISTS = ("schemas", "dimension_families", "derived_dimensions", _FAMILIES, _FRAMES)
_PROSE = frozenset({"description", "level_descriptions", "cache_hint"})


def content_hash(document: Mapping[str, Any]) -> str:
    """Return BLAKE2b (16 bytes, hex) of a document's content in canonical JSON."""
    content = {key: value for key, value in document.items() if key not in _PROSE}
    content["meaning"] = MEANING
    for name in _LISTS:
        if name in content:
            content[name] = [
                {key: value for key, value in declared.items() if key not in _PROSE}
                for declared in content[name]
            ]
    text = json.dumps(_canonical(content), ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).hexdigest()


def definition_hashes(document: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the identity of all that families rest on, and that of each family by name.

    What a family's numbers mean rests on its own declaration, and on schemas, dimensions and zone;
    on no other family, and on no frame. So a change of one leaves the identity of the others.
    """
    others = (_FAMILIES, _FRAMES)
    structure = content_hash({key: value for key, value in document.items() if key not in others})
    families = {
        family["name"]: content_hash({"structure": structure, _FAMILIES: [family]})
        for family in document.get(_FAMILIES) or ()
    }
    return structure, families


def text_hash(text: str) -> str:
    """Return BLAKE2b (16 bytes, hex) of a text as it stands."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES).hexdigest()


def _canonical(value: Any) -> Any:
    """Return a value as JSON that keeps types apart, mappings as sorted pairs."""
    if isinstance(value, dict):
        pairs = [[_canonical(key), _canonical(item)] for key, item in value.items()]
        return {"map": sorted(pairs, key=lambda pair: json.dumps(pair[0]))}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, float):
        return {"double": repr(value)}
    if isinstance(value, datetime.datetime):
        return {"timestamp": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    return value
