"""The SQLite back-end: plans to SQL, one connection per statement, batches of the declared schema.

What comes in: the planner's queries. What goes out: Arrow batches. It must never run text that a
client wrote, nor take a value for what its column does not say: SQLite holds a column to nothing,
so every value is checked as it is read (see `sqlite_types` for how a table has to stand in a file).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import structlog
from sqlglot import exp

from flightframe_server.arrow_types import arrow_schema
from flightframe_server.backends.ending import Ending, Stop
from flightframe_server.backends.protocol import (
    BATCH_ROWS,
    Capabilities,
    RunningQuery,
    TableStatistics,
)
from flightframe_server.backends.sql.names import (
    Statement,
    column_expression,
    named,
    table_expression,
)
from flightframe_server.backends.sql.rows import edge_map_select
from flightframe_server.backends.sql.sqlite_dialect import SQLiteDialect
from flightframe_server.backends.sql.statement import statement_of
from flightframe_server.backends.sqlite_source import Connection, SQLiteSource
from flightframe_server.backends.sqlite_types import batch_of, declared_type
from flightframe_server.backends.unbounded import refuse_bounds
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.catalog.types import DataType, Kind
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    BackendTimeout,
    CatalogError,
    FlightframeError,
    SetupError,
    shown,
)
from flightframe_server.planner.source import FrameQuery, SourceQuery, TableHop
from flightframe_server.resolver.operators import REDUCERS

log = structlog.get_logger(__name__)

SAMPLE_ROWS = 65_536
_STOP_CHECK_STEPS = 20_000


class _Known:
    """What the tables are declared to hold, and the statements compiled with that."""

    def __init__(self, tables: dict[str, dict[str, DataType]]) -> None:
        self.tables = tables
        self.dialect = SQLiteDialect(tables)
        self.statement = lru_cache(maxsize=1024)(self._compile)

    def _compile(self, query: SourceQuery | FrameQuery) -> Statement:
        return statement_of(query, self.dialect)


class SQLiteBackend:
    """A SQLite database file.

    Args:
        database: path of the file.
        read_only: whether to open it so; statements never write either way.
        backend_id: part of every entry's identity.

    Raises:
        SetupError: the file is missing, locked or damaged.
    """

    def __init__(
        self,
        database: str | Path,
        *,
        read_only: bool = True,
        backend_id: str = "sqlite",
    ) -> None:
        """Open the database; see the class."""
        self.id = backend_id
        self._source = SQLiteSource(Path(database), read_only=read_only)
        self._known = _Known({})
        try:
            self._learn()
        except BackendError as error:
            self._source.close()
            raise SetupError("the database cannot be read", hint=error.message) from error

    @classmethod
    def open(cls, settings: BackendSettings, folder: Path) -> Self:
        """Open the database of an installation whose manifest is in `folder`."""
        if settings.options:
            raise SetupError(f"sqlite takes no option {shown(next(iter(settings.options)))}")
        refuse_bounds(settings)
        return cls(folder / settings.source, backend_id=f"sqlite:{Path(settings.source).name}")

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(frozenset(REDUCERS))

    def capabilities(self) -> Capabilities:
        """Return what it can do: every reducer, some by functions of ours."""
        return self.CAPABILITIES

    def tables(self) -> dict[str, dict[str, DataType]]:
        """Return each table and view of the database with its usable columns."""
        self._learn()
        return {name: dict(columns) for name, columns in self._known.tables.items()}

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the columns that are left out of `tables`; see `Backend.unanswered`."""
        found: dict[str, dict[str, str]] = {}
        for table in tables:
            rows = self._rows("SELECT name, type FROM pragma_table_xinfo(?)", (table,))
            for column, word in rows:
                if declared_type(str(word)) is None:
                    found.setdefault(table, {})[str(column)] = str(word) or "none"
        return found

    def _learn(self) -> None:
        """Read the tables' declarations, and compile with them from now on."""
        found: dict[str, dict[str, DataType]] = {}
        names = self._rows(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        for (table,) in names:
            columns = self._columns(str(table))
            if columns is not None:
                found[str(table)] = columns
        if found != self._known.tables:
            self._known = _Known(found)

    def _columns(self, table: str) -> dict[str, DataType] | None:
        """Return the usable columns of a table, or None for a view that cannot be read."""
        try:
            rows = self._rows("SELECT name, type FROM pragma_table_xinfo(?)", (table,))
        except BackendError:
            log.warning("table.unusable", table=table)
            return None
        typed = ((str(column), declared_type(str(named_type))) for column, named_type in rows)
        return {column: declared for column, declared in typed if declared is not None}

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return one sign for all tables: a SQLite file changes as a whole."""
        sign = self._source.fingerprint()
        return dict.fromkeys(tables, sign)

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> RunningQuery:
        """Start a query; see `Backend.run`. The data is that of now, whenever it is read."""
        running = _Running(self._source, self._known.statement(query), timeout)
        if stop is not None:
            # Nothing long has begun: the statement itself runs when it is first read.
            stop.attach(running)
        return running

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the SQL of a query."""
        return self._known.statement(query).sql

    def edge_map(self, hop: TableHop) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`."""
        columns = (("source", hop.source_type), ("target", hop.type))
        return self._table(edge_map_select(hop, self._known.dialect), columns)

    def duplicate(self, table: str, columns: tuple[str, ...]) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None."""
        if not columns:
            counted = exp.select(exp.Count(this=exp.Star())).from_(table_expression(table))
            return () if self._count(counted)[0] > 1 else None
        several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
        select = exp.select(*(self._stored(table, name) for name in columns))
        select = select.from_(table_expression(table)).having(several).limit(1)
        select = select.group_by(*(exp.Literal.number(at + 1) for at in range(len(columns))))
        types = tuple((name, self._known.dialect.stored_type(table, name)) for name in columns)
        rows = self._table(select, types).to_pylist()
        return tuple(rows[0][name] for name in columns) if rows else None

    def _stored(self, table: str, column: str) -> exp.Expr:
        return named(self._known.dialect.stored(table, column), column)

    def statistics(self, table: str, columns: tuple[str, ...]) -> TableStatistics:
        """Return the rows of a table and about how many members each column has.

        Raises:
            CatalogError: a DECIMAL column of it holds something else than scaled integers.
        """
        self._attest(table)
        rows = self._count(exp.select(exp.Count(this=exp.Star())).from_(table_expression(table)))[0]
        select = exp.select(exp.Count(this=exp.Star()))
        for name in columns:
            held = exp.Distinct(expressions=[column_expression(name)])
            select = select.select(exp.Count(this=held))
        select = select.from_(table_expression(table))
        if rows > SAMPLE_ROWS and self._has_rowid(table):
            every = exp.Literal.number(-(-rows // SAMPLE_ROWS))
            part = exp.Mod(this=exp.column("rowid"), expression=every)
            select = select.where(exp.EQ(this=part, expression=exp.Literal.number(0)))
        sampled, *members = self._count(select)
        pairs = zip(columns, members, strict=True)
        return TableStatistics(
            rows, {name: _members(count, sampled, rows) for name, count in pairs}
        )

    def _attest(self, table: str) -> None:
        """Refuse a table whose decimals are not scaled integers, whichever rows are asked for."""
        decimals = [
            name
            for name, declared in self._known.tables.get(table, {}).items()
            if declared.kind is Kind.DECIMAL
        ]
        whole = [exp.Literal.string("integer"), exp.Literal.string("null")]
        for name in decimals:
            kind = exp.Anonymous(this="typeof", expressions=[column_expression(name)])
            other = exp.Not(this=exp.In(this=kind, expressions=[item.copy() for item in whole]))
            select = exp.select(exp.Literal.number(1)).from_(table_expression(table))
            if self._rows(select.where(other).limit(1).sql("sqlite")):
                declared = self._known.tables[table][name]
                raise CatalogError(
                    f"{shown(table)}.{shown(name)} holds a value that is no scaled integer",
                    hint=f"{declared} stands in SQLite as the value times 10^{declared.scale}",
                )

    def _has_rowid(self, table: str) -> bool:
        # A table WITHOUT ROWID refuses the question, and the rows of a view have NULL there.
        number = exp.column("rowid")
        select = exp.select(number).from_(table_expression(table)).limit(1)
        connection = self._source.take()
        try:
            found = connection.handle.execute(select.sql("sqlite")).fetchone()
        except sqlite3.Error:
            return False
        else:
            return found is not None and found[0] is not None
        finally:
            self._source.give_back(connection)

    def _count(self, select: exp.Select) -> list[int]:
        return [int(value) for value in self._rows(select.sql("sqlite"))[0]]

    def close(self) -> None:
        """Stop what runs and close the file."""
        self._source.close()

    def _table(self, select: exp.Select, columns: tuple[tuple[str, DataType], ...]) -> pa.Table:
        running = _Running(self._source, Statement(select.sql("sqlite"), {}, columns), None)
        return pa.Table.from_batches(list(running), schema=running.schema)

    def _rows(self, sql: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        connection = self._source.take()
        try:
            return list(connection.handle.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            raise _translated(error, connection) from error
        finally:
            self._source.give_back(connection)


def _members(count: int, sampled: int, rows: int) -> int:
    """Return an estimate from above of the members of a column, from those of a sample of rows."""
    if sampled >= rows or not sampled:
        return count
    # Where most rows of the sample differ there may be as many members as rows.
    return rows if count > sampled // 2 else min(rows, 2 * count)


class _Running:
    """One statement on a connection of its own, inside one read transaction."""

    def __init__(self, source: SQLiteSource, statement: Statement, timeout: float | None) -> None:
        self.schema = arrow_schema(statement.columns)
        self._source, self._statement = source, statement
        self._ending = Ending()
        self._lock, self._stepping = threading.Lock(), threading.RLock()
        self._cursor: sqlite3.Cursor | None = None
        self._stopped: FlightframeError | None = None
        self._timer: threading.Timer | None = None
        self._connection: Connection | None = source.take()
        handle = self._connection.handle
        # An interrupt is lost on a statement that has not begun; this one is not.
        handle.set_progress_handler(lambda: self._stopped is not None, _STOP_CHECK_STEPS)
        try:
            # The transaction begins with its first read: later rows are of this version too.
            handle.execute("BEGIN")
            handle.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            fault = _translated(error, self._connection)
            self.close()
            raise fault from error
        if timeout is not None:
            late = BackendTimeout("the statement ran past its time limit")
            self._timer = threading.Timer(timeout, self._stop, (late,))
            self._timer.daemon = True
            self._timer.start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        connection = self._connection
        if connection is None:
            raise self._stopped or BackendError("the statement is closed")
        try:
            while rows := self._fetch(connection):
                yield batch_of(rows, self.schema)
        except (sqlite3.Error, OverflowError) as error:
            raise self._stopped or _translated(error, connection) from error
        except pa.ArrowException as error:
            log.error("backend.failed", kind=type(error).__name__, text=str(error)[:2000])
            raise BackendError("the database holds a value that its column cannot") from error
        finally:
            self.close()

    def _fetch(self, connection: Connection) -> list[tuple[Any, ...]]:
        with self._stepping:
            if self._stopped is not None:
                raise self._stopped
            if self._cursor is None:
                statement = self._statement
                self._cursor = connection.handle.execute(statement.sql, statement.values)
            rows: list[tuple[Any, ...]] = self._cursor.fetchmany(BATCH_ROWS)
            if self._stopped is not None:
                raise self._stopped
            return rows

    def cancel(self) -> None:
        self._stop(BackendCancelled("the statement was cancelled"))

    def _stop(self, reason: FlightframeError) -> None:
        with self._lock:
            if self._stopped is None:
                self._stopped = reason
            if self._connection is not None:
                self._connection.handle.interrupt()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            if self._stopped is None:
                self._stopped = BackendCancelled("the statement was closed")
            connection.handle.interrupt()
        with self._stepping:
            if self._cursor is not None:
                self._cursor.close()
            connection.handle.set_progress_handler(None, 0)
            if connection.handle.in_transaction:
                connection.handle.execute("ROLLBACK")
        self._source.give_back(connection)
        self._ending.tell()

    def when_over(self, then: Callable[[], None]) -> None:
        self._ending.when_over(then)


def _translated(error: Exception, connection: Connection) -> FlightframeError:
    """Return what a statement's failure is: the fault of a function of ours, or the database's."""
    if connection.fault.error is not None:
        return connection.fault.error
    if isinstance(error, OverflowError) or "integer overflow" in str(error):
        return ArithmeticOverflow("a value does not fit its declared type")
    log.error("backend.failed", kind=type(error).__name__, text=str(error)[:2000])
    return BackendError("the database refused the statement")
