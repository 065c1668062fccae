"""Schemas and their columns from shapes.

What comes in: the shapes of `schemas`. What goes out: `Schema` values whose references are names as
declared, and the mistakes reported to the cursor. It must never ask a database what a table holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from flightframe_server.algebra.types import NULL, DataType
from flightframe_server.catalog.collection import (
    Column,
    ComputedColumn,
    LookupColumn,
    Schema,
    StoredColumn,
)
from flightframe_server.catalog.cycles import find_cycle
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.declared_types import read_type
from flightframe_server.catalog.expressions import misplaced_in_row, names_in, read_expression
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.shapes import (
    CollectionShape,
    ComputedShape,
    LookupShape,
    SchemaShape,
)
from flightframe_server.errors import CatalogError, shown
from flightframe_server.language.syntax import Name

Cell = tuple[str, str]
"""A schema's name and a column's."""


def build_schemas(
    shape: CollectionShape, declared: Declarations, cursor: Cursor
) -> Mapping[str, Schema]:
    """Return every schema by name, and note what is wrong with them."""
    schemas: dict[str, Schema] = {}
    for at, schema in enumerate(shape.schemas):
        built = _schema(schema, declared, cursor.at("schemas", at))
        schemas.setdefault(schema.name, built)
    _check_circles(schemas, declared, cursor)
    _check_lookups(schemas, cursor)
    return MappingProxyType(schemas)


def column_named(name: Name, schema: str, columns: NameIndex) -> str | None:
    """Return the column that a name means among a schema's own, `x` or `schema.x`, or None."""
    if len(name.parts) == 2 and name.parts[0].casefold() == schema.casefold():
        return columns.find(name.parts[1])
    return columns.find(name.parts[0]) if len(name.parts) == 1 else None


def _schema(shape: SchemaShape, declared: Declarations, cursor: Cursor) -> Schema:
    cursor.at("grain").resolve_all(declared.columns[shape.name], shape.key)
    columns = {
        name: _column(shape.name, name, column, declared, cursor.at("columns", name))
        for name, column in shape.columns.items()
    }
    return Schema(
        name=shape.name,
        table=shape.table or shape.name,
        grain=tuple(declared.levels.find(level) or level for level in shape.key),
        columns=MappingProxyType(columns),
        description=shape.description,
        trusted=shape.attest == "trusted",
        location=cursor.location,
    )


def _column(
    schema: str,
    name: str,
    shape: str | ComputedShape | LookupShape,
    declared: Declarations,
    cursor: Cursor,
) -> Column:
    if isinstance(shape, str):
        return StoredColumn(name, shape, location=cursor.location)
    if isinstance(shape, LookupShape):
        return _lookup(schema, name, shape, declared, cursor)
    own, here = declared.columns[schema], cursor.at("expr")
    expression = read_expression(here, shape.expr)
    misplaced = misplaced_in_row(expression)
    if misplaced is not None:
        here.report(f"a column is computed row by row and cannot hold {misplaced}")
    for used in names_in(expression):
        if column_named(used, schema, own) is None:
            here.report(f"there is no {own.kind} '{shown(used.text)}'", own.hint(used.parts[-1]))
    return ComputedColumn(
        name, expression, _type(shape.type, cursor.at("type")), location=cursor.location
    )


def _type(text: str, cursor: Cursor) -> DataType:
    try:
        return read_type(text)
    except CatalogError as error:
        cursor.report(error.message, error.hint)
        return NULL


def _lookup(
    schema: str, name: str, shape: LookupShape, declared: Declarations, cursor: Cursor
) -> LookupColumn:
    via, on = cursor.at("via"), cursor.at("via", "on")
    other = via.at("schema").resolve(declared.schemas, shape.via.schema_name)
    own, theirs = declared.columns[schema], declared.columns.get(other)
    keys, column = on.resolve_all(own, shape.via.on), shape.lookup
    if other == schema:
        via.at("schema").report("a column is looked up in another schema, not in its own")
    elif theirs is not None:
        column = cursor.at("lookup").resolve(theirs, shape.lookup)
        for position, key in enumerate(shape.via.on):
            here, there = own.find(key), on.at(position).resolve(theirs, key)
            if here is not None and there != here and theirs.find(key):
                message = f"the key is '{shown(here)}' here and '{shown(there)}' there"
                on.at(position).report(message, "spell both columns alike")
    return LookupColumn(name, column, other, keys, location=cursor.location)


def _check_lookups(schemas: Mapping[str, Schema], cursor: Cursor) -> None:
    """Note a column that is fetched from a table of rows, which has no key to fetch along."""
    for at, schema in enumerate(schemas.values()):
        for column in schema.columns.values():
            other = schemas.get(column.schema) if isinstance(column, LookupColumn) else None
            if other is not None and not other.grain:
                cursor.at("schemas", at, "columns", column.name, "via", "schema").report(
                    f"a column is fetched along a unique key, and '{shown(other.name)}' has none",
                    "its grain is: rows",
                )


def _check_circles(schemas: Mapping[str, Schema], declared: Declarations, cursor: Cursor) -> None:
    """Note a computed or looked-up column that would need itself."""
    uses = {
        (schema.name, column.name): list(_used(schema.name, column, declared))
        for schema in schemas.values()
        for column in schema.columns.values()
    }
    cycle = find_cycle(uses)
    if cycle is not None:
        schema, column = cycle[0]
        walk = " -> ".join(f"{shown(table)}.{shown(name)}" for table, name in cycle[:6])
        at = list(schemas).index(schema)
        cursor.at("schemas", at, "columns", column).report(f"the column needs itself: {walk}")


def _used(schema: str, column: Column, declared: Declarations) -> Iterable[Cell]:
    if isinstance(column, LookupColumn) and column.schema in declared.columns:
        yield (column.schema, column.column)
        for key in column.on:
            yield (schema, key)
            yield (column.schema, key)
    elif isinstance(column, ComputedColumn):
        yield from _named(schema, column, declared.columns[schema])


def _named(schema: str, computed: ComputedColumn, own: NameIndex) -> Iterator[Cell]:
    for name in names_in(computed.expression):
        column = column_named(name, schema, own)
        if column is not None:
            yield (schema, column)
