"""The types of a request, without its answer.

What comes in: a request whose parameters have no values yet. What goes out: the types of its
columns and of its parameters. It must never carry anything out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.answer import Request, Runtime, addressed, chosen_engine, read_statement
from flightframe_server.arrow_types import arrow_type, with_sql_metadata
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.composer.compose import answer_schema
from flightframe_server.engine.explanation import explanation
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True, eq=False)
class QuerySignature:
    """The types of a request: those of its columns and of its parameters.

    Attributes:
        schema: the answer's declared schema.
        parameters: each parameter's key and the Arrow type it is compared with, in order.
    """

    schema: pa.Schema
    parameters: tuple[tuple[int | str, pa.DataType], ...]


def type_request(request: Request, runtime: Runtime) -> QuerySignature:
    """Type a request without executing it, its parameters unbound.

    Raises:
        QueryError: as for `answer`, save what only values can break.
    """
    statement = read_statement(request, runtime)
    binding = Binding(None)

    def ask(typed: TypedCollection) -> Question:
        return resolve(statement, typed, binding)

    with runtime.pinned() as pinned:
        engine = chosen_engine(addressed(request, statement), pinned, ask, SERVER_CALL)
        if statement.explain:
            plan = engine.plan(ask, request.freshness)
            schema = explanation(plan, engine.backend).schema
        else:
            schema = answer_schema(ask(engine.typed))
    if request.translation is not None:
        binding.types.update(request.translation.parameters)
    keys = sorted(binding.types, key=lambda key: (isinstance(key, str), key))
    return QuerySignature(
        with_sql_metadata(schema), tuple((key, bound_type(binding, key)) for key in keys)
    )


def bound_type(binding: Binding, key: int | str) -> pa.DataType:
    """Return the type that a parameter is bound as."""
    type_ = arrow_type(binding.types[key])
    return pa.list_(type_) if key in binding.lists else type_
