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
from flightframe_server.catalog.findings import Names, Spot
from flightframe_server.catalog.roles import add_roles
from flightframe_server.catalog.shapes import (
    CollectionShape,
    DimensionFamilyShape,
    EdgeShape,
    ViaShape,
)
from flightframe_server.errors import shown

_CALENDAR = Names("calendar function", FUNCTIONS)


def build_dimensions(
    shape: CollectionShape,
    declared: Declarations,
    schemas: Mapping[str, Schema],
    spot: Spot,
) -> Mapping[str, DimensionFamily]:
    """Return every dimension family by name, and note what is wrong with them."""
    edges = _Edges(declared, schemas)
    families: dict[str, DimensionFamily] = {}
    for at, family in enumerate(shape.dimension_families):
        here = spot.at("dimension_families", at)
        built = DimensionFamily(
            name=family.name,
            levels=tuple(family.levels),
            edges=tuple(
                edges.build(family.name, edge, here.at("edges", position))
                for position, edge in enumerate(family.edges)
            ),
            description=family.description,
            level_descriptions=_described(family, here.at("level_descriptions")),
            mark=here.mark,
        )
        families.setdefault(family.name, built)
    derived = add_derived(families, shape, declared, spot)
    return MappingProxyType(add_roles(derived, shape, declared, spot))


def _described(family: DimensionFamilyShape, spot: Spot) -> Mapping[str, str]:
    """Return what the family says of its levels, by their names as declared."""
    own = Names(f"level of {family.name}", family.levels)
    return MappingProxyType(
        {spot.at(name).known(own, name): text for name, text in family.level_descriptions.items()}
    )


class _Edges:
    """Builds edges, and remembers which key each level plays the role of."""

    def __init__(self, declared: Declarations, schemas: Mapping[str, Schema]) -> None:
        self.declared = declared
        self.key_of = {
            name: schema.grain[0] for name, schema in schemas.items() if len(schema.grain) == 1
        }
        self.roles: dict[str, str] = {}

    def build(self, family: str, shape: EdgeShape, spot: Spot) -> Edge:
        """Return one edge."""
        levels = self.declared.levels
        source = spot.at("from").known(levels, shape.source)
        target = spot.at("to").known(levels, shape.target)
        if levels.find(source) and self.declared.listed.get(source) != family:
            spot.at("from").report(
                f"the level '{shown(source)}' is not listed in the family '{shown(family)}'",
                "an edge stands in the family that lists the level it starts from",
            )
        return Edge(source, target, self.map(shape, source, target, spot), mark=spot.mark)

    def map(self, shape: EdgeShape, source: str, target: str, spot: Spot) -> TableMap | FunctionMap:
        """Return the edge's map."""
        if (shape.via is None) == (shape.derived_by is None):
            which = "neither via nor" if shape.via is None else "both via and"
            hint = "say where its map comes from: via a schema, or derived_by a calendar function"
            spot.report(f"the edge has {which} derived_by", hint)
        if shape.derived_by is not None:
            here = spot.at("derived_by")
            return FunctionMap(here.known(_CALENDAR, shape.derived_by), mark=here.mark)
        if isinstance(shape.via, ViaShape):
            return self.long(shape.via, source, spot.at("via"))
        return self.short(shape.via, source, target, spot.at("via"))

    def short(self, name: str | None, source: str, target: str, spot: Spot) -> TableMap:
        """Return the map of `via: stores`: columns that are named like the levels."""
        schema = "" if name is None else spot.known(self.declared.schemas, name)
        own = self.declared.columns.get(schema)
        if own is None:
            return TableMap(schema, source, target, mark=spot.mark)
        for level in (source, target):
            if own.find(level) is None and self.declared.levels.find(level):
                spot.report(
                    f"the schema '{shown(schema)}' has no column named like the level"
                    f" '{shown(level)}'",
                    "name the column so, or write via: {schema: ..., from: ..., to: ...}",
                )
        columns = (own.find(source) or source, own.find(target) or target)
        return TableMap(schema, *columns, mark=spot.mark)

    def long(self, via: ViaShape, source: str, spot: Spot) -> TableMap:
        """Return the map of `via: {schema, from, to}`."""
        schema = spot.at("schema").known(self.declared.schemas, via.schema_name)
        own = self.declared.columns.get(schema)
        if own is None:
            return TableMap(schema, via.source, via.target, mark=spot.mark)
        column = spot.at("from").known(own, via.source)
        target = spot.at("to").known(own, via.target)
        if own.find(column):
            self.check_role(source, schema, column, spot.at("from"))
        return TableMap(schema, column, target, mark=spot.mark)

    def check_role(self, level: str, schema: str, column: str, spot: Spot) -> None:
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
        spot.report(f"{message} '{shown(level)}'", hint)
