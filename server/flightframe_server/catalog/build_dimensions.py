"""Dimension families, their edges, and derived dimensions from shapes.

What comes in: the shapes of `dimension_families` and `derived_dimensions`. What goes out:
`DimensionFamily` values with every edge's map worked out, and the mistakes noted in the reading. It
must never look at the data: that an edge's map gives one target for each source is attested later.

**Roles.** An edge with `via: {schema: nation, from: n_nationkey, to: n_name}` joins the values of
its level `from` to a column. Joining keys of two different things (suppliers to nations) attests
happily and gives wrong numbers. So the column must be named like the level; or it is the whole
grain of its schema and the level is a *role* of that key: a level that is not itself the key of a
schema, and that plays the role of no other key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flightframe_server.catalog.calendar import FUNCTIONS
from flightframe_server.catalog.collection import (
    DimensionFamily,
    Edge,
    FunctionMap,
    Schema,
    TableMap,
)
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.derived_dimensions import add_derived
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.roles import add_roles
from flightframe_server.catalog.shapes import (
    CollectionShape,
    DimensionFamilyShape,
    EdgeShape,
    ViaShape,
)
from flightframe_server.errors import shown

_CALENDAR = NameIndex("calendar function", FUNCTIONS)


def build_dimensions(
    shape: CollectionShape,
    declared: Declarations,
    schemas: Mapping[str, Schema],
    cursor: Cursor,
) -> Mapping[str, DimensionFamily]:
    """Return every dimension family by name, and note what is wrong with them."""
    edges = _Edges(declared, schemas)
    families: dict[str, DimensionFamily] = {}
    for at, family in enumerate(shape.dimension_families):
        here = cursor.at("dimension_families", at)
        built = DimensionFamily(
            name=family.name,
            levels=tuple(family.levels),
            edges=tuple(
                edges.build(family.name, edge, here.at("edges", position))
                for position, edge in enumerate(family.edges)
            ),
            description=family.description,
            level_descriptions=_described(family, here.at("level_descriptions")),
            location=here.location,
        )
        families.setdefault(family.name, built)
    derived = add_derived(families, shape, declared, cursor)
    return MappingProxyType(add_roles(derived, shape, declared, cursor))


def _described(family: DimensionFamilyShape, cursor: Cursor) -> Mapping[str, str]:
    """Return what the family says of its levels, by their names as declared."""
    own = NameIndex(f"level of {family.name}", family.levels)
    return MappingProxyType(
        {
            cursor.at(name).resolve(own, name): text
            for name, text in family.level_descriptions.items()
        }
    )


class _Edges:
    """Builds edges, and remembers which key each level plays the role of."""

    def __init__(self, declared: Declarations, schemas: Mapping[str, Schema]) -> None:
        self.declared = declared
        self.key_of = {
            name: schema.grain[0] for name, schema in schemas.items() if len(schema.grain) == 1
        }
        self.roles: dict[str, str] = {}

    def build(self, family: str, shape: EdgeShape, cursor: Cursor) -> Edge:
        """Return one edge."""
        levels = self.declared.levels
        source = cursor.at("from").resolve(levels, shape.source)
        target = cursor.at("to").resolve(levels, shape.target)
        if levels.find(source) and self.declared.listed.get(source) != family:
            cursor.at("from").report(
                f"the level '{shown(source)}' is not listed in the family '{shown(family)}'",
                "an edge stands in the family that lists the level it starts from",
            )
        return Edge(
            source, target, self.map(shape, source, target, cursor), location=cursor.location
        )

    def map(
        self, shape: EdgeShape, source: str, target: str, cursor: Cursor
    ) -> TableMap | FunctionMap:
        """Return the edge's map."""
        if (shape.via is None) == (shape.derived_by is None):
            which = "neither via nor" if shape.via is None else "both via and"
            hint = "say where its map comes from: via a schema, or derived_by a calendar function"
            cursor.report(f"the edge has {which} derived_by", hint)
        if shape.derived_by is not None:
            here = cursor.at("derived_by")
            return FunctionMap(here.resolve(_CALENDAR, shape.derived_by), location=here.location)
        if isinstance(shape.via, ViaShape):
            return self.long(shape.via, source, cursor.at("via"))
        return self.short(shape.via, source, target, cursor.at("via"))

    def short(self, name: str | None, source: str, target: str, cursor: Cursor) -> TableMap:
        """Return the map of `via: stores`: columns that are named like the levels."""
        schema = "" if name is None else cursor.resolve(self.declared.schemas, name)
        own = self.declared.columns.get(schema)
        if own is None:
            return TableMap(schema, source, target, location=cursor.location)
        for level in (source, target):
            if own.find(level) is None and self.declared.levels.find(level):
                cursor.report(
                    f"the schema '{shown(schema)}' has no column named like the level"
                    f" '{shown(level)}'",
                    "name the column so, or write via: {schema: ..., from: ..., to: ...}",
                )
        columns = (own.find(source) or source, own.find(target) or target)
        return TableMap(schema, *columns, location=cursor.location)

    def long(self, via: ViaShape, source: str, cursor: Cursor) -> TableMap:
        """Return the map of `via: {schema, from, to}`."""
        schema = cursor.at("schema").resolve(self.declared.schemas, via.schema_name)
        own = self.declared.columns.get(schema)
        if own is None:
            return TableMap(schema, via.source, via.target, location=cursor.location)
        column = cursor.at("from").resolve(own, via.source)
        target = cursor.at("to").resolve(own, via.target)
        if own.find(column):
            self.check_role(source, schema, column, cursor.at("from"))
        return TableMap(schema, column, target, location=cursor.location)

    def check_role(self, level: str, schema: str, column: str, cursor: Cursor) -> None:
        """Note an edge that joins its level to a column holding something else."""
        if column.casefold() == level.casefold():
            return
        key = self.key_of.get(schema)
        own_schema = next((name for name, grain in self.key_of.items() if grain == level), None)
        if key is None or key.casefold() != column.casefold():
            hint = "it must be named like the level, or be the whole grain of its schema"
        elif own_schema is not None:
            hint = (
                f"'{shown(level)}' is the key of '{shown(own_schema)}': go through the level that"
                f" holds the key of '{shown(schema)}', or name the column '{shown(level)}'"
            )
        elif self.roles.setdefault(level, key) != key:
            hint = f"another edge takes it for the key '{shown(self.roles[level])}'"
        else:
            return
        message = f"the column '{shown(column)}' of '{shown(schema)}' does not hold the level"
        cursor.report(f"{message} '{shown(level)}'", hint)
