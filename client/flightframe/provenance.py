"""Where an answer came from, as a client reads it.

What comes in: the JSON that travels with every batch. What goes out: frozen values of the same
shape. Labels and routes stay plain text, because a newer server may have more of them; it must
never fold or relabel: `served_from` is what the server says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flightframe import fields as read


@dataclass(frozen=True, slots=True)
class PartProvenance:
    """Where one stored or fetched part of a column came from.

    Attributes:
        family: the metric family, or the schema whose members were listed.
        operator: the reducer with its arguments, such as `SUM`.
        anchor: the levels it was asked at, sorted.
        route: `exact`, `rollup` or `backend`.
        served_from: the label of this part alone.
        entry: id of the cache entry that was read; None where none was.
        rolled_up_from: the anchor of that entry, for a rollup.
        edges: the functional dependencies followed, such as `store -> region`.
        version: fingerprint of each table that the part depends on.
        trusted: promises about the data that the part rests on and that nothing checks.
        shift: where its points are told, such as `month moved by 12 months`; None: where read.
    """

    family: str
    operator: str
    anchor: tuple[str, ...]
    route: str
    served_from: str
    entry: str | None = None
    rolled_up_from: tuple[str, ...] | None = None
    edges: tuple[str, ...] = ()
    version: Mapping[str, str] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    shift: str | None = None

    @classmethod
    def from_fields(cls, body: read.Fields) -> PartProvenance:
        """Read one part; `ProtocolError` where it is not of that shape."""
        return cls(
            family=read.text(body, "family"),
            operator=read.text(body, "operator"),
            anchor=read.texts(body, "anchor"),
            route=read.text(body, "route"),
            served_from=read.text(body, "served_from"),
            entry=read.text_or_none(body, "entry"),
            rolled_up_from=read.texts_or_none(body, "rolled_up_from"),
            edges=read.texts(body, "edges"),
            version=read.text_map(body, "version"),
            trusted=read.texts(body, "trusted"),
            shift=read.text_or_none(body, "shift"),
        )


@dataclass(frozen=True, slots=True)
class ColumnProvenance:
    """One output column, its label, and the parts it was computed from (none for a level).

    `outer`: it was computed from several whole answers, each with parts of its own.
    """

    column: str
    served_from: str
    parts: tuple[PartProvenance, ...] = ()
    outer: bool = False

    @classmethod
    def from_fields(cls, body: read.Fields) -> ColumnProvenance:
        """Read one column; `ProtocolError` where it is not of that shape."""
        return cls(
            column=read.text(body, "column"),
            served_from=read.text(body, "served_from"),
            parts=tuple(PartProvenance.from_fields(part) for part in read.objects(body, "parts")),
            outer="outer" in body and read.truth(body, "outer"),
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one whole answer came from.

    Attributes:
        served_from: `engine_cache`, `engine_mixed`, `engine_backend` or `backend`.
        query_id: the server's name for this one answer, to quote in a report.
        collection: the Analytic Collection that was asked; empty where none was.
        columns: one for each output column, in order.
        notes: remarks on the answer, such as a text that is no known member of a level.
    """

    served_from: str
    query_id: str = ""
    collection: str = ""
    columns: tuple[ColumnProvenance, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Provenance:
        """Read the JSON that travels with a batch.

        Raises:
            ProtocolError: it is not such JSON.
        """
        return cls.from_fields(read.parse_object(data))

    @classmethod
    def from_fields(cls, body: read.Fields) -> Provenance:
        """Read a whole provenance; `ProtocolError` where it is not of that shape."""
        return cls(
            served_from=read.text(body, "served_from"),
            query_id=read.text_or_none(body, "query_id") or "",
            collection=read.text_or_none(body, "collection") or "",
            columns=tuple(
                ColumnProvenance.from_fields(column) for column in read.objects(body, "columns")
            ),
            notes=read.texts(body, "notes"),
        )
