"""The metric engine: one collection over one back-end, with its memory.

What comes in: questions. What goes out: the states that answer them and where they came from. It
must never answer by two decision procedures: `serve` and the query path both plan with `make_plan`
and carry out what it says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import structlog

from flightframe_server.backends.protocol import Backend, RunningQuery
from flightframe_server.backends.recorded import RecordedBackend, record
from flightframe_server.cache.entries import EntryGone
from flightframe_server.cache.store import EntryStore
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import DEFAULT_BUDGET
from flightframe_server.composer.compose import (
    FrameExpression,
    answer_schema,
    compose,
    compose_stream,
    derive,
)
from flightframe_server.engine.carry_out import Carried, Carrier, SourceMoved
from flightframe_server.engine.ground import Ground, survey, tables_read
from flightframe_server.errors import BackendError, NotSupported, TicketRefused
from flightframe_server.language.syntax import Anchor, Call, Item, Name, Statement
from flightframe_server.planner.holdings import Holdings
from flightframe_server.planner.identity import Domain
from flightframe_server.planner.make import make_plan, whole_plan
from flightframe_server.planner.plan import NO_FRESHNESS, Conditions, Fetch, Freshness, Plan
from flightframe_server.provenance import PartProvenance, Route, ServedFrom
from flightframe_server.resolver.operators import Combine
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection

log = structlog.get_logger(__name__)

ATTEMPTS = 3
STREAM_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Served:
    """One question carried out.

    Attributes:
        plan: the plan that was carried out.
        parts: what was executed for each metric of the plan, in its order.
        table: the finished answer; None where it is streamed.
        stream: the frame to open where the answer may be too large to collect.
    """

    plan: Plan
    parts: tuple[PartProvenance, ...]
    table: pa.Table | None
    stream: StreamedFrame | None = None


class StreamedFrame:
    """A planned frame that is fetched only when it is read, and never collected."""

    def __init__(self, plan: Plan, ground: Ground, backend: Backend, timeout: float | None) -> None:
        """Keep the plan and the version it was made on."""
        self._plan, self._ground = plan, ground
        self._backend, self._timeout = backend, timeout

    def open(self) -> OpenStream:
        """Start the statement.

        Raises:
            TicketRefused: the data changed since the frame was planned.
            BackendError: the database failed.
        """
        assert self._plan.stream is not None
        self._refuse_moved(self._plan.stream.tables)
        running = self._backend.run(self._plan.stream, timeout=self._timeout)
        try:
            # The statement may have started on newer data, of which nothing was attested.
            self._refuse_moved(self._plan.stream.tables)
        except BaseException:
            running.close()
            raise
        return OpenStream(self._plan, running)

    def _refuse_moved(self, tables: frozenset[str]) -> None:
        now = self._backend.fingerprints(tables)
        if any(now[table] != self._ground.versions.get(table) for table in tables):
            raise TicketRefused("the data changed since this answer was planned", hint="ask again")


class OpenStream:
    """A streamed answer under way. Iterate it, and close it."""

    def __init__(self, plan: Plan, running: RunningQuery) -> None:
        """Compose batches of `running` as `plan` says."""
        self._plan, self._running = plan, running

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the answer."""
        assert self._plan.stream is not None
        metrics = [metric for source in self._plan.stream.sources for metric in source.metrics]
        try:
            yield from compose_stream(self._plan.question, metrics, self._running)
        finally:
            self._running.close()

    def cancel(self) -> None:
        """Stop the statement, from any thread."""
        self._running.cancel()

    def close(self) -> None:
        """Give the statement's resources back."""
        self._running.close()


