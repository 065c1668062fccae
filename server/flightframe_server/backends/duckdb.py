"""The DuckDB back-end: plans to SQL, one cursor per statement, batches of the declared schema.

What comes in: the planner's queries. What goes out: Arrow batches. It must never run text that a
client wrote: every statement is generated, every value bound.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import duckdb
import pyarrow as pa
import structlog
from sqlglot import exp

from flightframe_server.arrow_types import arrow_schema, conform
from flightframe_server.backends.duckdb_source import DuckDBSource, bounds
from flightframe_server.backends.duckdb_types import declared_type
from flightframe_server.backends.ending import Ending, Stop
from flightframe_server.backends.protocol import (
    BATCH_ROWS,
    Capabilities,
    RunningQuery,
    TableStatistics,
)
from flightframe_server.backends.sql.dialect import SqlDialect
from flightframe_server.backends.sql.duckdb_functions import MISFIT
from flightframe_server.backends.sql.names import (
    Statement,
    column_expression,
    table_expression,
)
from flightframe_server.backends.sql.rows import edge_map_select
from flightframe_server.backends.sql.statement import statement_of
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.catalog.types import DataType
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    BackendTimeout,
    FlightframeError,
    LimitExceeded,
)
from flightframe_server.planner.source import FrameQuery, SourceQuery, TableHop
from flightframe_server.resolver.operators import REDUCERS

log = structlog.get_logger(__name__)

# An error that comes out of a stream has lost its class.
_MISFITS = (MISFIT, "Conversion Error", "Out of Range", "out of range", "Overflow")
INSIST_SECONDS = 0.05


class DuckDBBackend:
    """A DuckDB database file.

    Args:
        database: path of the file.
        read_only: whether to open it so.
        backend_id: part of every entry's identity.
        settings: DuckDB settings, such as `memory_limit` or `threads`.

    Raises:
        SetupError: the file is missing, locked or damaged.
    """

    def __init__(
        self,
        database: str | Path,
        *,
        read_only: bool = True,
        backend_id: str = "duckdb",
        settings: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        """Open the database; see the class."""
        self.id = backend_id
        self._dialect = SqlDialect()
        given = {key: str(value) for key, value in (settings or {}).items()}
        self._source = DuckDBSource(Path(database), read_only=read_only, settings=given)
        self._statement = lru_cache(maxsize=1024)(self._compile)

    @classmethod
    def open(cls, settings: BackendSettings, folder: Path) -> Self:
        """Open the database of an installation whose manifest is in `folder`."""
        return cls(
            folder / settings.source,
            backend_id=f"duckdb:{Path(settings.source).name}",
            settings={**bounds(settings), **settings.options},
        )

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(frozenset(REDUCERS))

    def capabilities(self) -> Capabilities:
        """Return what DuckDB can do: everything."""
        return self.CAPABILITIES

    def tables(self) -> dict[str, dict[str, DataType]]:
        """Return each table and view of the database with its usable columns."""
        found: dict[str, dict[str, DataType]] = {}
        for table, column, named in self._columns():
            declared = declared_type(named)
            columns = found.setdefault(table, {})
            if declared is not None:
                columns[column] = declared
        return found

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the columns that are left out of `tables`; see `Backend.unanswered`."""
        found: dict[str, dict[str, str]] = {}
        for table, column, named in self._columns():
            if table in tables and declared_type(named) is None:
                found.setdefault(table, {})[column] = named
        return found

    def _columns(self) -> Iterator[tuple[str, str, str]]:
        """Yield the table, name and type of every column, in the tables' order."""
        rows = self._rows(
            "SELECT table_schema, table_name, column_name, data_type"
            " FROM information_schema.columns ORDER BY ordinal_position"
        )
        for schema, table, column, named in rows:
            yield str(table) if schema == "main" else f"{schema}.{table}", str(column), str(named)

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return one sign for all tables: a DuckDB file changes as a whole."""
        sign = self._source.fingerprint()
        return dict.fromkeys(tables, sign)

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> RunningQuery:
        """Start a query; see `Backend.run`."""
        return _Running(self._source, self._statement(query), timeout, stop)

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the SQL of a query."""
        return self._statement(query).sql

    def _compile(self, query: SourceQuery | FrameQuery) -> Statement:
        return statement_of(query, self._dialect)

    def edge_map(self, hop: TableHop) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`."""
        sql = edge_map_select(hop, self._dialect).sql(self._dialect.name)
        columns = (("source", hop.source_type), ("target", hop.type))
        running = _Running(self._source, Statement(sql, {}, columns))
        return pa.Table.from_batches(list(running), schema=running.schema)

    def duplicate(self, table: str, columns: tuple[str, ...]) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None."""
        keys = [column_expression(name) for name in columns]
        several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
        select = exp.select(*keys).from_(table_expression(table)).having(several).limit(1)
        if keys:
            select = select.group_by(*(key.copy() for key in keys))
        rows = self._rows(select.sql(self._dialect.name))
        return tuple(rows[0]) if rows else None

    def statistics(self, table: str, columns: tuple[str, ...]) -> TableStatistics:
        """Return the rows of a table and about how many members each column has."""
        select = exp.select(exp.Count(this=exp.Star()))
        for name in columns:
            counted = exp.Anonymous(
                this="approx_count_distinct", expressions=[column_expression(name)]
            )
            select = select.select(counted)
        select = select.from_(table_expression(table))
        rows, *members = self._rows(select.sql(self._dialect.name))[0]
        pairs = zip(columns, members, strict=True)
        return TableStatistics(int(rows), {name: int(count) for name, count in pairs})

    def close(self) -> None:
        """Stop what runs and close the file."""
        self._source.close()

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._source.cursor() as cursor:
            try:
                return list(cursor.execute(sql).fetchall())
            except duckdb.Error as error:
                raise _translated(error, expired=False, cancelled=False) from error


class _Running:
    """One statement on a cursor of its own."""

    def __init__(
        self,
        source: DuckDBSource,
        statement: Statement,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.schema = arrow_schema(statement.columns)
        self._source = source
        self._ending = Ending()
        self._cursor: duckdb.DuckDBPyConnection | None = source.take()
        self._expired = threading.Event()
        self._cancelled = threading.Event()
        self._timer: threading.Timer | None = None
        if timeout is not None:
            self._expire_in(timeout)
        if stop is not None:
            stop.attach(self)
        try:
            relation = self._cursor.sql(statement.sql, params=statement.values or None)
            self._reader: pa.RecordBatchReader = relation.to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError) as error:
            self.close()
            raise self._fault(error) from error

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._reader:
                yield conform(batch, self.schema)
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._fault(error) from error
        finally:
            self.close()

    def cancel(self) -> None:
        self._cancelled.set()
        self._interrupt()

    def _expire_in(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        self._expired.set()
        self._interrupt()
        # DuckDB may overlook an interrupt that comes between two steps.
        if self._cursor is not None:
            self._expire_in(INSIST_SECONDS)

    def _interrupt(self) -> None:
        cursor = self._cursor
        if cursor is not None:
            # It may have been given back in the same moment.
            with suppress(duckdb.Error):
                cursor.interrupt()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            reader = getattr(self, "_reader", None)
            if reader is not None:
                reader.close()
            self._source.give_back(cursor)
            self._ending.tell()

    def when_over(self, then: Callable[[], None]) -> None:
        self._ending.when_over(then)

    def _fault(self, error: Exception) -> FlightframeError:
        if isinstance(error, FlightframeError):
            return error
        return _translated(
            error, expired=self._expired.is_set(), cancelled=self._cancelled.is_set()
        )


def _translated(error: Exception, *, expired: bool, cancelled: bool) -> FlightframeError:
    text = str(error)
    if cancelled:
        return BackendCancelled("the statement was cancelled")
    if expired:
        return BackendTimeout("the statement ran past its time limit")
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in text:
        log.warning("backend.out_of_memory", text=text[:2000])
        return LimitExceeded(
            "the statement needs more memory or disk than the database may take",
            hint="ask at a coarser anchor, or for less of the data",
        )
    out_of_range = isinstance(error, duckdb.OutOfRangeException | duckdb.ConversionException)
    if out_of_range or any(sign in text for sign in _MISFITS):
        return ArithmeticOverflow("a value does not fit its declared type")
    log.error("backend.failed", kind=type(error).__name__, text=text[:2000])
    return BackendError("the database refused the statement")
