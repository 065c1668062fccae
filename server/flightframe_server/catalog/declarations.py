"""Which names a collection declares, and which of them clash.

What comes in: the shapes of a collection. What goes out: its names by kind. It must never let two
things share a name: levels and metric families have one namespace, schemas and dimension families
one each, and names that differ only in case are the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flightframe_server.catalog.collection import Mark
from flightframe_server.catalog.findings import Names, Spot
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

    schemas: Names
    columns: Mapping[str, Names]
    dimension_families: Names
    levels: Names
    listed: Mapping[str, str]
    metric_families: Names
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


def declare(shape: CollectionShape, spot: Spot) -> Declarations:
    """Return the names that a collection declares, and note those that clash."""
    schemas, families, words = _Namespace(), _Namespace(), _Namespace()
    columns: dict[str, Names] = {}
    for at, schema in enumerate(shape.schemas):
        schemas.take(schema.name, "schema", spot.at("schemas", at, "name"))
        own = _Namespace()
        for column in schema.columns:
            own.take(column, "column", spot.at("schemas", at, "columns", column))
        columns.setdefault(schema.name, Names(f"column of schema {schema.name}", schema.columns))
    listed: dict[str, str] = {}
    for at, family in enumerate(shape.dimension_families):
        here = spot.at("dimension_families", at)
        families.take(family.name, "dimension family", here.at("name"))
        for position, level in enumerate(family.levels):
            words.take(level, "level", here.at("levels", position))
            listed.setdefault(level, family.name)
    derived = _derived(shape, words, listed, spot)
    for at, role in enumerate(shape.roles):
        words.take(role.name, "role", spot.at("roles", at, "name"))
        derived.setdefault(role.name)
    grains = dict(_grain_levels(shape, spot))
    levels = Names("level", [*listed, *derived, *grains])
    for level, here in grains.items():
        if levels.find(level) == level and level not in listed and level not in derived:
            words.take(level, "level", here)
            families.refuse_level(level, here)
    for at, metric in enumerate(shape.metric_families):
        words.take(metric.name, "metric family", spot.at("metric_families", at, "name"))
    return Declarations(
        schemas=Names("schema", schemas.names()),
        columns=columns,
        dimension_families=Names("dimension family", families.names()),
        levels=levels,
        listed=listed,
        metric_families=Names("metric family", [family.name for family in shape.metric_families]),
        sources={
            name: levels.find(source) or source
            for name, source in (
                *((dimension.name, dimension.source) for dimension in shape.derived_dimensions),
                *((role.name, role.level) for role in shape.roles),
            )
        },
    )


def _derived(
    shape: CollectionShape, words: _Namespace, listed: Mapping[str, str], spot: Spot
) -> dict[str, None]:
    """Take the derived dimensions' names; one may also be listed, as a level, in a family."""
    taken: dict[str, None] = {}
    for at, dimension in enumerate(shape.derived_dimensions):
        if dimension.name not in listed or dimension.name in taken:
            here = spot.at("derived_dimensions", at, "name")
            words.take(dimension.name, "derived dimension", here)
        taken[dimension.name] = None
    return taken


def _grain_levels(shape: CollectionShape, spot: Spot) -> Iterator[tuple[str, Spot]]:
    seen: set[str] = set()
    for at, schema in enumerate(shape.schemas):
        for position, level in enumerate(schema.grain):
            if level.casefold() not in seen:
                seen.add(level.casefold())
                yield level, spot.at("schemas", at, "grain", position)


class _Namespace:
    """Names that must differ in more than case."""

    def __init__(self) -> None:
        self.taken: dict[str, tuple[str, str, Mark]] = {}

    def names(self) -> list[str]:
        """Return the names taken, as declared."""
        return [name for name, _, _ in self.taken.values()]

    def take(self, name: str, what: str, spot: Spot) -> None:
        """Take a name for a thing; note a clash with one that has it already."""
        mark = spot.mark
        first, kind, before = self.taken.setdefault(name.casefold(), (name, what, mark))
        if before is mark:
            return
        where = f"on line {before.line}"
        if first != name:
            message = f"'{shown(name)}' and the {kind} '{shown(first)}' {where} differ only in case"
        elif kind == what:
            message = f"the {what} '{shown(name)}' is declared twice, first {where}"
        else:
            message = f"the {what} '{shown(name)}' has the name of a {kind} {where}"
        spot.report(message, "give one of them another name")

    def refuse_level(self, level: str, spot: Spot) -> None:
        """Note a level in no family whose own family would have the name of a declared one."""
        if level.casefold() in self.taken:
            spot.report(
                f"the level '{shown(level)}' is in no dimension family, and a family has its name",
                f"list it in the levels of a dimension family, {self.taken[level.casefold()][0]}"
                " or another",
            )