class MetricEngine:
    """Serves one collection from its entries, or from its back-end, and remembers.

    Args:
        ac: the Analytic Collection.
        store_root: folder of the entries.
        backend: the database; None serves only what the store already holds.
        enabled: False remembers nothing and labels every answer `backend`.
        max_bytes: budget of the store.
        stream_rows: frames estimated past this many rows are streamed, not collected.
        timeout: seconds for each statement; None for no limit.

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
        timeout: float | None = None,
    ) -> None:
        """Open the store, and type, attest and measure the collection; see the class."""
        root = self._root = Path(store_root)
        self.collection = ac
        self.enabled = enabled
        self.store = EntryStore(root, max_bytes=max_bytes) if enabled else None
        self.backend: Backend = backend if backend is not None else RecordedBackend(root)
        label = ServedFrom.ENGINE_BACKEND if enabled else ServedFrom.BACKEND
        self._carrier = Carrier(self.store, self.backend, label)
        self._bypass = Carrier(self.store, self.backend, ServedFrom.BACKEND)
        self._label = label
        self._stream_rows, self._timeout = stream_rows, timeout
        able = self.backend.capabilities()
        self._reducers = able.reducers if able.answers else None
        self._tables = tables_read(ac)
        self._surveying = threading.Lock()
        self._ground = survey(ac, self.backend)
        if backend is not None and self.store is not None:
            record(root, backend, tables_read(ac))

    @property
    def typed(self) -> TypedCollection:
        """The collection with its types, as of the data now."""
        return self.ground().typed

    @property
    def epoch(self) -> int:
        """A number that moves whenever an answer could come from other entries."""
        return self.store.epoch if self.store is not None else 0

    def fingerprint(self) -> tuple[tuple[str, str | None], ...]:
        """Return the version of every table of the collection, cheaply."""
        return tuple(self.backend.fingerprints(self._tables).items())

    def ground(self) -> Ground:
        """Return the ground for the data as it is now, surveying again if it moved."""
        ground = self._ground
        if self.backend.fingerprints(tuple(ground.versions)) == ground.versions:
            return ground
        with self._surveying:
            if self.backend.fingerprints(tuple(self._ground.versions)) != self._ground.versions:
                self._ground = survey(self.collection, self.backend)
                if self.store is not None and not isinstance(self.backend, RecordedBackend):
                    record(self._root, self.backend, tables_read(self.collection))
            return self._ground

    def plan(
        self,
        question: Question,
        freshness: Freshness = NO_FRESHNESS,
        *,
        ground: Ground | None = None,
    ) -> Plan:
        """Return the plan of a question under the conditions of now; see `make_plan`."""
        ground = ground if ground is not None else self.ground()
        holdings = self.store.holdings() if self.store is not None else Holdings()
        conditions = Conditions(
            self.backend.id,
            self.enabled,
            self._reducers,
            holdings,
            ground.versions,
            ground.attested.broken,
            frozenset(ground.attested.maps),
            ground.attested.siblings,
            ground.statistics,
            freshness,
            time.time(),
            self._stream_rows,
        )
        return make_plan(question, ground.typed, conditions)

    def answer(self, question: Question, freshness: Freshness = NO_FRESHNESS) -> Served:
        """Plan and carry out a question.

        Plans again when an entry is gone or the data moved, at most three times; then everything
        comes from the back-end in one query.

        Raises:
            QueryError: the question cannot be answered on the current data.
            BackendError: the database failed.
        """
        bypass = freshness.no_cache and self.enabled
        carrier = self._bypass if bypass else self._carrier
        keep = self.enabled and not bypass
        for _ in range(ATTEMPTS):
            ground = self.ground()
            plan = self.plan(question, freshness, ground=ground)
            if plan.stream is not None:
                return self._streamed(plan, ground, bypass=bypass)
            if _mixes_unknown(plan):
                break
            with suppress(EntryGone, SourceMoved):
                carried = carrier.carry_out(plan, ground, keep=keep, timeout=self._timeout)
                return _served(carried)
        return self._in_one_query(question, freshness, bypass=bypass)

    def _streamed(self, plan: Plan, ground: Ground, *, bypass: bool) -> Served:
        parts = self._whole_parts(plan, ServedFrom.BACKEND if bypass else self._label)
        frame = StreamedFrame(plan, ground, self.backend, self._timeout)
        return Served(plan, parts, None, frame)

    def _in_one_query(self, question: Question, freshness: Freshness, *, bypass: bool) -> Served:
        log.info("engine.unsettled", collection=self.collection.name)
        ground = self.ground()
        plan = whole_plan(question, ground.typed, self.plan(question, freshness, ground=ground))
        if plan is None:
            raise BackendError(
                "the source changes while it is read, or cannot tell, and this takes several reads",
                hint="ask again",
            )
        assert plan.stream is not None
        running = self.backend.run(plan.stream, timeout=self._timeout)
        batches = list(OpenStream(plan, running))
        after = self.ground()
        if after is not ground:
            # The rows may be newer than what was attested: what is broken now is refused.
            self.plan(question, freshness, ground=after)
        parts = self._whole_parts(plan, ServedFrom.BACKEND if bypass else self._label)
        return Served(plan, parts, _table(question, batches))

    def _whole_parts(self, plan: Plan, label: ServedFrom) -> tuple[PartProvenance, ...]:
        return tuple(
            PartProvenance(
                part.metric.identity,
                str(part.metric.operator),
                part.key.anchor,
                Route.BACKEND,
                label,
                version=dict(part.version or ()),
            )
            for part in plan.parts
        )

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
        question = resolve(statement, self.typed)
        if partition_invariant and any(item.combine is Combine.NEVER for item, _ in question.needs):
            raise NotSupported(
                f"{operator} is not partition-invariant", hint="say partition_invariant=False"
            )
        served = self.answer(question)
        table = served.table
        if table is None:
            assert served.stream is not None
            table = _table(question, list(served.stream.open()))
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
        """Close the store; the back-end belongs to whoever opened it."""
        if self.store is not None:
            self.store.close()


def _mixes_unknown(plan: Plan) -> bool:
    """Return whether a part whose version cannot be told would stand beside a part read apart."""
    if all(part.version is not None for part in plan.parts):
        return False
    return len(plan.queries) > 1 or any(not isinstance(part.how, Fetch) for part in plan.parts)


def _served(carried: Carried) -> Served:
    needs = [part.need for part in carried.plan.parts]
    table = compose(carried.plan.question, needs, carried.tables)
    return Served(carried.plan, carried.parts, table)


def _table(question: Question, batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches, schema=answer_schema(question))
