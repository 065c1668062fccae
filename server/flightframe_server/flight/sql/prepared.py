"""Prepared statements: typed when they are made, bound by DoPut, carried out by GetFlightInfo.

What comes in: texts, and rows of parameters. What goes out: handles, schemas and requests. It must
never carry a statement out to learn its types, and never bind a value to a parameter that it was
not meant for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Request, Runtime
from flightframe_server.call_context import NO_OPTIONS, Caller, SessionOptions
from flightframe_server.errors import (
    FrameQLSyntaxError,
    LimitExceeded,
    TicketRefused,
    TypeMismatch,
)
from flightframe_server.flight.handles import Bounds, Handles
from flightframe_server.flight.session_options import sql_options
from flightframe_server.flight.sql.instants import schema_in_utc
from flightframe_server.flight.sql.statements import check_transaction
from flightframe_server.flight.tickets import decode_parameters
from flightframe_server.language.syntax import ParameterValue
from flightframe_server.query_types import QuerySignature
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import type_text

PREPARED_BOUNDS = Bounds(count=4096, bytes=64 * 1024 * 1024, seconds=3600.0)

Key = int | str
Values = tuple[tuple[Key, ParameterValue], ...]


MAX_ROWS = 1_000

VALUE_BYTES = 128
"""What a value takes beside its own bytes, once it is one of Python's."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One statement with its types and, once bound, its values.

    Attributes:
        request: the text, no value bound.
        typed: its columns and parameters.
        rows: the rows of values bound, in the order sent; None where nothing is bound.
    """

    request: Request
    typed: QuerySignature
    rows: tuple[Values, ...] | None = None

    @property
    def requests(self) -> tuple[Request, ...]:
        """What is asked: once for each row bound, and once where nothing is."""
        if self.rows is None:
            return (self.request,)
        return tuple(replace(self.request, parameters=row) for row in self.rows)


class PreparedStatements:
    """The statements that clients have prepared and not closed.

    Args:
        runtime: what they are typed with.
        tables: what is published, for statements about the catalogue.
        bounds: how many, how large, how long.
    """

    def __init__(
        self, runtime: Runtime, tables: PublishedTables, bounds: Bounds = PREPARED_BOUNDS
    ) -> None:
        """Start empty."""
        self._runtime, self._tables = runtime, tables
        self._handles: Handles[Prepared] = Handles(bounds)

    def change_bounds(self, bounds: Bounds) -> None:
        """Hold as much as other bounds say."""
        self._handles.change_bounds(bounds)

    def __len__(self) -> int:
        """Return how many statements are held."""
        return len(self._handles)

    def create(
        self,
        message: sql.ActionCreatePreparedStatementRequest,
        caller: Caller,
        options: SessionOptions = NO_OPTIONS,
    ) -> sql.ActionCreatePreparedStatementResult:
        """Prepare a statement for its caller alone, in the collection of the session.

        Raises:
            QueryError: it cannot be answered, whatever its parameters.
            ReadOnly: it would change something.
        """
        check_transaction(message)
        request = Request(message.query, collection=options.schema, sql=sql_options(options))
        prepared = Prepared(request, type_text(request, self._runtime, self._tables))
        size = len(message.query.encode())
        handle = self._handles.keep(prepared, size, caller.user, caller.session, caller.key)
        return sql.ActionCreatePreparedStatementResult(
            prepared_statement_handle=handle,
            # Some drivers take an empty schema for an update: a query always has columns here.
            dataset_schema=schema_in_utc(prepared.typed.schema).serialize().to_pybytes(),
            parameter_schema=parameter_schema(prepared.typed).serialize().to_pybytes(),
            is_update=False,
        )

    def close(self, handle: bytes, caller: Caller) -> None:
        """Forget a caller's statement; unknown handles are fine, drivers close after errors too."""
        self._handles.drop(handle, caller.user)

    def drop_of(self, session: bytes) -> None:
        """Forget the statements of a session."""
        self._handles.drop_of(session)

    def get(self, handle: bytes, caller: Caller) -> Prepared:
        """Return a caller's statement.

        Raises:
            TicketRefused: the handle is unknown, another user's, or its statement is no longer
                held.
        """
        prepared = self._handles.get(handle, caller.user)
        if prepared is None:
            raise TicketRefused(
                "there is no prepared statement of that name, or no longer", hint="prepare it again"
            )
        return prepared

    def knows(self, handle: bytes, caller: Caller) -> bool:
        """Whether a caller has a statement of that handle."""
        return self._handles.get(handle, caller.user) is not None

    def bind(self, handle: bytes, reader: Any, caller: Caller) -> Prepared:
        """Bind the rows that a DoPut brings, in place of what was bound before.

        Args:
            handle: the statement; it stays valid.
            reader: pyarrow's reader of the DoPut.
            caller: whose statement it is.

        Returns:
            The statement with its rows.

        Raises:
            TicketRefused: the handle is unknown.
            QueryError: a row does not fit the statement.
            LimitExceeded: too many rows at once, or too many bytes of them.
        """
        prepared = self.get(handle, caller)
        rows, size = self._read(reader, prepared.typed)
        # Without parameters there is nothing to bind, and a driver that brings an empty batch all
        # the same means the statement as it stands.
        bound = replace(prepared, rows=rows if prepared.typed.parameters else None)
        size += len(prepared.request.source.encode())
        self._handles.replace(handle, bound, size, caller.user)
        return bound

    def _read(self, reader: Any, typed: QuerySignature) -> tuple[tuple[Values, ...], int]:
        """Return the rows that a DoPut brings, and the bytes that they take."""
        rows: list[Values] = []
        size = 0
        for batch in _batches(reader):
            self._check_rows(len(rows) + batch.num_rows, size)
            self._check_rows(len(rows), size + _sent_bytes(batch))
            for at in range(batch.num_rows):
                rows.append(bound_values(batch.slice(at, 1), typed))
                size += _memory_bytes(rows[-1])
                self._check_rows(len(rows), size)
        return tuple(rows), size

    def _check_rows(self, rows: int, size: int) -> None:
        limit = self._runtime.statements.limits.bound_bytes
        if rows > MAX_ROWS:
            raise LimitExceeded(
                f"at most {MAX_ROWS} rows of parameters are bound at once",
                hint="bind fewer, or name the values in IN (...)",
            )
        if size > limit:
            raise LimitExceeded(
                f"at most {limit:,} bytes of parameters are bound at once, {VALUE_BYTES} for each"
                " value included",
                hint="bind fewer rows at once",
            )


