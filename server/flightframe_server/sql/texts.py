"""Texts to answers: a query, SQL about the catalogue, or what only a server that writes would do.

What comes in: a request of any surface. What goes out: its answer, its plan, or its types
alone. It must never run a text in a database: what the catalogue does not answer is Frame-QL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import (
    Answer,
    AnswerKey,
    Request,
    Runtime,
    answer,
    answer_anew,
    answer_kept,
    check_size,
    explain,
    keep,
    key_of,
)
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.engine.explanation import EXPLAIN_SCHEMA
from flightframe_server.errors import FlightframeError, FrameQLSyntaxError, NotSupported, ReadOnly
from flightframe_server.outer.answering import answer_outer, explain_outer
from flightframe_server.outer.level_conditions import conditioned
from flightframe_server.outer.plans import PlannedProgram, plan_program
from flightframe_server.outer.program import OuterQuery
from flightframe_server.query_check import CheckedQuery, check_request
from flightframe_server.query_plan import PlannedRequest, plan_request
from flightframe_server.query_types import QuerySignature, type_request
from flightframe_server.sql.catalogue_query import CatalogueQuery, meaning, sql_meaning
from flightframe_server.sql.parse import check_sql_size, is_frame_ql
from flightframe_server.sql.shadowing import shadowed
from flightframe_server.sql.shown import checked_in_sql, typed_in_sql
from flightframe_server.sql.tables import PublishedTables

Result = TypeVar("Result")

_WRITES = re.compile(
    r"\s*+(?:ALTER|ANALYZE|ATTACH|CALL|CHECKPOINT|COPY|CREATE|DELETE|DETACH|DROP|EXPORT|GRANT"
    r"|IMPORT|INSERT|INSTALL|LOAD|MERGE|PRAGMA|REPLACE|RESET|REVOKE|SET|TRUNCATE|UPDATE|UPSERT"
    r"|USE|VACUUM)\b",
    re.IGNORECASE,
)


def answer_text(
    request: Request,
    runtime: Runtime,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
) -> Answer:
    """Answer a request of a call, for as long as that waits.

    Raises:
        FlightframeError: as `answer`.
        ReadOnly: the text would change something.
    """
    with runtime.pinned() as pinned:
        _note(request)
        check_size(request, pinned)
        in_frame_ql = is_frame_ql(request.source)
        key = key_of(request, pinned) if in_frame_ql else _sql_key(request, pinned)
        kept = None if key is None else answer_kept(key, request, pinned, context)
        if kept is not None:
            return kept

        def in_language(query: Request) -> Answer:
            if in_frame_ql and key is not None and query is request:
                return answer_anew(key, query, pinned, context)
            result = answer(query, pinned, context)
            translation = query.translation
            if translation is None:
                return result
            if key is not None and translation.lasting:
                keep(key, request, result, pinned)
            return shadowed(query, result, runtime)

        def over_answers(query: OuterQuery) -> Answer:
            result = answer_outer(query, pinned, context)
            if key is not None and not in_frame_ql and query.program.clock is None:
                keep(key, request, result, pinned)
            return shadowed(query, result, runtime)

        return _Text(request, pinned, tables.on(pinned), context.caller.user).carried(
            lambda query: query.answer(pinned), in_language, over_answers
        )


def _sql_key(request: Request, pinned: Runtime) -> AnswerKey | None:
    """Return the key of a text of SQL, by which it is answered again without being read.

    None where its answers may be checked, for which it is read; and where the data are gone,
    without which the catalogue answers still.
    """
    if pinned.shadow.share > 0:
        return None
    try:
        request_key, state = key_of(request, pinned)
    except FlightframeError:
        return None
    return ("sql", request.sql, *request_key), state


def explain_text(
    request: Request,
    runtime: Runtime,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
) -> Answer:
    """Return the plan of a request of a call as an answer; raises as `answer_text`.

    Raises:
        NotSupported: the catalogue answers the text, and by no plan.
    """
    with runtime.pinned() as pinned:
        return _Text(request, pinned, tables.on(pinned), context.caller.user).carried(
            _no_plan,
            lambda statement: explain(statement, pinned, context),
            lambda query: explain_outer(query, pinned, context),
        )


def plan_text(
    request: Request,
    runtime: Runtime,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
) -> PlannedRequest | PlannedProgram:
    """Return the plan of a request of a call as a value; raises as `explain_text`."""
    with runtime.pinned() as pinned:

        def in_language(query: Request) -> PlannedRequest | PlannedProgram:
            return plan_request(query, pinned, context)

        def over_answers(query: OuterQuery) -> PlannedRequest | PlannedProgram:
            return plan_program(query, pinned, context)

        return _Text(request, pinned, tables.on(pinned), context.caller.user).carried(
            _no_plan, in_language, over_answers
        )


def check_text(
    request: Request,
    runtime: Runtime,
    tables: PublishedTables,
    context: CallContext = SERVER_CALL,
    *,
    typing: bool = False,
) -> CheckedQuery | QuerySignature:
    """Check a request without carrying it out; of the catalogue, its types alone are returned.

    Raises:
        FlightframeError: as `answer_text`, but for what only the data or the numbers decide.
    """
    with runtime.pinned() as pinned:

        def in_language(translated: Request) -> CheckedQuery | QuerySignature:
            checked = check_request(translated, pinned, context, typing=typing)
            return checked_in_sql(checked, translated.translation)

        def over_catalogue(query: CatalogueQuery) -> CheckedQuery | QuerySignature:
            return query.typed

        text = _Text(request, pinned, tables.on(pinned), context.caller.user, typing=typing)
        return text.carried(over_catalogue, in_language, _typed_outer)


def type_text(request: Request, runtime: Runtime, tables: PublishedTables) -> QuerySignature:
    """Type a request without carrying it out; raises as `answer_text`."""
    with runtime.pinned() as pinned:
        return _Text(request, pinned, tables.on(pinned), "", typing=True).carried(
            lambda query: query.typed,
            lambda query: typed_in_sql(type_request(query, pinned), query.translation),
            _typed_outer,
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """One text with what it may be about; `typing` where no parameter is bound."""

    request: Request
    runtime: Runtime
    tables: PublishedTables
    user: str
    typing: bool = False

    def carried(
        self,
        over_catalogue: Callable[[CatalogueQuery], Result],
        in_language: Callable[[Request], Result],
        over_answers: Callable[[OuterQuery], Result],
    ) -> Result:
        """Return what one of three does with the text: which of them, its meaning decides."""
        request = self.request
        _note(request)
        check_size(request, self.runtime)
        target = meaning(request, self.tables, self.runtime, self.user, typing=self.typing)
        if isinstance(target, CatalogueQuery):
            return over_catalogue(target)
        if isinstance(target, OuterQuery):
            return over_answers(target)
        try:
            program = conditioned(target, self.runtime, typing=self.typing)
            return in_language(target) if program is None else over_answers(program)
        except FrameQLSyntaxError as error:
            _refuse_writing(request.source, error)
            other = sql_meaning(request, self.tables, self.runtime, self.user, typing=self.typing)
            if other is None:
                check_sql_size(request.source)
                raise
        if isinstance(other, CatalogueQuery):
            return over_catalogue(other)
        if isinstance(other, OuterQuery):
            return over_answers(other)
        return in_language(other)


def _typed_outer(query: OuterQuery) -> QuerySignature:
    program = query.program
    schema = EXPLAIN_SCHEMA if program.explain else program.schema
    return QuerySignature(schema, program.parameters)


def _no_plan(query: CatalogueQuery) -> NoReturn:
    raise NotSupported(
        "what the catalogue answers has no plan",
        hint="a query of metrics, whose grain AT names, has one",
    )


def read_only() -> ReadOnly:
    """Return the error of a text or a call that would change something."""
    return ReadOnly("this server only reads", hint="send a SELECT")


def _note(request: Request) -> None:
    """Tell the audit what is asked."""
    call = audited_call()
    if call is not None:
        call.request = request


def _refuse_writing(source: str, error: FrameQLSyntaxError) -> None:
    if _WRITES.match(source):
        raise read_only() from error
