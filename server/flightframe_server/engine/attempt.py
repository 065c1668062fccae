"""One attempt at a question, on one snapshot of the data: planned, attested, carried out.

What comes in: a resolved question and the snapshot it was resolved on. What goes out: the finished
answer, or the frame to stream, and what was executed. It must never leave the snapshot: where the
data are of another version, the attempt fails, and the engine begins another.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.backends.protocol import Backend, SourceMoved
from flightframe_server.cache.store import EntryStore
from flightframe_server.call_context import CallContext
from flightframe_server.composer.compose import answer_schema, compose
from flightframe_server.engine.executor import PlanExecutor
from flightframe_server.engine.frames import OpenStream, StreamedFrame
from flightframe_server.engine.snapshot import DataSnapshot, Snapshots
from flightframe_server.errors import BackendError, NotCached, TicketRefused
from flightframe_server.planner.holdings import Holdings
from flightframe_server.planner.make import make_plan, single_query_plan
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Conditions, Freshness, Plan
from flightframe_server.provenance import PartProvenance, Route, ServedFrom
from flightframe_server.resolver.known_levels import known_edges
from flightframe_server.resolver.question import Question
from flightframe_server.statements.runner import Statements, TooManyRows
from flightframe_server.telemetry.tracing import step


@dataclass(frozen=True, slots=True)
class Served:
    """One question carried out.

    Attributes:
        snapshot: the version of the data that it was answered on.
        plan: the plan that was carried out.
        parts: what was executed for each metric of the plan, in its order.
        table: the finished answer; None where it is streamed.
        stream: the frame to open where the answer may be too large to collect.
    """

    snapshot: DataSnapshot
    plan: Plan
    parts: tuple[PartProvenance, ...]
    table: pa.Table | None
    stream: StreamedFrame | None = None


class Attempts:
    """What attempts are made with.

    Args:
        backend: the database.
        store: where entries are; None where the engine remembers nothing.
        statements: what runs the back-end's statements.
        snapshots: where the snapshots come from.
        stream_rows: frames of more rows than this are streamed, not collected; negative: all.

    Attributes:
        stream_rows: the same; it may be set.
    """

    def __init__(
        self,
        backend: Backend,
        store: EntryStore | None,
        statements: Statements,
        snapshots: Snapshots,
        *,
        stream_rows: int,
    ) -> None:
        """Keep what attempts are made with; see the class."""
        self._snapshots = snapshots
        self._backend, self._store, self._statements = backend, store, statements
        self.stream_rows = stream_rows
        self._label = ServedFrom.BACKEND if store is None else ServedFrom.ENGINE_BACKEND
        self._executor = PlanExecutor(store, backend, self._label, statements)
        self._bypass = PlanExecutor(store, backend, ServedFrom.BACKEND, statements)
        capabilities = backend.capabilities()
        self._answers = capabilities.answers
        self._capabilities = capabilities if capabilities.answers else None

    def plan(
        self,
        question: Question,
        freshness: Freshness,
        snapshot: DataSnapshot,
        without: Collection[str] = (),
        *,
        explains: bool = False,
    ) -> Plan:
        """Return the plan of a question on a snapshot; see `make_plan`.

        Args:
            question: what is asked, resolved on the snapshot's types.
            freshness: what it says about age.
            snapshot: the version of the data.
            without: ids of entries that cannot be read.
            explains: whether it is to tell of every entry that does not answer.
        """
        holdings = self._store.holdings() if self._store is not None else Holdings()
        facts = snapshot.facts
        known = facts.known
        frugal = freshness.only_if_cached or not self._answers
        conditions = Conditions(
            self._backend.id,
            self._store is not None,
            self._capabilities,
            holdings.without(without) if without else holdings,
            snapshot.versions,
            known.violations,
            # An entry was made where its promises held, and without a database nothing else is.
            known.unattested if self._answers else frozenset(),
            frozenset(facts.known_maps)
            if frugal
            else facts.edges | known_edges(snapshot.typed, question.known),
            known.siblings,
            known.rows,
            freshness,
            time.time(),
            self.stream_rows,
            explains or freshness.only_if_cached,
            known.unique,
            known.keys,
        )
        return make_plan(question, snapshot.typed, conditions)

    def answer(
        self,
        question: Question,
        freshness: Freshness,
        snapshot: DataSnapshot,
        context: CallContext,
        without: Collection[str] = (),
    ) -> Served:
        """Answer a question on a snapshot.

        Args:
            question: what is asked, resolved on the snapshot's types.
            freshness: what it says about age.
            snapshot: the version of the data.
            context: the call that waits.
            without: ids of entries that cannot be read.

        Raises:
            SourceMoved: the data are of another version.
            EntryGone: an entry that was chosen cannot be read.
            QueryError: the question cannot be answered on the data, or within the limits.
            BackendError: the database failed, or has too much to do; or the call ended.
        """
        bypass = freshness.no_cache and self._store is not None
        plan = self.attested_plan(question, freshness, snapshot, context, without)
        if plan.stream is not None:
            return self._streamed(plan, snapshot, bypass=bypass)
        if any(part.version is None for part in plan.parts):
            return self._unversioned(plan, freshness, snapshot, context, bypass=bypass)
        return self._executed(plan, snapshot, context, bypass=bypass)

    def _executed(
        self, plan: Plan, snapshot: DataSnapshot, context: CallContext, *, bypass: bool
    ) -> Served:
        executor = self._bypass if bypass else self._executor
        try:
            with step("execute", statements=len(plan.queries)):
                executed = executor.execute(
                    plan, snapshot, keep=not bypass, max_rows=self.stream_rows, context=context
                )
        except TooManyRows:
            single = single_query_plan(snapshot.typed, plan)
            assert single is not None
            return self._streamed(single, snapshot, bypass=bypass)
        needs = [part.need for part in plan.parts]
        with step("compose"):
            table = compose(plan.question, needs, executed.tables)
        self._statements.check_result(table.num_rows, table.nbytes)
        return Served(snapshot, plan, executed.parts, table)

    def attested_plan(
        self,
        question: Question,
        freshness: Freshness,
        snapshot: DataSnapshot,
        context: CallContext,
        without: Collection[str] = (),
        *,
        explains: bool = False,
    ) -> Plan:
        """Plan, and plan again as long as the plan rests on what has not been looked at."""
        while True:
            with step("plan"):
                plan = self.plan(question, freshness, snapshot, without, explains=explains)
            if not plan.unattested:
                return plan
            if freshness.only_if_cached:
                raise NotCached(
                    "what the answer rests on was not looked at since the data changed",
                    hint="ask without only_if_cached",
                )
            snapshot.facts.attest(plan.unattested, context)

    def _streamed(self, plan: Plan, snapshot: DataSnapshot, *, bypass: bool) -> Served:
        parts = self._backend_parts(plan, bypass=bypass)
        frame = StreamedFrame(plan, snapshot.versions, self._backend, self._statements)
        return Served(snapshot, plan, parts, None, frame)

    def _unversioned(
        self,
        plan: Plan,
        freshness: Freshness,
        snapshot: DataSnapshot,
        context: CallContext,
        *,
        bypass: bool,
    ) -> Served:
        """Answer from one statement, where the version of some table cannot be told.

        What the answer rests on is attested before and after: what is broken by then is refused.
        """
        question = plan.question
        if len(plan.queries) == len(plan.parts) == 1:
            served = self._executed(plan, snapshot, context, bypass=bypass)
        else:
            served = self._in_one_query(plan, snapshot, context, bypass=bypass)
        after = self._snapshots.take(context)
        if after.types != snapshot.types:
            raise SourceMoved
        self.attested_plan(question, freshness, after, context)
        return served

    def _in_one_query(
        self, plan: Plan, snapshot: DataSnapshot, context: CallContext, *, bypass: bool
    ) -> Served:
        question = plan.question
        single = single_query_plan(snapshot.typed, plan)
        if single is None:
            raise BackendError(
                "the source cannot tell which version it is of, and this takes several reads",
                hint="ask again",
            )
        assert single.stream is not None
        running = self._statements.open(self._backend, single.stream, snapshot.versions, context)
        try:
            batches = list(OpenStream(single, running, self._statements.check_result))
        except TicketRefused as refused:
            raise SourceMoved from refused
        parts = self._backend_parts(single, bypass=bypass)
        table = pa.Table.from_batches(batches, schema=answer_schema(question))
        return Served(snapshot, single, parts, table)

    def _backend_parts(self, plan: Plan, *, bypass: bool) -> tuple[PartProvenance, ...]:
        label = ServedFrom.BACKEND if bypass else self._label
        return tuple(
            PartProvenance(
                part.family,
                str(part.metric.operator),
                masked_anchor(part.key.anchor, part.key.anchor),
                Route.BACKEND,
                label,
                version=dict(part.version or ()),
                trusted=part.trusted,
            )
            for part in plan.parts
        )
