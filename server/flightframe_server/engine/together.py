"""Several questions on one version of the data, each answer collected whole.

What comes in: questions, one after the other, and the snapshot that all of them rest on. What goes
out: complete answers. It must never hand out a part of an answer, nor two answers of two versions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.cache.entries import EntryGone
from flightframe_server.call_context import CallContext
from flightframe_server.composer.compose import answer_schema
from flightframe_server.engine.attempt import Attempts, Served
from flightframe_server.engine.snapshot import DataSnapshot
from flightframe_server.errors import BackendError, LimitExceeded, TicketRefused
from flightframe_server.planner.plan import Freshness
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.typed import TypedCollection


class VersionsDiffer(Exception):
    """Answers that may be old are of different ages; a signal inside the engine."""


@dataclass(frozen=True, slots=True)
class Complete:
    """One question carried out, with all of its rows."""

    served: Served
    table: pa.Table


@dataclass(slots=True)
class Asker:
    """Answers questions on one snapshot.

    Attributes:
        attempts: what answers.
        snapshot: the version of the data.
        freshness: what the questions say about age.
        context: the call that waits.
    """

    attempts: Attempts
    snapshot: DataSnapshot
    freshness: Freshness
    context: CallContext
    _versions: dict[str, str] = field(default_factory=dict)
    _answer_count: int = 0
    _unversioned: bool = False

    def ask(self, resolve: Callable[[TypedCollection], Question], max_rows: int) -> Complete:
        """Answer a question, and collect its rows.

        Args:
            resolve: what is asked, given the types of the data.
            max_rows: how many rows the answer may have.

        Raises:
            SourceMoved: the data are of another version.
            VersionsDiffer: this answer and an earlier one are, since both may be old.
            QueryError: as for any question, and where there are more rows.
            BackendError: as for any question, and where no version can be told.
        """
        question = resolve(self.snapshot.typed)
        without: set[str] = set()
        while True:
            try:
                served = self.attempts.answer(
                    question, self.freshness, self.snapshot, self.context, without
                )
            except EntryGone as gone:
                without.add(gone.entry_id)
            else:
                break
        self._check_version(served)
        return Complete(served, _collected(served, max_rows, self.context))

    def _check_version(self, served: Served) -> None:
        self._answer_count += 1
        self._unversioned |= any(part.version is None for part in served.plan.parts)
        if self._answer_count > 1 and self._unversioned:
            raise BackendError(
                "the source cannot tell which version it is of, and this takes several reads",
                hint="ask for one answer at a time",
            )
        for part in served.parts:
            for table, version in part.version.items():
                if self._versions.setdefault(table, version) != version:
                    if self.freshness.max_staleness is None:
                        raise SourceMoved
                    raise VersionsDiffer


def _collected(served: Served, max_rows: int, context: CallContext) -> pa.Table:
    if served.table is not None:
        if served.table.num_rows > max_rows:
            raise _too_many(max_rows)
        return served.table
    assert served.stream is not None
    try:
        stream = served.stream.open(context)
    except TicketRefused as refused:
        raise SourceMoved from refused
    rows, batches = 0, []
    try:
        for batch in stream:
            rows += batch.num_rows
            if rows > max_rows:
                raise _too_many(max_rows)
            batches.append(batch)
            stream.progressed()
    except TicketRefused as refused:
        raise SourceMoved from refused
    finally:
        stream.close()
    return pa.Table.from_batches(batches, schema=answer_schema(served.plan.question))


def _too_many(max_rows: int) -> LimitExceeded:
    return LimitExceeded(
        f"an answer inside the query has more than {max_rows:,} rows",
        hint="group it by fewer keys, or filter it further inside",
    )
