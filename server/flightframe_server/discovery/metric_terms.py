"""What the metric families of one typed collection mean: their terms, types and needed levels.

What comes in: a typed collection. What goes out: for each family its reducers, and of each what it
means, its type and the levels it cannot be asked without, found once. It must never look at data:
where the data forbid a metric is told by `availability.py`.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress

from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import AmbiguousReducer, QueryError
from flightframe_server.language.syntax import Call, Expression, Name
from flightframe_server.resolver.anchors import required_levels
from flightframe_server.resolver.metrics import MetricNames, default_operator
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Term
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


class MetricTerms:
    """The terms of one typed collection's families. Threads may share it.

    Args:
        typed: the collection.
    """

    def __init__(self, typed: TypedCollection) -> None:
        """Know nothing yet; see the class."""
        self.typed = typed
        self._names = MetricNames(Scope(typed, Binding()))
        self._terms: dict[tuple[str, str], Term] = {}
        self._required: dict[tuple[str, str], tuple[str, ...]] = {}
        self._types: dict[str, DataType | None] = {}

    def term(self, family: MetricFamily, reducer: str) -> Term:
        """Return what a family means under a reducer; empty: by its formula."""
        key = (family.name, reducer)
        if key not in self._terms:
            name: Expression = Name((family.name,))
            expression = Call(reducer, (name,)) if reducer else name
            assert isinstance(expression, Call | Name)
            self._terms[key] = self._names.leaf(expression)
        return self._terms[key]

    def required(self, family: MetricFamily, reducer: str) -> tuple[str, ...]:
        """Return the levels that a family cannot be asked without under a reducer."""
        key = (family.name, reducer)
        if key not in self._required:
            self._required[key] = required_levels(self.typed, self.term(family, reducer))
        return self._required[key]

    def type_of(self, family: MetricFamily) -> DataType | None:
        """Return the type of a family's name alone; None where it means nothing."""
        if family.name not in self._types:
            try:
                type_ = self._names.leaf(Name((family.name,))).type
            except QueryError:
                type_ = None
            self._types[family.name] = type_
        return self._types[family.name]


def default_of(family: MetricFamily) -> str | None:
    """Return the reducer that a family's bare name means; None where there is none, or no root."""
    if isinstance(family.meaning, RootedMetric):
        with suppress(AmbiguousReducer):
            return default_operator(family, family.meaning)
    return None


def reducers_of(family: MetricFamily) -> tuple[str, ...]:
    """Return the reducers of a family, its default first; an empty one for a formula."""
    if not isinstance(family.meaning, RootedMetric):
        return ("",)
    declared = [reducer.operator for reducer in family.meaning.reducers]
    default = default_of(family)
    return tuple(dict.fromkeys(declared if default is None else (default, *declared)))


def terms_of(engine: MetricEngine, typed: TypedCollection) -> MetricTerms:
    """Return the terms of an engine's families, kept for as long as the engine and its types."""
    with _LOCK:
        kept = _KEPT.get(engine)
        if kept is None or kept.typed is not typed:
            kept = _KEPT[engine] = MetricTerms(typed)
        return kept


_LOCK = threading.Lock()
_KEPT: weakref.WeakKeyDictionary[MetricEngine, MetricTerms] = weakref.WeakKeyDictionary()
