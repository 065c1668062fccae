"""The metric engine: one collection over one back-end, with its memory.

What comes in: questions. What goes out: the states that answer them and where they came from. It
must never answer by two decision procedures: `serve` and the query path both plan with `make_plan`
and carry out what it says.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import polars as pl
import pyarrow as pa
import structlog

from flightframe_server.algebra.reducers import Domain
from flightframe_server.backends.protocol import Backend, SourceMoved
from flightframe_server.backends.recorded import RecordedBackend, record
from flightframe_server.cache.attestations import AttestationStore
from flightframe_server.cache.entries import EntryGone
from flightframe_server.cache.store import EntryStore
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import DEFAULT_BUDGET
from flightframe_server.composer.compose import FrameExpression, answer_schema, derive
from flightframe_server.engine.attempt import Attempts, Served
from flightframe_server.engine.facts import Attested, Inspector
from flightframe_server.engine.snapshot import DataSnapshot, Snapshots
from flightframe_server.engine.together import Asker, VersionsDiffer
from flightframe_server.errors import BackendError, NotSupported
from flightframe_server.language.syntax import Anchor, Call, Item, Name, Statement
from flightframe_server.planner.plan import NO_FRESHNESS, Freshness, Plan
from flightframe_server.planner.violations import rows_key
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.statements.runner import Statements

log = structlog.get_logger(__name__)

ATTEMPTS = 3
STREAM_ROWS = 1_000_000

_GENERATIONS = itertools.count(1)

Result = TypeVar("Result")
EngineState = tuple[int, int, tuple[tuple[str, str | None], ...]]
"""The generation of an engine, the epoch of its entries, and the version of its data."""
Resolve = Callable[[TypedCollection], Question]
"""Gives what a question means on the types of one version of the data; raises `QueryError`."""
Needed = Callable[[TypedCollection], frozenset[str]]
"""Gives the keys of the promises that something rests on."""


class MetricEngine:
    """Serves one collection from its entries, or from its back-end, and remembers.

    Args:
        ac: the Analytic Collection.
        store_root: folder of the entries.
        backend: the database; None serves only what the store already holds.
        enabled: False remembers nothing and labels every answer `backend`.
        max_bytes: budget of the store.
        stream_rows: frames of more rows than this are streamed, not collected.
        statements: what runs the back-end's statements, one for all engines of an installation;
            None: one of its own, within the default limits.
        store: the store in that folder, where another engine has it open already; None: the engine
            opens it.

    Attributes:
        root: the folder of the entries.
        generation: a number that no other engine of the process has: what is remembered outside of
            the store under it is never given for a collection of other content.

    Raises:
        CatalogError: the collection does not fit the database.
        SetupError: the store cannot be used.
    """

    def __init__(
        self,
        ac: Collection,
        store_root: str | Path,
        backend: Backend | None = None,
        *,
        enabled: bool = True,
        max_bytes: int = DEFAULT_BUDGET,
        stream_rows: int = STREAM_ROWS,
        statements: Statements | None = None,
        store: EntryStore | None = None,
    ) -> None:
        """Open the store, and type the collection on the data as they are; see the class."""
        root = self.root = Path(store_root)
        self.generation = next(_GENERATIONS)
        self.collection = ac
        self.enabled = enabled
        opened = EntryStore(root, max_bytes=max_bytes) if enabled and store is None else None
        self.store = opened or (store if enabled else None)
        try:
            self._begin(ac, root, backend, statements, stream_rows)
        except BaseException:
            if opened is not None:
                opened.close()
            raise

    def _begin(
        self,
        ac: Collection,
        root: Path,
        backend: Backend | None,
        statements: Statements | None,
        stream_rows: int,
    ) -> None:
        self.backend: Backend = backend if backend is not None else RecordedBackend(root)
        self.statements = statements if statements is not None else Statements()
        self._answers = self.backend.capabilities().answers
        attestations = self._attestations() if self.enabled else None
        inspector = Inspector(self.backend, self.statements, attestations)
        self._snapshots = Snapshots(ac, self.backend, inspector)
        self._attempts = Attempts(
            self.backend, self.store, self.statements, self._snapshots, stream_rows=stream_rows
        )
        self._recording = threading.Lock()
        self._recorded: DataSnapshot | None = None
        # What it is of is recorded with the first question: it may never come to serve.
        self._snapshots.take(self.statements.bounded(SERVER_CALL))

    def _attestations(self) -> AttestationStore:
        return AttestationStore(
            self.root, collection=self.collection.structure_hash, backend=self.backend.id
        )

    @property
    def typed(self) -> TypedCollection:
        """The collection with its types, as of the data now."""
        return self.snapshot().typed

    @property
    def stream_rows(self) -> int:
        """Frames of more rows than this are streamed, not collected."""
        return self._attempts.stream_rows

    @stream_rows.setter
    def stream_rows(self, rows: int) -> None:
        """Set it; negative: every frame is streamed."""
        self._attempts.stream_rows = rows

    @property
    def epoch(self) -> int:
        """A number that moves whenever an answer could come from other entries."""
        return self.store.epoch if self.store is not None else 0

    @property
    def state(self) -> EngineState:
        """What must not have moved for an answer to be given again; raises as `snapshot`."""
        return self.generation, self.epoch, self._snapshots.fingerprints()

    def fingerprint(self) -> tuple[tuple[str, str | None], ...]:
        """Return the version of every table of the collection, cheaply."""
        return self._snapshots.fingerprints()

    def snapshot(self, context: CallContext = SERVER_CALL) -> DataSnapshot:
        """Return the snapshot of the data as they are; see `Snapshots.take`."""
        return self._snapshot(self.statements.bounded(context))

    def _snapshot(self, context: CallContext) -> DataSnapshot:
        snapshot = self._snapshots.take(context)
        if snapshot is not self._recorded and self.store is not None and self._answers:
            self._record(snapshot)
        return snapshot

    def _record(self, snapshot: DataSnapshot) -> None:
        """Write down which version the source is of; no answer depends on whether that can be."""
        with self._recording:
            if snapshot is self._recorded:
                return
            try:
                record(self.root, self.backend.id, snapshot.types, snapshot.versions)
            except OSError as error:
                log.warning(
                    "engine.not_recorded", collection=self.collection.name, error=str(error)
                )
            self._recorded = snapshot

    def attested(
        self, context: CallContext = SERVER_CALL, needed: Needed | None = None
    ) -> tuple[DataSnapshot, Attested]:
        """Attest promises of the collection, and return what is known then, and of which data.

        Args:
            context: the call that waits.
            needed: which ones; None: every one.

        Raises:
            BackendError: the database failed, or has too much to do, or the data moved at every
                attempt; or the call ended.
        """

        def look(snapshot: DataSnapshot, context: CallContext) -> tuple[DataSnapshot, Attested]:
            if not self._answers:
                return snapshot, snapshot.facts.known
            if needed is None:
                return snapshot, snapshot.facts.attest_all(context)
            snapshot.facts.attest(needed(snapshot.typed) & snapshot.facts.known.unattested, context)
            return snapshot, snapshot.facts.known

        return self._on_one_version(look, context)

    def plan(
        self, ask: Resolve, freshness: Freshness = NO_FRESHNESS, context: CallContext = SERVER_CALL
    ) -> Plan:
        """Return the plan of a question on the data as they are, and carry nothing out.

        What the plan rests on is attested; raises as `answer`.
        """

        def attempt(snapshot: DataSnapshot, context: CallContext) -> Plan:
            question = ask(snapshot.typed)
            return self._attempts.attested_plan(
                question, freshness, snapshot, context, explains=True
            )

        return self._on_one_version(attempt, context)

    def check(
        self, ask: Resolve, freshness: Freshness = NO_FRESHNESS, context: CallContext = SERVER_CALL
    ) -> Question:
        """Return a question that could be planned on what is known of the data, and attest nothing.

        Raises:
            QueryError: it may not be asked, or the data are known to break what it rests on.
        """

        def attempt(snapshot: DataSnapshot, context: CallContext) -> Question:
            question = ask(snapshot.typed)
            self._attempts.plan(question, freshness, snapshot)
            return question

        return self._on_one_version(attempt, context)

    def rows(self, tables: Iterable[str], context: CallContext = SERVER_CALL) -> Mapping[str, int]:
        """Return how many rows some tables of the collection have; raises as `attested`."""
        keys = frozenset(map(rows_key, tables))

        def count(snapshot: DataSnapshot, context: CallContext) -> Mapping[str, int]:
            snapshot.facts.attest(keys & snapshot.facts.known.unattested, context)
            return snapshot.facts.known.rows

        return self._on_one_version(count, context)

    def answer(
        self, ask: Resolve, freshness: Freshness = NO_FRESHNESS, context: CallContext = SERVER_CALL
    ) -> Served:
        """Resolve, plan and carry out a question on one version of the data.

        Where the data move meanwhile it is begun anew, at most three times.

        Args:
            ask: what is asked, given the types of the data.
            freshness: what it says about age.
            context: the call that waits for the answer.

        Raises:
            QueryError: the question cannot be answered on the current data, or within the limits.
            BackendError: the database failed, or has too much to do, or the data move faster than
                they are read; or no caller waits any more.
        """
        without: set[str] = set()

        def attempt(snapshot: DataSnapshot, context: CallContext) -> Served:
            question = ask(snapshot.typed)
            while True:
                try:
                    return self._attempts.answer(question, freshness, snapshot, context, without)
                except EntryGone as gone:
                    without.add(gone.entry_id)

        return self._on_one_version(attempt, context)

    def together(
        self,
        work: Callable[[Asker], Result],
        freshness: Freshness = NO_FRESHNESS,
        context: CallContext = SERVER_CALL,
    ) -> Result:
        """Return what `work` makes of several questions, all answered on one version of the data.

        Where the data move meanwhile it is begun anew, at most three times; where answers may be
        old and are of different ages, once more with answers of now.

        Raises:
            QueryError: a question cannot be answered.
            BackendError: as `answer`; or no version can be told.
        """

        def attempt(snapshot: DataSnapshot, context: CallContext) -> Result:
            try:
                return work(Asker(self._attempts, snapshot, freshness, context))
            except VersionsDiffer:
                fresh = replace(freshness, max_staleness=None)
                return work(Asker(self._attempts, snapshot, fresh, context))

        return self._on_one_version(attempt, context)

    def count_hits(self, entry_ids: Iterable[str]) -> None:
        """Count a hit of each entry that a hot answer was read from, as if it were read again."""
        if self.store is not None:
            for entry_id in entry_ids:
                self.store.touch(entry_id)

    def _on_one_version(
        self, attempt: Callable[[DataSnapshot, CallContext], Result], context: CallContext
    ) -> Result:
        """Return what `attempt` makes of a snapshot, of a new one each time the data moved."""
        context = self.statements.bounded(context)
        for _ in range(ATTEMPTS):
            try:
                return attempt(self._snapshot(context), context)
            except SourceMoved:
                log.info("engine.moved", collection=self.collection.name)
        raise BackendError("the data are being written", hint="ask again in a moment")

    def serve(
        self,
        domain: Domain,
        family: str,
        anchor: tuple[str, ...],
        *,
        operator: str,
        partition_invariant: bool = True,
    ) -> pl.LazyFrame:
        """Return one metric at an anchor: the levels, and a column named after the family.

        Args:
            domain: METRIC.
            family: a metric family.
            anchor: levels.
            operator: one of its reducers.
            partition_invariant: whether the caller relies on the operator rolling up; one that
                never does is then refused.

        Raises:
            QueryError: as for a query.
        """
        if domain is not Domain.METRIC:
            raise NotSupported(f"serve answers {Domain.METRIC}, not {domain}")
        items = (
            *(Item(Name((level,))) for level in anchor),
            Item(Call(operator.upper(), (Name((family,)),)), alias=family),
        )
        statement = Statement(items, Anchor(tuple(Name((level,)) for level in anchor)))

        def ask(typed: TypedCollection) -> Question:
            question = resolve(statement, typed)
            never = any(not need.metric.rolls_up for need in question.needs)
            if partition_invariant and never:
                raise NotSupported(
                    f"{operator} is not partition-invariant", hint="say partition_invariant=False"
                )
            return question

        served = self.answer(ask)
        table = served.table
        if table is None:
            assert served.stream is not None
            batches = list(served.stream.open())
            table = pa.Table.from_batches(batches, schema=answer_schema(served.plan.question))
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame.lazy()

    def compose(
        self,
        frames: list[pl.LazyFrame],
        anchor: tuple[str, ...],
        frame_expression: FrameExpression | None = None,
    ) -> pl.DataFrame:
        """Merge frames of one anchor and derive from them what the caller likes; see `derive`."""
        return derive(frames, anchor, frame_expression)

    def close(self) -> None:
        """Close the store; the back-end is closed by the code that opened it."""
        if self.store is not None:
            self.store.close()
