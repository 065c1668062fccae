"""One SQLite statement under way: batches of the declared schema, of one version of the file.

What comes in: a read transaction and a statement. What goes out: Arrow batches, each handed on once
the file is known to be as it was when its rows were read. It must never end without an error where
the file has moved.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import structlog

from flightframe_server.arrow_types import arrow_schema
from flightframe_server.backends.cancellation import Completion
from flightframe_server.backends.protocol import BATCH_ROWS, SourceMoved
from flightframe_server.backends.sql.names import Statement
from flightframe_server.backends.sqlite.functions import Fault
from flightframe_server.backends.sqlite.reading import Reading
from flightframe_server.backends.sqlite.source import SQLiteSource
from flightframe_server.backends.sqlite.types import batch_of
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    FlightframeError,
)

log = structlog.get_logger(__name__)

_LOOK_STEPS = 20_000


class SQLiteRunning:
    """A statement in a read transaction, which ends with it; see `RunningQuery`."""

    def __init__(
        self,
        source: SQLiteSource,
        reading: Reading,
        statement: Statement,
    ) -> None:
        """Run nothing yet; the statement starts when it is first read."""
        self.schema = arrow_schema(statement.columns)
        self._source, self._statement = source, statement
        self._completion = Completion()
        self._lock, self._stepping = threading.Lock(), threading.RLock()
        self._cursor: sqlite3.Cursor | None = None
        self._stopped: FlightframeError | SourceMoved | None = None
        self._reading: Reading | None = reading
        # An interrupt is lost on a statement that has not begun; this one is not.
        reading.handle.set_progress_handler(
            lambda: self._stopped is not None or reading.moved(), _LOOK_STEPS
        )
        reading.connection.give_up = self._give_up

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `RunningQuery`."""
        reading = self._reading
        if reading is None:
            raise self._stopped or BackendError("the statement is closed")
        try:
            while True:
                batch = self._batch(reading)
                if batch is None:
                    return
                yield batch
        finally:
            self.close()

    def _batch(self, reading: Reading) -> pa.RecordBatch | None:
        """Return the next rows, or None at the end; both are of the version that was begun at."""
        with self._stepping:
            try:
                rows = self._fetch(reading)
                batch = batch_of(rows, self.schema) if rows else None
            except (sqlite3.Error, OverflowError, pa.ArrowException, FlightframeError) as error:
                if self._stopped is not None:
                    raise self._stopped from error
                # A file that is being written to may give any error at all.
                reading.check()
                raise translated(error, reading.connection.fault) from error
            if self._stopped is not None:
                raise self._stopped
            reading.check()
            return batch

    def _fetch(self, reading: Reading) -> list[tuple[Any, ...]]:
        if self._stopped is not None:
            raise self._stopped
        if self._cursor is None:
            statement = self._statement
            self._cursor = reading.handle.execute(statement.sql, statement.values)
        return self._cursor.fetchmany(BATCH_ROWS)

    def cancel(self) -> None:
        """Stop the statement; see `RunningQuery`."""
        self._stop(BackendCancelled("the statement was cancelled"))

    def _give_up(self) -> None:
        """End the transaction although no reader takes its rows: its file has moved."""
        self._stop(SourceMoved())
        self.close()

    def _stop(self, reason: FlightframeError | SourceMoved) -> None:
        with self._lock:
            if self._stopped is None:
                self._stopped = reason
            if self._reading is not None:
                self._reading.handle.interrupt()

    def close(self) -> None:
        """End the transaction; idempotent."""
        with self._lock:
            reading, self._reading = self._reading, None
            if reading is None:
                return
            if self._stopped is None:
                self._stopped = BackendCancelled("the statement was closed")
            reading.handle.interrupt()
        with self._stepping:
            if self._cursor is not None:
                self._cursor.close()
            reading.handle.set_progress_handler(None, 0)
            self._source.end(reading)
        self._completion.complete()

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` at the end; see `RunningQuery`."""
        self._completion.add_done_callback(then)


def translated(error: Exception, fault: Fault) -> FlightframeError:
    """Return what a statement's failure is: the fault of a function of ours, or the database's."""
    if fault.error is not None:
        return fault.error
    if isinstance(error, FlightframeError):
        return error
    if isinstance(error, OverflowError) or "integer overflow" in str(error):
        return ArithmeticOverflow("a value does not fit its declared type")
    log.error("backend.failed", kind=type(error).__name__, text=str(error)[:2000])
    if isinstance(error, pa.ArrowException):
        return BackendError("the database holds a value that its column cannot")
    return BackendError("the database refused the statement")
