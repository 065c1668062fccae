"""The shapes of a collection's document: which keys stand where, and what kind of value they take.

What comes in: plain data from a document. What goes out: typed, frozen shapes, one for each kind of
declaration, with names still as written. It must never decide what a name means or whether two
declarations go together: that needs the whole collection.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

NAME_LENGTH_MAX = 200
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def checked_name(name: str) -> str:
    """Return a name that can be shown and quoted in a query; for use inside shapes."""
    if not name.strip():
        raise PydanticCustomError("name", "a name must not be empty")
    if name != name.strip() or not name.isprintable():
        raise PydanticCustomError(
            "name", "a name must not start or end with a blank, or hold control characters"
        )
    if len(name) > NAME_LENGTH_MAX:
        raise PydanticCustomError("name", f"a name has at most {NAME_LENGTH_MAX} letters")
    return name


def checked_text(text: str) -> str:
    """Return a text that is not blank; for use inside shapes."""
    if not text.strip():
        raise PydanticCustomError("text", "the text must not be empty")
    return text


def checked_zone(zone: str) -> str:
    """Return a text with the form of a time zone's name; for use inside shapes."""
    if not _ZONE.fullmatch(zone):
        raise PydanticCustomError("zone", "expected a time zone such as Europe/Berlin")
    return zone


def checked_scalar(value: Any) -> Any:
    """Return a value that is no list and no mapping; for use inside shapes."""
    if isinstance(value, list | dict):
        raise PydanticCustomError("scalar", "expected a single value, found several")
    return value


Name = Annotated[str, AfterValidator(checked_name)]
Text = Annotated[str, AfterValidator(checked_text)]
Scalar = Annotated[Any, AfterValidator(checked_scalar)]


class Shape(BaseModel):
    """Any shape: unknown keys are errors, and no value is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ComputedShape(Shape):
    """A column computed row by row."""

    expr: Text
    type: Text


class LookupViaShape(Shape):
    """Where a looked-up column is found."""

    schema_name: Name = Field(alias="schema")
    on: list[Name] = Field(min_length=1)


class LookupShape(Shape):
    """A column fetched from another schema along a unique key."""

    lookup: Name
    via: LookupViaShape


def _column_form(value: Any) -> str:
    if not isinstance(value, dict):
        return "<stored>"
    return "<lookup>" if "lookup" in value or "via" in value else "<computed>"


ColumnShape = Annotated[
    Annotated[Text, Tag("<stored>")]
    | Annotated[ComputedShape, Tag("<computed>")]
    | Annotated[LookupShape, Tag("<lookup>")],
    Discriminator(_column_form),
]


class SchemaShape(Shape):
    """One table."""

    name: Name
    table: Text | None = None
    grain: list[Name] = Field(min_length=1)
    columns: dict[Name, ColumnShape] = Field(min_length=1)
    description: str = ""


class ViaShape(Shape):
    """The long form of an edge's map: a schema and two of its columns."""

    schema_name: Name = Field(alias="schema")
    source: Name = Field(alias="from")
    target: Name = Field(alias="to")


def _via_form(value: Any) -> str:
    return "<columns>" if isinstance(value, dict) else "<schema>"


class EdgeShape(Shape):
    """A functional dependency; exactly one of `via` and `derived_by` is wanted."""

    source: Name = Field(alias="from")
    target: Name = Field(alias="to")
    via: (
        Annotated[
            Annotated[Name, Tag("<schema>")] | Annotated[ViaShape, Tag("<columns>")],
            Discriminator(_via_form),
        ]
        | None
    ) = None
    derived_by: Text | None = None


class DimensionFamilyShape(Shape):
    """Levels that belong together."""

    name: Name
    levels: list[Name] = Field(min_length=1)
    edges: list[EdgeShape] = []
    description: str = ""


class DerivedDimensionShape(Shape):
    """A level whose value is listed for each value of another level."""

    name: Name
    source: Name
    mapping: dict[Any, Scalar]
    default: Scalar = None
    description: str = ""


class FamilyRootShape(Shape):
    """The column of facts that a family is rooted in, or the rows where there is no column."""

    schema_name: Name = Field(alias="schema")
    column: Name | None = None


class SnapshotShape(Shape):
    """Stock read at one moment."""

    level: Name
    pick: Literal["FIRST", "LAST"]
    per: list[Name] = []


class ReducerShape(Shape):
    """One entry of `ip_reducers`."""

    operator: Text
    a_block: list[Name] = []
    default: bool = False
    order_by: list[Name] = []
    snapshot: SnapshotShape | None = None


class SiblingShape(Shape):
    """A coarser table that holds one operator of the family."""

    schema_name: Name = Field(alias="schema")
    column: Name
    operator: Text


class CacheHintShape(Shape):
    """What to keep ready."""

    materialize_at: list[list[Name]] = []


class DerivedShape(Shape):
    """A formula over other families."""

    formula: Text
    inputs: list[Name] = Field(min_length=1)


class MetricFamilyShape(Shape):
    """One metric; exactly one of `family_root` and `derived` is wanted."""

    name: Name
    description: str = ""
    family_root: FamilyRootShape | None = None
    ip_reducers: list[ReducerShape] = []
    default_reducer: Text | None = None
    siblings: list[SiblingShape] = []
    cache_hint: CacheHintShape | None = None
    filter: Text | None = None
    closed: bool = False
    fill: Scalar = None
    derived: DerivedShape | None = None


class CollectionShape(Shape):
    """A whole Analytic Collection."""

    version: Literal[1]
    name: Name
    description: str = ""
    timezone: Annotated[str, AfterValidator(checked_zone)] | None = None
    schemas: list[SchemaShape] = Field(min_length=1)
    dimension_families: list[DimensionFamilyShape] = []
    derived_dimensions: list[DerivedDimensionShape] = []
    metric_families: list[MetricFamilyShape] = []
