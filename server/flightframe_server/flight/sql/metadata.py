"""The catalog commands: catalogs, schemas, tables and table types.

What comes in: a command with its filters, and the published tables. What goes out: tables of
exactly the schemas of the specification. It must never use another text or binary type than Utf8
and Binary: drivers cast to those.

An absent filter filters nothing. An empty one asks for what has no catalog or schema, and here
everything has one. Names compare in any case, as in Frame-QL; in patterns `%` stands for any run
of characters, `_` for one, and a backslash takes either literally.
"""

from __future__ import annotations

import pyarrow as pa

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.sql.filters import optional_text
from flightframe_server.flight.sql.instants import schema_in_utc
from flightframe_server.sql.patterns import pattern, same
from flightframe_server.sql.tables import TABLE, VIEW, PublishedTables

_TEXT = pa.string()


def _must(name: str, type_: pa.DataType = _TEXT) -> pa.Field:
    return pa.field(name, type_, nullable=False)


CATALOGS = pa.schema([_must("catalog_name")])
DB_SCHEMAS = pa.schema([pa.field("catalog_name", _TEXT), _must("db_schema_name")])
TABLES = pa.schema(
    [
        pa.field("catalog_name", _TEXT),
        pa.field("db_schema_name", _TEXT),
        _must("table_name"),
        _must("table_type"),
    ]
)
TABLES_WITH_SCHEMA = TABLES.append(_must("table_schema", pa.binary()))
TABLE_TYPES = pa.schema([_must("table_type")])


def catalogs(tables: PublishedTables) -> pa.Table:
    """Return the one catalog."""
    return pa.Table.from_pylist([{"catalog_name": tables.catalog}], schema=CATALOGS)


def db_schemas(message: sql.CommandGetDbSchemas, tables: PublishedTables) -> pa.Table:
    """Return the collections that pass the filters."""
    named = pattern(optional_text(message, "db_schema_filter_pattern"))
    rows = [
        {"catalog_name": tables.catalog, "db_schema_name": name}
        for name in tables.names
        if same(optional_text(message, "catalog"), tables.catalog) and named.fullmatch(name)
    ]
    return pa.Table.from_pylist(rows, schema=DB_SCHEMAS)


def tables_schema(message: sql.CommandGetTables) -> pa.Schema:
    """Return the schema that GetTables answers with."""
    return TABLES_WITH_SCHEMA if message.include_schema else TABLES


def table_rows(message: sql.CommandGetTables, tables: PublishedTables) -> pa.Table:
    """Return the tables that pass the filters, with their columns where asked."""
    schema = tables_schema(message)
    in_collection = pattern(optional_text(message, "db_schema_filter_pattern"))
    named = pattern(optional_text(message, "table_name_filter_pattern"))
    if not same(optional_text(message, "catalog"), tables.catalog):
        return schema.empty_table()
    kinds = _kinds(message)
    rows = [
        {
            "catalog_name": tables.catalog,
            "db_schema_name": table.collection,
            "table_name": table.name,
            "table_type": table.kind,
            "table_schema": schema_in_utc(table.schema).serialize().to_pybytes()
            if message.include_schema
            else None,
        }
        for table in tables
        if table.kind in kinds
        and in_collection.fullmatch(table.collection)
        and named.fullmatch(table.name)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def table_types(tables: PublishedTables) -> pa.Table:
    """Return TABLE, and VIEW where there is a saved frame."""
    kinds = sorted({TABLE, *(table.kind for table in tables)})
    return pa.Table.from_pylist([{"table_type": kind} for kind in kinds], schema=TABLE_TYPES)


def _kinds(message: sql.CommandGetTables) -> frozenset[str]:
    """Return the types of table that are asked for: all where none is named."""
    types = {kind.strip().upper() for kind in message.table_types}
    return frozenset(types | ({TABLE} if "BASE TABLE" in types else set()) or {TABLE, VIEW})
