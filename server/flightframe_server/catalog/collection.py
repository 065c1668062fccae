"""The Analytic Collection as frozen values: schemas, dimension families, metric families.

What comes in: nothing, `read_yaml` makes these. What goes out: the declarations that everything
after them reads. It must never hold a connection, a type read from a database, or a file: the same
text gives the same collection on every machine, and `content_hash` is its identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.zones import UTC
from flightframe_server.language.syntax import Expression, LiteralValue, Statement

METRICS = "metrics"
"""The table of all levels and metrics of a collection, beside its schemas and saved frames."""


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where a declaration stands: `metric_families[2].cache_hint`, and its line from 1."""

    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Declared:
    """Anything that stands somewhere in the collection's file."""

    location: SourceLocation = field(
        default=SourceLocation(), compare=False, kw_only=True, repr=False
    )


@dataclass(frozen=True, slots=True)
class StoredColumn(Declared):
    """A column of the table: the collection's name for it, and the table's own."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class ComputedColumn(Declared):
    """A column computed row by row from others, with the type it is declared to have."""

    name: str
    expression: Expression
    type: DataType


@dataclass(frozen=True, slots=True)
class LookupColumn(Declared):
    """A column fetched from another schema along a unique key, outer."""

    name: str
    column: str
    schema: str
    on: tuple[str, ...]


Column = StoredColumn | ComputedColumn | LookupColumn


@dataclass(frozen=True, slots=True)
class Schema(Declared):
    """One table.

    Attributes:
        name: the collection's name for it.
        table: the table's own name.
        grain: names of the levels of its unique key; none where it has no key, only rows.
        columns: by name.
        description: for people.
        trusted: whether its key, and what is looked up in it, is believed and not checked.
    """

    name: str
    table: str
    grain: tuple[str, ...]
    columns: Mapping[str, Column]
    description: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class TableMap(Declared):
    """An edge's map read from a schema: two of its column names."""

    schema: str
    source_column: str
    target_column: str


@dataclass(frozen=True, slots=True)
class FunctionMap(Declared):
    """An edge's map given by a calendar function, such as MONTH_OF."""

    function: str


@dataclass(frozen=True, slots=True)
class ValueMap(Declared):
    """An edge's map listed value by value, of a derived dimension.

    Attributes:
        pairs: source value and target value, in the order written.
        default: the target of values that are not listed; None where there is none.
        null: the target of NULL, and whether the mapping says so at all.
    """

    pairs: tuple[tuple[LiteralValue, LiteralValue], ...]
    default: LiteralValue = None
    null: LiteralValue = None


@dataclass(frozen=True, slots=True)
class RoleMap(Declared):
    """An edge's map that is had along others: the way from a level to the one played.

    Attributes:
        level: the level that the edge's target is a role of.
        edges: the way there, none of which is itself a role.
    """

    level: str
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Edge(Declared):
    """A functional dependency between two levels, and the map that carries it."""

    source: str
    target: str
    map: TableMap | FunctionMap | ValueMap | RoleMap

    def __str__(self) -> str:
        """Return `store -> region`."""
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class DimensionFamily(Declared):
    """Levels that belong together, the edges that start in them, and words for people."""

    name: str
    levels: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    description: str = ""
    level_descriptions: Mapping[str, str] = field(default_factory=dict)

    def describes(self, level: str) -> str:
        """Return what is said of a level; of the family, where nothing is said of the level."""
        return self.level_descriptions.get(level) or self.description


@dataclass(frozen=True, slots=True)
class Snapshot(Declared):
    """Stock read at one moment: only rows at the first or last `level` per `per` count."""

    level: str
    pick: Literal["FIRST", "LAST"]
    per: tuple[str, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether the last moment counts, and not the first."""
        return self.pick == "LAST"


@dataclass(frozen=True, slots=True)
class ReducerDeclaration(Declared):
    """One reducer under which a family keeps its meaning.

    Attributes:
        operator: its name in upper case.
        a_block: dimension families over which it may not aggregate.
        default: whether a bare name means it.
        order_by: for a reducer that picks a row, the levels that order the rows.
        snapshot: for stock read at one moment.
    """

    operator: str
    a_block: tuple[str, ...] = ()
    default: bool = False
    order_by: tuple[str, ...] = ()
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Sibling(Declared):
    """A coarser table that holds one operator of the family, used only while attested equal."""

    schema: str
    column: str
    operator: str


@dataclass(frozen=True, slots=True)
class RootedMetric(Declared):
    """A family rooted in a column of facts; `column` None means the rows themselves."""

    schema: str
    column: str | None
    reducers: tuple[ReducerDeclaration, ...] = ()
    default_reducer: str | None = None
    siblings: tuple[Sibling, ...] = ()
    materialize_at: tuple[tuple[str, ...], ...] = ()
    filter: Expression | None = None
    closed: bool = False
    fill: LiteralValue = None


@dataclass(frozen=True, slots=True)
class DerivedMetric(Declared):
    """A family computed after aggregation, by a formula over other families."""

    formula: Expression
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricFamily(Declared):
    """One named metric and what it is made of."""

    name: str
    meaning: RootedMetric | DerivedMetric
    description: str = ""


@dataclass(frozen=True, slots=True)
class SavedFrame(Declared):
    """A question under a name, which SQL reads as a table; it stands where its text does.

    Attributes:
        name: the table's.
        statement: the question, which takes no parameters.
        query: its text as written.
        description: for people.
    """

    name: str
    statement: Statement
    query: str
    description: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """One whole Analytic Collection; mappings are by name as declared, in file order.

    Attributes:
        content_hash: BLAKE2b (16 bytes, hex) of the document's content, blind to layout, comments
            and `cache_hint`, which says what to keep and not what a number means.
        structure_hash: the same of all but metric families and frames: schemas, dimensions, zone.
        family_hashes: for each metric family the same of its declaration and the structure.
        timezone: the zone in which moments that are instants have days, months and hours.
        file: the file's name without its folder, for messages.
        frames: questions under names, by name.
        source_hash: BLAKE2b (16 bytes, hex) of the file's very text.
        folded_families: the metric families by their names in folded case.
    """

    name: str
    schemas: Mapping[str, Schema]
    dimension_families: Mapping[str, DimensionFamily]
    metric_families: Mapping[str, MetricFamily]
    content_hash: str
    structure_hash: str
    family_hashes: Mapping[str, str]
    timezone: str = UTC
    description: str = ""
    file: str = "ac.yaml"
    source_hash: str = ""
    frames: Mapping[str, SavedFrame] = field(default_factory=dict)
    folded_families: Mapping[str, MetricFamily] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fold the names that every question looks up."""
        families = self.metric_families
        folded = {name.casefold(): family for name, family in families.items()}
        object.__setattr__(self, "folded_families", folded)

    def definition_hash(self, family: str) -> str:
        """Return the identity of what a metric family means; of no family's: of the structure."""
        return self.family_hashes.get(family, self.structure_hash)
