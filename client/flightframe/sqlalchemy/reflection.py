"""What the information schema says of tables, columns and keys, as SQLAlchemy's inspector asks.

What comes in: a connection and names. What goes out: the inspector's own dictionaries. It must
never list what the server does not publish, nor leave out a key that it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, types
from sqlalchemy.engine.interfaces import (
    ReflectedColumn,
    ReflectedForeignKeyConstraint,
    ReflectedPrimaryKeyConstraint,
    ReflectedTableComment,
)
from sqlalchemy.exc import ArgumentError, NoSuchTableError

_TYPES: Mapping[str, Callable[[], types.TypeEngine[Any]]] = {
    "BIGINT": types.BIGINT,
    "DOUBLE": types.DOUBLE,
    "VARCHAR": types.VARCHAR,
    "DATE": types.DATE,
    "TIMESTAMP": types.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": lambda: types.TIMESTAMP(timezone=True),
    "BOOLEAN": types.BOOLEAN,
}

Row = Mapping[str, Any]


def schema_names(connection: Connection) -> list[str]:
    """Return the names of the collections, sorted."""
    query = "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name"
    return [str(row["schema_name"]) for row in _rows(connection, query)]


def only_schema(connection: Connection) -> str | None:
    """Return the one collection that is published; None where there are several."""
    names = schema_names(connection)
    return names[0] if len(names) == 1 else None


def table_names(connection: Connection, schema: str | None) -> list[str]:
    """Return the names of a collection's tables, sorted, without its saved frames."""
    return _names_of(connection, schema, "BASE TABLE")


def view_names(connection: Connection, schema: str | None) -> list[str]:
    """Return the names of a collection's saved frames, sorted."""
    return _names_of(connection, schema, "VIEW")


def _names_of(connection: Connection, schema: str | None, kind: str) -> list[str]:
    query = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
        " AND table_type = ? ORDER BY table_name"
    )
    return [str(row["table_name"]) for row in _rows(connection, query, _named(schema), kind)]


def columns(connection: Connection, table: str, schema: str | None) -> list[ReflectedColumn]:
    """Return the columns of a table, in their order.

    Raises:
        NoSuchTableError: there is no such table.
    """
    query = (
        "SELECT column_name, data_type, numeric_precision, numeric_scale, is_nullable,"
        " column_comment FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position"
    )
    rows = _rows(connection, query, _named(schema), table)
    if not rows:
        raise NoSuchTableError(table)
    return [
        {
            "name": row["column_name"],
            "type": _type(row),
            "nullable": row["is_nullable"] == "YES",
            "default": None,
            "comment": row["column_comment"],
        }
        for row in rows
    ]


def comment(connection: Connection, table: str, schema: str | None) -> ReflectedTableComment:
    """Return what the collection says of a table.

    Raises:
        NoSuchTableError: there is no such table.
    """
    query = (
        "SELECT table_comment FROM information_schema.tables"
        " WHERE table_schema = ? AND table_name = ?"
    )
    rows = _rows(connection, query, _named(schema), table)
    if not rows:
        raise NoSuchTableError(table)
    return {"text": rows[0]["table_comment"]}


def primary_key(
    connection: Connection, table: str, schema: str | None
) -> ReflectedPrimaryKeyConstraint:
    """Return the key of a table: the grain of its schema; without columns where it has none."""
    own = _key_columns(connection, _named(schema), table)
    (name, key), *_ = [
        *((name, rows) for name, rows in own.items() if not _refers(rows)),
        (None, []),
    ]
    return {"name": name, "constrained_columns": [row["column_name"] for row in key]}


def foreign_keys(
    connection: Connection, table: str, schema: str | None
) -> list[ReflectedForeignKeyConstraint]:
    """Return where the columns of a table lead: along edges and look-ups, to another's key."""
    named = _named(schema)
    query = (
        "SELECT constraint_name, unique_constraint_name"
        " FROM information_schema.referential_constraints WHERE constraint_schema = ?"
    )
    targets = {
        row["constraint_name"]: row["unique_constraint_name"]
        for row in _rows(connection, query, named)
    }
    constraints: list[ReflectedForeignKeyConstraint] = []
    for name, rows in _key_columns(connection, named, table).items():
        if not _refers(rows):
            continue
        target = _key(connection, named, targets[name])
        by_position = {row["ordinal_position"]: row["column_name"] for row in target}
        constraints.append(
            {
                "name": name,
                "constrained_columns": [row["column_name"] for row in rows],
                "referred_schema": schema,
                "referred_table": target[0]["table_name"],
                "referred_columns": [
                    by_position[row["position_in_unique_constraint"]] for row in rows
                ],
            }
        )
    return constraints


def _named(schema: str | None) -> str:
    if schema is None:
        raise ArgumentError(
            "the server has several collections: name one, as in flightframe://host:port/NAME,"
            " or by schema="
        )
    return schema


def _refers(rows: list[Row]) -> bool:
    return rows[0]["position_in_unique_constraint"] is not None


def _key_columns(connection: Connection, schema: str, table: str) -> dict[str, list[Row]]:
    """Return the columns of each key of a table, by the key's name."""
    query = (
        "SELECT constraint_name, column_name, position_in_unique_constraint"
        " FROM information_schema.key_column_usage"
        " WHERE table_schema = ? AND table_name = ? ORDER BY constraint_name, ordinal_position"
    )
    keys: dict[str, list[Row]] = {}
    for row in _rows(connection, query, schema, table):
        keys.setdefault(row["constraint_name"], []).append(row)
    return keys


def _key(connection: Connection, schema: str, name: str) -> list[Row]:
    query = (
        "SELECT table_name, column_name, ordinal_position"
        " FROM information_schema.key_column_usage"
        " WHERE constraint_schema = ? AND constraint_name = ? ORDER BY ordinal_position"
    )
    return _rows(connection, query, schema, name)


def _type(row: Row) -> types.TypeEngine[Any]:
    if row["data_type"] == "DECIMAL":
        return types.DECIMAL(row["numeric_precision"], row["numeric_scale"])
    return _TYPES.get(row["data_type"], types.NullType)()


def _rows(connection: Connection, query: str, *values: str) -> list[Row]:
    return list(connection.exec_driver_sql(query, values).mappings().all())  # type: ignore[arg-type]
