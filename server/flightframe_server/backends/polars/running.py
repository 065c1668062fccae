"""A lazy frame under way: batches of the declared schema, a time limit, and giving up.

What comes in: a lazy query, and the open tables that it reads. What goes out: Arrow batches, or an
error of ours. It must never hand out a number that was not checked to fit, nor one that was read
from a file that was written to meanwhile, nor let a caller wait longer than it asked to.

Polars 2.1 offers no way to stop a query that its streaming engine has begun. Giving up frees the
caller at once, and closes the gate that every batch of a table passes: the query fails there. What
is past all of its tables, such as a sort, ends when its next batch is due, which callbacks tell.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import polars as pl
import pyarrow as pa
import structlog

from flightframe_server.algebra.types import Kind
from flightframe_server.arrow_types import arrow_schema, in_years
from flightframe_server.backends.cancellation import Completion
from flightframe_server.backends.misfits import misfit_in
from flightframe_server.backends.polars.files import OpenTables
from flightframe_server.backends.polars.frames import LazyQuery
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.protocol import BATCH_ROWS, SourceMoved
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    FDViolation,
    FlightframeError,
    InternalError,
)

log = structlog.get_logger(__name__)

_AHEAD = 4

T = TypeVar("T")


class Computation(Generic[T]):
    """Items made in a thread of its own, at the pace of their reader. Iterate to the end, or close.

    Args:
        make: makes them.
        tables: the tables that they are made from, closed with the end; None: of none.
        gate: what the tables' batches pass; None where they pass none.
    """

    def __init__(
        self,
        make: Callable[[], Iterator[T]],
        tables: OpenTables | None = None,
        gate: Gate | None = None,
    ) -> None:
        """Start to make them; see the class."""
        self._tables = tables
        self._gate = gate if gate is not None else Gate()
        self._completion = Completion()
        self._changed = threading.Condition()
        self._ready: deque[T] = deque()
        self._fault: FlightframeError | SourceMoved | None = None
        self._over = self._stopped = self._cancelled = False
        thread = threading.Thread(target=self._work, args=(make,), name="polars", daemon=True)
        thread.start()

    def __iter__(self) -> Iterator[T]:
        """Yield items; raises what went wrong, or `BackendCancelled`."""
        try:
            while (item := self._next()) is not None:
                yield item
        finally:
            self.close()

    def cancel(self) -> None:
        """Give the query up, from any thread."""
        self._gate.close()
        with self._changed:
            self._cancelled = self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Give the query up and its items back; idempotent."""
        self._gate.close()
        with self._changed:
            self._stopped = True
            self._ready.clear()
            self._changed.notify_all()

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` once Polars computes no more for it; at once if it is so."""
        self._completion.add_done_callback(then)

    def _next(self) -> T | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over or self._stopped)
            if self._cancelled:
                raise BackendCancelled("the query was cancelled")
            if self._ready:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
            if self._fault is not None:
                raise self._fault
            return None

    def _work(self, make: Callable[[], Iterator[T]]) -> None:
        fault: FlightframeError | SourceMoved | None = None
        try:
            for item in make():
                # What it was made of was read before: if it is unwritten now, it was so then.
                self._check()
                if not self._hand_over(item):
                    return
            self._check()
        # A panic of Polars is no Exception, and the thread that waits must hear of it.
        except BaseException as error:
            fault = self._translated(error)
        finally:
            if self._tables is not None:
                self._tables.close()
            with self._changed:
                self._over, self._fault = True, fault
                self._changed.notify_all()
            self._completion.complete()

    def _check(self) -> None:
        if self._tables is not None:
            self._tables.check()

    def _translated(self, error: BaseException) -> FlightframeError | SourceMoved:
        if isinstance(error, SourceMoved):
            return error
        try:
            # What is written to while it is read fails in many ways.
            self._check()
        except SourceMoved as moved:
            return moved
        return translated(error)

    def _hand_over(self, item: T) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < _AHEAD or self._stopped)
            if self._stopped:
                return False
            self._ready.append(item)
            self._changed.notify_all()
            return True


class PolarsRunning(Computation[pa.RecordBatch]):
    """One query under way; see `RunningQuery`.

    Args:
        query: what is run.
        gate: what its tables' batches pass; None where they pass none.
        tables: what it reads.

    Attributes:
        schema: of every batch.
    """

    def __init__(
        self,
        query: LazyQuery,
        gate: Gate | None = None,
        tables: OpenTables | None = None,
    ) -> None:
        """Start the query; see the class."""
        schema = self.schema = arrow_schema(query.columns)

        def batches() -> Iterator[pa.RecordBatch]:
            for frame in narrow(query).collect_batches(chunk_size=BATCH_ROWS, engine="streaming"):
                yield from arrow_batches(frame, schema)

        super().__init__(batches, tables, gate)


def narrow(query: LazyQuery) -> pl.LazyFrame:
    """Return the frame with digits as decimals of 38 digits, which Arrow has a type for."""
    types = zip(query.frame.collect_schema().names(), query.columns, strict=True)
    return query.frame.with_columns(
        pl.col(name).cast(pl.Decimal(38, 0))
        for name, (_, declared) in types
        if declared.kind is Kind.DECIMAL
    )


def arrow_batches(frame: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield a frame, its columns taken by position, as batches of exactly a schema."""
    arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [
        _column(arrow.column(at).combine_chunks(), field.type) for at, field in enumerate(schema)
    ]
    table = pa.Table.from_arrays(columns, schema=schema)
    yield from map(in_years, table.to_batches(max_chunksize=BATCH_ROWS))


def _column(column: pa.Array | pa.ChunkedArray, target: pa.DataType) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], target)
    if column.type == target:
        return column
    if pa.types.is_decimal(target) and column.type == pa.decimal128(38, 0):
        # The digits are those of the declared scale: only the point is put back.
        parts = column.buffers()
        return pa.Array.from_buffers(target, len(column), parts, offset=column.offset)
    if pa.types.is_large_string(column.type) and target == pa.string():
        return column.cast(target)
    if column.type == pa.timestamp("us", "UTC") and pa.types.is_timestamp(target) and target.tz:
        # The same instants, shown in another zone.
        return column.cast(target)
    raise InternalError(f"{column.type} came where {target} was declared")


def translated(error: BaseException) -> FlightframeError:
    """Return an error of Polars as one of ours."""
    if isinstance(error, FlightframeError):
        return error
    if (fine := misfit_in(str(error))) is not None:
        return fine
    if isinstance(error, pl.exceptions.InvalidOperationError) and "conversion from" in str(error):
        return ArithmeticOverflow("a value does not fit its declared type")
    if isinstance(error, pl.exceptions.ComputeError) and "m:1 validation" in str(error):
        return FDViolation("a look-up table has several rows for one key")
    log.error("backend.failed", kind=type(error).__name__, text=str(error)[:2000])
    return BackendError("the files could not be read as asked")
