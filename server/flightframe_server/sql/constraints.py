"""The keys of the published tables as the information schema shows them.

What comes in: what is published. What goes out: the rows of `table_constraints`,
`key_column_usage` and `referential_constraints`, as SQL:2023 part 11 (Schemata) words them. It must
never show a key that the metadata commands of Flight SQL do not: both read `keys`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from flightframe_server.sql.tables import PublishedTables

Row = tuple[Any, ...]

TABLE_CONSTRAINTS = pa.schema(
    [
        pa.field("constraint_catalog", pa.string()),
        pa.field("constraint_schema", pa.string()),
        pa.field("constraint_name", pa.string()),
        pa.field("table_catalog", pa.string()),
        pa.field("table_schema", pa.string()),
        pa.field("table_name", pa.string()),
        pa.field("constraint_type", pa.string()),
        pa.field("is_deferrable", pa.string()),
        pa.field("initially_deferred", pa.string()),
        pa.field("enforced", pa.string()),
    ]
)
"""The columns of `information_schema.table_constraints`; `enforced` is NO: keys are attested on the
rows that are read, and no write is stopped by them."""

KEY_COLUMN_USAGE = pa.schema(
    [
        pa.field("constraint_catalog", pa.string()),
        pa.field("constraint_schema", pa.string()),
        pa.field("constraint_name", pa.string()),
        pa.field("table_catalog", pa.string()),
        pa.field("table_schema", pa.string()),
        pa.field("table_name", pa.string()),
        pa.field("column_name", pa.string()),
        pa.field("ordinal_position", pa.int64()),
        pa.field("position_in_unique_constraint", pa.int64()),
    ]
)
"""The columns of `information_schema.key_column_usage`; positions count from 1, and the last is
NULL for a primary key."""

REFERENTIAL_CONSTRAINTS = pa.schema(
    [
        pa.field("constraint_catalog", pa.string()),
        pa.field("constraint_schema", pa.string()),
        pa.field("constraint_name", pa.string()),
        pa.field("unique_constraint_catalog", pa.string()),
        pa.field("unique_constraint_schema", pa.string()),
        pa.field("unique_constraint_name", pa.string()),
        pa.field("match_option", pa.string()),
        pa.field("update_rule", pa.string()),
        pa.field("delete_rule", pa.string()),
    ]
)
"""The columns of `information_schema.referential_constraints`."""


def table_constraints(tables: PublishedTables) -> Iterator[Row]:
    """Yield each primary and foreign key once, by collection."""
    for published in tables.collections():
        keys = [
            *((key.name, key.table, "PRIMARY KEY") for key in published.primary_keys),
            *((key.name, key.table, "FOREIGN KEY") for key in published.foreign_keys),
        ]
        for name, table, kind in keys:
            place = (tables.catalog, published.name)
            yield *place, name, *place, table, kind, "NO", "NO", "NO"


def key_column_usage(tables: PublishedTables) -> Iterator[Row]:
    """Yield each column of each key, in the key's order."""
    for published in tables.collections():
        place = (tables.catalog, published.name)
        for key in published.primary_keys:
            for position, column in enumerate(key.columns, 1):
                yield *place, key.name, *place, key.table, column, position, None
        for reference in published.foreign_keys:
            pairs = zip(reference.columns, reference.key_columns, strict=True)
            for position, (column, target) in enumerate(pairs, 1):
                matched = reference.key.columns.index(target) + 1
                yield *place, reference.name, *place, reference.table, column, position, matched


def referential_constraints(tables: PublishedTables) -> Iterator[Row]:
    """Yield each foreign key with the primary key that it refers to."""
    for published in tables.collections():
        place = (tables.catalog, published.name)
        for reference in published.foreign_keys:
            yield *place, reference.name, *place, reference.key.name, "NONE", *(["NO ACTION"] * 2)
