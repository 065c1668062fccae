"""One query as a surface hands it on.

What comes in: a text, bound values, what is asked of freshness. What goes out: one frozen value,
and what makes two of them the same. It must never know which surface made it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from flightframe_server.algebra.types import DataType
from flightframe_server.errors import TypeMismatch
from flightframe_server.language.syntax import LiteralValue, ParameterValue, Statement
from flightframe_server.planner.plan import NO_FRESHNESS, Freshness
from flightframe_server.resolver.values import literal_type

VALUE_BYTES = 256


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """How a text of SQL is read where its words alone do not say.

    Attributes:
        sum_is_metric: whether SUM of a metric that declares none means the metric.
        bare_is_measure: whether a metric without an aggregate beside GROUP BY means itself.
    """

    sum_is_metric: bool = False
    bare_is_measure: bool = False


STRICT_SQL = SqlOptions()
"""What is not said is refused."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What a text of SQL means in Frame-QL.

    Attributes:
        statement: the query; bound values stand in it as literals.
        moments: the places of columns, from 0, that SQL has as timestamps where Frame-QL has dates.
        parameters: the types of parameters that shaped the statement and are no part of it.
        options: those that it was read with.
        clock: the day or moment that it depends on; None where it depends on none.
        notes: how columns were read where options decided.
    """

    statement: Statement
    moments: tuple[int, ...] = ()
    parameters: tuple[tuple[int, DataType], ...] = ()
    options: SqlOptions = STRICT_SQL
    clock: datetime.date | None = None
    notes: tuple[str, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether the same text means the same later."""
        return self.clock is None


@dataclass(frozen=True, slots=True)
class Request:
    """One query as a surface hands it on.

    Attributes:
        source: Frame-QL text, or SQL.
        parameters: bound values: `?` by index from 0, `$name` by name, as pairs.
        collection: its collection; None for the only one that fits.
        freshness: what it says about age.
        sql: how it is read where it is SQL.
        translation: what it means where it is SQL, once that is known.
    """

    source: str
    parameters: tuple[tuple[int | str, ParameterValue], ...] = ()
    collection: str | None = None
    freshness: Freshness = NO_FRESHNESS
    sql: SqlOptions = STRICT_SQL
    translation: Translation | None = field(default=None, compare=False, repr=False)

    @property
    def values(self) -> Mapping[int | str, ParameterValue]:
        """The values that the statement takes: none, where they stand in its translation."""
        return {} if self.translation is not None else dict(self.parameters)

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two requests the same: text, values with their types, options."""
        typed = tuple((name, _type_text(value), value) for name, value in self.parameters)
        made = self.translation
        read = None if made is None else (made.options, made.clock)
        return self.source, typed, self.collection, self.freshness, read

    @property
    def bytes(self) -> int:
        """About the bytes that `key` takes, texts at their longest encoding."""
        values = (one for _, value in self.parameters for one in _scalars(value))
        value_bytes = sum(
            VALUE_BYTES + 4 * (len(one) if isinstance(one, str) else 0) for one in values
        )
        return 4 * len(self.source) + value_bytes

    @property
    def scalars(self) -> dict[int | str, LiteralValue]:
        """The bound values, none of which may be a list.

        Raises:
            TypeMismatch: one is a list.
        """
        values: dict[int | str, LiteralValue] = {}
        for name, value in self.parameters:
            if isinstance(value, tuple):
                raise TypeMismatch(
                    "a list is bound behind IN in Frame-QL alone",
                    hint="write IN (?, ?), with one value for each",
                )
            values[name] = value
        return values


def _scalars(value: ParameterValue) -> tuple[LiteralValue, ...]:
    return value if isinstance(value, tuple) else (value,)


def _type_text(value: ParameterValue) -> str:
    """Return the type of a bound value, those of a list one by one."""
    types = ",".join(str(literal_type(one)) for one in _scalars(value))
    return f"[{types}]" if isinstance(value, tuple) else types
