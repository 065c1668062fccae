"""What one text of SQL is read with: the collection, the values bound, the clock, the options.

What comes in: what a request brings. What goes out: one value for all modules that translate, which
notes what the reading depended on. It must never read a clock twice: a text has one now.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlglot import exp

from flightframe_server.algebra.types import INTEGER, TEXT, DataType
from flightframe_server.errors import LimitExceeded, Place, TypeMismatch, UnknownName
from flightframe_server.language.bounds import count_nodes
from flightframe_server.language.literals import literal_of
from flightframe_server.language.syntax import (
    Expression,
    Literal,
    LiteralKind,
    LiteralValue,
    Parameter,
)
from flightframe_server.request import STRICT_SQL, SqlOptions
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.parse import parameter_index
from flightframe_server.sql.places import place_of

LIMITED = "LIMIT and OFFSET take whole numbers from 0"

MAX_NODES = 20_000
"""How many nodes all names of values stand for, once each is written out where it stands."""


def _now(zone: str) -> datetime.datetime:
    return datetime.datetime.now(ZoneInfo(zone))


@dataclass(slots=True)
class Clock:
    """The moment at which a text is read, by the clock of a collection's zone.

    Attributes:
        zone: of the collection.
        now: tells the time.
        shown: what of it the text depends on: nothing, its day, or all of it.
    """

    zone: str
    now: Callable[[str], datetime.datetime] = _now
    shown: datetime.date | None = None
    _read: datetime.datetime | None = None

    def today(self) -> datetime.date:
        """Return the day."""
        day = self._moment().date()
        self.shown = self.shown or day
        return day

    def moment(self) -> datetime.datetime:
        """Return the moment as the zone's clock shows it."""
        self.shown = self._moment()
        return self._moment()

    def _moment(self) -> datetime.datetime:
        if self._read is None:
            self._read = self.now(self.zone).replace(tzinfo=None)
        return self._read


@dataclass(slots=True)
class Reading:
    """One text being read.

    Attributes:
        typed: the collection it is about.
        values: of its parameters by index; None while it is only typed.
        options: how it is read where its words do not say.
        clock: of the collection's zone.
        shaping: the types of parameters that shape the statement, filled while reading.
        notes: how columns were read where options decided, filled while reading.
    """

    typed: TypedCollection
    values: Mapping[int | str, LiteralValue] | None
    options: SqlOptions = STRICT_SQL
    clock: Clock = field(default_factory=lambda: Clock("UTC"))
    shaping: dict[int, DataType] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _nodes: int = 0

    def written_out(self, value: Expression, place: Place) -> Expression:
        """Return the value that a name stands for, to be put in its place.

        Raises:
            LimitExceeded: the names of a text stand for too much: each may stand for many others.
        """
        self._nodes += count_nodes(value, MAX_NODES)
        if self._nodes > MAX_NODES:
            raise LimitExceeded(
                "the query is too long once its sub-selects are written out", place=place
            )
        return value

    def parameter(self, node: exp.Placeholder) -> Expression:
        """Return a parameter as its value, or as itself while the text is only typed.

        Raises:
            UnknownName: nothing is bound to it.
        """
        index, place = parameter_index(node), place_of(node)
        if self.values is None:
            return Parameter(index=index, place=place)
        return literal_of(self._value(index, place), place)

    def shaping_text(self, node: exp.Placeholder) -> str | None:
        """Return a text that shapes the statement, None while it is not bound.

        Raises:
            UnknownName: nothing is bound to it.
            TypeMismatch: what is bound is no text.
        """
        index, place = parameter_index(node), place_of(node)
        self.shaping[index] = TEXT
        if self.values is None:
            return None
        value = self._value(index, place)
        if not isinstance(value, str):
            raise TypeMismatch(f"parameter ?{index + 1} is a text here", place=place)
        return value

    def count(self, node: exp.Expr, what: str = LIMITED) -> Expression:
        """Return what LIMIT or OFFSET counts, or a window.

        Args:
            node: the number.
            what: what takes it, as the error says it.

        Raises:
            TypeMismatch: it is no whole number.
        """
        place = place_of(node)
        match node:
            case exp.Placeholder():
                if self.values is None:
                    self.shaping[parameter_index(node)] = INTEGER
                return self.parameter(node)
            case exp.Literal(is_int=True):
                return Literal(int(node.name), LiteralKind.INTEGER, place=place)
        raise TypeMismatch(what, place=place)

    def _value(self, index: int, place: Place) -> LiteralValue:
        assert self.values is not None
        if index not in self.values:
            raise UnknownName(
                f"parameter ?{index + 1} has no value",
                place=place,
                hint="bind a value to it before the query is carried out",
            )
        return self.values[index]
