"""The tables that are not in a database: the information schema, and what the server remembers.

What comes in: what is published, and the installation. What goes out: relations by name. It must
never list more than the metadata commands do: the two are read side by side.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flightframe_server.answer import Runtime
from flightframe_server.arrow_types import SQL_KEY
from flightframe_server.engine.query_log import LoggedQuery
from flightframe_server.sql.constraints import (
    KEY_COLUMN_USAGE,
    REFERENTIAL_CONSTRAINTS,
    TABLE_CONSTRAINTS,
    key_column_usage,
    referential_constraints,
    table_constraints,
)
from flightframe_server.sql.select import Relation
from flightframe_server.sql.tables import TABLE, PublishedTables

INFORMATION_SCHEMA = "information_schema"
SYSTEM = "system"
SCHEMAS = frozenset({INFORMATION_SCHEMA, SYSTEM})
_OWNER = "flightframe"

_SCHEMATA = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("schema_name", pa.string()),
        pa.field("schema_owner", pa.string()),
        pa.field("schema_comment", pa.string()),
    ]
)
_TABLES = pa.schema(
    [
        pa.field("table_catalog", pa.string()),
        pa.field("table_schema", pa.string()),
        pa.field("table_name", pa.string()),
        pa.field("table_type", pa.string()),
        pa.field("is_insertable_into", pa.string()),
        pa.field("table_comment", pa.string()),
    ]
)
_COLUMNS = pa.schema(
    [
        pa.field("table_catalog", pa.string()),
        pa.field("table_schema", pa.string()),
        pa.field("table_name", pa.string()),
        pa.field("column_name", pa.string()),
        pa.field("ordinal_position", pa.int64()),
        pa.field("column_default", pa.string()),
        pa.field("is_nullable", pa.string()),
        pa.field("data_type", pa.string()),
        pa.field("character_maximum_length", pa.int64()),
        pa.field("numeric_precision", pa.int64()),
        pa.field("numeric_scale", pa.int64()),
        pa.field("column_comment", pa.string()),
    ]
)
LAST_QUERIES = pa.schema(
    [
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("seconds", pa.float64()),
        pa.field("source", pa.string()),
        pa.field("rows", pa.int64()),
        pa.field("served_from", pa.string()),
        pa.field("query_id", pa.string()),
        pa.field("collection", pa.string()),
        pa.field("provenance", pa.string()),
    ]
)
"""The columns of `system.last_queries`; `rows` is NULL where the answer was streamed."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _CatalogueTable:
    """One table of the catalogue: its columns, and its rows as they are now."""

    schema: pa.Schema
    rows: Callable[[PublishedTables, Runtime, str], Iterator[Row]]


def find(
    schema: str, name: str, tables: PublishedTables, runtime: Runtime, user: str
) -> Relation | None:
    """Return a table of the catalogue as a user sees it, named in any case; None: there is none."""
    table = _CATALOGUE.get((schema.casefold(), name.casefold()))
    if table is None:
        return None
    path = (tables.catalog, schema, name)
    return Relation(table.schema, lambda: table.rows(tables, runtime, user), path)


def names() -> tuple[str, ...]:
    """Return the names of every table, qualified."""
    return tuple(f"{schema}.{name}" for schema, name in _CATALOGUE)


def _schemata(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    words = {item.name: item.typed.collection.description for item in tables.collections()}
    for name in tables.names:
        yield tables.catalog, name, _OWNER, words.get(name) or None


def _tables(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    for table in tables:
        words = table.description or None
        # The standard's word for what Flight SQL calls TABLE.
        kind = "BASE TABLE" if table.kind == TABLE else table.kind
        yield tables.catalog, table.collection, table.name, kind, "NO", words


def _columns(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    for table in tables:
        for place, field in enumerate(table.schema, 1):
            facts = _facts(field)
            yield (
                tables.catalog,
                table.collection,
                table.name,
                field.name,
                place,
                None,
                "YES" if field.nullable else "NO",
                facts["TYPE_NAME"],
                None,
                _number(facts, "PRECISION"),
                _number(facts, "SCALE"),
                facts.get("REMARKS"),
            )


def _facts(field: pa.Field) -> Mapping[str, str]:
    """Return what Flight SQL says of a column, without the prefix."""
    metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
    return {
        key.removeprefix(SQL_KEY): value
        for key, value in metadata.items()
        if key.startswith(SQL_KEY)
    }


def _number(facts: Mapping[str, str], key: str) -> int | None:
    return int(facts[key]) if key in facts else None


def _constraints(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    return table_constraints(tables)


def _key_columns(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    return key_column_usage(tables)


def _references(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    return referential_constraints(tables)


def _last_queries(tables: PublishedTables, runtime: Runtime, user: str) -> Iterator[Row]:
    """Yield the user's newest queries first."""
    # Where no caller is asked for a name, all callers have the same one.
    own = [query for query in runtime.query_log if query.user == user]
    yield from (_query(query) for query in own[::-1])


def _query(query: LoggedQuery) -> Row:
    provenance = query.provenance
    return (
        datetime.datetime.fromtimestamp(query.at, datetime.UTC),
        query.seconds,
        query.source,
        query.rows,
        str(provenance.served_from),
        provenance.query_id,
        provenance.collection,
        json.dumps(provenance.to_json(), separators=(",", ":"), ensure_ascii=False),
    )


_CATALOGUE: dict[tuple[str, str], _CatalogueTable] = {
    (INFORMATION_SCHEMA, "schemata"): _CatalogueTable(_SCHEMATA, _schemata),
    (INFORMATION_SCHEMA, "tables"): _CatalogueTable(_TABLES, _tables),
    (INFORMATION_SCHEMA, "columns"): _CatalogueTable(_COLUMNS, _columns),
    (INFORMATION_SCHEMA, "table_constraints"): _CatalogueTable(TABLE_CONSTRAINTS, _constraints),
    (INFORMATION_SCHEMA, "key_column_usage"): _CatalogueTable(KEY_COLUMN_USAGE, _key_columns),
    (INFORMATION_SCHEMA, "referential_constraints"): _CatalogueTable(
        REFERENTIAL_CONSTRAINTS, _references
    ),
    (SYSTEM, "last_queries"): _CatalogueTable(LAST_QUERIES, _last_queries),
}
