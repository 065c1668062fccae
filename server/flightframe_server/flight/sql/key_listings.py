"""The commands that list keys: primary, imported, exported, and from one table to another.

What comes in: a command that names tables, and what is published. What goes out: tables of exactly
the schemas of the specification, ordered as it wants. It must never list a key of a table that the
command does not name: here names are names, no patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.sql.filters import optional_text
from flightframe_server.sql.patterns import same
from flightframe_server.sql.tables import PublishedTables

_TEXT = pa.string()


def _must(name: str, type_: pa.DataType = _TEXT) -> pa.Field:
    return pa.field(name, type_, nullable=False)


PRIMARY_KEYS = pa.schema(
    [
        pa.field("catalog_name", _TEXT),
        pa.field("db_schema_name", _TEXT),
        _must("table_name"),
        _must("column_name"),
        pa.field("key_name", _TEXT),
        _must("key_sequence", pa.int32()),
    ]
)
FOREIGN_KEYS = pa.schema(
    [
        pa.field("pk_catalog_name", _TEXT),
        pa.field("pk_db_schema_name", _TEXT),
        _must("pk_table_name"),
        _must("pk_column_name"),
        pa.field("fk_catalog_name", _TEXT),
        pa.field("fk_db_schema_name", _TEXT),
        _must("fk_table_name"),
        _must("fk_column_name"),
        _must("key_sequence", pa.int32()),
        pa.field("fk_key_name", _TEXT),
        pa.field("pk_key_name", _TEXT),
        _must("update_rule", pa.uint8()),
        _must("delete_rule", pa.uint8()),
    ]
)

NO_ACTION = 3

Row = dict[str, Any]


def primary_keys(message: sql.CommandGetPrimaryKeys, tables: PublishedTables) -> pa.Table:
    """Return the columns of a table's primary key."""
    rows = [
        {
            "catalog_name": tables.catalog,
            "db_schema_name": collection.name,
            "table_name": key.table,
            "column_name": column,
            "key_name": key.name,
            "key_sequence": place,
        }
        for collection in tables.collections()
        for key in collection.primary_keys
        for place, column in enumerate(key.columns, 1)
        if same(optional_text(message, "catalog"), tables.catalog)
        and same(optional_text(message, "db_schema"), collection.name)
        and same(message.table, key.table)
    ]
    rows.sort(key=_in_order("catalog_name", "db_schema_name", "table_name", "key_name"))
    return pa.Table.from_pylist(rows, schema=PRIMARY_KEYS)


def imported_keys(message: sql.CommandGetImportedKeys, tables: PublishedTables) -> pa.Table:
    """Return the keys of other tables that a table refers to."""
    rows = [row for row in _references(tables) if _named(row, "fk", message, "")]
    return _listed(rows, "pk")


def exported_keys(message: sql.CommandGetExportedKeys, tables: PublishedTables) -> pa.Table:
    """Return the columns of other tables that refer to a table's key."""
    rows = [row for row in _references(tables) if _named(row, "pk", message, "")]
    return _listed(rows, "fk")


def cross_reference(message: sql.CommandGetCrossReference, tables: PublishedTables) -> pa.Table:
    """Return the columns of one table that refer to the key of another."""
    rows = [
        row
        for row in _references(tables)
        if _named(row, "pk", message, "pk_") and _named(row, "fk", message, "fk_")
    ]
    return _listed(rows, "pk")


def _references(tables: PublishedTables) -> Iterator[Row]:
    for collection in tables.collections():
        for reference in collection.foreign_keys:
            pairs = zip(reference.columns, reference.key_columns, strict=True)
            for place, (column, key_column) in enumerate(pairs, 1):
                yield {
                    "pk_catalog_name": tables.catalog,
                    "pk_db_schema_name": collection.name,
                    "pk_table_name": reference.key.table,
                    "pk_column_name": key_column,
                    "fk_catalog_name": tables.catalog,
                    "fk_db_schema_name": collection.name,
                    "fk_table_name": reference.table,
                    "fk_column_name": column,
                    "key_sequence": place,
                    "fk_key_name": reference.name,
                    "pk_key_name": reference.key.name,
                    "update_rule": NO_ACTION,
                    "delete_rule": NO_ACTION,
                }


def _named(row: Row, side: str, message: Any, prefix: str) -> bool:
    """Whether a message, whose fields have a prefix, names the table on a side of a reference."""
    return (
        same(optional_text(message, f"{prefix}catalog"), row[f"{side}_catalog_name"])
        and same(optional_text(message, f"{prefix}db_schema"), row[f"{side}_db_schema_name"])
        and same(getattr(message, f"{prefix}table"), row[f"{side}_table_name"])
    )


def _listed(rows: list[Row], side: str) -> pa.Table:
    names = ("catalog_name", "db_schema_name", "table_name", "key_name")
    rows.sort(key=_in_order(*(f"{side}_{name}" for name in names)))
    return pa.Table.from_pylist(rows, schema=FOREIGN_KEYS)


def _in_order(*names: str) -> Any:
    """Return the key by which the specification orders rows, the place in the key last.

    Keys of one name are told apart by that of the reference, so that their rows stay together.
    """
    return lambda row: (
        *(row[name] for name in names),
        row.get("fk_key_name", ""),
        row["key_sequence"],
    )
