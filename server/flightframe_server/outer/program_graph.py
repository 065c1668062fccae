"""The plans of a program as one graph: tables, entries, islands, the algebra, columns.

What comes in: the plan of each question, and how many rows tables are known to have. What goes out:
nodes and edges, from the tables on the left to the columns on the right. It must never draw a
question twice, nor say another reason than the plan of a question alone does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flightframe_server.outer.algebra import Frame, Node, Project, Sort, label_of, sources
from flightframe_server.outer.program import Program
from flightframe_server.planner.plan import Plan
from flightframe_server.planner.plan_graph import GraphEdge, GraphNode, PlanGraph, plan_graph
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.provenance import ServedFrom, fold
from flightframe_server.resolver.terms import ColumnTerm

SHARED = frozenset({"table", "entry"})
"""The kinds of nodes that several questions may read."""

MEMBERS = "members"


@dataclass(frozen=True, slots=True, eq=False)
class IslandPlan:
    """The plan of one question.

    Attributes:
        text: the question, in Frame-QL.
        plan: how it would be answered.
        sets: of the questions that its conditions take their members from.
    """

    text: str
    plan: Plan
    sets: tuple[ProgramPlan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ProgramPlan:
    """The plans of a program's questions, in the order of its islands."""

    program: Program
    islands: tuple[IslandPlan, ...]


def program_graph(planned: ProgramPlan, rows: Mapping[str, int], label: ServedFrom) -> PlanGraph:
    """Return the graph of a program.

    Args:
        planned: the program and its plans.
        rows: how many rows tables have, by the tables' own names, as far as that is known.
        label: what an answer of the back-end is labelled.
    """
    return _Builder(rows, label).graph(planned)


class _Builder:
    """Gathers the nodes and edges of all questions."""

    def __init__(self, rows: Mapping[str, int], label: ServedFrom) -> None:
        self._rows, self._label = rows, label
        self._nodes: dict[str, GraphNode] = {}
        self._edges: dict[GraphEdge, None] = {}
        self._queries: dict[str, SourceQuery | FrameQuery] = {}
        self._steps = 0

    def graph(self, planned: ProgramPlan) -> PlanGraph:
        result = self._program(planned, "")
        label = self._nodes[result].served_from
        columns = zip(planned.program.schema.names, planned.program.root.types, strict=True)
        for number, (name, type_) in enumerate(columns):
            detail = {"type": str(type_)}
            node = GraphNode(f"column:{number}", "column", name, label, detail=detail)
            self._connect(result, self._add(node))
        return PlanGraph(tuple(self._nodes.values()), tuple(self._edges), self._queries)

    def _program(self, planned: ProgramPlan, path: str) -> str:
        """Add a program and return the node that gives its rows."""
        islands = [
            self._island(island, f"{path}{number}")
            for number, island in enumerate(planned.islands, start=1)
        ]
        return self._algebra(planned.program.root, islands)

    def _island(self, island: IslandPlan, path: str) -> str:
        """Add a question with all that it reads, and return its node."""
        graph = plan_graph(island.plan, self._rows, self._label)
        own = f"island:{path}"
        names = {node.id: self._name(node, own) for node in graph.nodes}
        for node in graph.nodes:
            if node.kind != "column":
                self._add(replace(node, id=names[node.id]))
        self._queries.update({names[name]: query for name, query in graph.queries.items()})
        columns = [node for node in graph.nodes if node.kind == "column"]
        labels = [one for node in columns if (one := node.served_from) is not None]
        detail: dict[str, Any] = {
            "question": island.text,
            "columns": [node.label for node in columns],
        }
        self._add(GraphNode(own, "island", island.text, fold(labels), detail=detail))
        for edge in graph.edges:
            self._connect(names[edge.source], names[edge.target], edge.label)
        for number, inner in enumerate(island.sets, start=1):
            members = self._program(inner, f"{path}.{number}.")
            self._connect(members, own, MEMBERS)
        return own

    @staticmethod
    def _name(node: GraphNode, island: str) -> str:
        """Return the name of a question's node in the whole: what is shared has one name."""
        if node.kind == "column":
            return island
        return node.id if node.kind in SHARED else f"{island}/{node.id}"

    def _algebra(self, node: Node, islands: list[str]) -> str:
        """Add a step with what it reads and return its node; one that only names adds none."""
        if isinstance(node, Frame):
            return islands[node.island]
        read = [self._algebra(source, islands) for source in sources(node)]
        if _only_names(node):
            return read[0]
        self._steps += 1
        labels = [one for name in read if (one := self._nodes[name].served_from) is not None]
        name = f"algebra:{self._steps}"
        self._add(GraphNode(name, "algebra", label_of(node), fold(labels)))
        for source in read:
            self._connect(source, name)
        return name

    def _add(self, node: GraphNode) -> str:
        self._nodes.setdefault(node.id, node)
        return node.id

    def _connect(self, source: str, target: str, label: str | None = None) -> None:
        if source != target:
            self._edges.setdefault(GraphEdge(source, target, label))


def _only_names(node: Node) -> bool:
    """Whether a step gives columns that it reads, in another order or fewer, and all rows."""
    match node:
        case Project(values=values):
            return all(isinstance(value, ColumnTerm) for value in values)
        case Sort(keys=keys, count=count, offset=offset):
            return not keys and count is None and not offset
    return False
