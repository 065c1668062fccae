"""Which settings of an installation can change while it serves.

What comes in: the settings that serve, and those of the manifest as it is now. What goes out: the
keys that differ and need a restart. It must never let a setting pass that nothing puts to use: a
key that is not listed here needs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.installation import Installation
from flightframe_server.catalog.limits import LIVE_LIMITS
from flightframe_server.errors import CatalogError

LIVE = frozenset(
    {
        "collections",
        "metric_engine.enabled",
        "metric_engine.max_bytes_per_ac",
        "server.cors_origins",
        "server.auth.users",
        "server.auth.tokens",
        "server.auth.operators",
        "audit.mode",
        "audit.rate",
        "audit.values",
        "sql.shadow",
        *(f"limits.{name}" for name in LIVE_LIMITS),
    }
)
"""The keys of a manifest that a reload puts to use."""

_NO_KEYS = frozenset(
    {"file", "backend.memory_bytes", "backend.spill_bytes", "backend.threads"},
)
"""Fields that stand under no key of their own: the last are those of `limits` again."""


def differing_keys(before: Any, after: Any, within: str = "") -> Iterator[str]:
    """Yield the keys of a manifest under which two settings differ, in the file's order."""
    for field in fields(before):
        key = f"{within}{field.name}"
        one, other = getattr(before, field.name), getattr(after, field.name)
        if key in _NO_KEYS or one == other:
            continue
        if is_dataclass(one) and is_dataclass(other):
            yield from differing_keys(one, other, f"{key}.")
        else:
            yield key


def check_live(before: Installation, after: Installation, text: str) -> None:
    """Refuse a manifest that says what only a restart can put to use.

    Args:
        before: the settings that serve.
        after: those of the manifest now.
        text: its text.

    Raises:
        CatalogError: it does; it carries every such key.
    """
    document = read_document(text, after.file)
    refused = []
    for key in differing_keys(before, after):
        if key not in LIVE:
            location = document.location(*key.split("."))
            refused.append(
                CatalogError(
                    f"{key} cannot change while the server runs",
                    file=after.file,
                    path=location.path,
                    line=location.line,
                    hint="restart the server, or write it as it was",
                )
            )
    if refused:
        raise CatalogError.of_all(refused)
