"""The engines that the algebra over answers runs in: a few, in memory, and closed to all else.

What comes in: frames, and statements of our own. What goes out: the rows of the last statement. It
must never reach a file, a network, an extension or a variable of the process, nor outlive its call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import structlog

from flightframe_server.backends.duckdb.sql_functions import MISFIT
from flightframe_server.backends.protocol import BATCH_ROWS
from flightframe_server.call_context import POLL_SECONDS, CallContext
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendError,
    FlightframeError,
    LimitExceeded,
    Overloaded,
)
from flightframe_server.outer.compile import OuterStatement

log = structlog.get_logger(__name__)

ENGINES = 4
"""How many statements of the algebra run at once."""

MEMORY_LIMIT = "1GB"
"""What each of them may take."""

WAIT_SECONDS = 10.0

_SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": MEMORY_LIMIT,
    "threads": "1",
}
_LOCKS = {
    "TimeZone": "'UTC'",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
_MISFITS = (MISFIT, "Conversion Error", "Out of Range", "out of range", "Overflow", "overflow")


@dataclass(frozen=True, slots=True)
class Task:
    """What is run on one engine.

    Attributes:
        frames: by the name that the statements read them by.
        counts: statements that each give one number, of which none may pass `max_rows`.
        statement: gives the rows.
        max_rows: how many rows may come of a step.
    """

    frames: Mapping[str, pa.Table]
    counts: Sequence[OuterStatement]
    statement: OuterStatement
    max_rows: int


class Engine:
    """One locked database in memory."""

    def __init__(self) -> None:
        """Open and lock it."""
        self._connection = duckdb.connect(":memory:", config=dict(_SETTINGS))
        for name, value in _LOCKS.items():
            self._connection.execute(f"SET GLOBAL {name} = {value}")

    def execute(self, statement: OuterStatement) -> duckdb.DuckDBPyRelation:
        """Return what a statement gives; the one way in which a text comes to an engine."""
        return self._connection.sql(statement.sql, params=statement.values or None)

    def run(self, task: Task) -> pa.Table:
        """Run a task.

        Raises:
            LimitExceeded: a step gives more rows than it may.
            duckdb.Error: as the database says.
        """
        try:
            for name, table in task.frames.items():
                self._connection.register(name, table)
            for count in task.counts:
                ((pairs,),) = self.execute(count).fetchall()
                if pairs is not None and pairs > task.max_rows:
                    raise _too_many(task.max_rows)
            return self._collected(task)
        finally:
            for name in task.frames:
                with suppress(duckdb.Error):
                    self._connection.unregister(name)

    def _collected(self, task: Task) -> pa.Table:
        reader = self.execute(task.statement).to_arrow_reader(BATCH_ROWS)
        rows, batches = 0, []
        for batch in reader:
            rows += batch.num_rows
            if rows > task.max_rows:
                raise _too_many(task.max_rows)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=reader.schema)

    def interrupt(self) -> None:
        """End what runs, from any thread."""
        with suppress(duckdb.Error):
            self._connection.interrupt()

    def close(self) -> None:
        """Close it."""
        with suppress(duckdb.Error):
            self._connection.close()


@dataclass(slots=True)
class EnginePool:
    """Engines that are made when they are first needed, and lent one call at a time.

    Attributes:
        most: how many there are at most.
    """

    most: int = ENGINES
    _idle: list[Engine] = field(default_factory=list)
    _made: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self, task: Task, context: CallContext) -> pa.Table:
        """Run a task for a call, for as long as that waits.

        Raises:
            LimitExceeded: it makes more rows, or takes more memory, than it may.
            ArithmeticOverflow: a value does not fit its type.
            Overloaded: all engines are busy.
            BackendError: the call ended, or the database failed.
        """
        with self._lent(context) as lent:
            return lent.watched(task, context)

    @contextmanager
    def _lent(self, context: CallContext) -> Iterator[_Loan]:
        loan = _Loan(self._take(context))
        try:
            yield loan
        finally:
            self._give_back(loan)

    def _take(self, context: CallContext) -> Engine:
        waited = 0.0
        with self._changed:
            while not self._idle and self._made >= self.most:
                context.check()
                if waited >= WAIT_SECONDS:
                    raise Overloaded("too many queries are being composed", hint="ask again")
                self._changed.wait(POLL_SECONDS)
                waited += POLL_SECONDS
            if self._idle:
                return self._idle.pop()
            self._made += 1
        try:
            return Engine()
        except BaseException:
            self._lost()
            raise

    def _give_back(self, loan: _Loan) -> None:
        if not loan.sound:
            loan.engine.close()
            self._lost()
            return
        with self._changed:
            self._idle.append(loan.engine)
            self._changed.notify()

    def _lost(self) -> None:
        with self._changed:
            self._made -= 1
            self._changed.notify()


@dataclass(slots=True)
class _Loan:
    """An engine in use; one that was interrupted or failed is not used again."""

    engine: Engine
    sound: bool = True

    def watched(self, task: Task, context: CallContext) -> pa.Table:
        outcome: list[pa.Table | BaseException] = []
        ended = threading.Event()

        def work() -> None:
            try:
                outcome.append(self.engine.run(task))
            except BaseException as error:
                outcome.append(error)
            finally:
                ended.set()

        threading.Thread(target=work, name="outer", daemon=True).start()
        reason = self._waited(ended, context.over)
        if reason is not None:
            raise reason
        (result,) = outcome
        if isinstance(result, BaseException):
            self.sound = isinstance(result, FlightframeError)
            raise _translated(result) from result
        return result

    def _waited(
        self, ended: threading.Event, over: Callable[[], FlightframeError | None]
    ) -> FlightframeError | None:
        """Wait for the end; return why the call ended before it, where it did."""
        reason: FlightframeError | None = None
        while not ended.wait(POLL_SECONDS):
            reason = reason or over()
            if reason is not None:
                # Again and again: an interruption may meet the engine between two steps.
                self.sound = False
                self.engine.interrupt()
        return reason


def _too_many(max_rows: int) -> LimitExceeded:
    return LimitExceeded(
        f"a step over answers gives more than {max_rows:,} rows",
        hint="join on keys that are unique on one side, or group first",
    )


def _translated(error: BaseException) -> BaseException:
    if not isinstance(error, duckdb.Error | pa.ArrowException):
        return error
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in text:
        return LimitExceeded(
            "the query needs more memory than it may take",
            hint="group by fewer keys inside, or filter further",
        )
    if any(sign in text for sign in _MISFITS):
        return ArithmeticOverflow("a value does not fit its type")
    log.error("outer.failed", kind=type(error).__name__, text=text[:2000])
    return BackendError("the query could not be composed")


POOL = EnginePool()
"""The engines of the process."""