def parameter_schema(typed: QuerySignature) -> pa.Schema:
    """Return the parameters as fields: named `0`, `1`, ... for `?`, or by their own names.

    Timestamps are announced in milliseconds, which is what JDBC drivers write whatever the unit; a
    value that is bound is read by its own type, so that no client loses microseconds.
    """
    return pa.schema([pa.field(str(key), _announced(type_)) for key, type_ in typed.parameters])


def _announced(type_: pa.DataType) -> pa.DataType:
    return pa.timestamp("ms", type_.tz) if pa.types.is_timestamp(type_) else type_


def bound_values(row: pa.RecordBatch, typed: QuerySignature) -> Values:
    """Return one row of values under the statement's own keys.

    Columns bind `?` by position, whatever their names; `$name` by name, or, where there is but
    one, alone. Dense unions, in which some drivers wrap each value, are unwrapped.

    Raises:
        TypeMismatch: another number of columns than parameters, or a value that cannot be bound.
        FrameQLSyntaxError: columns whose names are not the parameters'.
    """
    keys = [key for key, _ in typed.parameters]
    if row.num_columns != len(keys):
        raise TypeMismatch(f"the statement has {len(keys)} parameters, {row.num_columns} came")
    ordered = [str(key) for key in keys]
    if len(keys) > 1 and any(isinstance(key, str) for key in keys):
        if sorted(row.schema.names) != sorted(ordered):
            raise FrameQLSyntaxError(
                "the parameters are bound by other names than the statement's",
                hint="name the columns as the statement names its parameters, without $",
            )
        row = row.select(ordered)
    unwrapped = pa.RecordBatch.from_arrays([_unwrapped(column) for column in row.columns], ordered)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, unwrapped.schema) as writer:
        writer.write_batch(unwrapped)
    bound = decode_parameters(sink.getvalue().to_pybytes()) if keys else ()
    return tuple((key, one.value) for key, one in zip(keys, bound, strict=True))


def _sent_bytes(batch: pa.RecordBatch) -> int:
    """Return the bytes of a batch's values, whichever of them lie in the same place."""
    return sum(_column_bytes(column) for column in batch.columns)


def _column_bytes(column: pa.Array[Any]) -> int:
    if pa.types.is_union(column.type):
        # What Arrow tells of their values alone is wrong for some that were read from a stream.
        return int(column.get_total_buffer_size())
    size = int(column.nbytes)
    if pa.types.is_string_view(column.type):
        # A view may name the bytes of another, a thousand times.
        size += sum(len(text) for value in column if (text := value.as_buffer()) is not None)
    return size


def _memory_bytes(row: Values) -> int:
    """Return what a row takes once its values are Python's."""
    values = (one for _, value in row for one in (value if isinstance(value, tuple) else (value,)))
    return sum(
        VALUE_BYTES + (sys.getsizeof(value) if isinstance(value, str) else 0) for value in values
    )


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_chunk().data
        except StopIteration:
            return
        # What Arrow raises for junk depends on where the junk sits.
        except (pa.ArrowException, OSError, ValueError):
            raise FrameQLSyntaxError("the parameters are not rows of Arrow values") from None
        if batch is not None and batch.num_rows:
            yield batch


def _unwrapped(column: pa.Array[Any]) -> pa.Array[Any]:
    if not pa.types.is_union(column.type):
        return column
    inner = column[0].value
    return pa.nulls(1) if inner is None else pa.repeat(inner, 1)
