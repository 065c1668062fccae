"""Answers of SQL asked again from the facts, and compared.

What comes in: an answer that was given, and the query that it answers. What goes out: whether the
facts give the same: the roots of the metrics, no entry and no sibling. It must never compare
answers of two versions of the data or of two definitions, nor write a value of an answer or of a
query into the log.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import structlog

from flightframe_server.access.audit import without_values
from flightframe_server.answer import Answer, answer_from_facts
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.errors import FlightframeError
from flightframe_server.outer.answering import outer_from_facts
from flightframe_server.outer.program import OuterQuery
from flightframe_server.planner.plan import Freshness
from flightframe_server.provenance import Provenance
from flightframe_server.request import Request
from flightframe_server.runtime import Runtime
from flightframe_server.telemetry.shadow import Outcome

log = structlog.get_logger(__name__)

MAX_BYTES = 16 * 1024 * 1024
"""Answers of more bytes are not kept until they are checked."""

DIGITS = 1e-9
"""By how much of itself a double may differ: it is added up in another order."""

_FROM_FACTS = Freshness(no_cache=True, no_siblings=True)

Versions = dict[str, str]


def shadowed(query: Request | OuterQuery, answer: Answer, runtime: Runtime) -> Answer:
    """Return an answer as it was given; some are checked later, where the installation says so.

    Args:
        query: what it answers: SQL.
        answer: the answer.
        runtime: the installation.
    """
    sampler = runtime.shadow
    if not answer.provenance.columns or not sampler.picks():
        return answer
    name = answer.provenance.collection
    fits = answer.table is not None and answer.table.nbytes <= MAX_BYTES
    generation = runtime.engines[name].generation

    def check(ending: Callable[[], bool]) -> Outcome:
        return _checked(query, answer, runtime, generation, ending)

    sampler.offer(name, check if fits else None)
    return answer


def _checked(
    query: Request | OuterQuery,
    answer: Answer,
    runtime: Runtime,
    generation: int,
    ending: Callable[[], bool],
) -> Outcome:
    versions = versions_of(answer.provenance)
    if versions is None or runtime.statements.permits.waiting:
        return Outcome.SKIPPED
    name = answer.provenance.collection
    context = replace(SERVER_CALL, is_cancelled=ending).uncounted()
    with runtime.pinned() as pinned:
        engine = pinned.engines.get(name)
        if engine is None or engine.generation != generation:
            return Outcome.MOVED
        try:
            current = dict(engine.fingerprint())
            if not _of(current, versions):
                return Outcome.MOVED
            again = _again(query, pinned, context)
        except FlightframeError as error:
            log.warning("shadow.failed", collection=name, code=error.code)
            return Outcome.FAILED
    rest_on = versions_of(again.provenance)
    # The two may rest on other tables: an entry, say, on none that only the roots are joined to.
    if rest_on is None or not _of(current, rest_on):
        return Outcome.MOVED
    if answer.table is None or again.table is None:
        return Outcome.SKIPPED
    difference = differs(answer.table, again.table)
    if difference is None:
        return Outcome.SAME
    source = query.request.source if isinstance(query, OuterQuery) else query.source
    log.error(
        "shadow.mismatch",
        collection=name,
        query=without_values(source),
        query_id=answer.provenance.query_id,
        served_from=str(answer.provenance.served_from),
        difference=difference,
    )
    return Outcome.MISMATCH


def _again(query: Request | OuterQuery, runtime: Runtime, context: CallContext) -> Answer:
    if isinstance(query, OuterQuery):
        return outer_from_facts(_from_facts_outer(query), runtime, context)
    return answer_from_facts(_from_facts(query), runtime, context)


def _of(current: Mapping[str, str | None], versions: Versions) -> bool:
    """Return whether each table is of the version that it has now."""
    return all(current.get(table) == version for table, version in versions.items())


def _from_facts(request: Request) -> Request:
    return replace(request, freshness=_FROM_FACTS)


def _from_facts_outer(query: OuterQuery) -> OuterQuery:
    return replace(query, request=_from_facts(query.request))


def versions_of(provenance: Provenance) -> Versions | None:
    """Return the version of each table that an answer rests on; None where one cannot be told."""
    versions: Versions = {}
    for column in provenance.columns:
        for part in column.parts:
            if not part.version:
                return None
            for table, version in part.version.items():
                if versions.setdefault(table, version) != version:
                    return None
    return versions or None


def differs(answer: pa.Table, again: pa.Table) -> str | None:
    """Return how two answers differ, without a value of theirs; None where they do not.

    Doubles may differ in the last digits, everything else is compared bit for bit. In which order
    rows come is not compared: without ORDER BY it means nothing, and doubles may decide it.
    """
    if answer.schema.types != again.schema.types or answer.column_names != again.column_names:
        return "the columns are others"
    if answer.num_rows != again.num_rows:
        return f"{answer.num_rows} rows, and {again.num_rows} from the facts"
    one, other = sorted(_rows(answer), key=_order), sorted(_rows(again), key=_order)
    return _place(one, other, answer.column_names)


Row = tuple[Any, ...]


def _rows(table: pa.Table) -> list[Row]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _order(row: Row) -> tuple[tuple[bool, str], ...]:
    """Return what rows are sorted by: exact values first, so that close doubles part no pair."""
    exact = [value for value in row if not isinstance(value, float)]
    doubles = [value for value in row if isinstance(value, float)]
    keys = [(value is not None, str(value)) for value in exact]
    return (*keys, *((True, f"{value:.6e}") for value in doubles))


def _place(one: Iterable[Row], other: Iterable[Row], names: list[str]) -> str | None:
    for at, (row, expected) in enumerate(zip(one, other, strict=True)):
        for name, value, right in zip(names, row, expected, strict=True):
            if not _same(value, right):
                return f"column {name} of row {at + 1}"
    return None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=DIGITS, abs_tol=DIGITS)
    return type(one) is type(other) and one == other
