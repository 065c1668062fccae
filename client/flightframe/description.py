"""What can be asked of a server, as a client reads it.

What comes in: the JSON that the action `flightframe.describe` answers with:

    {"installation_id": "retail-demo",
     "collections": [
       {"name": "retail_full", "description": "",
        "levels": [{"name": "region", "type": "text", "family": "geography", "description": "",
                    "facts": {"schema": "stores", "cardinality": 3, "has_null": false,
                              "first": "Central", "last": "West", "members": ["Central"],
                              "served_from": "engine_cache"}}],
        "metrics": [{"name": "revenue", "type": "decimal(18,2)", "reducers": ["SUM"],
                     "default": "SUM", "description": "",
                     "anchors": [{"reducer": "SUM", "levels": ["region"], "required": [],
                                  "blocked": [{"level": "tag", "code": "FAN_OUT",
                                               "reason": "..."}]}]},
                    {"name": "profit", "type": "decimal(19,2)", "reducers": [],
                     "formula": "revenue - cost", "inputs": ["revenue", "cost"], ...}],
        "schemas": [{"name": "transactions", "grain": ["transaction_id"], "description": ""}]}]}

With the detail `names` metrics have no `anchors` but `schema` and `required`, schemas have their
`levels`, and beside them stand the `edges` between levels: `{"from": "store", "to": "region"}`.

What goes out: frozen values of the same shape, members as values of their level's type. It must
never hold more than names, types, texts and members: tables, files and sources of the server are
none of a client's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe import fields as read
from flightframe.members import Member, read_member, read_members

ACTION = "flightframe.describe"
"""The Flight action's type; its body is JSON with the optional keys of `Connection.describe`."""


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What the data says of a level.

    Attributes:
        schema: whose rows were read.
        cardinality: how many members there are, NULL counted as one where it occurs.
        has_null: whether NULL is among them.
        first: the least member; of a time level, where time begins. None where there is none.
        last: the greatest member.
        members: the first of them, as many as were asked for, text by code point, NULL last.
        served_from: where they came from, such as `engine_cache`.
    """

    schema: str
    cardinality: int
    has_null: bool
    first: Member
    last: Member
    members: tuple[Member, ...]
    served_from: str

    @property
    def complete(self) -> bool:
        """Whether `members` are all there are."""
        return len(self.members) == self.cardinality


@dataclass(frozen=True, slots=True)
class LevelDescription:
    """A level that may stand in an anchor.

    Attributes:
        name: as it is written in a query.
        type: of its members.
        family: the dimension family it belongs to.
        description: its owner's words.
        facts: what the data says of it, where that was asked.
        refused: why the data could not be asked; empty where it could.
    """

    name: str
    type: str = ""
    family: str = ""
    description: str = ""
    facts: LevelFacts | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class BlockedLevel:
    """A level at which a metric may not be asked: the code of the refusal, and its words."""

    level: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnchorsDescription:
    """Where a metric may be asked under one reducer.

    Attributes:
        reducer: the reducer; empty for a derived metric.
        levels: the levels that may stand in its anchor, `required` beside them.
        required: those that must be in the anchor, determined by it, or pinned by WHERE.
        blocked: every other level, and why.
    """

    reducer: str
    levels: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    blocked: tuple[BlockedLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """A metric family.

    Attributes:
        name: as it is written in a query.
        type: of its values, such as `decimal(18,2)`; empty where it depends on the reducer.
        reducers: the reducers it declares; empty for a derived metric.
        default: the reducer that its bare name means; None where there is none.
        description: its owner's words.
        anchors: where it may be asked, for its default reducer first.
        formula: of a derived metric; empty for one that a column is reduced to.
        inputs: the metrics that the formula is of.
        schema: with the detail `names`: the schema that it is read from; empty for a formula.
        required: with the detail `names`: the levels it cannot be asked without, for its default
            reducer.
    """

    name: str
    type: str = ""
    reducers: tuple[str, ...] = ()
    default: str | None = None
    description: str = ""
    anchors: tuple[AnchorsDescription, ...] = ()
    formula: str = ""
    inputs: tuple[str, ...] = ()
    schema: str = ""
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaDescription:
    """A schema that a query may name in FROM.

    Attributes:
        name: as it is written in a query.
        grain: the levels of its unique key.
        description: its owner's words.
        levels: with the detail `names`: the levels that are columns of it.
    """

    name: str
    grain: tuple[str, ...] = ()
    description: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """A column of a saved frame: its name and its type."""

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class FrameDescription:
    """A saved frame: a question under a name, which SQL reads as a table.

    Attributes:
        name: as SQL names it in FROM.
        columns: of its rows, in order.
        query: what it asks, in Frame-QL.
        description: its owner's words.
        grain: the levels that it has one row of; empty for one row, or from an older server.
    """

    name: str
    columns: tuple[FrameColumn, ...] = ()
    query: str = ""
    description: str = ""
    grain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelEdge:
    """An edge between two levels: each member of the first has one of the second."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class CollectionDescription:
    """One Analytic Collection; edges are told with the detail `names`."""

    name: str
    levels: tuple[LevelDescription, ...] = ()
    metrics: tuple[MetricDescription, ...] = ()
    schemas: tuple[SchemaDescription, ...] = ()
    description: str = ""
    edges: tuple[LevelEdge, ...] = ()
    frames: tuple[FrameDescription, ...] = ()


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
        levels=tuple(_level(level) for level in read.objects(body, "levels")),
        metrics=tuple(_metric(metric) for metric in read.objects(body, "metrics")),
        schemas=tuple(
            SchemaDescription(
                name=read.text(schema, "name"),
                grain=read.texts(schema, "grain"),
                description=_words(schema),
                levels=read.texts(schema, "levels"),
            )
            for schema in read.objects(body, "schemas")
        ),
        description=_words(body),
        edges=tuple(
            LevelEdge(read.text(edge, "from"), read.text(edge, "to"))
            for edge in read.objects(body, "edges")
        ),
        frames=tuple(_frame(frame) for frame in read.objects(body, "frames")),
    )


