"""Frames too large to collect: planned once, and fetched anew by everybody who reads them.

What comes in: a plan and the version of the data it was made on. What goes out: batches of the
answer, at the pace of their reader. It must never hand out rows of another version than the plan's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from flightframe_server.backends.protocol import Backend, Fingerprints, SourceMoved
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.composer.compose import compose_stream
from flightframe_server.engine.executor import subjects
from flightframe_server.error_subject import about
from flightframe_server.errors import FlightframeError, TicketRefused
from flightframe_server.planner.plan import Plan
from flightframe_server.resolver.terms import Metric
from flightframe_server.statements.runner import Statements
from flightframe_server.statements.streams import WatchedStream


def _any_size(rows: int, size: int) -> None:
    """Let everything pass."""


class StreamedFrame:
    """A planned frame that is fetched only when it is read, and never collected."""

    def __init__(
        self, plan: Plan, versions: Fingerprints, backend: Backend, statements: Statements
    ) -> None:
        """Keep the plan and the version it was made on."""
        self._plan, self._versions = plan, versions
        self._backend, self._statements = backend, statements

    def open(self, context: CallContext = SERVER_CALL) -> OpenStream:
        """Start the statement, for one reader.

        Raises:
            TicketRefused: the data changed since the frame was planned.
            BackendError: the database failed, or has too much to do.
        """
        assert self._plan.stream is not None
        context = self._statements.bounded(context)
        try:
            running = self._statements.open(
                self._backend, self._plan.stream, self._versions, context
            )
        except SourceMoved as moved:
            raise _refused() from moved
        except FlightframeError as error:
            named = subjects(error, metrics_of(self._plan), self._plan.question.filter)
            raise about(error, named) from error.__cause__
        return OpenStream(self._plan, running, self._statements.check_result)


def metrics_of(plan: Plan) -> list[Metric]:
    """Return the metrics that a streamed plan reads, in the order of their states."""
    assert plan.stream is not None
    return [metric for source in plan.stream.sources for metric in source.metrics]


def _refused() -> TicketRefused:
    return TicketRefused("the data changed since this answer was planned", hint="ask again")


class OpenStream:
    """A streamed answer under way. Iterate it, and close it.

    Args:
        plan: what was planned.
        running: the statement.
        check: refuses an answer of too many rows or bytes.
    """

    def __init__(
        self,
        plan: Plan,
        running: WatchedStream,
        check: Callable[[int, int], None] = _any_size,
    ) -> None:
        """Compose batches of `running` as `plan` says."""
        self._plan, self._running, self._check = plan, running, check

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the answer.

        Raises:
            TicketRefused: the data changed under the statement.
            LimitExceeded: with the batch that passes the bound on rows or bytes.
        """
        assert self._plan.stream is not None
        metrics = metrics_of(self._plan)
        rows = size = 0
        try:
            for batch in compose_stream(self._plan.question, metrics, self._running):
                rows, size = rows + batch.num_rows, size + batch.nbytes
                self._check(rows, size)
                yield batch
        except SourceMoved as moved:
            raise _refused() from moved
        except FlightframeError as error:
            named = subjects(error, metrics, self._plan.question.filter)
            raise about(error, named) from error.__cause__
        finally:
            self._running.close()

    def progressed(self) -> None:
        """Note that the reader took a part of the batch that was made last."""
        self._running.progressed()

    def cancel(self) -> None:
        """Stop the statement, from any thread."""
        self._running.cancel()

    def close(self) -> None:
        """Give the statement's resources back."""
        self._running.close()
