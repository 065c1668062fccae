"""What is known of one version of the data: attested promise by promise, when it is first needed.

What comes in: a typed collection on one version of its data. What goes out: which promises hold,
which are broken and by which row, the maps of edges, sizes of tables. It must never look twice at
what is known of the same content of the same tables: not in this process, nor after a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import Backend, Fingerprints
from flightframe_server.cache.attestations import MISSING, AttestationStore
from flightframe_server.call_context import CallContext
from flightframe_server.composer.level_lookup import EdgeMaps
from flightframe_server.engine.attest import attest
from flightframe_server.engine.reading import VersionReader
from flightframe_server.error_subject import about
from flightframe_server.errors import FlightframeError
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.identity import Version
from flightframe_server.planner.promises import (
    ColumnIsUnique,
    EdgeIsFunction,
    Fact,
    GrainIsKey,
    SiblingIsEqual,
    TableSize,
    facts_of,
    table_hops,
)
from flightframe_server.planner.route import version_of
from flightframe_server.planner.violations import edge_key, rows_key, unique_key
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.statements.runner import Statements
from flightframe_server.statements.single_flight import SingleFlight

MAP_ROWS = 50_000
"""Maps of tables of no more rows are read to be looked at."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Attested:
    """What is known by now of one version of the data.

    Attributes:
        violations: for each broken promise, by key, a row that shows it, in words.
        unattested: the keys of what has not been looked at.
        siblings: for each (family, sibling schema) None where they are equal, else a row.
        rows: the rows of each table that was counted.
        unique: the columns that have no value twice, by table, of those that were looked at.
        keys: the schemas whose grain stands on no two rows, of those that were looked at.
    """

    violations: Mapping[str, str] = field(default_factory=dict)
    unattested: frozenset[str] = frozenset()
    siblings: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    unique: frozenset[tuple[str, str]] = frozenset()
    keys: frozenset[str] = frozenset()


class Inspector:
    """Looks facts up in a back-end, once for all who ask at the same time.

    Args:
        backend: the database.
        statements: what runs its statements.
        attestations: what earlier processes found; None where nothing is kept.
    """

    def __init__(
        self, backend: Backend, statements: Statements, attestations: AttestationStore | None
    ) -> None:
        """Keep what facts are looked up with; see the class."""
        self.backend, self.statements, self.attestations = backend, statements, attestations
        self.lookups: SingleFlight[str | None] = SingleFlight()
        self.map_lookups: SingleFlight[pa.Table] = SingleFlight()


