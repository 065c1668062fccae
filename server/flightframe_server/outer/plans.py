"""The plans of a program: of each of its questions, and the algebra over their answers.

What comes in: a request with its program. What goes out: the plans, as the rows of EXPLAIN and as
one graph. It must never carry a plan out: members that a condition takes from a question are not
known here, and no entry is said to hold them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.answer import Runtime, engine_named, utc_now
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.explanation import explanation
from flightframe_server.language import format_statement
from flightframe_server.outer.algebra import outline
from flightframe_server.outer.program import UNKNOWN_MEMBERS, Island, OuterQuery, Program
from flightframe_server.outer.program_graph import IslandPlan, ProgramPlan, program_graph
from flightframe_server.outer.run import question_of
from flightframe_server.planner.plan_graph import PlanGraph, label_unread


@dataclass(frozen=True, slots=True, eq=False)
class PlannedProgram:
    """A request of several questions with its plans.

    Attributes:
        query: the request.
        engine: what would answer it.
        plan: how, question by question.
        rows: how many rows tables are known to have, by the tables' own names.
    """

    query: OuterQuery
    engine: MetricEngine
    plan: ProgramPlan
    rows: Mapping[str, int]

    def steps(self) -> pa.Table:
        """Return the rows of EXPLAIN: of each island, then the algebra in words."""
        table = pa.concat_tables(self._steps(self.plan))
        steps = pa.array(range(1, table.num_rows + 1), pa.int64())
        return table.set_column(0, table.schema.field(0), steps)

    def graph(self) -> PlanGraph:
        """Return the plans as one graph, with the sizes of tables that are known already."""
        label = label_unread(self.engine.enabled, self.query.request.freshness.no_cache)
        return program_graph(self.plan, self.rows, label)

    def _steps(self, planned: ProgramPlan) -> list[pa.Table]:
        tables: list[pa.Table] = []
        for at, island in enumerate(planned.islands):
            for inner in island.sets:
                tables += self._steps(inner)
            unknown = ", its members not known yet" if island.sets else ""
            note = f"island {at + 1}{unknown}, in Frame-QL: {island.text}"
            tables.append(explanation(island.plan, self.engine.backend, note))
        if planned.program.composed and tables:
            words = f"over the islands: {outline(planned.program.root)}"
            tables.append(_note(tables[0].schema, words))
        return tables


def plan_program(
    query: OuterQuery, runtime: Runtime, context: CallContext = SERVER_CALL
) -> PlannedProgram:
    """Plan each question of a program on the data as they are; raises as `explain`."""
    with runtime.pinned() as pinned:
        engine = engine_named(pinned, query.collection)
        plan = _planned(query, query.program, engine, context, utc_now())
        return PlannedProgram(query, engine, plan, engine.snapshot(context).facts.known.rows)


def _planned(
    query: OuterQuery,
    program: Program,
    engine: MetricEngine,
    context: CallContext,
    now: datetime.datetime,
) -> ProgramPlan:
    def planned(island: Island) -> IslandPlan:
        inner = tuple(_planned(query, one, engine, context, now) for one in island.sets)
        made = island.translation(tuple(UNKNOWN_MEMBERS for _ in island.sets))
        question = question_of(made, now, program.values)
        plan = engine.plan(question, query.request.freshness, context)
        return IslandPlan(format_statement(made.statement), plan, inner)

    return ProgramPlan(program, tuple(map(planned, program.islands)))


def _note(schema: pa.Schema, text: str) -> pa.Table:
    words = {"route": "note", "source": text}
    columns = [
        pa.array([0 if field.name == "step" else words.get(field.name, "")], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
