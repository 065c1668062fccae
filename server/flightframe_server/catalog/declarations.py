"""Which names a collection declares, and which of them clash.

What comes in: the shapes of a collection. What goes out: its names by kind. It must never let two
things share a name: levels and metric families have one namespace, schemas and dimension families
one each, and names that differ only in case are the same name. What SQL calls tables, the schemas,
the saved frames and `metrics`, is one namespace as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flightframe_server.catalog.collection import METRICS, SourceLocation
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.shapes import CollectionShape
from flightframe_server.errors import shown


@dataclass(frozen=True, slots=True)
class Declarations:
    """Every name of one collection.

    Attributes:
        columns: for each schema by its name as declared, its columns.
        listed: for each level that stands in a dimension family's list, that family's name.
        sources: for each derived dimension and role, the level that it is of.
    """

    schemas: NameIndex
    columns: Mapping[str, NameIndex]
    dimension_families: NameIndex
    levels: NameIndex
    listed: Mapping[str, str]
    metric_families: NameIndex
    sources: Mapping[str, str]

    def home(self, level: str) -> str:
        """Return the dimension family of a level: that of its source if it is derived or a role.

        A level that no family lists is a family of its own, with its own name.
        """
        seen: set[str] = set()
        while level in self.sources and level not in seen:
            seen.add(level)
            level = self.sources[level]
        return self.listed.get(level, level)


def declare(shape: CollectionShape, cursor: Cursor) -> Declarations:
    """Return the names that a collection declares, and note those that clash."""
    schemas, families, terms = _Namespace(), _Namespace(), _Namespace()
    columns: dict[str, NameIndex] = {}
    for at, schema in enumerate(shape.schemas):
        schemas.add(schema.name, "schema", cursor.at("schemas", at, "name"))
        own = _Namespace()
        for column in schema.columns:
            own.add(column, "column", cursor.at("schemas", at, "columns", column))
        columns.setdefault(
            schema.name, NameIndex(f"column of schema {schema.name}", schema.columns)
        )
    listed: dict[str, str] = {}
    for at, family in enumerate(shape.dimension_families):
        here = cursor.at("dimension_families", at)
        families.add(family.name, "dimension family", here.at("name"))
        for position, level in enumerate(family.levels):
            terms.add(level, "level", here.at("levels", position))
            listed.setdefault(level, family.name)
    derived = _derived(shape, terms, listed, cursor)
    for at, role in enumerate(shape.roles):
        terms.add(role.name, "role", cursor.at("roles", at, "name"))
        derived.setdefault(role.name)
    grains = dict(_grain_levels(shape, cursor))
    levels = NameIndex("level", [*listed, *derived, *grains])
    for level, here in grains.items():
        if levels.find(level) == level and level not in listed and level not in derived:
            terms.add(level, "level", here)
            families.refuse_level(level, here)
    for at, metric in enumerate(shape.metric_families):
        terms.add(metric.name, "metric family", cursor.at("metric_families", at, "name"))
    _add_frames(shape, schemas, cursor)
    return Declarations(
        schemas=NameIndex("schema", [schema.name for schema in shape.schemas]),
        columns=columns,
        dimension_families=NameIndex("dimension family", families.names()),
        levels=levels,
        listed=listed,
        metric_families=NameIndex(
            "metric family", [family.name for family in shape.metric_families]
        ),
        sources={
            name: levels.find(source) or source
            for name, source in (
                *((dimension.name, dimension.source) for dimension in shape.derived_dimensions),
                *((role.name, role.level) for role in shape.roles),
            )
        },
    )


def _add_frames(shape: CollectionShape, tables: _Namespace, cursor: Cursor) -> None:
    """Add the names of the saved frames to those of the other tables."""
    for at, frame in enumerate(shape.frames):
        here = cursor.at("frames", at, "name")
        if frame.name.casefold() == METRICS:
            here.report(
                f"{METRICS} is the table of all levels and metrics", "give the frame another name"
            )
        else:
            tables.add(frame.name, "frame", here)


def _derived(
    shape: CollectionShape, terms: _Namespace, listed: Mapping[str, str], cursor: Cursor
) -> dict[str, None]:
    """Add the names of the derived dimensions; one may also be listed, as a level, in a family."""
    derived: dict[str, None] = {}
    for at, dimension in enumerate(shape.derived_dimensions):
        if dimension.name not in listed or dimension.name in derived:
            here = cursor.at("derived_dimensions", at, "name")
            terms.add(dimension.name, "derived dimension", here)
        derived[dimension.name] = None
    return derived


def _grain_levels(shape: CollectionShape, cursor: Cursor) -> Iterator[tuple[str, Cursor]]:
    seen: set[str] = set()
    for at, schema in enumerate(shape.schemas):
        for position, level in enumerate(schema.key):
            if level.casefold() not in seen:
                seen.add(level.casefold())
                yield level, cursor.at("schemas", at, "grain", position)


class _Namespace:
    """Names that must differ in more than case."""

    def __init__(self) -> None:
        self._by_folded: dict[str, tuple[str, str, SourceLocation]] = {}

    def names(self) -> list[str]:
        """Return the names, as declared."""
        return [name for name, _, _ in self._by_folded.values()]

    def add(self, name: str, kind: str, cursor: Cursor) -> None:
        """Add a name; report a clash with one that is there already."""
        location = cursor.location
        first, other_kind, before = self._by_folded.setdefault(
            name.casefold(), (name, kind, location)
        )
        if before is location:
            return
        where = f"on line {before.line}"
        if first != name:
            message = (
                f"'{shown(name)}' and the {other_kind} '{shown(first)}' {where} differ only in case"
            )
        elif other_kind == kind:
            message = f"the {kind} '{shown(name)}' is declared twice, first {where}"
        else:
            message = f"the {kind} '{shown(name)}' has the name of a {other_kind} {where}"
        cursor.report(message, "give one of them another name")

    def refuse_level(self, level: str, cursor: Cursor) -> None:
        """Note a level in no family whose own family would have the name of a declared one."""
        if level.casefold() in self._by_folded:
            family, _, _ = self._by_folded[level.casefold()]
            cursor.report(
                f"the level '{shown(level)}' is in no dimension family, and a family has its name",
                f"list it in the levels of a dimension family, {family} or another",
            )
