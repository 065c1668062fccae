"""Metric families that the resolver takes alike, of which one is tried for all.

What comes in: a typed collection, and a draft. What goes out: families in the order in which a
reducer is tried over them, and which of them stands for another. It must never let one family stand
for another that the resolver could tell from it: what they are made of is compared, and a family
that the draft names stands for none.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import cached_property

from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.catalog.collection import MetricFamily, RootedMetric, StoredColumn
from flightframe_server.resolver.typed import TypedCollection


class AlikeFamilies:
    """The families of a collection as one draft sees them.

    Args:
        typed: the collection.
        draft: the text of the draft's tree, in which the names that it writes stand.
    """

    def __init__(self, typed: TypedCollection, draft: str) -> None:
        """Compare nothing yet; see the class."""
        self._typed, self._draft = typed, draft.casefold()

    @cached_property
    def one_of_each(self) -> tuple[MetricFamily, ...]:
        """One family of each kind, the first declared, in the order of the collection."""
        return tuple(self._first.values())

    def first_of(self, family: MetricFamily) -> MetricFamily:
        """Return the first family of a family's kind, which may be itself."""
        return self._first[self._kind(family)]

    @cached_property
    def _first(self) -> dict[Hashable, MetricFamily]:
        first: dict[Hashable, MetricFamily] = {}
        for family in self._typed.collection.metric_families.values():
            first.setdefault(self._kind(family), family)
        return first

    def likely_first(self, reducer: str) -> tuple[MetricFamily, ...]:
        """Return them with those that declare a reducer right behind the first.

        The reason of the first is the one that is told where none does; a reducer that must be
        declared is tried over no other that does not.
        """
        first, others = self.one_of_each[:1], self.one_of_each[1:]
        if REDUCERS[reducer].must_be_declared:
            return (*first, *(family for family in others if _declares(family, reducer)))
        return (*first, *sorted(others, key=lambda family: not _declares(family, reducer)))

    def _kind(self, family: MetricFamily) -> Hashable:
        root = family.meaning
        if not isinstance(root, RootedMetric) or family.name.casefold() in self._draft:
            return family.name
        if root.column is None:
            return root
        column = self._typed.collection.schemas[root.schema].columns.get(root.column)
        if not isinstance(column, StoredColumn):
            return family.name
        type_ = self._typed.column_types[root.schema, root.column]
        siblings = tuple(replace(one, column="") for one in root.siblings)
        return replace(root, column="", siblings=siblings, materialize_at=()), type_


def _declares(family: MetricFamily, reducer: str) -> bool:
    root = family.meaning
    return isinstance(root, RootedMetric) and any(one.operator == reducer for one in root.reducers)
