"""The path of a program, beside that of a question: answered, explained, labelled.

What comes in: a request with its program, and the installation. What goes out: an `Answer` like any
other. It must never label a column by what was planned: the parts of all islands are those that
were executed.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

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
from flightframe_server.engine.together import Asker
from flightframe_server.engine.unknown_members import remarks
from flightframe_server.labelled_answer import finished
from flightframe_server.outer.plans import plan_program
from flightframe_server.outer.program import OuterQuery
from flightframe_server.outer.run import Run
from flightframe_server.provenance import (
    ColumnProvenance,
    PartProvenance,
    Provenance,
    ServedFrom,
    fold,
)


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
    planned = plan_program(query, runtime, context)
    table = planned.steps()
    label = ServedFrom.ENGINE_CACHE if planned.engine.enabled else ServedFrom.BACKEND
    provenance = Provenance(label, uuid.uuid4().hex, planned.engine.collection.name)
    return finished(table.schema, provenance, table, None, None)
