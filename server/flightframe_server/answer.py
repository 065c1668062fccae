"""The whole path of a query, in one function that reads like the line of the architecture page.

What comes in: a request (text, bound values, what it asks of freshness) and the engines of an
installation. What goes out: an `Answer`: record batches, the schema they all have, and where they
came from. It must never know which surface calls it.
"""

from __future__ import annotations

import datetime
import time
import uuid
from dataclasses import replace

import pyarrow as pa

from flightframe_server.bounded_cache import cached
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.engine.engine import EngineState, MetricEngine, Resolve
from flightframe_server.engine.explanation import explanation
from flightframe_server.errors import (
    AmbiguousMetric,
    FlightframeError,
    LimitExceeded,
    UnknownName,
    did_you_mean,
    shown,
)
from flightframe_server.labelled_answer import Answer, explained, in_sql, labelled
from flightframe_server.language import format_statement, parse
from flightframe_server.language.bounds import check_depth
from flightframe_server.language.syntax import Statement
from flightframe_server.request import Request
from flightframe_server.resolver.qualified_names import collection_of
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.runtime import Runtime
from flightframe_server.telemetry.metrics import HOT
from flightframe_server.telemetry.tracing import step

__all__ = [
    "Answer",
    "EngineState",
    "Request",
    "Runtime",
    "addressed",
    "answer",
    "answer_from_facts",
    "chosen_engine",
    "engine_named",
    "explain",
    "parsed",
    "read_statement",
    "tree_bytes",
]


AnswerKey = tuple[tuple[object, ...], tuple[EngineState, ...]]
"""What makes two requests the same, and the states of the engines that may answer them."""

PARSED_BYTES = 32 * 1024 * 1024
TREE_BYTES = 128
"""Bytes of a tree for each character of a text: lists of names and numbers take 77 to 90."""


def tree_bytes(source: str, _: Statement) -> int:
    """Return about the bytes of a text and its tree."""
    return TREE_BYTES * len(source)


parsed = cached(parse, tree_bytes, PARSED_BYTES)
"""`parse`, remembering the last texts; syntax is frozen, so sharing it is safe."""


def answer(request: Request, runtime: Runtime, context: CallContext = SERVER_CALL) -> Answer:
    """Answer one request.

    A request that was answered from exact entries before, on the same data and the same entries,
    is given that very answer: no parse, no plan, no disk.

    Args:
        request: the query, its values and options.
        runtime: what answers.
        context: the call that asks; the answer is the same for all callers.

    Raises:
        FlightframeError: any of the tree; nothing else.
    """
    with runtime.pinned() as pinned:
        key = key_of(request, pinned)
        kept = answer_kept(key, request, pinned, context)
        return kept if kept is not None else answer_anew(key, request, pinned, context)


def key_of(request: Request, pinned: Runtime) -> AnswerKey:
    """Return what a request and the data as they are have to be for an answer to be given again."""
    return request.key, state_of(pinned, request)


def answer_kept(
    key: AnswerKey, request: Request, pinned: Runtime, context: CallContext
) -> Answer | None:
    """Return the very answer that was given for a key before; None where there is none.

    Args:
        key: of the request.
        request: the query, its values and options.
        pinned: the runtime as the question sees it.
        context: the call that asks.
    """
    started = time.perf_counter()
    result: Answer | None = pinned.results.get(key)
    if result is None:
        return None
    engine = pinned.engines.get(result.provenance.collection)
    if engine is not None:
        engine.count_hits(result.entries)
    note_answered(request, result, HOT, started, pinned, context)
    return result


def answer_anew(key: AnswerKey, request: Request, pinned: Runtime, context: CallContext) -> Answer:
    """Answer a request for which no answer is kept, and keep it where that may be.

    Args:
        key: of the request, as it was before anything was read.
        request: the query, its values and options.
        pinned: the runtime as the question sees it.
        context: the call that asks.

    Raises:
        FlightframeError: as `answer`.
    """
    started = time.perf_counter()
    result = _answered_anew(request, pinned, context)
    keep(key, request, result, pinned)
    note_answered(request, result, result.route, started, pinned, context)
    return result


def keep(key: AnswerKey, request: Request, result: Answer, pinned: Runtime) -> None:
    """Keep an answer to be given again, where it is of the data that its key tells of."""
    # It may be of another version than the one that was current before: A, B, and A again.
    if result.state in key[1] and result.bytes is not None:
        pinned.results.put(key, result, result.bytes + request.bytes)


def note_answered(
    request: Request,
    result: Answer,
    route: str | None,
    started: float,
    runtime: Runtime,
    context: CallContext,
) -> None:
    """Count an answer by its route, None for a plan, and list it among the last ones."""
    provenance = result.provenance
    if route is not None:
        seconds = time.perf_counter() - started
        runtime.metrics.answered(provenance.collection, provenance.served_from, route, seconds)
    runtime.query_log.add(request.source, provenance, result.rows, started, context.caller.user)


def utc_now() -> datetime.datetime:
    """Return the moment at which a question is asked."""
    return datetime.datetime.now(datetime.UTC)


