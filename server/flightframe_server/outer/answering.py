"""The path of a program, beside that of a question: answered, explained, labelled.

What comes in: a request with its program, and the installation. What goes out: an `Answer` like any
other. It must never label a column by what was planned: the parts of all islands are those that
were executed.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace

import pyarrow as pa

from flightframe_server.answer import (
    Answer,
    Runtime,
    answer_kept,
    check_size,
    engine_named,
    keep,
    note_answered,
    state_of,
    utc_now,
)
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.explanation import explanation
from flightframe_server.engine.together import Asker
from flightframe_server.engine.unknown_members import remarks
from flightframe_server.labelled_answer import finished
from flightframe_server.language import format_statement
from flightframe_server.language.syntax import Statement
from flightframe_server.outer.algebra import outline
from flightframe_server.outer.program import UNKNOWN_MEMBERS, Island, Program
from flightframe_server.outer.run import Run, question_of
from flightframe_server.provenance import (
    ColumnProvenance,
    PartProvenance,
    Provenance,
    ServedFrom,
    fold,
)
from flightframe_server.request import Request


@dataclass(frozen=True, slots=True)
class OuterQuery:
    """A request with the program that it means, and the collection that it is about."""

    request: Request
    program: Program
    collection: str

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two of them the same."""
        return "outer", self.request.key, self.request.sql, self.program.clock


def answer_outer(query: OuterQuery, runtime: Runtime, context: CallContext = SERVER_CALL) -> Answer:
    """Answer a program; raises as `answer`."""
    request = replace(query.request, collection=query.collection)
    with runtime.pinned() as pinned:
        check_size(request, pinned)
        if query.program.explain:
            return explain_outer(query, pinned, context)
        key = (query.key, state_of(pinned, request))
        kept = answer_kept(key, request, pinned, context)
        if kept is not None:
            return kept
        started = time.perf_counter()
        result = _answered(query, pinned, engine_named(pinned, query.collection), context)
        keep(key, request, result, pinned)
        note_answered(request, result, result.route, started, pinned, context)
        return result


def outer_from_facts(query: OuterQuery, runtime: Runtime, context: CallContext) -> Answer:
    """Answer a program anew for the server itself, uncounted; raises as `answer_outer`."""
    with runtime.pinned() as pinned:
        return _answered(query, pinned, engine_named(pinned, query.collection), context)


def _answered(
    query: OuterQuery, runtime: Runtime, engine: MetricEngine, context: CallContext
) -> Answer:
    program, now = query.program, utc_now()
    named = context.named(uuid.uuid4().hex)
    with runtime.questions.running(query.request.source, named) as call:
        bounded = runtime.statements.bounded(call)
        epoch = engine.epoch

        def work(asker: Asker) -> tuple[Run, pa.Table]:
            run = Run(asker, runtime.statements.limits, bounded, now)
            return run, run.table(program)

        run, table = engine.together(work, query.request.freshness, bounded)
    runtime.statements.check_result(table.num_rows, table.nbytes)
    served = [complete.served for complete in run.answered]
    parts = _each_once([part for one in served for part in one.parts])
    label = fold(part.served_from for part in parts)
    columns = tuple(ColumnProvenance(name, label, parts, True) for name in program.schema.names)
    remarked = [note for one in served for note in remarks(one, engine.store)]
    notes = tuple(dict.fromkeys([*remarked, *run.notes, *program.notes]))
    provenance = Provenance(label, named.query_id, engine.collection.name, columns, notes)
    dated = any(one.plan.question.today is not None for one in served)
    exact = all(part.route == "exact" for part in parts)
    lasting = exact and not dated and query.request.freshness.max_staleness is None
    state = (engine.generation, epoch, run.asker.snapshot.key) if lasting else None
    entries = tuple(dict.fromkeys(part.entry for part in parts if part.entry))
    return replace(finished(table.schema, provenance, table, None, state), entries=entries)


def _each_once(parts: list[PartProvenance]) -> tuple[PartProvenance, ...]:
    kept: list[PartProvenance] = []
    for part in parts:
        if part not in kept:
            kept.append(part)
    return tuple(kept)


def explain_outer(
    query: OuterQuery, runtime: Runtime, context: CallContext = SERVER_CALL
) -> Answer:
    """Return the plan of each island, and the algebra in words; raises as `explain`."""
    with runtime.pinned() as pinned:
        engine = engine_named(pinned, query.collection)
        tables = list(_plans(query, query.program, engine, context))
    table = pa.concat_tables(tables)
    steps = pa.array(range(1, table.num_rows + 1), pa.int64())
    table = table.set_column(0, table.schema.field(0), steps)
    label = ServedFrom.ENGINE_CACHE if engine.enabled else ServedFrom.BACKEND
    provenance = Provenance(label, uuid.uuid4().hex, engine.collection.name)
    return finished(table.schema, provenance, table, None, None)


def _plans(
    query: OuterQuery, program: Program, engine: MetricEngine, context: CallContext
) -> list[pa.Table]:
    tables: list[pa.Table] = []
    for at, island in enumerate(program.islands):
        for inner in island.sets:
            tables += _plans(query, inner, engine, context)
        made = island.translation(tuple(UNKNOWN_MEMBERS for _ in island.sets))
        plan = engine.plan(
            question_of(made, utc_now(), program.values), query.request.freshness, context
        )
        note = _meaning(island, made.statement, at + 1)
        tables.append(explanation(plan, engine.backend, note))
    if program.composed and tables:
        tables.append(_note(tables[0].schema, f"over the islands: {outline(program.root)}"))
    return tables


def _meaning(island: Island, statement: Statement, number: int) -> str:
    """Return in words what an island asks."""
    unknown = ", its members not known yet" if island.sets else ""
    return f"island {number}{unknown}, in Frame-QL: {format_statement(statement)}"


def _note(schema: pa.Schema, text: str) -> pa.Table:
    words = {"route": "note", "source": text}
    columns = [
        pa.array([0 if field.name == "step" else words.get(field.name, "")], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
