"""What a back-end can do, and whether it can do what a metric needs.

What comes in: the capabilities that a back-end states, and a metric that has to be fetched. What
goes out: nothing, or the one thing that it lacks. It must never judge what an entry answers: that
needs no back-end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flightframe_server.algebra.functions import FUNCTIONS
from flightframe_server.algebra.primitives import Primitive
from flightframe_server.errors import NotSupported
from flightframe_server.planner.source import ComputedRead, metric_reads
from flightframe_server.resolver.finishing import finish_of
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Ordering
from flightframe_server.resolver.terms import Apply, Term, levels_of, metrics_of, walk
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a back-end can do; the planner refuses the rest before anything runs.

    Attributes:
        primitives: what it reduces rows to.
        functions: names of the row functions that it computes.
        answers: whether there is a database behind it at all.
    """

    primitives: frozenset[Primitive]
    functions: frozenset[str]
    answers: bool = True


def check_capable(
    capabilities: Capabilities | None,
    backend: str,
    typed: TypedCollection,
    need: Need,
    ordering: tuple[Ordering, ...],
) -> None:
    """Refuse, before anything runs, a metric that the back-end does not compute.

    Args:
        capabilities: what it can do; None where it is never asked.
        backend: its id.
        typed: the collection.
        need: what has to be fetched.
        ordering: in which order the points are, if it is asked for the whole frame.

    Raises:
        NotSupported: it lacks a primitive of the reducer, or a function that the rows need.
    """
    if capabilities is None:
        return
    if not need.metric.reducer.primitives <= capabilities.primitives:
        raise NotSupported(f"{need.metric.operator.name} is not computed by the back-end {backend}")
    if capabilities.functions >= FUNCTIONS.keys():
        return
    for function in _applied(_terms(typed, need, ordering)):
        if function not in capabilities.functions:
            named = FUNCTIONS[function].form.partition("(")[0] or function
            raise NotSupported(f"{named} is not computed by the back-end {backend}")


def _terms(typed: TypedCollection, need: Need, ordering: tuple[Ordering, ...]) -> Iterator[Term]:
    """Yield all that is computed from the rows for a metric, or orders the points there."""
    yield from need.filter
    yield from need.metric.filter
    for level in need.anchor:
        if level in typed.computed_levels:
            yield typed.computed_levels[level].term
    for key in ordering:
        yield key.term
        yield from map(finish_of, metrics_of(key.term))
    filtered = {level for part in need.filter for level in levels_of(part)}
    _, columns = metric_reads(typed, need.metric, {*need.anchor, *filtered})
    yield from (column.term for column in columns if isinstance(column, ComputedRead))


def _applied(terms: Iterable[Term]) -> Iterator[str]:
    return (node.function for term in terms for node in walk(term) if isinstance(node, Apply))
