"""What a back-end lacks is refused where it would have to compute it, and nowhere else."""

import pytest
from planned import held, plan

from flightframe_server.algebra.functions import FUNCTIONS
from flightframe_server.algebra.primitives import Primitive
from flightframe_server.errors import NotSupported
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.plan import Exact


def lacking(*functions, primitives=frozenset(Primitive)):
    return Capabilities(primitives, frozenset(FUNCTIONS) - {*functions})


@pytest.mark.parametrize(
    ("text", "function", "named"),
    [
        # In WHERE, in a metric's own filter, in the family's, in a column made from others.
        ("SELECT revenue WHERE LOWER(store) = 's1' AT ()", "lower", "LOWER"),
        ("SELECT SUM(revenue) FILTER (WHERE UPPER(store) = 'S1') AS x AT ()", "upper", "UPPER"),
        ("SELECT eastern AT ()", "eq", "eq"),
        ("SELECT gain AT ()", "subtract", "subtract"),
        # In the order of the frame, whole and in the finish of a metric.
        ("SELECT store, revenue AT store ORDER BY ABS(revenue)", "abs", "ABS"),
        ("SELECT store, STDDEV(revenue) AS x AT store ORDER BY STDDEV(revenue)", "sqrt", "SQRT"),
    ],
)
def test_a_function_that_the_rows_or_their_order_need_is_refused(text, function, named):
    with pytest.raises(NotSupported, match=f"^NOT_SUPPORTED: {named} is not computed .* db"):
        plan(text, capabilities=lacking(function))
    others = set(FUNCTIONS) - {"lower", "upper", "eq", "subtract", "abs", "sqrt", "divide"}
    assert plan(text, capabilities=lacking(*others)).parts


@pytest.mark.parametrize(
    ("text", "function"),
    [
        # A column that the metric does not read, and what is computed of the finished frame.
        ("SELECT revenue AT ()", "subtract"),
        ("SELECT store, ABS(revenue) AS x AT store", "abs"),
        ("SELECT store, STDDEV(revenue) AS x AT store", "sqrt"),
        ("SELECT store, revenue AT store HAVING ABS(revenue) > 1", "abs"),
    ],
)
def test_a_function_that_the_rows_do_not_need_is_not_asked_for(text, function):
    assert plan(text, capabilities=lacking(function)).parts


def test_an_entry_needs_no_function_of_the_back_end():
    text = "SELECT gain AT ()"
    (part,) = plan(text, held(text), capabilities=lacking("subtract")).parts
    assert isinstance(part.how, Exact)


def test_a_reducer_is_named_by_its_own_name():
    no_quantile = frozenset(Primitive) - {Primitive.QUANTILE}
    with pytest.raises(NotSupported, match="MEDIAN is not computed by the back-end db"):
        plan("SELECT MEDIAN(revenue) AS x AT ()", capabilities=lacking(primitives=no_quantile))
    assert plan("SELECT revenue AT ()", capabilities=lacking(primitives=no_quantile)).parts


def test_where_the_back_end_is_never_asked_nothing_is_lacking():
    assert plan("SELECT MEDIAN(gain) AS x AT ()", capabilities=None).parts
