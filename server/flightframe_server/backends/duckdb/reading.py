"""One statement on one instance: it can be stopped, sent away, and says what moved under it.

What comes in: a text of SQL that was generated, and the version to read. What goes out: rows, or
batches of a declared schema, all of that version. It must never hand out rows before the file was
looked at after they were read, nor interrupt a cursor that is another's by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import structlog

from flightframe_server.arrow_types import arrow_schema, conform
from flightframe_server.backends.cancellation import CancelToken, Completion
from flightframe_server.backends.duckdb.source import DuckDBSource
from flightframe_server.backends.duckdb.sql_functions import MISFIT
from flightframe_server.backends.misfits import misfit_in
from flightframe_server.backends.protocol import BATCH_ROWS, SourceMoved
from flightframe_server.backends.sql.names import Statement
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    FlightframeError,
    LimitExceeded,
)

log = structlog.get_logger(__name__)

# An error that comes out of a stream has lost its class.
_MISFITS = (MISFIT, "Conversion Error", "Out of Range", "out of range", "Overflow")
# DuckDB refuses all further work of an instance in which one of these arose.
_RUINOUS = ("FATAL Error", "INTERNAL Error", "database has been invalidated")
INSIST_SECONDS = 0.05

Found = TypeVar("Found")


class Reading:
    """A cursor in use. The code that makes one closes it.

    Args:
        source: where to read.
        versions: those that the file must be of.
        token: cancels it.

    Raises:
        SourceMoved: the file is of another version.
        BackendError: there is no cursor to be had.
    """

    def __init__(
        self,
        source: DuckDBSource,
        versions: Collection[str],
        *,
        token: CancelToken | None = None,
    ) -> None:
        """Take a cursor; see the class."""
        self._completion = Completion()
        # Held while the cursor is interrupted or given back, and while the database works for us.
        self._lock, self._busy = threading.Lock(), threading.Lock()
        self._cancelled = self._evicted = False
        self._sound = True
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._reader: pa.RecordBatchReader | None = None
        if token is not None:
            token.attach(self)
        self._instance, self._cursor = source.lend(versions, self)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a short answer, and close."""
        try:
            with self._busy:
                rows = self._steps(
                    lambda cursor: list(cursor.execute(sql, list(values) or None).fetchall())
                )
                self._checked()
            return rows
        finally:
            self.close()

    def begin(self, statement: Statement) -> None:
        """Start what `next` reads."""

        def started(cursor: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
            relation = cursor.sql(statement.sql, params=statement.values or None)
            reader: pa.RecordBatchReader = relation.to_arrow_reader(BATCH_ROWS)
            return reader

        with self._busy:
            self._reader = self._steps(started)

    def next(self) -> pa.RecordBatch | None:
        """Return the next batch, read of the file as it was opened, or None at the end."""
        with self._busy:
            batch = self._steps(lambda _: self._read_batch())
            self._checked()
            return batch

    def _read_batch(self) -> pa.RecordBatch | None:
        assert self._reader is not None
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None

    def _steps(self, step: Callable[[duckdb.DuckDBPyConnection], Found]) -> Found:
        """Have the database do something for us, while we hold `_busy`."""
        cursor = self._cursor
        if self._evicted or self._cancelled or cursor is None:
            raise self._fault(None)
        try:
            return step(cursor)
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            self._sound = False
            raise self._fault(error) from error

    def _checked(self) -> None:
        try:
            self._instance.check()
        except SourceMoved:
            self._sound = False
            raise

    def cancel(self) -> None:
        """End, from any thread; may be called again, and after the end."""
        self._cancelled = True
        self._interrupt()

    def evict(self) -> None:
        """Give the cursor back, at once where the database does not work for us."""
        self._evicted = True
        self._interrupt()
        if self._busy.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._busy.release()

    def _interrupt(self) -> bool:
        """Interrupt what runs; return whether there is a cursor still."""
        with self._lock:
            if self._cursor is None:
                return False
            self._sound = False
            with suppress(duckdb.Error):
                self._cursor.interrupt()
            return True

    def close(self) -> None:
        """Give the cursor back; idempotent."""
        while not self._busy.acquire(timeout=INSIST_SECONDS):
            self.cancel()
        try:
            self._release()
        finally:
            self._busy.release()

    def _release(self) -> None:
        with self._lock:
            cursor, self._cursor = self._cursor, None
        reader, self._reader = self._reader, None
        if reader is not None:
            with suppress(duckdb.Error, OSError, pa.ArrowException):
                reader.close()
        if cursor is not None:
            self._instance.give_back(cursor, sound=self._sound)
            self._completion.complete()

    def _fault(self, error: Exception | None) -> Exception:
        """Return what an error means: a cancellation, a file that moved, or what failed."""
        if self._cancelled:
            return BackendCancelled("the statement was cancelled")
        if self._evicted:
            return SourceMoved()
        try:
            self._instance.check()
        except SourceMoved as moved:
            return moved
        if error is None:
            return BackendError("the statement is closed")
        if any(sign in str(error) for sign in _RUINOUS):
            self._instance.retire()
        return _translated(error)


class Running(Reading):
    """A statement whose batches have a declared schema; see `RunningQuery`."""

    def __init__(
        self,
        source: DuckDBSource,
        statement: Statement,
        versions: Collection[str] = (),
        *,
        token: CancelToken | None = None,
    ) -> None:
        """Start it; see `Backend.run`."""
        super().__init__(source, versions, token=token)
        self.schema = arrow_schema(statement.columns)
        try:
            self.begin(statement)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches; the last one only when the end has been read as well."""
        pending: pa.RecordBatch | None = None
        try:
            while (batch := self.next()) is not None:
                if pending is not None:
                    yield pending
                pending = self._conformed(batch)
        finally:
            self.close()
        if pending is not None:
            yield pending

    def _conformed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            return conform(batch, self.schema)
        except pa.ArrowException as error:
            raise self._fault(error) from error

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` once the database works on the statement no more; at once if it is so."""
        self._completion.add_done_callback(then)


def _translated(error: Exception) -> FlightframeError:
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in text:
        log.warning("backend.out_of_memory", text=text[:2000])
        return LimitExceeded(
            "the statement needs more memory or disk than the database may take",
            hint="ask at a coarser anchor, or for less of the data",
        )
    if (fine := misfit_in(text)) is not None:
        return fine
    out_of_range = isinstance(error, duckdb.OutOfRangeException | duckdb.ConversionException)
    if out_of_range or any(sign in text for sign in _MISFITS):
        return ArithmeticOverflow("a value does not fit its declared type")
    log.error("backend.failed", kind=type(error).__name__, text=text[:2000])
    return BackendError("the database refused the statement")
