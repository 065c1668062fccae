"""The plan of a request, for surfaces that draw it.

What comes in: a request. What goes out: its plan, on the data as they are, and the engine that made
it. It must never carry the plan out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.answer import (
    Request,
    Runtime,
    addressed,
    chosen_engine,
    read_statement,
    utc_now,
)
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.explanation import explanation
from flightframe_server.planner.plan import Plan
from flightframe_server.planner.plan_graph import PlanGraph, label_unread, plan_graph
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRequest:
    """A request with its plan.

    Attributes:
        request: the request.
        engine: what would answer it.
        plan: how.
        rows: how many rows tables are known to have, by the tables' own names.
    """

    request: Request
    engine: MetricEngine
    plan: Plan
    rows: Mapping[str, int]

    def steps(self) -> pa.Table:
        """Return the rows of EXPLAIN."""
        return explanation(self.plan, self.engine.backend)

    def graph(self) -> PlanGraph:
        """Return the plan as a graph, with the sizes of tables that are known already."""
        label = label_unread(self.engine.enabled, self.request.freshness.no_cache)
        return plan_graph(self.plan, self.rows, label)


def plan_request(
    request: Request, runtime: Runtime, context: CallContext = SERVER_CALL
) -> PlannedRequest:
    """Plan a request, whether its text says EXPLAIN or not; raises as `answer`."""
    statement, now = read_statement(request, runtime), utc_now()

    def ask(typed: TypedCollection) -> Question:
        binding = Binding(request.values, now=now)
        question = resolve(statement, typed, binding)
        binding.refuse_surplus()
        return question

    with runtime.pinned() as pinned:
        engine = chosen_engine(addressed(request, statement), pinned, ask, context)
        plan = engine.plan(ask, request.freshness, context)
        return PlannedRequest(request, engine, plan, engine.snapshot(context).facts.known.rows)
