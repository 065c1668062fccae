"""Answers as SQL sees them while algebra is read: named columns over a node of the algebra.

What comes in: columns as they are written. What goes out: their places. It must never guess: a name
that two columns have is ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import AmbiguousMetric, UnknownName, did_you_mean, shown
from flightframe_server.outer.algebra import Node, Types
from flightframe_server.sql.places import place_of


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """One column.

    Attributes:
        name: its name.
        qualifier: what qualifies it; empty: nothing does.
        within: what may stand before that: the collection of a saved frame.
    """

    name: str
    qualifier: str = ""
    within: tuple[str, ...] = ()

    def is_qualified_by(self, parts: Sequence[exp.Expr]) -> bool:
        """Whether names before a column's own mean this one's; none of them mean any."""
        written = tuple(part.name.casefold() for part in parts)
        path = tuple(name.casefold() for name in (*self.within, self.qualifier))
        return not written or path[-len(written) :] == written


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows with named columns.

    Attributes:
        node: what gives them.
        columns: its columns, in order.
        unique: sets of places by whose values rows are told apart; the empty set: one row at most.
    """

    node: Node
    columns: tuple[NamedColumn, ...]
    unique: tuple[frozenset[int], ...] = ()

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return self.node.types

    def aliased(self, alias: str) -> Relation:
        """Return the rows as a sub-select of a name."""
        return replace(self, columns=tuple(NamedColumn(one.name, alias) for one in self.columns))

    def find(self, node: exp.Column) -> int | None:
        """Return the place of a column, None where there is none.

        Raises:
            AmbiguousMetric: two columns have the name.
        """
        fits = [
            at
            for at, column in enumerate(self.columns)
            if column.name.casefold() == node.name.casefold()
            and column.is_qualified_by(node.parts[:-1])
        ]
        if len(fits) > 1:
            raise AmbiguousMetric(
                f"two columns are called {shown(node.name)}", place=place_of(node)
            )
        return fits[0] if fits else None

    def place(self, node: exp.Column) -> int:
        """Return the place of a column.

        Raises:
            UnknownName: there is none of that name.
            AmbiguousMetric: two have it.
        """
        known_column = self.find(node)
        if known_column is None:
            raise UnknownName(
                f"there is no column {shown(node.name)} in FROM",
                place=place_of(node),
                hint=did_you_mean(node.name, [column.name for column in self.columns]),
            )
        return known_column

    def starred(self, node: exp.Column | None) -> Iterable[int]:
        """Return the places that `*` stands for, those of one qualifier where it has one.

        Raises:
            UnknownName: nothing has that qualifier.
        """
        if node is None:
            return range(len(self.columns))
        before = node.parts[:-1]
        fits = [at for at, one in enumerate(self.columns) if one.is_qualified_by(before)]
        if not fits:
            raise UnknownName(
                f"there is no table {shown(node.parts[-2].name)} in FROM", place=place_of(node)
            )
        return fits


def projected_unique(
    unique: Iterable[frozenset[int]], kept: Iterable[int | None]
) -> tuple[frozenset[int], ...]:
    """Return which columns tell rows apart, where some columns are kept, by their new places."""
    places: dict[int, int] = {}
    for new, old in enumerate(kept):
        if old is not None:
            places.setdefault(old, new)
    return tuple(
        frozenset(places[at] for at in one) for one in unique if all(at in places for at in one)
    )
