"""What can be asked of a server, as a client reads it.

What comes in: the JSON that the action `flightframe.describe` answers with:

    {"installation_id": "retail-demo",
     "collections": [
       {"name": "retail_full", "description": "",
        "levels": [{"name": "region", "type": "text", "family": "geography", "description": ""}],
        "metrics": [{"name": "revenue", "type": "decimal(18,2)", "reducers": ["SUM"],
                     "default": "SUM", "description": ""}],
        "schemas": [{"name": "transactions", "grain": ["transaction_id"], "description": ""}]}]}

What goes out: frozen values of the same shape. It must never hold more than names, types and
texts: tables, files and sources of the server are none of a client's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe import fields as read

ACTION = "flightframe.describe"
"""The Flight action's type; its body is JSON with the optional keys `collection` and `name`."""


@dataclass(frozen=True, slots=True)
class LevelDescription:
    """A level that may stand in an anchor: its type, and the dimension family it belongs to."""

    name: str
    type: str = ""
    family: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """A metric family.

    Attributes:
        name: as it is written in a query.
        type: of its values, such as `decimal(18,2)`; empty where it depends on the reducer.
        reducers: the reducers it declares; empty for a derived metric.
        default: the reducer that its bare name means; None where there is none.
        description: its owner's words.
    """

    name: str
    type: str = ""
    reducers: tuple[str, ...] = ()
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class SchemaDescription:
    """A schema that a query may name in FROM, and the levels of its unique key."""

    name: str
    grain: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class CollectionDescription:
    """One Analytic Collection."""

    name: str
    levels: tuple[LevelDescription, ...] = ()
    metrics: tuple[MetricDescription, ...] = ()
    schemas: tuple[SchemaDescription, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that a server lets itself be asked for."""

    installation_id: str
    collections: tuple[CollectionDescription, ...] = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Description:
        """Read the action's answer.

        Raises:
            ProtocolError: it is not such JSON.
        """
        body = read.parse_object(data)
        return cls(
            installation_id=read.text(body, "installation_id"),
            collections=tuple(_collection(item) for item in read.objects(body, "collections")),
        )


def _collection(body: read.Fields) -> CollectionDescription:
    """Read one collection."""
    return CollectionDescription(
        name=read.text(body, "name"),
        levels=tuple(
            LevelDescription(
                name=read.text(level, "name"),
                type=read.text_or_none(level, "type") or "",
                family=read.text_or_none(level, "family") or "",
                description=_words(level),
            )
            for level in read.objects(body, "levels")
        ),
        metrics=tuple(
            MetricDescription(
                name=read.text(metric, "name"),
                type=read.text_or_none(metric, "type") or "",
                reducers=read.texts(metric, "reducers"),
                default=read.text_or_none(metric, "default"),
                description=_words(metric),
            )
            for metric in read.objects(body, "metrics")
        ),
        schemas=tuple(
            SchemaDescription(
                name=read.text(schema, "name"),
                grain=read.texts(schema, "grain"),
                description=_words(schema),
            )
            for schema in read.objects(body, "schemas")
        ),
        description=_words(body),
    )


def _words(body: read.Fields) -> str:
    """Return the description of anything, empty where there is none."""
    return read.text_or_none(body, "description") or ""