def explain(request: Request, runtime: Runtime, context: CallContext = SERVER_CALL) -> Answer:
    """Return the plan of a request, whether its text says EXPLAIN or not; raises as `answer`."""
    with runtime.pinned() as pinned:
        return _answer(request, pinned, context, explains=True)


def answer_from_facts(request: Request, runtime: Runtime, context: CallContext) -> Answer:
    """Answer a request anew for the server itself, uncounted; raises as `answer`."""
    with runtime.pinned() as pinned:
        return _answered_anew(request, pinned, context)


def _answered_anew(request: Request, runtime: Runtime, context: CallContext) -> Answer:
    """Answer a request that is listed as under way meanwhile."""
    with runtime.questions.running(request.source, context.named(uuid.uuid4().hex)) as call:
        return _answer(request, runtime, call)


def _answer(
    request: Request, runtime: Runtime, context: CallContext, *, explains: bool = False
) -> Answer:
    query_id = context.query_id or uuid.uuid4().hex
    statement = read_statement(request, runtime)
    context = context.named(query_id)
    now = utc_now()

    def ask(typed: TypedCollection) -> Question:
        with step("resolve"):
            return runtime.resolved.resolve(request, statement, typed, now)

    engine = chosen_engine(addressed(request, statement), runtime, ask, context)
    if explains or statement.explain:
        return explained(_explanation(ask, request, engine, context), engine, query_id)
    epoch = engine.epoch
    served = engine.answer(ask, request.freshness, context)
    # An answer that may be older than its source is true for a while only.
    # So is one that depends on the day on which it is asked.
    dated = served.plan.question.today is not None
    lasting = request.freshness.max_staleness is None and not dated
    state = (engine.generation, epoch, served.snapshot.key)
    result = labelled(served, engine, query_id, state if lasting else None)
    made = request.translation
    return result if made is None else in_sql(result, made)


def _explanation(
    ask: Resolve, request: Request, engine: MetricEngine, context: CallContext
) -> pa.Table:
    plan, made = engine.plan(ask, request.freshness, context), request.translation
    if made is None:
        return explanation(plan, engine.backend, None)
    meant = format_statement(replace(made.statement, explain=False))
    return explanation(plan, engine.backend, f"in Frame-QL: {meant}")


def read_statement(request: Request, runtime: Runtime) -> Statement:
    """Return a request's statement, parsed or translated, within the installation's limits.

    Raises:
        FrameQLSyntaxError: the text is not Frame-QL.
        LimitExceeded: it is longer or deeper than may be.
    """
    limits = runtime.statements.limits
    check_size(request, runtime)
    if request.translation is not None:
        statement = request.translation.statement
    else:
        with step("parse"):
            statement = parsed(request.source)
    if statement.node_count > limits.parse_depth:
        check_depth(statement, limits.parse_depth)
    return statement


def check_size(request: Request, runtime: Runtime) -> None:
    """Refuse a text that is longer than may be; raises `LimitExceeded`."""
    most, source = runtime.statements.limits.query_bytes, request.source
    # A character takes at most four bytes.
    if 4 * len(source) > most and len(source.encode()) > most:
        raise LimitExceeded(f"a query has at most {most:,} bytes of text")


def state_of(runtime: Runtime, request: Request) -> tuple[EngineState, ...]:
    """Return what must not have moved for a finished answer to be given again."""
    if request.collection is not None:
        return (engine_named(runtime, request.collection).state,)
    return tuple([engine.state for engine in runtime.engines.values()])


def addressed(request: Request, statement: Statement) -> Request:
    """Return a request of the collection that FROM names, where the request names none."""
    named = collection_of(statement) if request.collection is None else None
    return request if named is None else replace(request, collection=named)


def chosen_engine(
    request: Request, runtime: Runtime, ask: Resolve, context: CallContext
) -> MetricEngine:
    """Return the engine that is asked: the one named, the only one, or the only one that fits.

    Raises:
        QueryError: there is none of that name, or none that fits, or several.
    """
    if request.collection is not None:
        return engine_named(runtime, request.collection)
    if len(runtime.engines) == 1:
        (engine,) = runtime.engines.values()
        return engine
    return _only_fit(runtime, ask, context)


def engine_named(runtime: Runtime, name: str) -> MetricEngine:
    """Return the engine of a collection, named in any case.

    Raises:
        UnknownName: there is none of that name.
    """
    for known, engine in runtime.engines.items():
        if known.casefold() == name.casefold():
            return engine
    raise UnknownName(
        f"there is no collection {shown(name)}", hint=did_you_mean(name, runtime.engines)
    )


def _only_fit(runtime: Runtime, ask: Resolve, context: CallContext) -> MetricEngine:
    fits: list[MetricEngine] = []
    failure: FlightframeError | None = None
    for engine in runtime.engines.values():
        try:
            ask(engine.snapshot(context).typed)
        except FlightframeError as error:
            failure = failure or error
        else:
            fits.append(engine)
    if len(fits) == 1:
        return fits[0]
    if not fits and failure is not None:
        raise failure
    names = ", ".join(engine.collection.name for engine in fits)
    raise AmbiguousMetric(
        "the query fits several collections", hint=f"name one of {names or 'them'}"
    )
