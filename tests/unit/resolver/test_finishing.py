"""A reducer's value as a term over its states or its parts, whatever the reducer is called."""

import pytest
from resolver_shop import scope

from flightframe_server.algebra.reducers import Over
from flightframe_server.algebra.types import DOUBLE, INTEGER, TEXT
from flightframe_server.errors import TypeMismatch
from flightframe_server.language import parse_expression
from flightframe_server.resolver.finishing import finish_of, finished
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.terms import Apply, Constant, LevelTerm, StateTerm, metrics_of


def metric(written):
    """The one metric of an item."""
    (found,) = metrics_of(MetricNames(scope()).leaf(parse_expression(written)))
    return found


def test_a_sum_is_its_state():
    assert finish_of(metric("SUM(cost)")) == StateTerm(INTEGER, "value")


def test_a_deviation_is_the_root_of_squares_over_one_less_than_their_count():
    less = Apply(INTEGER, "subtract", (StateTerm(INTEGER, "count"), Constant(INTEGER, 1)))
    variance = Apply(DOUBLE, "divide", (StateTerm(DOUBLE, "m2"), less))
    assert finish_of(metric("VAR(weight)")) == variance
    assert finish_of(metric("STDDEV(weight)")) == Apply(DOUBLE, "sqrt", (variance,))


@pytest.mark.parametrize("function", ["subtract", "sqrt"])
def test_a_part_that_a_function_does_not_take_is_refused(function):
    with pytest.raises(TypeMismatch):
        finished(Over(function, ("one", "other")), lambda name: LevelTerm(TEXT, name))
