"""What a name means in one collection: a level, a metric family, a schema.

What comes in: names as written. What goes out: names as declared. It must never guess: a name that
is not there is an error that names its nearest neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.errors import LevelNotInAnchor, UnknownName, did_you_mean, shown
from flightframe_server.language.syntax import AdHocLevel, Anchor, Name
from flightframe_server.resolver.terms import ColumnTerm, LevelTerm, Term
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class NamedLevel:
    """An ad-hoc level of an anchor: its name there, which level it is, and what it stands for."""

    name: str
    level: str
    term: Term

    @property
    def member(self) -> LevelTerm:
        """Its members, where the level is at hand."""
        return LevelTerm(self.term.type, self.level)


@dataclass(frozen=True, eq=False)
class Scope:
    """The names of one collection, the values of one query's parameters, and its FROM.

    Attributes:
        typed: the collection with its types.
        binding: the parameters' values.
        source: the schema that FROM names, or None.
        ad_hoc: the terms of the anchor's ad-hoc levels, by their names without case.
        anchor: the levels of a point where names stand; None where that is not known yet.
        filtered: the levels that WHERE reads.
        in_play: the schemas that hold the rows of the query's metrics.
        sets: every anchor of the query, where the rows of several are stacked.
    """

    typed: TypedCollection
    binding: Binding
    source: str | None = None
    ad_hoc: Mapping[str, NamedLevel] = field(default_factory=dict)
    anchor: tuple[str, ...] | None = None
    filtered: frozenset[str] = frozenset()
    in_play: tuple[str, ...] = ()
    sets: tuple[tuple[str, ...], ...] = ()

    @property
    def row_levels(self) -> tuple[str, ...] | None:
        """The levels of a row of the answer: of the anchor, or of any of several; None as there."""
        if not self.sets:
            return self.anchor
        return tuple(dict.fromkeys(level for one in self.sets for level in one))

    @property
    def zone(self) -> str:
        """The collection's time zone."""
        return self.typed.zone

    def family(self, name: str) -> MetricFamily | None:
        """Return the metric family of that name in any case, or None."""
        return self.typed.collection.folded_families.get(name.casefold())

    def with_ad_hoc(self, named: Mapping[str, NamedLevel], typed: TypedCollection) -> Scope:
        """Return the scope in which these are the anchor's ad-hoc levels."""
        return replace(self, typed=typed, ad_hoc=named)

    def ad_hoc_level(self, name: Name) -> NamedLevel | None:
        """Return the ad-hoc level of the anchor that a name means, or None."""
        return self.ad_hoc.get(name.parts[0].casefold()) if len(name.parts) == 1 else None

    def level(self, name: Name) -> str | None:
        """Return the declared level that a possibly dotted name means, or None."""
        if isinstance(name, AdHocLevel):
            return None
        level = self.typed.graph.find(name.parts[-1])
        if level is None or len(name.parts) == 1:
            return level
        if len(name.parts) == 2:
            qualifier = name.parts[0].casefold()
            if qualifier == self.typed.graph.family_of(level).casefold():
                return level
            schema = self._schema_or_none(name.parts[0])
            if schema is not None and level in self.typed.graph.own_levels(schema):
                return level
        return None

    def require_level(self, name: Name, metrics_stand: str | None = None) -> str:
        """Return the level a name means.

        Args:
            name: the name.
            metrics_stand: where a metric belongs that was named instead, as a hint.

        Raises:
            UnknownName: there is none of that name.
        """
        level = self.level(name)
        if level is not None:
            return level
        if len(name.parts) == 1 and self.family(name.parts[0]) is not None:
            raise UnknownName(
                f"{shown(name.text)} is a metric, and a level is wanted here",
                place=name.place,
                hint=metrics_stand,
            )
        raise UnknownName(
            f"there is no level {shown(name.text)}",
            place=name.place,
            hint=did_you_mean(name.parts[-1], self.typed.graph.level_names),
        )

    def level_term(self, name: Name, metrics_stand: str | None = None) -> LevelTerm:
        """Return the level a name means as a term; see `require_level`."""
        level = self.require_level(name, metrics_stand)
        return LevelTerm(self.typed.level_types[level], level)

    def within(self, levels: Iterable[str]) -> Scope:
        """Return the scope inside a point that has further levels."""
        if self.anchor is None:
            return self
        return replace(self, anchor=tuple(dict.fromkeys((*self.anchor, *levels))), sets=())

    def member_term(self, name: Name, metrics_stand: str | None = None) -> Term:
        """Return what a name means for a row: a level, or an ad-hoc level written out."""
        ad_hoc = self.ad_hoc_level(name)
        return self.level_term(name, metrics_stand) if ad_hoc is None else ad_hoc.term

    def point_term(self, name: Name) -> LevelTerm:
        """Return the level that a name means at a point.

        Raises:
            LevelNotInAnchor: a point has no member of it.
        """
        ad_hoc = self.ad_hoc_level(name)
        term = self.level_term(name) if ad_hoc is None else ad_hoc.member
        if self.row_levels is not None and term.level not in self.row_levels:
            raise LevelNotInAnchor(
                f"{shown(name.text)} is read at each point, and is not in the anchor",
                place=name.place,
                hint=f"add {shown(name.text)} to AT",
            )
        return term

    def levels(self, anchor: Anchor) -> tuple[str, ...]:
        """Return an anchor's levels, in the order written, duplicates merged."""
        levels: dict[str, None] = {}
        for name in anchor.levels:
            ad_hoc = self.ad_hoc_level(name)
            if ad_hoc is None:
                levels.setdefault(self.require_level(name, "metrics stand in SELECT"))
            else:
                levels.setdefault(ad_hoc.level)
        return tuple(levels)

    def _schema_or_none(self, name: str) -> str | None:
        for schema in self.typed.collection.schemas:
            if schema.casefold() == name.casefold():
                return schema
        return None

    def schema(self, name: Name) -> str:
        """Return the schema a name means.

        Raises:
            UnknownName: there is none of that name.
        """
        schema = self._schema_or_none(name.text)
        if schema is None:
            raise UnknownName(
                f"there is no schema {shown(name.text)}",
                place=name.place,
                hint=did_you_mean(name.text, self.typed.collection.schemas),
            )
        return schema

    def unknown_metric(self, name: Name) -> UnknownName:
        """Return the error for a name that is neither a metric nor a level."""
        known = [*self.typed.collection.metric_families, *self.typed.graph.level_names]
        return UnknownName(
            f"there is no metric or level {shown(name.text)}",
            place=name.place,
            hint=did_you_mean(name.parts[-1], known),
        )


def column_named(typed: TypedCollection, schema: str, name: Name) -> ColumnTerm:
    """Return a column of a schema, named in any case.

    Raises:
        UnknownName: it has none of that name.
    """
    for column in typed.schema(schema).columns:
        if column.casefold() == name.parts[-1].casefold():
            return ColumnTerm(typed.column_types[schema, column], schema, column)
    raise UnknownName(
        f"schema {schema} has no column {shown(name.text)}",
        place=name.place,
        hint=did_you_mean(name.parts[-1], typed.schema(schema).columns),
    )
