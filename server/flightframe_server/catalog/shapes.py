"""The shapes of a collection's document: which keys stand where, and what kind of value they take.

What comes in: plain data from a document. What goes out: typed, frozen shapes, one for each kind of
declaration, with names still as written. It must never decide what a name means or whether two
declarations go together: that needs the whole collection.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from flightframe_server.catalog.shape_values import (
    Name,
    Scalar,
    Shape,
    Text,
    Zone,
    lower_case,
    upper_case,
)


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


def _grain_form(value: Any) -> str:
    return "<rows>" if lower_case(value) == "rows" else "<levels>"


GrainShape = Annotated[
    Annotated[list[Name], Field(min_length=1), Tag("<levels>")]
    | Annotated[Literal["rows"], BeforeValidator(lower_case), Tag("<rows>")],
    Discriminator(_grain_form),
]


class SchemaShape(Shape):
    """One table."""

    name: Name
    table: Text | None = None
    grain: GrainShape
    attest: Annotated[Literal["always", "trusted"], BeforeValidator(lower_case)] = "always"
    columns: dict[Name, ColumnShape] = Field(min_length=1)
    description: str = ""

    @property
    def key(self) -> list[str]:
        """The names of the levels of its unique key; none where it has no key."""
        return self.grain if isinstance(self.grain, list) else []


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
    edges: list[EdgeShape] = Field(default=[])
    description: str = ""
    level_descriptions: dict[Name, str] = Field(default={})


class DerivedDimensionShape(Shape):
    """A level whose value is listed for each value of another level."""

    name: Name
    source: Name
    mapping: dict[Any, Scalar]
    default: Scalar = None
    description: str = ""


class RoleShape(Shape):
    """A level by another name, as it is reached from one level alone."""

    name: Name
    level: Name
    source: Name = Field(alias="from")
    description: str = ""


class FamilyRootShape(Shape):
    """The column of facts that a family is rooted in, or the rows where there is no column."""

    schema_name: Name = Field(alias="schema")
    column: Name | None = None


class SnapshotShape(Shape):
    """Stock read at one moment."""

    level: Name
    pick: Annotated[Literal["FIRST", "LAST"], BeforeValidator(upper_case)]
    per: list[Name] = Field(default=[])


class ReducerShape(Shape):
    """One entry of `ip_reducers`."""

    operator: Text
    a_block: list[Name] = Field(default=[])
    default: bool = False
    order_by: list[Name] = Field(default=[])
    snapshot: SnapshotShape | None = None


class SiblingShape(Shape):
    """A coarser table that holds one operator of the family."""

    schema_name: Name = Field(alias="schema")
    column: Name
    operator: Text


class CacheHintShape(Shape):
    """What to keep ready."""

    materialize_at: list[list[Name]] = Field(default=[])


class DerivedShape(Shape):
    """A formula over other families."""

    formula: Text
    inputs: list[Name] = Field(min_length=1)


class MetricFamilyShape(Shape):
    """One metric; exactly one of `family_root` and `derived` is wanted."""

    name: Name
    description: str = ""
    family_root: FamilyRootShape | None = None
    ip_reducers: list[ReducerShape] = Field(default=[])
    default_reducer: Text | None = None
    siblings: list[SiblingShape] = Field(default=[])
    cache_hint: CacheHintShape | None = None
    filter: Text | None = None
    closed: bool = False
    fill: Scalar = None
    derived: DerivedShape | None = None


class FrameShape(Shape):
    """A question under a name, in Frame-QL."""

    name: Name
    query: Text
    description: str = ""


class CollectionShape(Shape):
    """A whole Analytic Collection."""

    version: Literal[1]
    name: Name
    description: str = ""
    timezone: Zone | None = None
    schemas: list[SchemaShape] = Field(min_length=1)
    dimension_families: list[DimensionFamilyShape] = Field(default=[])
    derived_dimensions: list[DerivedDimensionShape] = Field(default=[])
    roles: list[RoleShape] = Field(default=[])
    metric_families: list[MetricFamilyShape] = Field(default=[])
    frames: list[FrameShape] = Field(default=[])
