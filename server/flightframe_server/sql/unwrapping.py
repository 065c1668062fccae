"""What one SELECT is over: a table, or a sub-select that it can be merged with.

What comes in: a SELECT, and the tables that are published. What goes out: its FROM as a scope, with
the conditions of the sub-selects below. It must never merge what the order of steps keeps apart: a
limit below a filter, a group below another group, distinct rows below anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.grouping_sets import stacked_anchor
from flightframe_server.language.syntax import (
    Anchor,
    Expression,
    GroupingSets,
    Limit,
    Name,
    OrderKey,
)
from flightframe_server.sql.places import place_of
from flightframe_server.sql.scopes import (
    CellValue,
    Column,
    LevelColumn,
    Scope,
    SelectScope,
    TableScope,
)
from flightframe_server.sql.tables import PublishedTable


class Tables(Protocol):
    """What the tables of a text are."""

    def __call__(self, table: exp.Table) -> TableScope:
        """Return a table with rows of facts; raises a `QueryError` where there is none."""

    def saved(self, table: exp.Table) -> PublishedTable | None:
        """Return a saved frame, None for any other table; raises as a call does."""

    def path(self, table: exp.Table) -> tuple[str, ...]:
        """Return the names that qualify a table's columns, its own last; raises as a call does."""


Ctes = Mapping[str, exp.Select]


@dataclass(frozen=True, slots=True)
class Output:
    """One column of a SELECT.

    Attributes:
        name: its name.
        expression: what it is; a level, or a value over what was reduced.
        level: the level that it is, None for a value.
        moment: whether SQL has it as a timestamp and the level is a date.
        named: whether its name was written.
    """

    name: str
    expression: Expression
    level: str | None = None
    moment: bool = False
    named: bool = True


@dataclass(frozen=True, slots=True)
class RowsOf:
    """Rows of a table that no step has reduced: a table, or a sub-select of columns alone."""

    scope: Scope
    where: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows reduced to keys: one question.

    Attributes:
        table: the table at the bottom.
        where: conditions over its rows.
        keys: the levels that it is grouped by.
        outputs: its columns.
        having: conditions over its points.
        order: as written.
        limit: as written.
        alias: the name that qualifies its columns, where it is a sub-select.
        sets: which of its keys stand together, where not all do.
    """

    table: TableScope
    where: tuple[Expression, ...]
    keys: tuple[Name, ...]
    outputs: tuple[Output, ...]
    having: tuple[Expression, ...] = ()
    order: tuple[OrderKey, ...] = ()
    limit: Limit | None = None
    alias: str = ""
    sets: GroupingSets | None = None

    @property
    def scope(self) -> SelectScope:
        """Its columns as a SELECT over it sees them."""
        return SelectScope(self.table, self.alias, tuple(map(self._column, self.outputs)))

    def _column(self, output: Output) -> tuple[str, Column]:
        if output.level is not None:
            return output.name, LevelColumn(output.level, output.moment)
        return output.name, CellValue(output.expression, self.keys)

    @property
    def anchor(self) -> Anchor:
        """Its keys as an anchor."""
        return Anchor(self.keys) if self.sets is None else stacked_anchor(self.sets)


def source_of(select: exp.Select) -> exp.Expr:
    """Return what FROM names.

    Raises:
        NotSupported: there is no FROM.
    """
    clause = select.args.get("from_")
    if clause is None:
        raise NotSupported("a SELECT over metrics has a FROM", hint="write FROM metrics")
    source: exp.Expr = clause.this
    return source


def with_clauses(select: exp.Select, outer: Ctes) -> Ctes:
    """Return the sub-selects that WITH names, those of an outer SELECT included.

    Raises:
        NotSupported: one is no SELECT, or its name stands twice.
    """
    clause = select.args.get("with_")
    if clause is None:
        return outer
    named = dict(outer)
    own: set[str] = set()
    for part in clause.expressions:
        name = part.alias.casefold()
        if not isinstance(part.this, exp.Select) or name in own:
            raise NotSupported(
                f"WITH {shown(part.alias)} is no SELECT of its own name", place=place_of(part)
            )
        own.add(name)
        named[name] = part.this
    return named


def without(ctes: Ctes, name: str) -> Ctes:
    """Return the sub-selects that stand before one: it may not name itself."""
    names = list(ctes)
    return {known: ctes[known] for known in names[: names.index(name)]}


def renamed(scope: Scope, alias: str) -> Scope:
    """Return a sub-select's columns under an alias."""
    return SelectScope(scope.table, alias, tuple(scope.columns()))
