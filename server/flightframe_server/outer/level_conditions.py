"""Conditions on a metric at a level: `WHERE x @ store > 2` keeps the rows of the stores that pass.

What comes in: a request whose text is Frame-QL. What goes out: its question with the members that
pass in place of such conditions, and the questions that give them. It must never take x under the
other conditions of WHERE, nor let a row pass whose member is NULL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.answer import (
    Request,
    Runtime,
    addressed,
    chosen_engine,
    read_statement,
    utc_now,
)
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.composer.compose import answer_schema
from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.literals import literal_of
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    Ascribed,
    Call,
    Expression,
    IsIn,
    IsNull,
    Item,
    Junction,
    Literal,
    LiteralKind,
    Name,
    Statement,
)
from flightframe_server.language.trees import parts_of, with_parts
from flightframe_server.outer.algebra import Frame
from flightframe_server.outer.program import UNKNOWN_MEMBERS, Island, Members, OuterQuery, Program
from flightframe_server.query_types import bound_type
from flightframe_server.request import Translation
from flightframe_server.resolver.level_schemas import schemas_in_play
from flightframe_server.resolver.qualified_names import unqualified
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding

_NEVER = Literal(False, LiteralKind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class LevelCondition:
    """One conjunct of WHERE that reads metrics at a level: the level, and the question of it."""

    level: Name
    members: Statement

    def filled(self, members: Members) -> Expression:
        """Return the condition with the members that pass; with any, where they are not known."""
        named = self.level
        operand = named.expression if isinstance(named, AdHocLevel) else named
        if not members.known:
            return IsNull(operand, negated=True, place=named.place)
        if not members.values:
            return _NEVER
        values = tuple(literal_of(value, named.place) for value in members.values)
        return IsIn(operand, values, place=named.place)


def conditioned(request: Request, runtime: Runtime, *, typing: bool) -> OuterQuery | None:
    """Return what a request means where its WHERE reads a metric at a level; else None.

    Args:
        request: any request whose text is Frame-QL.
        runtime: the installation.
        typing: whether no parameter is bound.

    Raises:
        QueryError: it breaks a rule.
    """
    # A hot question is not parsed, and few have an @ behind a WHERE.
    _, _, behind = request.source.casefold().partition("where")
    if "@" not in behind or request.translation is not None:
        return None
    statement = read_statement(request, runtime)
    if not _reads_metrics(statement.where):
        return None
    now = utc_now()
    binding = Binding(None if typing else request.values, now=now)

    def ask(typed: TypedCollection) -> Question:
        return _Parts(statement, typed).check(binding)

    engine = chosen_engine(addressed(request, statement), runtime, ask, SERVER_CALL)
    typed = engine.snapshot(SERVER_CALL).typed
    parts = _Parts(statement, typed)
    question = parts.check(binding)
    binding.refuse_surplus()
    sets = tuple(_program(one.members, typed, request, typing) for one in parts.conditions)
    schema = answer_schema(question)
    program = Program(
        (Island(sets, parts.translation, schema.remove_metadata()),),
        Frame(0, tuple(column.term.type for column in question.columns)),
        schema,
        tuple((key, bound_type(binding, key)) for key in sorted(binding.types, key=str)),
        explain=statement.explain,
        values=request.values,
    )
    return OuterQuery(request, program, engine.collection.name)


def _program(
    statement: Statement, typed: TypedCollection, request: Request, typing: bool
) -> Program:
    """Return the question of a condition's members as a program of its own."""
    question = resolve(statement, typed, Binding(None if typing else request.values, now=utc_now()))
    schema = answer_schema(question)
    island = Island((), lambda _: Translation(statement), schema.remove_metadata())
    types = tuple(column.term.type for column in question.columns)
    return Program((island,), Frame(0, types), schema, values=request.values)


class _Parts:
    """A statement in two: its conditions on metrics at levels, and the rest.

    Args:
        statement: with such a condition.
        typed: its collection.
    """

    def __init__(self, statement: Statement, typed: TypedCollection) -> None:
        """Part it; raises as `conditioned`."""
        self._typed = typed
        self._statement = unqualified(statement, typed)
        where = self._statement.where
        assert where is not None
        parts = where.operands if isinstance(where, Junction) and where.operator == "AND" else ()
        parts = parts or (where,)
        self._rest = tuple(part for part in parts if not _reads_metrics(part))
        self.conditions = tuple(self._condition(part) for part in parts if _reads_metrics(part))

    def _condition(self, part: Expression) -> LevelCondition:
        """Return a condition; where one schema makes the answer, its members are enough."""
        condition = _condition(part, self._statement.source)
        own = set(schemas_in_play(self._typed, self._statement))
        if self._statement.source is None and len(own) == 1:
            read = set(schemas_in_play(self._typed, condition.members))
            if read <= own:
                return _condition(part, Name(tuple(own)))
        return condition

    def check(self, binding: Binding) -> Question:
        """Return the question without knowing members; those that give them are checked, too."""
        unknown = tuple(UNKNOWN_MEMBERS for _ in self.conditions)
        question = resolve(self.translation(unknown).statement, self._typed, binding)
        for condition in self.conditions:
            resolve(condition.members, self._typed, binding)
        return question

    def translation(self, members: tuple[Members, ...]) -> Translation:
        """Return the statement with members in place of its conditions."""
        filled = [
            one.filled(passing) for one, passing in zip(self.conditions, members, strict=True)
        ]
        parts = (*self._rest, *filled)
        where = parts[0] if len(parts) == 1 else Junction("AND", parts)
        return Translation(replace(self._statement, where=where))


def _condition(conjunct: Expression, source: Name | None) -> LevelCondition:
    """Return a conjunct that reads metrics at a level as the question of the members that pass."""
    ascribed = tuple(_ascribed_in(conjunct))
    levels = {part.anchor.levels for part in ascribed}
    first = ascribed[0]
    if first.anchor.levels == () or len(levels) > 1 or len(first.anchor.levels) > 1:
        raise NotSupported(
            "a condition of WHERE reads metrics at one level, whose members it chooses",
            place=first.place,
        )
    (level,) = first.anchor.levels
    having = _at_its_level(conjunct)
    for name in _names_beside(conjunct):
        if name.text.casefold() != level.text.casefold():
            raise NotSupported(
                f"a condition on metrics at {shown(level.text)} reads no other level:"
                f" {shown(name.text)} is one of the row's",
                place=name.place,
            )
    named = Name((level.text,)) if isinstance(level, AdHocLevel) else level
    members = Statement((Item(named),), Anchor((level,)), source=source, having=having)
    return LevelCondition(level, members)


def _reads_metrics(node: Expression | None) -> bool:
    return next(_ascribed_in(node), None) is not None


def _ascribed_in(node: object) -> Iterator[Ascribed]:
    """Yield what is taken at an anchor of its own outside of reducers, left to right."""
    if isinstance(node, Ascribed):
        yield node
    elif not (isinstance(node, Call) and node.function in REDUCER_NAMES):
        for part in parts_of(node):
            yield from _ascribed_in(part)


def _at_its_level(node: Any) -> Any:
    """Return a condition on rows as one on points of its level."""
    if isinstance(node, Ascribed):
        return node.operand
    return with_parts(node, _at_its_level)


def _names_beside(node: object) -> Iterator[Name]:
    """Yield the names in a condition that stand beside what is taken at its level."""
    if isinstance(node, Name):
        yield node
    elif not isinstance(node, Ascribed):
        for part in parts_of(node):
            yield from _names_beside(part)