class DataFacts:
    """The facts of one version of the data, as far as they were looked up.

    Args:
        typed: the collection with the types of that version.
        versions: the fingerprint of each table.
        inspector: looks up what is not known.
        before: the facts of another version: what they say of tables that did not move is taken.
    """

    def __init__(
        self,
        typed: TypedCollection,
        versions: Fingerprints,
        inspector: Inspector,
        before: DataFacts | None = None,
    ) -> None:
        """Take over what is known already; see the class."""
        self._typed, self._versions, self._inspector = typed, versions, inspector
        self._facts = facts_of(typed)
        self._hops = {hop.edge: hop for hop in table_hops(typed)}
        self._edges = frozenset(self._hops)
        self._lock = threading.Lock()
        self._verdicts: dict[str, str | None] = {}
        self._maps: dict[str, pa.Table] = {}
        self._targets: dict[str, pa.Array] = {}
        for fact in self._facts.values():
            self._take_over(fact, before)
        if before is not None:
            self._maps.update(before.maps_of_same(self._hops, versions))
        self._known: Attested | None = None

    @property
    def known(self) -> Attested:
        """What is known by now, gathered when it is asked for and not at each verdict."""
        known = self._known
        if known is None:
            with self._lock:
                known = self._known = self._known or self._gathered()
        return known

    @property
    def edges(self) -> frozenset[str]:
        """The edges that are read from tables, whose maps can be had."""
        return self._edges

    def about(self, tables: Collection[str]) -> frozenset[str]:
        """Return the keys of the facts that are looked up in these tables alone."""
        within = frozenset(tables)
        return frozenset(key for key, fact in self._facts.items() if fact.tables <= within)

    @property
    def known_maps(self) -> EdgeMaps:
        """The maps that are known without asking the back-end, by edge."""
        maps = ((edge, self._known_map(hop)) for edge, hop in self._hops.items())
        return {edge: table for edge, table in maps if table is not None}

    def targets_at_hand(self, edge: str) -> pa.Array | None:
        """Return all that an edge leads to, where its map is known without asking the back-end."""
        hop = self._hops.get(edge)
        if hop is not None and edge not in self._targets:
            table = self._known_map(hop)
            if table is not None:
                self._targets[edge] = pc.unique(table["target"])
        return self._targets.get(edge)

    def attest(self, keys: Iterable[str], context: CallContext) -> None:
        """Look up what is not known of these keys.

        Args:
            keys: keys of facts of this collection.
            context: the call that waits.

        Raises:
            SourceMoved: the data are of another version.
            BackendError: the database failed, or has too much to do; or the call ended.
        """
        for key in sorted(keys):
            if key not in self._verdicts:
                fact = self._facts[key]
                if self._is_surely_function(fact, context):
                    self._settle(fact, None)
                    continue
                tables = self._tables(fact)
                untold = any(sign is None for _, sign in tables)
                known = None if untold else (key, tables)

                def look(token: CancelToken, fact: Fact = fact) -> str | None:
                    return self._look(fact, self._reader(token, context))

                self._settle(fact, self._inspector.lookups.do(known, look, context))

    def _is_surely_function(self, fact: Fact, context: CallContext) -> bool:
        """Whether an edge needs no look at its map: no source of it stands on several rows.

        The map of a small table is read all the same, for what rolls up along it.
        """
        if not isinstance(fact, EdgeIsFunction):
            return False
        hop = fact.hop
        if not hop.is_plain:
            return False
        size, unique = rows_key(hop.table), unique_key(hop.table, hop.source_column)
        if size not in self._facts or unique not in self._facts:
            return False
        self.attest([size], context)
        if int(self._verdicts[size] or 0) <= MAP_ROWS:
            return False
        self.attest([unique], context)
        return self._verdicts[unique] is None

    def attest_all(self, context: CallContext) -> Attested:
        """Look up every promise, and return what is known then; raises as `attest`."""
        self.attest(self.known.unattested, context)
        return self.known

    def maps(self, hops: Iterable[TableHop], context: CallContext) -> EdgeMaps:
        """Return the maps of some edges on this version; raises as `attest`."""
        return {hop.edge: self._map(hop, context) for hop in hops}

    def _map(self, hop: TableHop, context: CallContext) -> pa.Table:
        known = self._known_map(hop)
        if known is not None:
            return known

        def read(token: CancelToken) -> pa.Table:
            return self._read_map(hop, self._reader(token, context))

        key = (edge_key(hop.edge), hop.table, self._versions.get(hop.table))
        return self._inspector.map_lookups.do(key, read, context)

    def _known_map(self, hop: TableHop) -> pa.Table | None:
        table = self._maps.get(hop.edge)
        version, store = version_of(self._versions, {hop.table}), self._inspector.attestations
        if table is None and version is not None and store is not None:
            table = store.get_map(edge_key(hop.edge), version)
            if table is not None:
                self._maps[hop.edge] = table
        return table

    def _read_map(self, hop: TableHop, reader: VersionReader) -> pa.Table:
        table = self._known_map(hop)
        if table is None:
            table = self._maps[hop.edge] = reader.edge_map(hop)
            version, store = version_of(self._versions, {hop.table}), self._inspector.attestations
            if version is not None and store is not None:
                store.put_map(edge_key(hop.edge), version, table)
        return table

    def _look(self, fact: Fact, reader: VersionReader) -> str | None:
        try:
            verdict = attest(self._typed, fact, reader, lambda hop: self._read_map(hop, reader))
        except FlightframeError as error:
            raise about(error, [f"whether it holds: {fact.key}"]) from error.__cause__
        version, store = self._version(fact), self._inspector.attestations
        if version is not None and store is not None:
            store.put(self._lasting_key(fact), version, verdict)
        return verdict

    def _reader(self, token: CancelToken, context: CallContext) -> VersionReader:
        inspector = self._inspector
        return VersionReader(
            inspector.backend,
            inspector.statements,
            self._versions,
            token,
            context,
        )

    def _settle(self, fact: Fact, verdict: str | None) -> None:
        with self._lock:
            fresh = fact.key not in self._verdicts
            self._verdicts[fact.key] = verdict
            self._known = None
        if fresh and verdict is not None and not isinstance(fact, TableSize | ColumnIsUnique):
            log.warning("promise.broken", collection=self._typed.collection.name, what=fact.key)

    def _gathered(self) -> Attested:
        violations: dict[str, str] = {}
        siblings: dict[tuple[str, str], str | None] = {}
        rows: dict[str, int] = {}
        unique: set[tuple[str, str]] = set()
        keys: set[str] = set()
        for key, verdict in self._verdicts.items():
            match self._facts[key]:
                case TableSize(table=table):
                    rows[table] = int(verdict or 0)
                case ColumnIsUnique(table=table, column=column):
                    if verdict is None:
                        unique.add((table, column))
                case SiblingIsEqual(family=family, schema=schema):
                    siblings[family, schema] = verdict
                case GrainIsKey(schema=schema) if verdict is None:
                    # What is trusted was not looked at.
                    keys |= set() if self._typed.schema(schema).trusted else {schema}
                case _:
                    if verdict is not None:
                        violations[key] = verdict
        unattested = frozenset(self._facts) - frozenset(self._verdicts)
        return Attested(violations, unattested, siblings, rows, frozenset(unique), frozenset(keys))

    def _take_over(self, fact: Fact, before: DataFacts | None) -> None:
        version, store = self._version(fact), self._inspector.attestations
        if version is None:
            return
        if before is not None and before.has_same(fact, self._versions):
            self._verdicts[fact.key] = before._verdicts[fact.key]
        elif store is not None:
            verdict = store.get(self._lasting_key(fact), version)
            if verdict is not MISSING:
                self._verdicts[fact.key] = verdict

    def maps_of_same(self, hops: Mapping[str, TableHop], versions: Fingerprints) -> EdgeMaps:
        """Return the maps known here of these very edges, of tables that did not move."""
        return {
            edge: self._maps[edge]
            for edge, hop in hops.items()
            if edge in self._maps
            and self._hops[edge] == hop
            and versions.get(hop.table) is not None
            and self._versions.get(hop.table) == versions.get(hop.table)
        }

    def has_same(self, fact: Fact, versions: Fingerprints) -> bool:
        """Whether this very fact is known here, of tables that did not move."""
        return (
            fact.key in self._verdicts
            and self._facts.get(fact.key) == fact
            and all(self._versions.get(table) == versions.get(table) for table in fact.tables)
        )

    def _lasting_key(self, fact: Fact) -> str:
        """Return the key of a fact among those of former collections of the same structure."""
        if isinstance(fact, SiblingIsEqual):
            return f"{fact.key} as {self._typed.collection.definition_hash(fact.family)}"
        return fact.key

    def _version(self, fact: Fact) -> Version | None:
        return version_of(self._versions, set(fact.tables))

    def _tables(self, fact: Fact) -> tuple[tuple[str, str | None], ...]:
        return tuple((table, self._versions.get(table)) for table in sorted(fact.tables))
