"""Where an answer came from: the parts of one answer folded into one `served_from`.

What comes in: for each output column, what was *executed* to make it. What goes out: the label and
the JSON that travels in every executor (batch metadata, FlightInfo, schema metadata, header, system
table). It must never be filled from a plan: a plan says what is to be done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

METADATA_KEY = b"flightframe"
SERVED_FROM_KEY = b"served_from"


class ServedFrom(StrEnum):
    """The four labels of an answer."""

    ENGINE_CACHE = "engine_cache"
    ENGINE_BACKEND = "engine_backend"
    ENGINE_MIXED = "engine_mixed"
    BACKEND = "backend"


class Route(StrEnum):
    """How one part of an answer was made."""

    EXACT = "exact"
    ROLLUP = "rollup"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class PartProvenance:
    """Where one stored or fetched part of a column came from.

    Attributes:
        family: the metric family, or the schema whose members were listed.
        operator: the reducer with its arguments, such as `SUM`.
        anchor: the levels it was asked at, sorted.
        route: exact entry, rollup of one, or the back-end.
        served_from: the label of this part alone.
        entry: id of the entry that was read; None where none was.
        rolled_up_from: the anchor of that entry, for a rollup.
        edges: the functional dependencies followed, such as `store -> region`.
        version: fingerprint of each table that the part depends on.
        trusted: promises about the data that it rests on and that nothing checks.
        shift: where its points are told, such as `month moved by 12 months`; None: where read.
    """

    family: str
    operator: str
    anchor: tuple[str, ...]
    route: Route
    served_from: ServedFrom
    entry: str | None = None
    rolled_up_from: tuple[str, ...] | None = None
    edges: tuple[str, ...] = ()
    version: Mapping[str, str] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    shift: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the part as plain JSON values, absent facts left out."""
        body: dict[str, Any] = {
            "family": self.family,
            "operator": self.operator,
            "anchor": list(self.anchor),
            "route": str(self.route),
            "served_from": str(self.served_from),
        }
        if self.entry is not None:
            body["entry"] = self.entry
        if self.rolled_up_from is not None:
            body["rolled_up_from"] = list(self.rolled_up_from)
        if self.edges:
            body["edges"] = list(self.edges)
        if self.version:
            body["version"] = dict(self.version)
        if self.trusted:
            body["trusted"] = list(self.trusted)
        if self.shift is not None:
            body["shift"] = self.shift
        return body


@dataclass(frozen=True, slots=True)
class ColumnProvenance:
    """One output column, its label, and the parts it was computed from (none for a level).

    `outer`: it was computed from several whole answers, each with parts of its own.
    """

    column: str
    served_from: ServedFrom
    parts: tuple[PartProvenance, ...] = ()
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one whole answer came from, and remarks on it for its reader."""

    served_from: ServedFrom
    query_id: str
    collection: str
    columns: tuple[ColumnProvenance, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the shape that clients read."""
        body: dict[str, Any] = {
            "served_from": str(self.served_from),
            "query_id": self.query_id,
            "collection": self.collection,
            "columns": [
                {
                    "column": column.column,
                    "served_from": str(column.served_from),
                    "parts": [part.to_json() for part in column.parts],
                }
                | ({"outer": True} if column.outer else {})
                for column in self.columns
            ],
        }
        return body | ({"notes": list(self.notes)} if self.notes else {})

    def to_bytes(self) -> bytes:
        """Return `to_json` as compact UTF-8, as it travels in `app_metadata`."""
        return json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False).encode()


def fold(labels: Iterable[ServedFrom]) -> ServedFrom:
    """Fold the labels of parts into the label of the whole.

    No parts at all (constants alone) touched no back-end, hence `engine_cache`.
    """
    seen = set(labels)
    if ServedFrom.BACKEND in seen:
        return ServedFrom.BACKEND
    if len(seen) > 1:
        return ServedFrom.ENGINE_MIXED
    return seen.pop() if seen else ServedFrom.ENGINE_CACHE
