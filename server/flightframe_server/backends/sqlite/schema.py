"""What a SQLite database declares: types of columns, keys that it enforces, and what is left out.

What comes in: a connection in a transaction, and the rows of its schema. What goes out: frozen
facts about its tables. It must never take a key for enforced under which two rows may be read as
one value.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.backends.sql.names import Statement, identifier
from flightframe_server.backends.sql.statement import (
    STATEMENTS_BYTES,
    statement_bytes,
    statement_of,
)
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.backends.sqlite.dialect import SQLiteDialect
from flightframe_server.backends.sqlite.reading import SchemaRow
from flightframe_server.backends.sqlite.types import declared_type
from flightframe_server.bounded_cache import cached
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import (
    FetchedRead,
    FrameQuery,
    SourceQuery,
    StoredRead,
)

log = structlog.get_logger(__name__)

_ROW_NUMBERS = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What one table or view declares.

    Attributes:
        types: its usable columns.
        unanswered: the other columns, each with the type that it was declared with.
        keys: sets of columns of which no two rows hold the same values.
        number: the name of the row's number; None where rows have none.
    """

    types: Mapping[str, DataType]
    unanswered: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[frozenset[str]] = frozenset()
    number: str | None = None


def read_tables(
    handle: sqlite3.Connection, schema: tuple[SchemaRow, ...]
) -> Mapping[str, TableFacts]:
    """Return every table and view that can be read."""
    tables: dict[str, TableFacts] = {}
    for kind, name, _ in sorted(schema, key=lambda row: row[1]):
        if kind not in ("table", "view") or name.startswith("sqlite_"):
            continue
        try:
            tables[name] = _facts(handle, name, kind)
        except sqlite3.OperationalError:
            log.warning("table.unusable", table=name)
    return tables


def _facts(handle: sqlite3.Connection, table: str, kind: str) -> TableFacts:
    rows = handle.execute(
        'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', (table,)
    ).fetchall()
    types: dict[str, DataType] = {}
    unanswered: dict[str, str] = {}
    for name, declared, _, _ in rows:
        type_ = declared_type(str(declared))
        if type_ is None:
            unanswered[str(name)] = str(declared) or "none"
        else:
            types[str(name)] = type_
    if kind == "view":
        return TableFacts(types, unanswered)
    number = _row_number(handle, table, {str(name).casefold() for name, *_ in rows})
    never_null = {str(name) for name, _, not_null, pk in rows if not_null or (pk and not number)}
    # The same moment can be written in several ways, each of which SQLite takes for another text.
    single_form = {name for name in never_null if _single_form(types.get(name))}
    keys = {key for key in _unique(handle, table) if key <= single_form}
    primary = [(str(name), str(declared)) for name, declared, _, pk in rows if pk]
    numbered = number and len(primary) == 1 and primary[0][1].upper() == "INTEGER"
    if numbered and not _indexed_primary(handle, table):
        keys.add(frozenset({primary[0][0]}))
    return TableFacts(types, unanswered, frozenset(keys), number)


def _single_form(declared: DataType | None) -> bool:
    return declared is not None and declared.kind is not Kind.TIMESTAMP


def _row_number(handle: sqlite3.Connection, table: str, columns: set[str]) -> str | None:
    for name in _ROW_NUMBERS:
        if name in columns:
            continue
        try:
            handle.execute(f"SELECT {name} FROM {_quoted(table)} LIMIT 0")
        except sqlite3.OperationalError:
            return None
        return name
    return None


def _indexed_primary(handle: sqlite3.Connection, table: str) -> bool:
    """Return whether a primary key is an index; INTEGER PRIMARY KEY is else the row's number."""
    origins = handle.execute("SELECT origin FROM pragma_index_list(?)", (table,)).fetchall()
    return ("pk",) in origins


def _unique(handle: sqlite3.Connection, table: str) -> Iterator[frozenset[str]]:
    listed = handle.execute(
        'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table,)
    )
    for (index,) in listed.fetchall():
        columns = handle.execute(
            "SELECT cid, name FROM pragma_index_xinfo(?) WHERE key", (index,)
        ).fetchall()
        # Expressions have no column, and the row's number no name.
        if all(cid >= 0 for cid, _ in columns):
            yield frozenset(str(name) for _, name in columns)


def _quoted(name: str) -> str:
    return identifier(name).sql("sqlite")


class Compiler:
    """Statements over the tables of one schema.

    Args:
        tables: what they declare.
        form: how decimals stand in them.
    """

    def __init__(
        self, tables: Mapping[str, TableFacts], form: DecimalForm = DecimalForm.NUMBERS
    ) -> None:
        """Keep what the tables declare."""
        self.tables = tables
        self.types = {name: facts.types for name, facts in tables.items()}
        numbers = {name: facts.number for name, facts in tables.items() if facts.number}
        self.dialect = SQLiteDialect(self.types, form, numbers)
        self.statement = cached(self._compile, statement_bytes, STATEMENTS_BYTES)

    def _compile(self, query: SourceQuery | FrameQuery) -> Statement:
        return statement_of(query, self.dialect)

    def fits(self, query: SourceQuery | FrameQuery | TableHop) -> bool:
        """Return whether every column that is read has the type that it was planned with."""
        return all(
            self.types.get(table, {}).get(column) == planned
            for table, column, planned in _planned(query)
        )


def _planned(query: SourceQuery | FrameQuery | TableHop) -> Iterator[tuple[str, str, DataType]]:
    """Yield the table, column and planned type of every stored column that a query reads."""
    match query:
        case FrameQuery():
            for source in query.sources:
                yield from _planned(source)
        case SourceQuery():
            yield from _planned_columns(query)
            for read in query.levels:
                for hop in read.hops:
                    if isinstance(hop, TableHop):
                        yield from _planned(hop)
        case TableHop(stored=(source_type, target_type)):
            yield query.table, query.source_column, source_type
            yield query.table, query.target_column, target_type


def _planned_columns(query: SourceQuery) -> Iterator[tuple[str, str, DataType]]:
    for column in query.columns:
        if isinstance(column, StoredRead):
            yield query.table, column.column, column.type
        elif isinstance(column, FetchedRead):
            yield column.table, column.column, column.type
            for _, key, _, stored in column.keys:
                yield column.table, key, stored
