"""A plan as a graph: what is read, how it is combined, what comes of it, and what was not used.

What comes in: a plan, and how many rows tables are known to have. What goes out: nodes and edges,
from the tables on the left to the columns on the right. It must never say another reason than
EXPLAIN does, nor hold a value that the reader's own query does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flightframe_server.planner.explain import uses_of
from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Exact, Fetch, Part, Plan, Rollup
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.provenance import ServedFrom, fold
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.terms import LevelTerm, MetricTerm, Term, level_text, text

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node.

    Attributes:
        id: its name within the graph.
        kind: `table`, `fetch`, `entry`, `rollup`, `compose`, `column` or `rejected`; of several
            questions also `island` and `algebra`.
        label: a few words for it.
        served_from: the label that what comes of it has; None where it has none.
        rows: how many rows it has, where that is known beforehand.
        bytes: how many bytes it takes, the same.
        detail: facts about it.
        reason: why it was not used, for `rejected`.
    """

    id: str
    kind: str
    label: str
    served_from: ServedFrom | None = None
    rows: int | None = None
    bytes: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the node as JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "label": self.label,
            "served_from": None if self.served_from is None else str(self.served_from),
            "rows": self.rows,
            "bytes": self.bytes,
            "detail": dict(self.detail),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """What flows from one node to another; of a rejected node, what it would have answered."""

    source: str
    target: str
    label: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the edge as JSON values."""
        return {"source": self.source, "target": self.target, "label": self.label}


@dataclass(frozen=True, slots=True)
class PlanGraph:
    """The graph of one plan.

    Attributes:
        nodes: each once.
        edges: between them.
        queries: what the back-end is asked, by the node that asks it.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    queries: Mapping[str, SourceQuery | FrameQuery]


def plan_graph(plan: Plan, rows: Mapping[str, int], label: ServedFrom) -> PlanGraph:
    """Return the graph of a plan.

    Args:
        plan: the plan.
        rows: how many rows tables have, by the tables' own names, as far as that is known.
        label: what an answer of the back-end is labelled.
    """
    return _Builder(plan, rows, label).graph()


def label_unread(enabled: bool, no_cache: bool) -> ServedFrom:
    """Return the label of what the back-end would be asked: whether it would be remembered.

    Args:
        enabled: whether the engine remembers at all.
        no_cache: whether the request goes past it.
    """
    return ServedFrom.ENGINE_BACKEND if enabled and not no_cache else ServedFrom.BACKEND


