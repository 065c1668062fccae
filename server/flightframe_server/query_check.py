"""Whether a request could be answered, without answering it: what an editor asks as one types.

What comes in: a request, with or without values for its parameters. What goes out: its columns and
its canonical text, or the refusal that it would meet. It must never ask the database anything but
the types of its tables: a promise that was not looked at yet is taken to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.answer import (
    Request,
    Runtime,
    addressed,
    chosen_engine,
    read_statement,
    utc_now,
)
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.language.format import format_statement
from flightframe_server.language.syntax import Statement
from flightframe_server.resolver.question import OutputColumn, Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import LevelTerm
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class CheckedColumn:
    """One column of the answer: its name, its type, and whether it is a `level` or a `metric`."""

    name: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A request that could be answered.

    Attributes:
        collection: where.
        statement: what was read.
        columns: of the answer; those of its plan, where EXPLAIN asks for that, are not.
    """

    collection: str
    statement: Statement
    columns: tuple[CheckedColumn, ...]

    @property
    def canonical(self) -> str:
        """The text as the language itself would write it."""
        return format_statement(self.statement)


def check_request(
    request: Request, runtime: Runtime, context: CallContext = SERVER_CALL, *, typing: bool = False
) -> CheckedQuery:
    """Check a request.

    Args:
        request: the request.
        runtime: what would answer it.
        context: the call that waits.
        typing: whether its parameters have no values yet, and are taken to fit.

    Raises:
        QueryError: what `answer` would refuse it with, but for what only the data or the numbers
            themselves decide.
        BackendError: the types of the tables cannot be had.
    """
    statement, now = read_statement(request, runtime), utc_now()

    def ask(typed: TypedCollection) -> Question:
        binding = Binding(None if typing else request.values, now=now)
        question = resolve(statement, typed, binding)
        binding.refuse_surplus()
        return question

    with runtime.pinned() as pinned:
        engine = chosen_engine(addressed(request, statement), pinned, ask, context)
        question = engine.check(ask, request.freshness, context)
    columns = tuple(map(_column, question.columns))
    return CheckedQuery(engine.collection.name, statement, columns)


def _column(column: OutputColumn) -> CheckedColumn:
    kind = "level" if isinstance(column.term, LevelTerm) else "metric"
    return CheckedColumn(column.name, str(column.term.type), kind)
