"""The Plan: for each metric of a question, where its numbers will come from, and why not elsewhere.

What comes in: nothing, `make_plan` makes these. What goes out: a frozen, printable value that the
engine carries out and EXPLAIN shows. It must never be mistaken for what happened: an entry may be
gone when it is read, and only the engine knows what was executed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flightframe_server.algebra.reducers import Domain
from flightframe_server.algebra.types import DataType
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.holdings import CacheEntry, Holdings
from flightframe_server.planner.hops import Hop
from flightframe_server.planner.identity import EntryKey, Version
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import ComputedLevel, Metric, Term, text


@dataclass(frozen=True, slots=True)
class LevelLookup:
    """How a level of the target is had from a level of an entry: hop by hop along edges."""

    level: str
    type: DataType
    start: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Exact:
    """Read an entry as it is."""

    entry: CacheEntry


@dataclass(frozen=True, slots=True)
class Rollup:
    """Read a finer or less filtered entry, look levels up, filter, and combine its states.

    Levels that are computed are so once levels are looked up and points filtered.
    """

    entry: CacheEntry
    lookups: tuple[LevelLookup, ...]
    filter: tuple[Term, ...]
    computed: tuple[ComputedLevel, ...] = ()

    @property
    def edges(self) -> tuple[str, ...]:
        """The functional dependencies followed, as text, each once."""
        return tuple(dict.fromkeys(hop.edge for lookup in self.lookups for hop in lookup.hops))


@dataclass(frozen=True, slots=True)
class Rejected:
    """An entry that does not answer, and the first rule that it fails."""

    rule: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask the back-end; `query` counts the plan's queries from 0, `metric` is as it is read."""

    query: int
    metric: Metric


@dataclass(frozen=True, slots=True)
class WhyNot:
    """An entry that was considered, as the reader may know it, and the first rule it failed.

    Attributes:
        anchor: its levels.
        filter: what it is narrowed by; a value stands there only where it is the reader's own.
        rule: the rule.
        entries: how many entries this tells of.
    """

    anchor: tuple[str, ...]
    filter: tuple[str, ...]
    rule: str
    entries: int = 1

    def __str__(self) -> str:
        """Return `@(day, region) where ...: the rule (3 entries)`."""
        narrowed = f" where {' and '.join(self.filter)}" if self.filter else ""
        several = f" ({self.entries} entries)" if self.entries > 1 else ""
        return f"@({', '.join(self.anchor)}){narrowed}: {self.rule}{several}"


def folded(rejected: Iterable[WhyNot]) -> tuple[WhyNot, ...]:
    """Return each once, with the number of entries that it tells of."""
    return tuple(replace(why, entries=count) for why, count in Counter(rejected).items())


@dataclass(frozen=True, slots=True)
class Part:
    """One need of the question: its identity at the anchor, its route, and the rejected ones.

    Attributes:
        need: the metric, its anchor, its filter, and where its points are told.
        key: the identity of what is read for it.
        version: the fingerprints that it is wanted of; None where one cannot be told.
        how: its route.
        why_not: entries that were considered, and the first rule each failed.
        aside: what else was passed over, and why: the cache as a whole, further entries, siblings.
        trusted: promises about the data that it rests on and that nothing checks.
    """

    need: Need
    key: EntryKey
    version: Version | None
    how: Exact | Rollup | Fetch
    why_not: tuple[WhyNot, ...] = ()
    aside: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()

    @property
    def metric(self) -> Metric:
        """The metric that is needed."""
        return self.need.metric

    @property
    def family(self) -> str:
        """The metric family with its own filter, or the schema whose members are listed."""
        listed = self.metric.domain is Domain.QM
        return self.metric.schema if listed else self.metric.identity


@dataclass(frozen=True, slots=True)
class Plan:
    """One whole plan.

    Attributes:
        question: what is answered.
        parts: one for each schema whose members are listed, then one for each need, in order.
        queries: what the back-end is asked, one for each schema, anchor and filter to fetch.
        stream: the question as one query, where the frame is too large to collect.
        unattested: keys of the facts that the plan takes for granted, not looked at yet.
    """

    question: Question
    parts: tuple[Part, ...]
    queries: tuple[SourceQuery, ...] = ()
    stream: FrameQuery | None = None
    unattested: frozenset[str] = frozenset()

    @property
    def listed(self) -> tuple[Part, ...]:
        """The parts that list the points of the answer, where no column reads a metric."""
        return self.parts[: len(self.question.listed)]

    @property
    def fingerprint(self) -> str:
        """BLAKE2b (8 bytes, hex) of the plan as text: the same plan, the same fingerprint."""
        lines = [
            f"{part.key}{part.version}{type(part.how).__name__}{part.need.shift or ''}"
            for part in self.parts
        ]
        lines += [part.how.entry.entry_id for part in self.parts if not isinstance(part.how, Fetch)]
        lines += [f"{column.name}={text(column.term)}" for column in self.question.columns]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a request says about age, and of what it may come.

    Attributes:
        max_staleness: seconds by which an answer may lag behind its source; None: not at all.
        only_if_cached: refuse rather than touch the back-end.
        no_cache: ask the back-end even where an entry could answer.
        no_siblings: read the root of each family even where a sibling has fewer rows.
    """

    max_staleness: float | None = None
    only_if_cached: bool = False
    no_cache: bool = False
    no_siblings: bool = False


NO_FRESHNESS = Freshness()


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Everything outside the question that a plan depends on, as one frozen value.

    Attributes:
        backend: the back-end's id, part of every entry's identity.
        enabled: whether the engine remembers at all.
        capabilities: what the back-end can do; None where it is never asked.
        holdings: what the cache holds.
        versions: the fingerprint of each table now; None where it cannot be told.
        violations: promises that the current data breaks, by key, with the row that shows it.
        unattested: keys of the facts of the current data that have not been looked at yet:
            promises, siblings, sizes of tables; the engine looks at those that a plan needs first.
        mapped: edges whose maps may be used, of the version now.
        siblings: for each (family, sibling schema) None where it is attested equal, else a row.
        rows: how many rows tables have, as far as they were counted.
        freshness: what the request says about age.
        now: seconds since the epoch.
        stream_rows: frames of more rows than this are streamed, not collected.
        explains: whether the plan is to tell of every entry; those of other filters never answer,
            and are looked at for that alone.
        unique: the columns that have no value twice on the version now, with their tables.
        keys: the schemas whose grain was looked at, and stands on no two rows of the version now.
    """

    backend: str
    enabled: bool = True
    capabilities: Capabilities | None = None
    holdings: Holdings = field(default_factory=Holdings)
    versions: Mapping[str, str | None] = field(default_factory=dict)
    violations: Mapping[str, str] = field(default_factory=dict)
    unattested: frozenset[str] = frozenset()
    mapped: frozenset[str] = frozenset()
    siblings: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    freshness: Freshness = field(default_factory=Freshness)
    now: float = 0.0
    stream_rows: int = 1_000_000
    explains: bool = True
    unique: frozenset[tuple[str, str]] = frozenset()
    keys: frozenset[str] = frozenset()
