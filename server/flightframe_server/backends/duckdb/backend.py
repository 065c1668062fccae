"""The DuckDB back-end: plans to SQL, one cursor per statement, batches of the declared schema.

What comes in: the planner's queries, and the version of the data that they must read. What goes
out: Arrow batches of that version. It must never run text that a client wrote: every statement is
generated, every value bound.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
from sqlglot import exp

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import DataType
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.duckdb.clocks import corrections
from flightframe_server.backends.duckdb.dialect import DuckDBDialect
from flightframe_server.backends.duckdb.key_order import are_increasing
from flightframe_server.backends.duckdb.reading import Reading, Running
from flightframe_server.backends.duckdb.source import DuckDBSource, bounds
from flightframe_server.backends.duckdb.sql_functions import FUNCTIONS
from flightframe_server.backends.duckdb.types import declared_type
from flightframe_server.backends.protocol import (
    Fingerprints,
    RunningQuery,
    TableStatistics,
)
from flightframe_server.backends.sql.names import (
    Statement,
    column_expression,
    table_expression,
)
from flightframe_server.backends.sql.rows import edge_map_select
from flightframe_server.backends.sql.statement import (
    STATEMENTS_BYTES,
    statement_bytes,
    statement_of,
)
from flightframe_server.bounded_cache import cached
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery

_COLUMNS = (
    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_catalog = current_database() ORDER BY ordinal_position"
)
_CONSTRAINTS = (
    "SELECT constraint_type, constraint_column_names FROM duckdb_constraints()"
    " WHERE database_name = current_database()"
    " AND lower(schema_name) = ? AND lower(table_name) = ?"
)
_COLLATIONS = (
    "SELECT bool_or(contains(lower(sql), 'collate')) FROM"
    " (SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal)"
)
_UNIQUE = ("PRIMARY KEY", "UNIQUE")


class DuckDBBackend:
    """A DuckDB database file, which is read and never written.

    Args:
        database: path of the file.
        backend_id: part of every entry's identity.
        settings: DuckDB settings, such as `memory_limit` or `threads`.

    Raises:
        SetupError: the file is missing, locked or damaged.
    """

    def __init__(
        self,
        database: str | Path,
        *,
        backend_id: str = "duckdb",
        settings: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        """Open the database; see the class."""
        self.id = backend_id
        options = {key: str(value) for key, value in (settings or {}).items()}
        self._dialect = DuckDBDialect(corrections, collates="default_collation" in options)
        self._source = DuckDBSource(Path(database), settings=options)
        self._statement = self._no_statements()

    def _no_statements(self) -> Callable[[SourceQuery | FrameQuery], Statement]:
        dialect = self._dialect
        return cached(lambda query: statement_of(query, dialect), statement_bytes, STATEMENTS_BYTES)

    @classmethod
    def open(cls, settings: BackendSettings, folder: Path) -> Self:
        """Open the database of an installation whose manifest is in `folder`."""
        return cls(
            folder / settings.source,
            backend_id=f"duckdb:{Path(settings.source).name}",
            settings={**bounds(settings), **settings.options},
        )

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(frozenset(Primitive), frozenset(FUNCTIONS))

    def capabilities(self) -> Capabilities:
        """Return what DuckDB can do: everything."""
        return self.CAPABILITIES

    def tables(
        self, at: Fingerprints | None = None, *, token: CancelToken | None = None
    ) -> dict[str, dict[str, DataType]]:
        """Return each table and view of the database with its usable columns."""
        versions = _versions(at or {}, at or ())
        self._note_collations(versions, token)
        tables: dict[str, dict[str, DataType]] = {}
        for table, column, named in self._columns(versions, token):
            declared = declared_type(named)
            columns = tables.setdefault(table, {})
            if declared is not None:
                columns[column] = declared
        return tables

    def _note_collations(self, versions: frozenset[str], token: CancelToken | None) -> None:
        """Read every text as it is from now on, if the database may collate one.

        Its types are asked before anything is read of a version, and this with them.
        """
        if not self._dialect.collates and self._rows(_COLLATIONS, (), versions, token)[0][0]:
            self._dialect = DuckDBDialect(corrections, collates=True)
            self._statement = self._no_statements()

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the columns that are left out of `tables`; see `Backend.unanswered`."""
        unanswered: dict[str, dict[str, str]] = {}
        for table, column, named in self._columns(frozenset(), None):
            if table in tables and declared_type(named) is None:
                unanswered.setdefault(table, {})[column] = named
        return unanswered

    def _columns(
        self, versions: frozenset[str], token: CancelToken | None
    ) -> Iterator[tuple[str, str, str]]:
        """Yield the table, name and type of every column, in the tables' order."""
        for schema, table, column, named in self._rows(_COLUMNS, (), versions, token):
            yield str(table) if schema == "main" else f"{schema}.{table}", str(column), str(named)

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return one version for all tables: a DuckDB file changes as a whole."""
        version = self._source.fingerprint()
        return dict.fromkeys(tables, version)

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> RunningQuery:
        """Start a query; see `Backend.run`."""
        versions = _versions(at or {}, query.tables)
        return Running(self._source, self._statement(query), versions, token=token)

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the SQL of a query."""
        return self._statement(query).sql

    def edge_map(
        self, hop: TableHop, *, at: Fingerprints | None = None, token: CancelToken | None = None
    ) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`."""
        sql = edge_map_select(hop, self._dialect).sql(self._dialect.name)
        columns = (("source", hop.source_type), ("target", hop.type))
        versions = _versions(at or {}, (hop.table,))
        running = Running(self._source, Statement(sql, {}, columns), versions, token=token)
        return pa.Table.from_batches(list(running), schema=running.schema)

    def duplicate(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None; reads only what DuckDB does not."""
        versions = _versions(at or {}, (table,))
        schema, _, name = table.rpartition(".")
        place = (schema.lower() or "main", name.lower())
        if _is_unique(self._rows(_CONSTRAINTS, place, versions, token), columns):
            return None
        keys = [column_expression(column) for column in columns]
        if keys and self._stand_in_order(table, keys, versions, token):
            return None
        several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
        select = exp.select(*keys).from_(table_expression(table)).having(several).limit(1)
        if keys:
            select = select.group_by(*(key.copy() for key in keys))
        rows = self._rows(select.sql(self._dialect.name), (), versions, token)
        return tuple(rows[0]) if rows else None

    def _stand_in_order(
        self,
        table: str,
        keys: Sequence[exp.Expr],
        versions: frozenset[str],
        token: CancelToken | None,
    ) -> bool:
        """Return whether keys are surely unique: most stand in order, and one look tells that."""
        select = exp.select(*(key.copy() for key in keys)).from_(table_expression(table))
        reading = Reading(self._source, versions, token=token)
        try:
            reading.begin(Statement(select.sql(self._dialect.name), {}, ()))
            return are_increasing(reading.next)
        finally:
            reading.close()

    def statistics(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> TableStatistics:
        """Return the rows of a table and about how many members each column has."""
        select = exp.select(exp.Count(this=exp.Star()))
        for name in columns:
            counted = exp.Anonymous(
                this="approx_count_distinct", expressions=[column_expression(name)]
            )
            select = select.select(counted)
        sql = select.from_(table_expression(table)).sql(self._dialect.name)
        rows, *members = self._rows(sql, (), _versions(at or {}, (table,)), token)[0]
        pairs = zip(columns, members, strict=True)
        return TableStatistics(int(rows), {name: int(count) for name, count in pairs})

    def close(self) -> None:
        """Stop what runs and close the file."""
        self._source.close()

    def _rows(
        self,
        sql: str,
        values: Sequence[object],
        versions: frozenset[str],
        token: CancelToken | None,
    ) -> list[tuple[Any, ...]]:
        return Reading(self._source, versions, token=token).rows(sql, values)


def _versions(at: Fingerprints, tables: Collection[str]) -> frozenset[str]:
    """Return the versions that some tables must be of."""
    versions = (at.get(table) for table in tables)
    return frozenset(version for version in versions if version is not None)


def _is_unique(constraints: list[tuple[Any, ...]], columns: tuple[str, ...]) -> bool:
    """Return whether DuckDB keeps these columns unique, NULL taken for one value.

    A key over some of the columns makes all of them unique. Under UNIQUE alone, NULL may stand on
    several rows.
    """
    never_null: set[str] = set()
    for kind, names in constraints:
        if kind in ("NOT NULL", "PRIMARY KEY"):
            never_null.update(name.lower() for name in names)
    keys = {name.lower() for name in columns} & never_null
    return any(
        kind in _UNIQUE and names and keys.issuperset(name.lower() for name in names)
        for kind, names in constraints
    )
