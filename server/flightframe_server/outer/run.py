"""A program carried out: its islands answered on one version of the data, then the algebra.

What comes in: a program and what answers its questions. What goes out: the rows, and what was
executed for them. It must never compose answers of two versions, nor a part of one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from flightframe_server.arrow_types import conform, with_moments
from flightframe_server.call_context import CallContext
from flightframe_server.catalog.limits import Limits
from flightframe_server.engine.together import Asker, Complete
from flightframe_server.errors import BackendError, LimitExceeded
from flightframe_server.language.bounds import check_depth
from flightframe_server.language.syntax import ParameterValue
from flightframe_server.outer.compile import pair_counts, statement_of
from flightframe_server.outer.pool import POOL, EnginePool, Task
from flightframe_server.outer.program import Island, Members, Program
from flightframe_server.request import Translation
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(slots=True)
class Run:
    """One program being carried out on one version.

    Attributes:
        asker: answers its questions.
        limits: of the installation.
        context: the call that waits.
        now: the moment at which it is asked.
        pool: where the algebra runs.
        answered: what was executed, filled while running.
        notes: what members were read, filled while running.
    """

    asker: Asker
    limits: Limits
    context: CallContext
    now: datetime.datetime
    pool: EnginePool = field(default_factory=lambda: POOL)
    answered: list[Complete] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self, program: Program) -> pa.Table:
        """Return the rows of a program.

        Raises:
            FlightframeError: an island cannot be answered, or the algebra passes a bound.
        """
        frames = [self._frame(island, program.values) for island in program.islands]
        if not program.composed:
            return frames[0].rename_columns(program.schema.names).cast(program.schema)
        named = {
            f"f{at}": frame.rename_columns([f"c{place}" for place in range(frame.num_columns)])
            for at, frame in enumerate(frames)
        }
        counts, rows = tuple(pair_counts(program.root)), self.limits.outer_rows
        task = Task(named, counts, statement_of(program.root), rows)
        composed = self.pool.run(task, self.context)
        batches = [conform(batch, program.schema) for batch in composed.to_batches()]
        return pa.Table.from_batches(batches, schema=program.schema)

    def _frame(self, island: Island, values: Mapping[int | str, ParameterValue]) -> pa.Table:
        members = tuple(map(self.members, island.sets))
        made = island.translation(members)
        check_depth(made.statement, self.limits.parse_depth)
        complete = self.asker.ask(question_of(made, self.now, values), self.limits.outer_rows)
        self.answered.append(complete)
        schema = with_moments(complete.table.schema, made.moments)
        if schema.types != island.schema.types:
            raise BackendError("the types of the data are being changed", hint="ask again")
        columns = [
            column.cast(type_)
            for column, type_ in zip(complete.table.columns, schema.types, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=island.schema)

    def members(self, program: Program) -> Members:
        """Return the members that a question inside a condition gives.

        Raises:
            LimitExceeded: there are more than a condition may take.
        """
        column = self.table(program).column(0).unique()
        values = column.to_pylist()
        kept = tuple(value for value in values if value is not None)
        most = self.limits.member_limit
        if len(kept) > most:
            raise LimitExceeded(
                f"the SELECT inside a condition gives more than {most:,} members",
                hint="narrow it, or join it grouped by the same keys",
            )
        self.notes.append(f"a condition was read with {len(kept)} members of a question of its own")
        return Members(kept, len(kept) < len(values))


def question_of(
    made: Translation, now: datetime.datetime, values: Mapping[int | str, ParameterValue]
) -> Callable[[TypedCollection], Question]:
    """Return what gives an island's question, under some values, on the types of one version."""

    def ask(typed: TypedCollection) -> Question:
        return resolve(made.statement, typed, Binding(values, now=now))

    return ask
