"""A plan executed: entries read, rollups combined, the back-end asked, and what it said kept.

What comes in: a plan, the snapshot it was made on, the store, the back-end. What goes out: for each
metric the table of its states at the anchor, and what was executed to get it. It must never mix
two versions of the data: the back-end reads the snapshot's version or says that it moved, and what
it read is filed under that version alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import structlog

from flightframe_server.algebra.types import Kind
from flightframe_server.arrow_types import arrow_type
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import Backend
from flightframe_server.cache.entries import EntryGone, Lineage
from flightframe_server.cache.store import EntryStore
from flightframe_server.call_context import CallContext
from flightframe_server.composer.order import sort_points
from flightframe_server.composer.rollup import roll_up
from flightframe_server.composer.shift import move_points
from flightframe_server.engine.reading import VersionReader
from flightframe_server.engine.snapshot import DataSnapshot
from flightframe_server.error_subject import about
from flightframe_server.errors import ArithmeticOverflow, FlightframeError
from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.identity import EntryKey, Version
from flightframe_server.planner.make import can_stream
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Exact, Fetch, Part, Plan, Rollup
from flightframe_server.planner.source import SourceQuery, state_column, state_name
from flightframe_server.provenance import PartProvenance, Route, ServedFrom
from flightframe_server.resolver.terms import Apply, Metric, Term, levels_of, walk
from flightframe_server.statements.runner import Statements
from flightframe_server.statements.single_flight import SingleFlight

log = structlog.get_logger(__name__)

Fetched = dict[Metric, pa.Table]


@dataclass(frozen=True, slots=True)
class Executed:
    """What the execution of a plan gave: states and provenance, part by part."""

    plan: Plan
    tables: tuple[pa.Table, ...]
    parts: tuple[PartProvenance, ...]


class PlanExecutor:
    """Executes plans over one store and one back-end.

    Args:
        store: where entries are; None where the engine remembers nothing.
        backend: the database.
        label: what a fetched part is labelled.
        statements: what runs the back-end's statements.
    """

    def __init__(
        self,
        store: EntryStore | None,
        backend: Backend,
        label: ServedFrom,
        statements: Statements,
    ) -> None:
        """Keep what plans are executed with; see the class."""
        self._store, self._backend, self._label = store, backend, label
        self._statements = statements
        self._fetches: SingleFlight[Fetched] = SingleFlight()

    def execute(
        self,
        plan: Plan,
        snapshot: DataSnapshot,
        *,
        keep: bool,
        max_rows: int,
        context: CallContext,
    ) -> Executed:
        """Execute a plan that is not streamed.

        Args:
            plan: what to do.
            snapshot: what the plan was made on.
            keep: whether what is fetched and rolled up is remembered.
            max_rows: how many rows of a statement are collected, where the plan can be streamed.
            context: the call that waits.

        Raises:
            EntryGone: an entry of the plan can no longer be read, or is of other types.
            SourceMoved: the data are of another version.
            TooManyRows: a statement brings more rows than are collected.
            BackendError: the database failed, or has too much to do; or the call ended.
        """
        keeping = keep and self._store is not None
        limit = max_rows if max_rows >= 0 and can_stream(plan) else None
        fetched = [
            self._fetch(index, plan, snapshot, keeping, limit, context)
            for index in range(len(plan.queries))
        ]
        tables: list[pa.Table] = []
        parts: list[PartProvenance] = []
        for part in plan.parts:
            match part.how:
                case Fetch(query=index, metric=metric):
                    tables.append(fetched[index][metric])
                    parts.append(self._provenance(part, Route.BACKEND, self._label))
                case Exact(entry=entry):
                    tables.append(self._entry(entry, part, context))
                    parts.append(cached(part, Route.EXACT))
                case Rollup():
                    tables.append(self._rolled_up(part, part.how, snapshot, keeping, context))
                    parts.append(cached(part, Route.ROLLUP))
            if part.need.shift is not None:
                tables[-1] = move_points(tables[-1], part.key.anchor, part.need.shift)
        return Executed(plan, tuple(tables), tuple(parts))

    def _require_store(self) -> EntryStore:
        if self._store is None:
            raise EntryGone("none")
        return self._store

    def _entry(self, entry: CacheEntry, part: Part, context: CallContext) -> pa.Table:
        """Read an entry; one whose states are of other types was made from other data."""
        store = self._require_store()
        table = store.read(entry)
        for name, declared in part.metric.states:
            if table.schema.field(state_column(name)).type != arrow_type(declared):
                raise EntryGone(entry.entry_id)
        if context.counted:
            store.touch(entry.entry_id)
        return table

    def _rolled_up(
        self,
        part: Part,
        rollup: Rollup,
        snapshot: DataSnapshot,
        keeping: bool,
        context: CallContext,
    ) -> pa.Table:
        store = self._require_store()
        started = time.perf_counter()
        finer = self._entry(rollup.entry, part, context)
        hops = (hop for lookup in rollup.lookups for hop in lookup.hops)
        maps = snapshot.facts.maps((hop for hop in hops if isinstance(hop, TableHop)), context)
        try:
            table = roll_up(finer, rollup, part.key.anchor, part.metric, maps)
        except ArithmeticOverflow as error:
            named = subjects(error, (part.metric,), part.need.filter)
            raise about(error, named) from error.__cause__
        if keeping and part.version is not None:
            lineage = Lineage(
                "rollup", rollup.entry.entry_id, rollup.entry.key.anchor, rollup.edges
            )
            version = merged(rollup.entry.version, part.version)
            # An entry of an older version would be kept as if its age began now.
            if version is not None and snapshot.is_of(version):
                seconds = time.perf_counter() - started
                kept = store.put(part.key, table, version, lineage, seconds=seconds)
                if kept is not None and context.counted:
                    # The question was answered from the cache: a hit of its own key as well.
                    store.touch(kept.entry_id)
        return table

    def _fetch(
        self,
        index: int,
        plan: Plan,
        snapshot: DataSnapshot,
        keeping: bool,
        limit: int | None,
        context: CallContext,
    ) -> Fetched:
        query = plan.queries[index]
        parts = {
            part.how.metric: part
            for part in plan.parts
            if isinstance(part.how, Fetch) and part.how.query == index
        }
        keys: tuple[EntryKey, ...] = tuple(part.key for part in parts.values())
        version = tuple(sorted((table, snapshot.versions.get(table)) for table in query.tables))

        def work(token: CancelToken) -> Fetched:
            reader = VersionReader(
                self._backend,
                self._statements,
                snapshot.versions,
                token,
                context,
            )
            spent: list[float] = []
            try:
                table = reader.collect(query, max_rows=limit, spent=spent.append)
            except FlightframeError as error:
                raise about(error, subjects(error, parts, query.filter)) from error.__cause__
            tables = split(table, query)
            if keeping and self._store is not None:
                for metric, part in parts.items():
                    if part.version is not None:
                        self._store.put(
                            part.key,
                            tables[metric],
                            part.version,
                            Lineage("backend"),
                            seconds=sum(spent),
                        )
            return tables

        # What is read of a version that cannot be told is of the moment at which it is read.
        untold = any(sign is None for _, sign in version)
        key = None if untold else (keys, version, keeping, limit)
        return self._fetches.do(key, work, context)

    @staticmethod
    def _provenance(part: Part, route: Route, label: ServedFrom) -> PartProvenance:
        return PartProvenance(
            part.family,
            str(part.metric.operator),
            masked_anchor(part.key.anchor, part.key.anchor),
            route,
            label,
            version=dict(part.version or ()),
            trusted=part.trusted,
            shift=shift_text(part),
        )


def subjects(
    error: FlightframeError, metrics: Iterable[Metric], conditions: Iterable[Term]
) -> list[str]:
    """Return which of the metrics and conditions of one statement an error may be about.

    A count does not overflow: it is named where nothing else was read. A condition may where it
    computes a value, such as `CAST(hour AS date)`: it is named by its levels.
    """
    read = list(metrics)
    if not isinstance(error, ArithmeticOverflow):
        return [metric.subject for metric in read]
    computed = [
        f"WHERE on {', '.join(sorted(levels_of(one)))}" for one in conditions if _computes(one)
    ]
    may_overflow = [metric for metric in read if not metric.reducer.zero_when_empty]
    named = may_overflow if may_overflow or computed else read
    return [*(metric.subject for metric in named), *computed]


def _computes(condition: Term) -> bool:
    """Return whether a condition computes a value, and does not only compare what is there."""
    return any(
        isinstance(node, Apply) and node.type.kind is not Kind.BOOLEAN for node in walk(condition)
    )


def shift_text(part: Part) -> str | None:
    """Return where the points of a part are told, if not where they were read."""
    return None if part.need.shift is None else str(part.need.shift)


def cached(part: Part, route: Route) -> PartProvenance:
    """Return the provenance of a part that an entry answered."""
    assert not isinstance(part.how, Fetch)
    rollup = part.how if isinstance(part.how, Rollup) else None
    return PartProvenance(
        part.family,
        str(part.metric.operator),
        masked_anchor(part.key.anchor, part.key.anchor),
        route,
        ServedFrom.ENGINE_CACHE,
        entry=part.how.entry.entry_id,
        rolled_up_from=masked_anchor(rollup.entry.key.anchor, part.key.anchor) if rollup else None,
        edges=rollup.edges if rollup else part.how.entry.edges,
        version=dict(part.how.entry.version),
        trusted=part.trusted,
        shift=shift_text(part),
    )


def split(table: pa.Table, query: SourceQuery) -> Fetched:
    """Split the answer of one grouped query into a sorted table of states for each metric."""
    levels = [read.level for read in query.anchor]
    ordered = sort_points(table, levels)
    tables: Fetched = {}
    for index, metric in enumerate(query.metrics):
        states = [name for name, _ in metric.states]
        columns = ordered.select([*levels, *(state_name(index, name) for name in states)])
        tables[metric] = columns.rename_columns([*levels, *map(state_column, states)])
    return tables


def merged(one: Version, other: Version) -> Version | None:
    """Return the version vector over the tables of both, or None where they disagree."""
    both = dict(one)
    for table, fingerprint in other:
        if both.setdefault(table, fingerprint) != fingerprint:
            return None
    return tuple(sorted(both.items()))
