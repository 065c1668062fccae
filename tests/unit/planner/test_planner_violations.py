"""Which promises an answer needs, and the error where the data breaks one of them."""

import pytest
from several_paths import trade

from flightframe_server.errors import AmbiguousPath, FDViolation
from flightframe_server.language import parse
from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Conditions
from flightframe_server.planner.violations import violation, way_key
from flightframe_server.resolver.resolve import resolve

BROKEN = way_key("lines", "nation")


def plan(text, **given):
    return make_plan(resolve(parse(text), trade()), trade(), Conditions("db", **given))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nation, amount AT nation",
        # What else is asked makes it no nation of the customer's.
        "SELECT customer, nation, amount AT (customer, nation)",
        "SELECT amount WHERE nation = 'DE' AT ()",
    ],
)
def test_a_level_whose_ways_disagree_is_refused_with_the_row(text):
    with pytest.raises(AmbiguousPath) as refused:
        plan(text, violations={BROKEN: "line 7 has DE and FR"})
    error = refused.value
    assert error.message == (
        "nation needs all ways from lines to it to lead to one member, and the data breaks it:"
        " line 7 has DE and FR"
    )
    assert "roles" in (error.hint or "")
    assert error.details == {"promise": BROKEN, "row": "line 7 has DE and FR"}


@pytest.mark.parametrize(
    "text", ["SELECT supplier_nation, amount AT supplier_nation", "SELECT amount AT customer"]
)
def test_a_role_and_a_level_with_one_way_need_no_other_way(text):
    assert plan(text, violations={BROKEN: "a row"}).parts


def test_a_role_needs_the_edge_that_it_goes_along():
    text = "SELECT supplier_nation, amount AT supplier_nation"
    with pytest.raises(FDViolation, match="supplier_nation needs supplier -> nation"):
        plan(text, violations={"supplier -> nation": "a row"})
    assert plan(text, violations={"customer -> nation": "a row"}).parts


def test_ways_that_were_not_looked_at_are_named():
    keys = frozenset({BROKEN, "all ways from regions to world"})
    assert plan("SELECT nation, amount AT nation", unattested=keys).unattested == {BROKEN}


def test_any_other_promise_is_a_dependency():
    found = violation("store -> region", "it is broken", "S1")
    assert type(found) is FDViolation
    assert found.details == {"promise": "store -> region", "row": "S1"}
