"""How a reducer's value is computed from its states or its parts, as a typed term.

What comes in: the `finish` of a row of the table of reducers, and the term that stands for each
name in it. What goes out: one term over row functions, which the composer and the back-ends compute
as they compute any other. It must never know a reducer by name.
"""

from __future__ import annotations

from collections.abc import Callable

from flightframe_server.algebra.reducers import Finish, Over
from flightframe_server.algebra.types import INTEGER
from flightframe_server.errors import Place
from flightframe_server.resolver.functions import applied
from flightframe_server.resolver.terms import Constant, Metric, StateTerm, Term
from flightframe_server.resolver.values import OPERATIONS, arithmetic


def finish_of(metric: Metric) -> Term:
    """Return the value of a metric, before a fill, as a term over its states."""
    types = dict(metric.states)
    return finished(metric.reducer.finish, lambda name: StateTerm(types[name], name))


def finished(finish: Finish, leaf: Callable[[str], Term], place: Place | None = None) -> Term:
    """Return the term of a finish; `leaf` gives its states or parts.

    Raises:
        TypeMismatch: a function of it does not take what a part gives.
    """
    match finish:
        case str():
            return leaf(finish)
        case int():
            return Constant(INTEGER, finish)
        case Over(function=function, sides=sides):
            terms = tuple(finished(side, leaf, place) for side in sides)
            if function in OPERATIONS:
                return arithmetic(OPERATIONS[function], terms[0], terms[1], place)
            return applied(function, terms, place)
