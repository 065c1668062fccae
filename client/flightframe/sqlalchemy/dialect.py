"""The dialect itself: how SQLAlchemy connects, compiles, reflects and ends.

What comes in: what SQLAlchemy's engine asks of a dialect. What goes out: connections of the ADBC
Flight SQL driver and what the modules beside this one make. It must never claim what the server
does not do: no transactions, no writing, no sequences.
"""

from __future__ import annotations

from typing import Any

from adbc_driver_flightsql import dbapi
from sqlalchemy import URL, Connection
from sqlalchemy.engine import reflection as inspector
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import (
    ConnectArgsType,
    DBAPIConnection,
    DBAPIModule,
    ReflectedCheckConstraint,
    ReflectedColumn,
    ReflectedForeignKeyConstraint,
    ReflectedIndex,
    ReflectedPrimaryKeyConstraint,
    ReflectedTableComment,
    ReflectedUniqueConstraint,
)
from sqlalchemy.exc import NoSuchTableError

from flightframe.sqlalchemy import reflection
from flightframe.sqlalchemy.address import driver_address
from flightframe.sqlalchemy.compiler import FlightframeIdentifiers, FlightframeTypes
from flightframe.sqlalchemy.execution import FlightframeExecution

_SESSION = "session"
_GONE = frozenset({"IO", "CANCELLED"})


class FlightframeDialect(DefaultDialect):
    """SQLAlchemy's dialect of a flightframe server, over Arrow Flight SQL."""

    name = "flightframe"
    driver = "adbc"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    supports_multivalues_insert = False
    supports_alter = False
    supports_sequences = False
    supports_default_values = False
    supports_sane_rowcount = False
    postfetch_lastrowid = False
    insert_returning = update_returning = delete_returning = False
    supports_comments = True
    preparer = FlightframeIdentifiers
    type_compiler_cls = FlightframeTypes
    execution_ctx_cls = FlightframeExecution

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """Return the ADBC driver's DB-API module."""
        return dbapi  # type: ignore[return-value]

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        """Return what `connect` takes; see `address` for the keys of a URL."""
        address = driver_address(url)
        options = {"db_kwargs": dict(address.database), _SESSION: dict(address.session)}
        return [address.uri], {**options, "autocommit": True}

    def connect(self, *arguments: Any, **options: Any) -> DBAPIConnection:
        """Connect, and set the options of the session."""
        session = options.pop(_SESSION, {})
        connection: Any = dbapi.connect(*arguments, **options)
        try:
            if session:
                connection.adbc_connection.set_options(**session)
        except BaseException:
            connection.close()
            raise
        connected: DBAPIConnection = connection
        return connected

    def do_begin(self, dbapi_connection: Any) -> None:
        """Do nothing: there is nothing to begin."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Do nothing: there is nothing to commit."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Do nothing: nothing was written."""

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Return whether a failure means that the server cannot be reached any more."""
        code = getattr(e, "status_code", None)
        return isinstance(e, dbapi.OperationalError) and getattr(code, "name", "") in _GONE

    def _get_default_schema_name(self, connection: Connection) -> str | None:  # type: ignore[override]
        named = connection.engine.url.database
        return named or reflection.only_schema(connection)

    def _check_max_identifier_length(self, connection: Connection) -> int | None:
        return None

    @inspector.cache
    def get_schema_names(self, connection: Connection, **options: Any) -> list[str]:
        """Return the names of the collections."""
        return reflection.schema_names(connection)

    @inspector.cache
    def get_table_names(
        self, connection: Connection, schema: str | None = None, **options: Any
    ) -> list[str]:
        """Return the names of a collection's tables: `metrics` and its schemas."""
        return reflection.table_names(connection, schema or self.default_schema_name)

    @inspector.cache
    def get_view_names(
        self, connection: Connection, schema: str | None = None, **options: Any
    ) -> list[str]:
        """Return the names of a collection's saved frames."""
        return reflection.view_names(connection, schema or self.default_schema_name)

    def has_table(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> bool:
        """Return whether a collection has a table."""
        try:
            reflection.comment(connection, table_name, schema or self.default_schema_name)
        except NoSuchTableError:
            return False
        return True

    @inspector.cache
    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> list[ReflectedColumn]:
        """Return the columns of a table."""
        return reflection.columns(connection, table_name, schema or self.default_schema_name)

    @inspector.cache
    def get_table_comment(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> ReflectedTableComment:
        """Return what the collection says of a table."""
        return reflection.comment(connection, table_name, schema or self.default_schema_name)

    @inspector.cache
    def get_pk_constraint(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> ReflectedPrimaryKeyConstraint:
        """Return the key of a table."""
        return reflection.primary_key(connection, table_name, schema or self.default_schema_name)

    @inspector.cache
    def get_foreign_keys(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> list[ReflectedForeignKeyConstraint]:
        """Return where the columns of a table lead."""
        own = schema or self.default_schema_name
        keys = reflection.foreign_keys(connection, table_name, own)
        # A table that was asked for without its schema finds its neighbours without one.
        return [{**key, "referred_schema": schema} for key in keys]

    def get_indexes(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> list[ReflectedIndex]:
        """Return none."""
        return []

    def get_unique_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> list[ReflectedUniqueConstraint]:
        """Return none beside the key."""
        return []

    def get_check_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **options: Any
    ) -> list[ReflectedCheckConstraint]:
        """Return none."""
        return []
