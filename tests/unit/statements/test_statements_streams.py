"""Statements read as they come: they end with their reader, their time, or a word."""

import threading
import time

import pyarrow as pa
import pytest

from flightframe_server.backends.cancellation import CancelToken, Completion
from flightframe_server.call_context import CallContext, SessionOptions
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import (
    BackendCancelled,
    BackendError,
    BackendTimeout,
    LimitExceeded,
    Overloaded,
)
from flightframe_server.statements.runner import Statements

SCHEMA = pa.schema([("number", pa.int64())])
BATCH = pa.record_batch([[1, 2, 3]], schema=SCHEMA)


class Running:
    """A statement of some batches, that then waits until it is cancelled."""

    schema = SCHEMA

    def __init__(self, batches: int) -> None:
        self.batches, self.closed, self.cancelled = batches, 0, threading.Event()
        self._completion = Completion()

    def __iter__(self):
        for _ in range(self.batches):
            yield BATCH
        if not self.cancelled.wait(60):
            raise AssertionError("nobody ended it")
        raise BackendCancelled("the statement was cancelled")

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed += 1
        self._completion.complete()

    def add_done_callback(self, then) -> None:
        self._completion.add_done_callback(then)


class Backend:
    """A back-end that hands out one statement, as slowly as it is told."""

    def __init__(self, batches: int = 1, *, blocks: bool = False, fails: bool = False) -> None:
        self.running, self.blocks, self.fails = Running(batches), blocks, fails

    def run(self, query, *, at=None, token: CancelToken) -> Running:
        token.attach(self.running)
        if self.fails:
            raise BackendError("no")
        if self.blocks and self.running.cancelled.wait(60):
            self.running.close()
            raise BackendCancelled("the statement was cancelled")
        return self.running


def nothing_left(statements: Statements) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        limits = statements.limits
        places = (statements.permits.free, statements.stream_permits.free)
        watched = any(thread.name == "statement-watch" for thread in threading.enumerate())
        if places == (limits.concurrent_statements, limits.concurrent_streams) and not (
            watched or statements.running()
        ):
            return True
        time.sleep(0.005)
    return False


PATIENT = CallContext(query_id="q")


def opened(backend: Backend, context: CallContext = PATIENT, **limits):
    statements = Statements(Limits(**limits))
    return statements, statements.open(backend, None, {}, statements.bounded(context))


def test_a_stream_that_is_closed_early_asks_for_nobody_any_more():
    asked = []
    backend = Backend(5)
    statements, stream = opened(backend, CallContext(is_cancelled=lambda: bool(asked.append(1))))
    assert next(iter(stream)) == BATCH
    stream.close()
    stream.close()
    assert backend.running.closed == 1
    assert nothing_left(statements)
    before = len(asked)
    time.sleep(0.15)
    assert len(asked) == before


@pytest.mark.parametrize("batches", [0, 1])
def test_a_reader_who_goes_ends_the_statement_while_it_waits(batches):
    gone = threading.Event()
    backend = Backend(batches)
    statements, stream = opened(backend, CallContext(is_cancelled=gone.is_set))
    threading.Timer(0.05, gone.set).start()
    with pytest.raises(BackendCancelled, match="waits for the answer no more"):
        list(stream)
    assert backend.running.closed == 1
    assert nothing_left(statements)


def test_a_reader_who_does_not_come_back_loses_the_statement_when_time_is_up():
    backend = Backend(5)
    statements, stream = opened(backend, statement_timeout=0.05)
    batches = iter(stream)
    assert next(batches) == BATCH
    assert nothing_left(statements)
    assert backend.running.closed == 1
    with pytest.raises(BackendTimeout, match="ran past its time limit"):
        next(batches)


@pytest.mark.parametrize(
    "context",
    [
        CallContext(options=SessionOptions(statement_timeout=0.05)),
        CallContext(is_cancelled=lambda: True),
    ],
)
def test_a_statement_that_does_not_begin_is_ended_too(context):
    backend = Backend(blocks=True)
    statements = Statements()
    with pytest.raises((BackendTimeout, BackendCancelled), match=r"time limit|no more"):
        statements.open(backend, None, {}, statements.bounded(context))
    assert nothing_left(statements)


def test_a_statement_is_ended_by_its_name_even_between_two_batches():
    backend = Backend(5)
    statements, stream = opened(backend)
    batches = iter(stream)
    next(batches)
    (listed,) = statements.running()
    assert listed.query_id == "q"
    assert statements.cancel("another") is None
    assert statements.cancel("q") is True
    assert backend.running.closed == 1
    assert nothing_left(statements)
    with pytest.raises(BackendCancelled, match="was cancelled"):
        next(batches)
    assert statements.cancel("q") is None


def test_what_the_database_goes_on_with_keeps_its_place():
    backend = Backend(1)
    statements, stream = opened(backend)
    backend.running._completion.complete = lambda: None
    assert statements.cancel("q") is False
    assert statements.stream_permits.free == statements.limits.concurrent_streams - 1
    Completion.complete(backend.running._completion)
    assert nothing_left(statements)
    stream.close()


def test_a_collected_statement_keeps_its_place_until_the_database_lets_go():
    statements, token, backend = Statements(), CancelToken(), Backend(0)
    backend.running._completion.complete = lambda: None
    token.cancel()
    with pytest.raises(BackendCancelled):
        statements.collect(backend, None, {}, token, CallContext(query_id="q"))
    assert backend.running.closed == 1
    assert statements.permits.free == statements.limits.concurrent_statements - 1
    assert [one.query_id for one in statements.running()] == ["q"]
    Completion.complete(backend.running._completion)
    assert nothing_left(statements)


def test_a_statement_that_cannot_be_started_takes_no_place():
    statements = Statements()
    for _ in range(2):
        with pytest.raises(BackendError, match="no"):
            statements.open(Backend(fails=True), None, {}, statements.bounded(CallContext()))
        with pytest.raises(BackendError, match="no"):
            statements.collect(
                Backend(fails=True), None, {}, CancelToken(), CallContext(query_id="q")
            )
    assert nothing_left(statements)


def test_a_collected_statement_is_bounded_ended_and_counted():
    statements = Statements(
        Limits(concurrent_statements=1, queued_statements=0, statement_bytes=30)
    )
    token, backend = CancelToken(), Backend(1)
    failures: list[BaseException] = []

    def collect() -> None:
        try:
            statements.collect(backend, None, {}, token, CallContext(query_id="q"))
        except BackendError as error:
            failures.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    while not statements.running():
        time.sleep(0.002)
    with pytest.raises(Overloaded):
        statements.collect(Backend(1), None, {}, CancelToken(), CallContext(query_id="r"))
    assert statements.cancel("q") is True
    thread.join(60)
    assert [type(failure) for failure in failures] == [BackendCancelled]
    # Three numbers are 24 bytes, and six are too many.
    with pytest.raises(LimitExceeded, match="a statement brings at most 30 bytes"):
        statements.collect(Backend(2), None, {}, CancelToken(), CallContext(query_id="q"))
    assert nothing_left(statements)


def test_a_wish_made_before_the_statement_is_not_lost():
    token, backend = CancelToken(), Backend(0)
    token.cancel()
    statements = Statements()
    with pytest.raises(BackendCancelled):
        statements.collect(backend, None, {}, token, CallContext(query_id="q"))
    assert nothing_left(statements)
