"""The metric engine: one collection over one back-end, with its memory.

What comes in: questions. What goes out: the states that answer them and where they came from. It
must never answer by two decision procedures: `serve` and the query path both plan with `make_plan`
and carry out what it says.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import structlog

from flightframe_server.backends.protocol import Backend, SourceMoved
from flightframe_server.backends.recorded import RecordedBackend, record
from flightframe_server.cache.entries import EntryGone
from flightframe_server.cache.store import EntryStore
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.installation import DEFAULT_BUDGET
from flightframe_server.composer.compose import (
    FrameExpression,
    answer_schema,
    compose,
    derive,
)
from flightframe_server.engine.asker import NOBODY, Asker, Wait
from flightframe_server.engine.carry_out import Carried, Carrier
from flightframe_server.engine.frames import OpenStream, StreamedFrame
from flightframe_server.engine.ground import Ground, survey, tables_read
from flightframe_server.engine.statements import Statements
from flightframe_server.errors import BackendError, NotSupported
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


class MetricEngine:
    """Serves one collection from its entries, or from its back-end, and remembers.

    Args:
        ac: the Analytic Collection.
        store_root: folder of the entries.
        backend: the database; None serves only what the store already holds.
        enabled: False remembers nothing and labels every answer `backend`.
        max_bytes: budget of the store.
        stream_rows: frames estimated past this many rows are streamed, not collected.
        statements: what runs the back-end's statements, one for all engines of an installation;
            None: one of its own, within the default limits.

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
    ) -> None:
        """Open the store, and type, attest and measure the collection; see the class."""
        root = self._root = Path(store_root)
        self.collection = ac
        self.enabled = enabled
        self.store = EntryStore(root, max_bytes=max_bytes) if enabled else None
        self.backend: Backend = backend if backend is not None else RecordedBackend(root)
        label = ServedFrom.ENGINE_BACKEND if enabled else ServedFrom.BACKEND
        self.statements = statements if statements is not None else Statements()
        self._carrier = Carrier(self.store, self.backend, label, self.statements)
        self._bypass = Carrier(self.store, self.backend, ServedFrom.BACKEND, self.statements)
        self._label = label
        self._stream_rows = stream_rows
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

    def answer(
        self, question: Question, freshness: Freshness = NO_FRESHNESS, asker: Asker = NOBODY
    ) -> Served:
        """Plan and carry out a question.

        Plans again when an entry is gone or the data moved, at most three times; then everything
        comes from the back-end in one query.

        Args:
            question: what is asked.
            freshness: what it says about age.
            asker: whoever waits for the answer.

        Raises:
            QueryError: the question cannot be answered on the current data, or within the limits.
            BackendError: the database failed, or has too much to do; or nobody waits any more.
        """
        wait = self.statements.wait_for(asker)
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
                carried = carrier.carry_out(plan, ground, keep=keep, wait=wait)
                return self._served(carried)
        return self._in_one_query(question, freshness, wait, bypass=bypass)

    def _served(self, carried: Carried) -> Served:
        needs = [part.need for part in carried.plan.parts]
        table = compose(carried.plan.question, needs, carried.tables)
        self.statements.check_result(table.num_rows, table.nbytes)
        return Served(carried.plan, carried.parts, table)

    def _streamed(self, plan: Plan, ground: Ground, *, bypass: bool) -> Served:
        parts = self._whole_parts(plan, ServedFrom.BACKEND if bypass else self._label)
        frame = StreamedFrame(plan, ground, self.backend, self.statements)
        return Served(plan, parts, None, frame)

    def _in_one_query(
        self, question: Question, freshness: Freshness, wait: Wait, *, bypass: bool
    ) -> Served:
        log.info("engine.unsettled", collection=self.collection.name)
        ground = self.ground()
        plan = whole_plan(question, ground.typed, self.plan(question, freshness, ground=ground))
        if plan is None:
            raise BackendError(
                "the source changes while it is read, or cannot tell, and this takes several reads",
                hint="ask again",
            )
        assert plan.stream is not None
        running = self.statements.open(self.backend, plan.stream, wait)
        batches = list(OpenStream(plan, running, self.statements.check_result))
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
                trusted=part.trusted,
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


def _table(question: Question, batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches, schema=answer_schema(question))
