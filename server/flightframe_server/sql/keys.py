"""Primary and foreign keys, as the collection declares them.

What comes in: a typed collection. What goes out: the grain of each schema as a primary key; and as
foreign keys the columns that an edge or a look-up leads along to another schema's whole grain. It
must never claim a key that the collection does not declare: an edge over part of a grain is none.

A schema refers to another where it has the level that an edge starts from and the edge's map is
read from that other, by its key; or where it looks a column up there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flightframe_server.catalog.collection import Edge, LookupColumn, TableMap
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """The columns that together are a table's unique key."""

    table: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The key's name: `pk_stores`."""
        return f"pk_{self.table}"


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of a table, and for each the column of the key that it refers to."""

    table: str
    columns: tuple[str, ...]
    key: PrimaryKey
    key_columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The key's name: `fk_transactions_store_stores`."""
        return "_".join(("fk", self.table, *self.columns, self.key.table))


def primary_keys(typed: TypedCollection) -> tuple[PrimaryKey, ...]:
    """Return the key of every schema that has one."""
    schemas = typed.collection.schemas
    return tuple(_key(typed, name) for name, schema in schemas.items() if schema.grain)


def foreign_keys(typed: TypedCollection) -> tuple[ForeignKey, ...]:
    """Return every reference from a schema to another's key, each once."""
    references = (*_along_edges(typed), *_along_lookups(typed))
    return tuple(dict.fromkeys(references))


def _key(typed: TypedCollection, schema: str) -> PrimaryKey:
    return PrimaryKey(schema, tuple(_column(typed, schema, x) for x in typed.schema(schema).grain))


def _column(typed: TypedCollection, schema: str, name: str) -> str:
    """Return a column, named in any case, as the schema declares it."""
    known = {column.casefold(): column for column in typed.schema(schema).columns}
    return known.get(name.casefold(), name)


def _along_edges(typed: TypedCollection) -> Iterator[ForeignKey]:
    for family in typed.collection.dimension_families.values():
        for edge in family.edges:
            if isinstance(edge.map, TableMap):
                yield from _along(typed, edge, edge.map)


def _along(typed: TypedCollection, edge: Edge, via: TableMap) -> Iterator[ForeignKey]:
    key = _key(typed, via.schema)
    if key.columns != (via.source_column,):
        return
    for schema in typed.collection.schemas:
        column = typed.graph.own_levels(schema).get(edge.source)
        if column is not None and (schema, column) != (via.schema, via.source_column):
            yield ForeignKey(schema, (column,), key, key.columns)


def _along_lookups(typed: TypedCollection) -> Iterator[ForeignKey]:
    for schema in typed.collection.schemas.values():
        for column in schema.columns.values():
            if not isinstance(column, LookupColumn):
                continue
            key = _key(typed, column.schema)
            here = {_column(typed, column.schema, x): _column(typed, schema.name, x)
                    for x in column.on}  # fmt: skip
            if set(here) == set(key.columns):
                own = tuple(here[name] for name in key.columns)
                yield ForeignKey(schema.name, own, key, key.columns)