class _Builder:
    """Gathers the nodes and edges of one plan."""

    def __init__(self, plan: Plan, rows: Mapping[str, int], label: ServedFrom) -> None:
        self._plan, self._rows, self._label = plan, rows, label
        self._nodes: dict[str, GraphNode] = {}
        self._edges: dict[GraphEdge, None] = {}
        self._queries: dict[str, SourceQuery | FrameQuery] = {}

    def graph(self) -> PlanGraph:
        sources: dict[Need, str] = {}
        for number, part in enumerate(self._plan.parts):
            sources[part.need] = source = self._part(number, part)
            self._rejected(number, part, source)
        self._columns(sources)
        return PlanGraph(tuple(self._nodes.values()), tuple(self._edges), self._queries)

    def _add(self, node: GraphNode) -> str:
        self._nodes.setdefault(node.id, node)
        return node.id

    def _connect(self, source: str, target: str, label: str | None = None) -> None:
        self._edges.setdefault(GraphEdge(source, target, label))

    def _part(self, number: int, part: Part) -> str:
        """Add what a part is read from and return the node that gives its numbers."""
        if self._plan.stream is not None:
            return self._stream(self._plan.stream)
        match part.how:
            case Exact(entry=entry):
                return self._entry(part, entry)
            case Rollup():
                return self._rollup(number, part, part.how)
            case Fetch(query=index):
                return self._fetch(f"fetch:{index}", self._plan.queries[index])

    def _entry(self, part: Part, entry: CacheEntry) -> str:
        anchor = masked_anchor(entry.key.anchor, part.key.anchor)
        group = entry.key.group
        return self._add(
            GraphNode(
                f"entry:{entry.entry_id}",
                "entry",
                f"{group.operator}({group.family}) @ ({', '.join(anchor)})",
                ServedFrom.ENGINE_CACHE,
                entry.rows,
                entry.bytes,
                {
                    "entry": entry.entry_id,
                    "anchor": list(anchor),
                    "filter": list(entry.key.filter),
                    "created": entry.created,
                },
            )
        )

    def _rollup(self, number: int, part: Part, how: Rollup) -> str:
        anchor = list(map(level_text, part.key.anchor))
        node = GraphNode(
            f"rollup:{number}",
            "rollup",
            f"roll up to ({', '.join(anchor)})",
            ServedFrom.ENGINE_CACHE,
            detail={
                "anchor": anchor,
                "edges": list(how.edges),
                "filter": [text(condition) for condition in how.filter],
            },
        )
        self._add(node)
        self._connect(self._entry(part, how.entry), node.id, ", ".join(how.edges) or None)
        return node.id

    def _fetch(self, name: str, query: SourceQuery) -> str:
        levels = [level_text(level.level) for level in query.anchor]
        self._queries[name] = query
        self._add(
            GraphNode(
                name,
                "fetch",
                f"{query.schema} @ ({', '.join(levels)})",
                self._label,
                detail={
                    "schema": query.schema,
                    "anchor": levels,
                    "filter": [text(condition) for condition in query.filter],
                    "metrics": [str(metric) for metric in query.metrics],
                },
            )
        )
        self._tables(name, query)
        return name

    def _stream(self, query: FrameQuery) -> str:
        name = "fetch:stream"
        anchor = list(map(level_text, query.anchor))
        self._queries[name] = query
        self._add(
            GraphNode(
                name,
                "fetch",
                f"one query @ ({', '.join(anchor)}), streamed",
                self._label,
                detail={"anchor": anchor, "streamed": True},
            )
        )
        for source in query.sources:
            self._tables(name, source)
        return name

    def _tables(self, name: str, query: SourceQuery) -> None:
        for table in sorted(query.tables):
            node = GraphNode(f"table:{table}", "table", table, rows=self._rows.get(table))
            self._connect(self._add(node), name)

    def _rejected(self, number: int, part: Part, source: str) -> None:
        """Add the entries and siblings that were passed over, in the order of EXPLAIN."""
        passed_over: list[tuple[str, str, dict[str, Any]]] = [
            (
                f"@({', '.join(why.anchor)})",
                why.rule,
                {
                    "anchor": list(why.anchor),
                    "filter": list(why.filter),
                    "entries": why.entries,
                    "text": str(why),
                },
            )
            for why in part.why_not
        ]
        passed_over += [(remark, remark, {"text": remark}) for remark in part.aside]
        # What one query reads for several metrics is one node: whom it is about stands in each.
        about = {
            "family": part.family,
            "operator": str(part.metric.operator),
            "columns": [name for name, other in uses_of(self._plan) if other is part],
        }
        for place, (label, reason, detail) in enumerate(passed_over):
            node = GraphNode(
                f"rejected:{number}.{place}",
                "rejected",
                label,
                detail={**about, **detail},
                reason=reason,
            )
            self._connect(self._add(node), source)

    def _columns(self, sources: Mapping[Need, str]) -> None:
        question = self._plan.question
        used: set[str] = set()
        for number, column in enumerate(question.columns):
            needs = question.column_needs(number)
            listed = (part.need for part in self._plan.listed)
            read = list(dict.fromkeys(sources[need] for need in (*listed, *needs)))
            used.update(read)
            self._column(f"column:{number}", column.name, column.term, read)
        hidden = [source for source in dict.fromkeys(sources.values()) if source not in used]
        for source in hidden:
            self._connect(source, self._add(GraphNode("column:hidden", "column", HIDDEN)))

    def _column(self, name: str, label: str, term: Term, read: list[str]) -> None:
        labels = [one for source in read if (one := self._nodes[source].served_from) is not None]
        is_level = isinstance(term, LevelTerm)
        served_from = None if is_level and not read else fold(labels)
        detail = {"type": str(term.type), "level": is_level}
        self._add(GraphNode(name, "column", label, served_from, detail=detail))
        if read and not isinstance(term, MetricTerm | LevelTerm):
            compose = f"compose:{name.partition(':')[2]}"
            self._add(GraphNode(compose, "compose", text(term), served_from))
            self._connect(compose, name)
            name = compose
        for source in read:
            self._connect(source, name)
