"""A dialect of SQLAlchemy 1.4 for Superset up to 6.1: `flightframe+flightsql://host:port`.

What comes in: what SQLAlchemy 1.4 asks of a dialect. What goes out: what flightsql-dbapi makes of
it, with identifiers quoted, columns with their digits, remarks and roles, and the one collection as
the default. With SQLAlchemy 2 the client's own dialect is the one to use. It must never let an
option pass unheard: this driver cannot choose a collection, so an address with one is an error.
"""

from __future__ import annotations

from typing import Any

import pyarrow
from flightsql.dbapi import resolve_sql_type
from flightsql.sqlalchemy import DataFusionDialect
from sqlalchemy import types
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchTableError
from sqlalchemy.sql.compiler import IdentifierPreparer

REMARKS = b"ARROW:FLIGHT:SQL:REMARKS"
ROLE = b"flightframe:role"


class QuotedIdentifiers(IdentifierPreparer):  # type: ignore[misc]
    """Quotes every identifier: names that are words of SQL or of Frame-QL are names."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class FlightframeFlightSQLDialect(DataFusionDialect):  # type: ignore[misc]
    """SQLAlchemy 1.4's dialect of a flightframe server, over flightsql-dbapi."""

    name = "flightframe"
    driver = "flightsql"
    preparer = QuotedIdentifiers
    supports_statement_cache = True
    supports_native_decimal = True

    def create_connect_args(self, url: URL) -> list[Any]:
        """Return what `connect` takes.

        Raises:
            ArgumentError: the address names a collection.
        """
        if url.database:
            raise ArgumentError(
                f"flightframe+flightsql:// cannot choose the collection {url.database!r}: take it"
                " off the address, and write it before the table, as in retail_full.metrics"
            )
        arguments: list[Any] = super().create_connect_args(url)
        return arguments

    def _get_default_schema_name(self, connection: Any) -> str | None:
        names = self.get_schema_names(connection)
        return names[0] if len(names) == 1 else None

    def get_columns(
        self, connection: Any, table: str, schema: str | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        """Return the columns of a table; `info` says whether one is a level or a metric.

        Raises:
            NoSuchTableError: there is no such table.
        """
        client = connection.connection.client
        asked = client.get_tables(
            table_name_filter_pattern=table, db_schema_filter_pattern=schema, include_schema=True
        )
        rows = client.do_get(asked.endpoints[0].ticket).read_all().to_pylist()
        # The name is a pattern there, in which `_` stands for any letter.
        named = [row for row in rows if row["table_name"].lower() == table.lower()]
        if not named:
            raise NoSuchTableError(table)
        with pyarrow.ipc.open_stream(named[0]["table_schema"]) as reader:
            return [_column(field) for field in reader.schema]


def _column(field: Any) -> dict[str, Any]:
    said = {key: value.decode() for key, value in (field.metadata or {}).items()}
    kind = resolve_sql_type(field.type)
    if kind is types.DECIMAL:
        kind = types.DECIMAL(field.type.precision, field.type.scale)
    return {
        "name": field.name,
        "type": kind,
        "nullable": field.nullable,
        "default": None,
        "comment": said.get(REMARKS),
        "info": {ROLE.decode(): said[ROLE]} if ROLE in said else {},
    }
