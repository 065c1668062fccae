"""Names that are qualified by what FROM names: `metrics.region`, `t.region`, `retail.metrics.day`.

What comes in: the syntax of a statement, and its collection. What goes out: the statement without
qualifiers, its FROM a schema of the collection or nothing. It must never take a qualifier away from
what the table that it names does not have, nor let a column of the answer stand for one of FROM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flightframe_server.catalog.collection import METRICS, MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousMetric, UnknownName, did_you_mean, shown
from flightframe_server.language.syntax import (
    AdHocLevel,
    AliasedName,
    Expression,
    Name,
    Statement,
)
from flightframe_server.language.trees import with_parts
from flightframe_server.resolver.level_schemas import schemas_of_family
from flightframe_server.resolver.typed import TypedCollection


def unqualified(
    statement: Statement, typed: TypedCollection, *, unfinished: bool = False
) -> Statement:
    """Return a statement whose names nothing qualifies that FROM names.

    A level qualified by its family, or by a schema that has a column of it, stays as it is.

    Args:
        statement: the statement.
        typed: its collection.
        unfinished: whether names that a table lacks stay as they are.

    Raises:
        UnknownName: FROM names no table of the collection, or a table lacks what it qualifies.
        AmbiguousMetric: a column of the answer has the name of a qualified one that is another.
    """
    table = table_of(statement.source, typed)
    if not statement.is_qualified:
        return statement if statement.source is None else replace(statement, source=table.source)
    outputs = {item.alias.casefold(): item.expression for item in statement.items if item.alias}

    def of_rows(name: Name) -> Name:
        try:
            return table.unqualified(name)
        except UnknownName:
            if unfinished:
                return name
            raise

    def of_answer(name: Name) -> Name:
        row_name = of_rows(name)
        named = outputs.get(row_name.text.casefold())
        if (
            row_name is not name
            and named is not None
            and not _names(_mapped(named, of_rows), row_name)
        ):
            raise AmbiguousMetric(
                f"{shown(name.text)} is a column of FROM, and {shown(row_name.text)} another of the"
                " answer",
                place=name.place,
                hint=f"name the answer's column differently after AS, not {shown(row_name.text)}",
            )
        return row_name

    rest: Statement = _mapped(replace(statement, source=None, having=None, order_by=()), of_rows)
    return replace(
        rest,
        source=table.source,
        having=_mapped(statement.having, of_answer),
        order_by=_mapped(statement.order_by, of_answer),
    )


@dataclass(frozen=True, slots=True)
class NamedTable:
    """What FROM names.

    Attributes:
        name: as it is written.
        schema: the schema; None for the table of metrics.
        path: what qualifies its columns: the collection and its name, or its alias alone.
        typed: its collection.
    """

    name: Name
    schema: str | None
    path: tuple[str, ...]
    typed: TypedCollection

    @property
    def source(self) -> Name | None:
        """The schema as FROM names it; None for the table of metrics."""
        return None if self.schema is None else Name((self.schema,), place=self.name.place)

    def unqualified(self, name: Name) -> Name:
        """Return a name without the qualifier, where that is this table; else as it is.

        Raises:
            UnknownName: the table has nothing of that name.
        """
        qualifier = tuple(part.casefold() for part in name.parts[:-1])
        if not qualifier or self.path[-len(qualifier) :] != qualifier:
            return name
        column = name.parts[-1]
        level = self.typed.graph.find(column)
        family = self.typed.collection.folded_families.get(column.casefold())
        if self._has_level(level) or (family is not None and self._has(family)):
            return Name((column,), place=name.place)
        known = [*self.typed.collection.metric_families, *self.typed.graph.level_names]
        raise UnknownName(
            f"{shown('.'.join(name.parts[:-1]))} has no level or metric {shown(column)}",
            place=name.place,
            hint=did_you_mean(column, known) if level is None and family is None else None,
        )

    def _has_level(self, level: str | None) -> bool:
        if level is None or self.schema is None:
            return level is not None
        return level in self.typed.graph.reachable(self.schema)

    def _has(self, family: MetricFamily) -> bool:
        if self.schema is None:
            return True
        root = family.meaning
        if isinstance(root, RootedMetric) and any(
            one.schema == self.schema for one in root.siblings
        ):
            return True
        return set(schemas_of_family(self.typed, family.name)) == {self.schema}


def table_of(source: Name | None, typed: TypedCollection) -> NamedTable:
    """Return what FROM names; the table of metrics where there is no FROM.

    Raises:
        UnknownName: the collection has no such table, or another collection is named.
    """
    collection = typed.collection
    name = Name((METRICS,)) if source is None else source
    *qualifier, table = name.parts
    schemas = {schema.casefold(): schema for schema in collection.schemas}
    if qualifier and [part.casefold() for part in qualifier] != [collection.name.casefold()]:
        raise UnknownName(
            f"{shown('.'.join(qualifier))} is not the collection that is asked",
            place=name.place,
            hint=f"write FROM {collection.name}.{table}" if _is_table(table, schemas) else None,
        )
    if source is not None and not _is_table(table, schemas):
        saved = any(frame.casefold() == table.casefold() for frame in collection.frames)
        raise UnknownName(
            f"there is no schema {shown(table)}"
            + (", and the saved frame of that name is asked in SQL, without AT" if saved else ""),
            place=name.place,
            hint=None if saved else did_you_mean(table, collection.schemas),
        )
    # Without FROM the table is that of metrics, whatever schemas there are.
    schema = None if source is None else schemas.get(table.casefold())
    path: tuple[str, ...] = (collection.name, table)
    if isinstance(name, AliasedName):
        path = (name.alias,)
    return NamedTable(name, schema, tuple(part.casefold() for part in path), typed)


def collection_of(statement: Statement) -> str | None:
    """Return the collection that FROM names, or None."""
    source = statement.source
    return source.parts[0] if source is not None and len(source.parts) == 2 else None


def _names(node: Expression, name: Name) -> bool:
    return isinstance(node, Name) and node.text.casefold() == name.text.casefold()


def _is_table(name: str, schemas: dict[str, str]) -> bool:
    return name.casefold() in schemas or name.casefold() == METRICS


def _mapped(node: Any, change: Callable[[Name], Name]) -> Any:
    """Return a node, or a tuple of nodes, with each name changed; itself where none is."""
    if isinstance(node, Name) and not isinstance(node, AdHocLevel):
        return change(node)
    return with_parts(node, lambda part: _mapped(part, change))
