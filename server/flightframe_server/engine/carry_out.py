"""A plan carried out: entries read, rollups combined, the back-end asked, and what it said kept.

What comes in: a plan, the ground it was made on, the store, the back-end. What goes out: for each
metric the table of its states at the anchor, and what was executed to get it. It must never mix
two versions of the data: the fingerprints are read again after the back-end answered, and if they
moved, nothing is kept and the question is planned again.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import structlog

from flightframe_server.backends.ending import Stop
from flightframe_server.backends.protocol import Backend
from flightframe_server.cache.entries import EntryGone, Made
from flightframe_server.cache.store import EntryStore
from flightframe_server.composer.order import sort_points
from flightframe_server.composer.rollup import roll_up
from flightframe_server.engine.asker import Wait
from flightframe_server.engine.ground import Ground
from flightframe_server.engine.single_flight import SingleFlight
from flightframe_server.engine.statements import Statements
from flightframe_server.planner.identity import EntryKey, Version
from flightframe_server.planner.plan import Exact, Fetch, Part, Plan, Rollup
from flightframe_server.planner.source import SourceQuery, held_name, state_name
from flightframe_server.provenance import PartProvenance, Route, ServedFrom
from flightframe_server.resolver.question import Metric

log = structlog.get_logger(__name__)

Fetched = dict[Metric, pa.Table]


class SourceMoved(Exception):
    """The data changed between planning and answering; a signal inside the engine."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What carrying out a plan gave: states and provenance, part by part."""

    plan: Plan
    tables: tuple[pa.Table, ...]
    parts: tuple[PartProvenance, ...]


class Carrier:
    """Carries out plans over one store and one back-end.

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
        """Keep what plans are carried out with; see the class."""
        self._store, self._backend, self._label = store, backend, label
        self._statements = statements
        self._fetches: SingleFlight[Fetched] = SingleFlight()

    def carry_out(self, plan: Plan, ground: Ground, *, keep: bool, wait: Wait) -> Carried:
        """Carry out a plan that is not streamed.

        Args:
            plan: what to do.
            ground: what the plan was made on.
            keep: whether what is fetched and rolled up is remembered.
            wait: whoever waits for the statements.

        Raises:
            EntryGone: an entry of the plan can no longer be read.
            SourceMoved: the data changed meanwhile.
            BackendError: the database failed, or has too much to do; or the wait is over.
        """
        keeping = keep and self._store is not None
        fetched = [
            self._fetch(index, plan, ground, keeping, wait) for index in range(len(plan.queries))
        ]
        tables: list[pa.Table] = []
        parts: list[PartProvenance] = []
        for part in plan.parts:
            match part.how:
                case Fetch(query=index, metric=metric):
                    tables.append(fetched[index][metric])
                    parts.append(self._provenance(part, Route.BACKEND, self._label))
                case Exact(entry=entry):
                    tables.append(self._held().read(entry))
                    self._held().touch(entry.entry_id)
                    parts.append(cached(part, Route.EXACT))
                case Rollup():
                    tables.append(self._rolled_up(part, part.how, ground, keeping))
                    parts.append(cached(part, Route.ROLLUP))
        return Carried(plan, tuple(tables), tuple(parts))

    def _held(self) -> EntryStore:
        if self._store is None:
            raise EntryGone("none")
        return self._store

    def _rolled_up(self, part: Part, rollup: Rollup, ground: Ground, keeping: bool) -> pa.Table:
        store = self._held()
        finer = store.read(rollup.entry)
        store.touch(rollup.entry.entry_id)
        table = roll_up(finer, rollup, part.key.anchor, part.metric, ground.attested.maps)
        if keeping and part.version is not None:
            made = Made("rollup", rollup.entry.entry_id, rollup.entry.key.anchor, rollup.edges)
            version = merged(rollup.entry.version, part.version)
            if version is not None:
                store.put(part.key, table, version, made)
        return table

    def _fetch(
        self,
        index: int,
        plan: Plan,
        ground: Ground,
        keeping: bool,
        wait: Wait,
    ) -> Fetched:
        query = plan.queries[index]
        wanted = {
            part.how.metric: part
            for part in plan.parts
            if isinstance(part.how, Fetch) and part.how.query == index
        }
        keys: tuple[EntryKey, ...] = tuple(part.key for part in wanted.values())
        version = tuple(sorted((table, ground.versions.get(table)) for table in query.tables))

        def work(stop: Stop) -> Fetched:
            found = self._statements.collect(self._backend, query, stop, wait.query_id, wait.caller)
            tables = split(found, query)
            self._unmoved(query, ground)
            if keeping and self._store is not None:
                for metric, part in wanted.items():
                    if part.version is not None:
                        self._store.put(part.key, tables[metric], part.version, Made("backend"))
            return tables

        return self._fetches.do((keys, version, keeping), work, wait)

    def _unmoved(self, query: SourceQuery, ground: Ground) -> None:
        after = self._backend.fingerprints(query.tables)
        if any(after[table] != ground.versions.get(table) for table in query.tables):
            raise SourceMoved

    @staticmethod
    def _provenance(part: Part, route: Route, label: ServedFrom) -> PartProvenance:
        return PartProvenance(
            part.metric.identity,
            str(part.metric.operator),
            part.key.anchor,
            route,
            label,
            version=dict(part.version or ()),
        )


def cached(part: Part, route: Route) -> PartProvenance:
    """Return the provenance of a part that an entry answered."""
    assert not isinstance(part.how, Fetch)
    rollup = part.how if isinstance(part.how, Rollup) else None
    return PartProvenance(
        part.metric.identity,
        str(part.metric.operator),
        part.key.anchor,
        route,
        ServedFrom.ENGINE_CACHE,
        entry=part.how.entry.entry_id,
        rolled_up_from=rollup.entry.key.anchor if rollup else None,
        edges=rollup.edges if rollup else part.how.entry.edges,
        version=dict(part.how.entry.version),
    )


def split(table: pa.Table, query: SourceQuery) -> Fetched:
    """Split the answer of one grouped query into a sorted table of states for each metric."""
    levels = [read.level for read in query.anchor]
    ordered = sort_points(table, levels)
    found: Fetched = {}
    for index, metric in enumerate(query.metrics):
        states = [name for name, _ in metric.states]
        columns = ordered.select([*levels, *(state_name(index, name) for name in states)])
        found[metric] = columns.rename_columns([*levels, *map(held_name, states)])
    return found


def merged(one: Version, other: Version) -> Version | None:
    """Return the version vector over the tables of both, or None where they disagree."""
    both = dict(one)
    for table, fingerprint in other:
        if both.setdefault(table, fingerprint) != fingerprint:
            return None
    return tuple(sorted(both.items()))
