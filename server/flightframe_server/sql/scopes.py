"""What the columns of a text of SQL are: levels, metrics, facts, or values of a sub-select.

What comes in: a column as it is written, and what FROM names. What goes out: what it means. It must
never guess: names match exactly, else in any case, and what two things go by is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from flightframe_server.catalog.collection import METRICS, MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousMetric, UnknownName, did_you_mean, shown
from flightframe_server.language.syntax import Expression, Name
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.places import place_of
from flightframe_server.sql.tables import PublishedTable


@dataclass(frozen=True, slots=True)
class LevelColumn:
    """A level; `moment` where SQL has it as a timestamp and the level is a date."""

    level: str
    moment: bool = False


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A metric family."""

    family: MetricFamily


@dataclass(frozen=True, slots=True)
class FactColumn:
    """A column of facts: the families that are rooted in it, without a filter of their own."""

    name: str
    families: tuple[MetricFamily, ...]


@dataclass(frozen=True, slots=True)
class RowValue:
    """A value over levels that a sub-select computes for each row."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class CellValue:
    """A value that a sub-select has reduced to its own keys."""

    expression: Expression
    keys: tuple[Name, ...]


Column = LevelColumn | MetricColumn | FactColumn | RowValue | CellValue


class Scope(Protocol):
    """What FROM names."""

    @property
    def table(self) -> TableScope:
        """The table at the bottom."""

    def column(self, node: exp.Column) -> Column:
        """Return what a column means; raises `UnknownName` where there is none of that name."""

    def columns(self, qualifier: exp.Column | None = None) -> Iterable[tuple[str, Column]]:
        """Return every column with its name, for `*`."""


@dataclass(frozen=True, slots=True)
class TableScope:
    """One published table, with the tables that are joined to it along declared edges.

    Attributes:
        published: the table.
        typed: its collection.
        path: the names that qualify its columns, its own last.
        joined: for each joined table, by its folded name, the levels that it gives.
    """

    published: PublishedTable
    typed: TypedCollection
    path: tuple[str, ...]
    joined: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def table(self) -> TableScope:
        """Itself."""
        return self

    @property
    def schema(self) -> str | None:
        """The schema whose facts the table holds; None for the table of metrics."""
        return None if self.published.name.casefold() == METRICS else self.published.name

    def column(self, node: exp.Column) -> Column:
        """Return what a column means; raises as `Scope.column`."""
        if len(node.parts) == 2 and node.parts[0].name.casefold() in self.joined:
            return self._joined(node)
        check_qualifier(node, self.path)
        named_level = self._named(node.name, node)
        if named_level is not None:
            return named_level
        raise UnknownName(
            f"there is no column {shown(node.name)} in {shown(self.path[-1])}",
            place=place_of(node),
            hint=did_you_mean(node.name, self.published.schema.names),
        )

    def columns(self, qualifier: exp.Column | None = None) -> Iterable[tuple[str, Column]]:
        """Return every published column."""
        if qualifier is not None:
            check_qualifier(qualifier, self.path)
        for name in self.published.schema.names:
            named_level = self._named(name, None)
            assert named_level is not None
            yield name, named_level

    def _joined(self, node: exp.Column) -> Column:
        levels = self.joined[node.parts[0].name.casefold()]
        level = levels.get(node.name.casefold())
        if level is None:
            raise UnknownName(
                f"the join leads to no level {shown(node.name)}",
                place=place_of(node),
                hint=f"it leads to {', '.join(levels.values())}",
            )
        return LevelColumn(level)

    def _named(self, name: str, node: exp.Column | None) -> Column | None:
        level = self._level(name)
        family = self.typed.collection.folded_families.get(name.casefold())
        fact = None if level else self._fact(name)
        if fact is not None and (family is None or family in fact.families):
            return fact
        if family is not None and (level is not None or fact is not None):
            raise AmbiguousMetric(
                f"{shown(name)} is a metric, and a column as well", place=place_of(node)
            )
        if level is not None:
            return LevelColumn(level)
        return None if family is None else MetricColumn(family)

    def _level(self, name: str) -> str | None:
        """Return a level: of a table of facts, one that its rows reach, or its own column's."""
        graph = self.typed.graph
        if self.schema is None:
            return graph.find(name)
        for own, column in graph.own_levels(self.schema).items():
            if column.casefold() == name.casefold():
                return own
        level = graph.find(name)
        return level if level in graph.reachable(self.schema) else None

    def _fact(self, name: str) -> FactColumn | None:
        if self.schema is None:
            return None
        for column in self.typed.schema(self.schema).columns:
            if column.casefold() == name.casefold():
                return FactColumn(column, tuple(self._families(column)))
        return None

    def _families(self, column: str) -> Iterable[MetricFamily]:
        for family in self.typed.collection.metric_families.values():
            root = family.meaning
            if not isinstance(root, RootedMetric) or root.filter is not None:
                continue
            own = (root.schema, root.column) == (self.schema, column)
            if own or any((s.schema, s.column) == (self.schema, column) for s in root.siblings):
                yield family


@dataclass(frozen=True, slots=True)
class SelectScope:
    """The columns of a sub-select.

    Attributes:
        table: the table at its bottom.
        alias: the name that qualifies its columns; empty for none.
        named: its columns by name, in order.
    """

    table: TableScope
    alias: str
    named: tuple[tuple[str, Column], ...]

    def column(self, node: exp.Column) -> Column:
        """Return what a column means; raises as `Scope.column`."""
        check_qualifier(node, (self.alias,))
        fits = [column for name, column in self.named if name.casefold() == node.name.casefold()]
        if len(fits) == 1:
            return fits[0]
        names = [name for name, _ in self.named]
        if fits:
            raise AmbiguousMetric(
                f"the sub-select has two columns {shown(node.name)}", place=place_of(node)
            )
        raise UnknownName(
            f"the sub-select has no column {shown(node.name)}",
            place=place_of(node),
            hint=did_you_mean(node.name, names),
        )

    def columns(self, qualifier: exp.Column | None = None) -> Iterable[tuple[str, Column]]:
        """Return every column."""
        if qualifier is not None:
            check_qualifier(qualifier, (self.alias,))
        return self.named


def check_qualifier(node: exp.Column, path: tuple[str, ...]) -> None:
    """Check that what qualifies a column names what FROM names.

    Raises:
        UnknownName: it names something else.
    """
    written = tuple(part.name.casefold() for part in node.parts[:-1])
    known = tuple(name.casefold() for name in path)
    if written and known[-len(written) :] != written:
        raise UnknownName(
            f"there is no table {shown(node.parts[-2].name)} in FROM", place=place_of(node)
        )
