"""Derived dimensions: a level listed value by value becomes a level and an edge.

What comes in: dimension families and the shapes of `derived_dimensions`. What goes out: the
families with those levels and edges added. It must never mix types: the values of one level are
all text, or all numbers, and so on.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from flightframe_server.catalog.collection import DimensionFamily, Edge, ValueMap
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.shapes import CollectionShape, DerivedDimensionShape
from flightframe_server.errors import shown
from flightframe_server.language.syntax import LiteralValue


def add_derived(
    families: Mapping[str, DimensionFamily],
    shape: CollectionShape,
    declared: Declarations,
    cursor: Cursor,
) -> dict[str, DimensionFamily]:
    """Return the families with each derived dimension in the family of its source.

    A source that is in no family gets one of its own name.
    """
    extended = dict(families)
    for at, dimension in enumerate(shape.derived_dimensions):
        here = cursor.at("derived_dimensions", at)
        source = here.at("source").resolve(declared.levels, dimension.source)
        home = declared.home(dimension.name)
        listed = declared.listed.get(dimension.name, home)
        if listed != home:
            here.at("name").report(
                f"the level '{shown(dimension.name)}' is listed in the family '{shown(listed)}',"
                f" and its source is in '{shown(home)}'",
                "leave it out of the list: it joins the family of its source",
            )
        family = extended.get(home) or DimensionFamily(home, (home,), location=here.location)
        value_map = _value_map(dimension, here.at("mapping"))
        edge = Edge(source, dimension.name, value_map, location=here.location)
        descriptions = dict(family.level_descriptions)
        if dimension.description:
            descriptions[dimension.name] = dimension.description
        extended[home] = replace(
            family,
            levels=tuple(dict.fromkeys((*family.levels, dimension.name))),
            edges=(*family.edges, edge),
            level_descriptions=MappingProxyType(descriptions),
        )
    return extended


def _value_map(dimension: DerivedDimensionShape, cursor: Cursor) -> ValueMap:
    mapping = dimension.mapping
    if not mapping and dimension.default is None:
        cursor.report("it maps nothing")
    for what, values in (("values", mapping), ("targets", mapping.values())):
        kinds = {kind: value for value in values if (kind := _kind(value))}
        if what == "targets" and dimension.default is not None:
            kinds.setdefault(_kind(dimension.default), dimension.default)
        if len(kinds) > 1:
            names = " and ".join(sorted(kinds))
            cursor.report(
                f"its {what} are {names}: a level has one type", "quote those that are text"
            )
    return ValueMap(
        pairs=tuple((value, target) for value, target in mapping.items() if value is not None),
        default=dimension.default,
        null=mapping.get(None),
        location=cursor.location,
    )


def _kind(value: LiteralValue) -> str:
    for types, kind in (
        ((bool,), "booleans"),
        ((int, Decimal, float), "numbers"),
        ((datetime.datetime,), "timestamps"),
        ((datetime.date,), "dates"),
        ((str,), "texts"),
    ):
        if isinstance(value, types):
            return kind
    return ""
