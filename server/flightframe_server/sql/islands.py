"""Islands: the parts of a tree that are one question each, and stay one.

What comes in: a SELECT. What goes out: its question with the types of its columns, or the reason
why it is none. It must never take a part of a SELECT for the whole: what it says beyond a question
is refused here, and read above or not at all.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pyarrow as pa
from sqlglot import exp

from flightframe_server.algebra.types import TIMESTAMP, DataType, Kind
from flightframe_server.arrow_types import arrow_type
from flightframe_server.errors import NotSupported
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.outer.algebra import Frame
from flightframe_server.outer.program import UNKNOWN_MEMBERS, Island, Members, Program
from flightframe_server.request import Translation
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import LevelTerm
from flightframe_server.sql.places import place_of
from flightframe_server.sql.question import rows_scope, translated
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.sets import SetSelects, set_selects, single_values
from flightframe_server.sql.stages import Context
from flightframe_server.sql.unwrapping import Tables
from flightframe_server.sql.value_types import check_values


@dataclass(slots=True)
class Islands:
    """The islands of one program, filled while its tree is read.

    Attributes:
        context: the text's.
        tables: what the tables of the text are.
        read: returns what a SELECT over saved frames gives, whose questions it puts into islands.
        made: the islands.
    """

    context: Context
    tables: Tables
    read: Callable[[Islands, exp.Expr], Relation]
    made: list[Island] = field(default_factory=list)
    _known: list[tuple[Translation, int]] = field(default_factory=list)

    def relation(self, select: exp.Select) -> Relation:
        """Return a SELECT that is one question as the frame of its answer.

        Raises:
            QueryError: it is no question, or one that breaks a rule.
        """
        sets = set_selects(select, self.context.reading)
        programs = (
            *(self._set(inner) for inner in sets.listed),
            *(self._set(inner, single=True) for inner in sets.single),
        )

        def translation(members: tuple[Members, ...]) -> Translation:
            return self._translated(sets, members, note=False)

        unknown = (
            *(UNKNOWN_MEMBERS for _ in sets.listed),
            *(_one_like(program.schema.types[0]) for program in programs[len(sets.listed) :]),
        )
        self._check_values(sets, programs[len(sets.listed) :])
        made = self._translated(sets, unknown, note=True)
        question = resolve(made.statement, self.context.reading.typed, self.context.binding)
        types = tuple(_types(question, made, select))
        names = [column.name for column in question.columns]
        schema = pa.schema(
            [(name, arrow_type(type_)) for name, type_ in zip(names, types, strict=True)]
        )
        at = self._place(made, Island(programs, translation, schema))
        return Relation(Frame(at, types), tuple(map(NamedColumn, names)), _unique(question))

    def _check_values(self, sets: SetSelects, programs: tuple[Program, ...]) -> None:
        if programs:
            scope = rows_scope(sets.select, self.tables, self.context.reading)
            types = (program.root.types[0] for program in programs)
            values = zip(single_values(sets.select), types, strict=True)
            check_values(values, scope, self.context.reading.typed)

    def saved(self, table: exp.Table) -> Relation | None:
        """Return a saved frame as the frame of its answer; None for any other table.

        Raises:
            UnknownName: there is no such table.
            NotSupported: it has a column that is not answered inside a query.
        """
        published = self.tables.saved(table)
        if published is None or published.saved is None or published.frame is None:
            return None
        made, question = Translation(published.frame), published.saved
        types = tuple(_types(question, made, table))
        schema = pa.schema([(field.name, field.type) for field in published.schema])
        at = self._place(made, Island((), lambda members: made, schema))
        *within, name = self.tables.path(table)
        named = tuple(NamedColumn(field.name, name, tuple(within)) for field in schema)
        return Relation(Frame(at, types), named, _unique(question))

    def _set(self, select: exp.Select, *, single: bool = False) -> Program:
        inner = Islands(self.context, self.tables, self.read)
        over_frames = any(map(self.tables.saved, select.find_all(exp.Table)))
        relation = self.read(inner, select) if over_frames or single else inner.relation(select)
        if len(relation.types) != 1:
            raise NotSupported("a SELECT in a condition has one column", place=place_of(select))
        schema = pa.schema([(relation.columns[0].name, arrow_type(relation.types[0]))])
        return Program(tuple(inner.made), relation.node, schema)

    def _translated(
        self, sets: SetSelects, members: tuple[Members, ...], *, note: bool
    ) -> Translation:
        outer = self.context.reading
        tree, values = sets.filled(members)
        reading = Reading(outer.typed, outer.values, outer.options, outer.clock)
        if outer.values is not None:
            reading.values = {**outer.values, **values}
        made = translated(tree, self.tables, reading)
        if note:
            outer.shaping.update(reading.shaping)
            outer.notes.extend(x for x in reading.notes if x not in outer.notes)
        return replace(made, notes=())

    def _place(self, made: Translation, island: Island) -> int:
        """Return the place of an island; one that stands twice is asked once."""
        for known, at in self._known:
            same = (known.statement, known.moments) == (made.statement, made.moments)
            if same and not island.sets and self.context.reading.values is not None:
                return at
        if not island.sets:
            self._known.append((made, len(self.made)))
        self.made.append(island)
        return len(self.made) - 1


def _one_like(type_: pa.DataType) -> Members:
    """Return what stands for the one value of a SELECT before it is read: any of its type."""
    kinds: tuple[tuple[Callable[[pa.DataType], bool], LiteralValue], ...] = (
        (pa.types.is_date, datetime.date(2000, 1, 1)),
        (pa.types.is_timestamp, datetime.datetime(2000, 1, 1)),
        (pa.types.is_string, "a"),
        (pa.types.is_boolean, True),
        (pa.types.is_floating, 1.0),
        (pa.types.is_decimal, Decimal(1)),
    )
    values: tuple[LiteralValue, ...] = tuple(value for is_of, value in kinds if is_of(type_))
    return Members(values or (1,), known=False)


def _types(question: Question, made: Translation, at: exp.Expr) -> Iterator[DataType]:
    for place, column in enumerate(question.columns):
        type_ = TIMESTAMP if place in made.moments else column.term.type
        if type_.zone is not None or type_.kind is Kind.NULL:
            raise NotSupported(
                f"a column of {type_} inside a query is not answered", place=place_of(at)
            )
        yield type_


def _unique(question: Question) -> tuple[frozenset[int], ...]:
    places: list[int] = []
    if question.sets:
        # A total of several sets of keys has NULL where a member may be NULL as well.
        return ()
    for level in question.anchor:
        at_level = [
            at
            for at, column in enumerate(question.columns)
            if isinstance(column.term, LevelTerm) and column.term.level == level
        ]
        if not at_level:
            return ()
        places.append(at_level[0])
    return (frozenset(places),)