def _frame(body: read.Fields) -> FrameDescription:
    """Read one saved frame."""
    return FrameDescription(
        name=read.text(body, "name"),
        columns=tuple(
            FrameColumn(read.text(column, "name"), read.text(column, "type"))
            for column in read.objects(body, "columns")
        ),
        query=read.text(body, "query"),
        description=_words(body),
        grain=read.texts(body, "grain"),
    )


def _level(body: read.Fields) -> LevelDescription:
    """Read one level."""
    type_ = read.text_or_none(body, "type") or ""
    facts = read.object_or_none(body, "facts")
    return LevelDescription(
        name=read.text(body, "name"),
        type=type_,
        family=read.text_or_none(body, "family") or "",
        description=_words(body),
        facts=None if facts is None else _facts(facts, type_),
        refused=read.text_or_none(body, "refused") or "",
    )


def _facts(body: read.Fields, type_: str) -> LevelFacts:
    """Read what the data says of a level of a type."""
    return LevelFacts(
        schema=read.text(body, "schema"),
        cardinality=read.count(body, "cardinality"),
        has_null=read.truth(body, "has_null"),
        first=read_member(body.get("first"), type_),
        last=read_member(body.get("last"), type_),
        members=read_members(body, "members", type_),
        served_from=read.text(body, "served_from"),
    )


def _metric(body: read.Fields) -> MetricDescription:
    """Read one metric."""
    return MetricDescription(
        name=read.text(body, "name"),
        type=read.text_or_none(body, "type") or "",
        reducers=read.texts(body, "reducers"),
        default=read.text_or_none(body, "default"),
        description=_words(body),
        anchors=tuple(_anchors(anchors) for anchors in read.objects(body, "anchors")),
        formula=read.text_or_none(body, "formula") or "",
        inputs=read.texts(body, "inputs"),
        schema=read.text_or_none(body, "schema") or "",
        required=read.texts(body, "required"),
    )


def _anchors(body: read.Fields) -> AnchorsDescription:
    """Read where a metric may be asked under one reducer."""
    return AnchorsDescription(
        reducer=read.text(body, "reducer"),
        levels=read.texts(body, "levels"),
        required=read.texts(body, "required"),
        blocked=tuple(
            BlockedLevel(
                read.text(level, "level"), read.text(level, "code"), read.text(level, "reason")
            )
            for level in read.objects(body, "blocked")
        ),
    )


def _words(body: read.Fields) -> str:
    """Return the description of anything, empty where there is none."""
    return read.text_or_none(body, "description") or ""
