"""The SQLite back-end: plans to SQL, one connection per statement, batches of the declared schema.

What comes in: the planner's queries. What goes out: Arrow batches. It must never run text that a
client wrote, nor take a value for what its column does not say: SQLite holds a column to nothing,
so every value is checked as it is read (see `types` for how a table has to stand in a file).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

import pyarrow as pa
from sqlglot import exp

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import INTEGER, DataType
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import (
    Fingerprints,
    RunningQuery,
    SourceMoved,
    TableStatistics,
)
from flightframe_server.backends.sql.names import (
    Statement,
    column_expression,
    named,
    table_expression,
)
from flightframe_server.backends.sql.rows import edge_map_select
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.backends.sqlite.examine import examine_decimals
from flightframe_server.backends.sqlite.reading import Reading, SchemaRow
from flightframe_server.backends.sqlite.schema import Compiler, read_tables
from flightframe_server.backends.sqlite.source import SQLiteSource
from flightframe_server.backends.sqlite.sql_terms import FUNCTIONS
from flightframe_server.backends.sqlite.statement import SQLiteRunning, translated
from flightframe_server.backends.unbounded import refuse_bounds
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import BackendError, SetupError, shown
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery

SAMPLE_ROWS = 65_536
_SCHEMAS_KEPT = 8


class SQLiteBackend:
    """A SQLite database file.

    Args:
        database: path of the file.
        read_only: whether to open it so; statements never write either way.
        backend_id: part of every entry's identity.
        form: how decimals stand in the file.

    Raises:
        SetupError: the file is missing, locked or damaged, or holds a decimal in the other form.
    """

    def __init__(
        self,
        database: str | Path,
        *,
        read_only: bool = True,
        backend_id: str = "sqlite",
        form: DecimalForm = DecimalForm.NUMBERS,
    ) -> None:
        """Open the database; see the class."""
        self.id = backend_id if form is DecimalForm.NUMBERS else f"{backend_id}:{form}"
        self._form = form
        self._compilers: dict[tuple[SchemaRow, ...], Compiler] = {}
        self._latest = Compiler({})
        self._source = SQLiteSource(Path(database), read_only=read_only)
        try:
            with self._reading((), None) as (reading, compiler):
                self._latest = compiler
                examine_decimals(reading.handle, compiler.tables, form)
        except (BackendError, SourceMoved) as error:
            self._source.close()
            text = error.message if isinstance(error, BackendError) else "it is being written to"
            raise SetupError("the database cannot be read", hint=text) from error
        except SetupError:
            self._source.close()
            raise

    @classmethod
    def open(cls, settings: BackendSettings, folder: Path) -> Self:
        """Open the database of an installation whose manifest is in `folder`."""
        refuse_bounds(settings)
        return cls(
            folder / settings.source,
            backend_id=f"sqlite:{Path(settings.source).name}",
            form=_form(settings),
        )

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(frozenset(Primitive), frozenset(FUNCTIONS))

    def capabilities(self) -> Capabilities:
        """Return what it can do: every reducer, some by functions of ours."""
        return self.CAPABILITIES

    def tables(self, at: Fingerprints | None = None) -> dict[str, dict[str, DataType]]:
        """Return each table and view of the database with its usable columns."""
        with self._reading(at or {}, at) as (_, compiler):
            self._latest = compiler
        return {name: dict(types) for name, types in compiler.types.items()}

    def unanswered(self, tables: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the columns left out of `tables`, with the type that each was declared with."""
        with self._reading((), None) as (_, compiler):
            known = compiler.tables
        unanswered = {table: known[table].unanswered for table in tables if table in known}
        return {table: dict(columns) for table, columns in unanswered.items() if columns}

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return one sign for all tables: a SQLite file changes as a whole."""
        return dict.fromkeys(tables, self._source.sign())

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> RunningQuery:
        """Start a query; see `Backend.run`. Its version is that of now, whenever it is read."""
        reading = self._source.begin(_sign_at(query.tables, at), token)
        with self._ended_on_error(reading):
            compiler = self._compiler(reading)
            if not compiler.fits(query):
                raise SourceMoved
            running = SQLiteRunning(self._source, reading, compiler.statement(query))
        if token is not None:
            token.attach(running)
        return running

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the SQL of a query."""
        return self._latest.statement(query).sql

    def edge_map(
        self, hop: TableHop, *, at: Fingerprints | None = None, token: CancelToken | None = None
    ) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`."""
        columns = (("source", hop.source_type), ("target", hop.type))
        reading = self._source.begin(_sign_at((hop.table,), at), token)
        with self._ended_on_error(reading):
            compiler = self._compiler(reading)
            if not compiler.fits(hop):
                raise SourceMoved
            select = edge_map_select(hop, compiler.dialect)
        return self._table(reading, select, columns, token)

    def duplicate(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None; an enforced key reads no row."""
        reading = self._source.begin(_sign_at((table,), at), token)
        with self._ended_on_error(reading):
            compiler = self._compiler(reading)
            facts = compiler.tables.get(table)
            unique = facts is not None and any(key <= set(columns) for key in facts.keys)
            select = None if unique else _repeated(compiler, table, columns)
        if select is None:
            self._source.end(reading)
            return None
        if not columns:
            return (
                ()
                if self._table(reading, select, (("one", INTEGER),), token).num_rows > 1
                else None
            )
        types = tuple((name, compiler.dialect.stored_type(table, name)) for name in columns)
        rows = self._table(reading, select, types, token).to_pylist()
        return tuple(rows[0][name] for name in columns) if rows else None

    def statistics(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> TableStatistics:
        """Return the rows of a table and about how many members each column has."""
        rows = self._counts(exp.select(_star()).from_(table_expression(table)), table, at, token)[0]
        if not columns:
            return TableStatistics(rows, {})
        select = exp.select(_star())
        for name in columns:
            distinct = exp.Distinct(expressions=[column_expression(name)])
            select = select.select(exp.Count(this=distinct))
        select = select.from_(table_expression(table))
        number = self._row_number(table)
        if rows > SAMPLE_ROWS and number is not None:
            every = exp.Literal.number(-(-rows // SAMPLE_ROWS))
            part = exp.Mod(this=exp.column(number), expression=every)
            select = select.where(exp.EQ(this=part, expression=exp.Literal.number(0)))
        sampled, *members = self._counts(select, table, at, token)
        pairs = zip(columns, members, strict=True)
        return TableStatistics(
            rows, {name: _members(count, sampled, rows) for name, count in pairs}
        )

    def close(self) -> None:
        """Stop what runs and close the file."""
        self._source.close()

    @contextmanager
    def _reading(
        self, tables: Collection[str], at: Fingerprints | None, token: CancelToken | None = None
    ) -> Iterator[tuple[Reading, Compiler]]:
        with self._source.reading(_sign_at(tables, at), token) as reading:
            try:
                yield reading, self._compiler(reading)
            except (sqlite3.Error, OverflowError) as error:
                reading.check()
                raise translated(error, reading.connection.fault) from error

    @contextmanager
    def _ended_on_error(self, reading: Reading) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            moved, fault = reading.moved(), error
            if isinstance(error, sqlite3.Error):
                fault = translated(error, reading.connection.fault)
            self._source.end(reading)
            if moved:
                raise SourceMoved from error
            raise fault from error

    def _compiler(self, reading: Reading) -> Compiler:
        """Return what compiles for the very tables that a transaction reads."""
        known = self._compilers.get(reading.schema)
        if known is None:
            known = Compiler(read_tables(reading.handle, reading.schema), self._form)
            latest = list(self._compilers.items())[1 - _SCHEMAS_KEPT :]
            self._compilers = {**dict(latest), reading.schema: known}
        return known

    def _row_number(self, table: str) -> str | None:
        facts = self._latest.tables.get(table)
        return None if facts is None else facts.number

    def _counts(
        self, select: exp.Select, table: str, at: Fingerprints | None, token: CancelToken | None
    ) -> list[int]:
        columns = tuple((f"n{index}", INTEGER) for index in range(len(select.expressions)))
        reading = self._source.begin(_sign_at((table,), at), token)
        (row,) = self._table(reading, select, columns, token).to_pylist()
        return [int(row[name]) for name, _ in columns]

    def _table(
        self,
        reading: Reading,
        select: exp.Select,
        columns: tuple[tuple[str, DataType], ...],
        token: CancelToken | None,
    ) -> pa.Table:
        running = SQLiteRunning(self._source, reading, Statement(select.sql("sqlite"), {}, columns))
        if token is not None:
            token.attach(running)
        return pa.Table.from_batches(list(running), schema=running.schema)


def _form(settings: BackendSettings) -> DecimalForm:
    options = dict(settings.options)
    named = options.pop("decimals", DecimalForm.NUMBERS)
    if options:
        raise SetupError(
            f"sqlite takes no option {shown(next(iter(options)))}", hint="it takes decimals"
        )
    if named not in list(DecimalForm):
        raise SetupError(
            f"decimals cannot be {shown(named)}", hint=f"they are {' or '.join(DecimalForm)}"
        )
    return DecimalForm(str(named))


def _sign_at(tables: Collection[str], at: Fingerprints | None) -> str | None:
    """Return the one sign that is wanted for some tables, or None where any version will do."""
    signs = {at[table] for table in tables if table in at} - {None} if at else set()
    if len(signs) > 1:
        # All tables of a file have one sign, so that it never was of this version.
        raise SourceMoved
    return signs.pop() if signs else None


def _star() -> exp.Expr:
    return exp.Count(this=exp.Star())


def _repeated(compiler: Compiler, table: str, columns: tuple[str, ...]) -> exp.Select:
    """Return the SELECT of one key that stands on several rows; of two rows for no columns."""
    if not columns:
        constant = named(exp.Literal.number(1), "one")
        return exp.select(constant).from_(table_expression(table)).limit(2)
    several = exp.GT(this=_star(), expression=exp.Literal.number(1))
    stored = compiler.dialect.stored
    select = exp.select(*(named(stored(table, name), name) for name in columns))
    select = select.from_(table_expression(table)).having(several).limit(1)
    return select.group_by(*(exp.Literal.number(at + 1) for at in range(len(columns))))


def _members(count: int, sampled: int, rows: int) -> int:
    """Return an estimate from above of the members of a column, from those of a sample of rows."""
    if sampled >= rows or not sampled:
        return count
    # Where most rows of the sample differ there may be as many members as rows.
    return rows if count > sampled // 2 else min(rows, 2 * count)
