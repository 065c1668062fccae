"""What a text means that is more than one question.

What comes in: nothing, these are values. What goes out: islands, each a question, and the algebra
over their answers. It must never hold a tree of SQL: what a text says beyond this was refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from flightframe_server.language.syntax import LiteralValue, ParameterValue
from flightframe_server.outer.algebra import Frame, Node
from flightframe_server.request import Request, Translation


@dataclass(frozen=True, slots=True)
class Members:
    """What a question inside a condition gave: its members, and whether NULL was among them.

    `known`: whether they were read at all.
    """

    values: tuple[LiteralValue, ...]
    has_null: bool = False
    known: bool = True


UNKNOWN_MEMBERS = Members((), known=False)
"""What stands for members before they are read: a condition that any member could pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """One question, and the questions that its conditions take their members from.

    Attributes:
        sets: those questions.
        translation: gives what the island means, from the members of each.
        schema: the columns of its answer, as SQL has them.
    """

    sets: tuple[Program, ...]
    translation: Callable[[tuple[Members, ...]], Translation]
    schema: pa.Schema


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A text as islands and the algebra over them.

    Attributes:
        islands: the questions.
        root: the algebra; the frame of the only island where there is none.
        schema: the columns of the answer.
        parameters: the type that each parameter is compared with, in order.
        clock: the day or moment that it depends on; None where it depends on none.
        notes: how columns were read where options decided.
        explain: whether the plan is asked for.
        values: what the parameters are bound to that stand in the islands' statements.
    """

    islands: tuple[Island, ...]
    root: Node
    schema: pa.Schema
    parameters: tuple[tuple[int | str, pa.DataType], ...] = ()
    clock: datetime.date | None = None
    notes: tuple[str, ...] = ()
    explain: bool = False
    values: Mapping[int | str, ParameterValue] = field(default_factory=dict)

    @property
    def composed(self) -> bool:
        """Whether there is algebra to run: the answer of an only island is the answer itself."""
        return not isinstance(self.root, Frame)


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
