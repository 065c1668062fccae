"""Where a metric may be asked, told beforehand: exactly where the rules would let it be asked."""

from itertools import combinations

import pytest
from resolver_shop import resolved, typed

from flightframe_server.errors import AmbiguousReducer, QueryError
from flightframe_server.resolver.anchors import (
    allowed_reducers,
    family_term,
    family_type,
    metric_anchors,
)
from flightframe_server.resolver.terms import text

SALES = ("day", "month", "quarter", "region", "sale", "season", "store", "week", "year")
STOCK = ("month", "quarter", "region", "season", "store", "year")


@pytest.mark.parametrize(
    ("family", "levels", "required"),
    [
        ("amount", SALES, ()),
        ("on_hand", STOCK, ("month",)),
        ("balance", STOCK, ()),
        ("size", ("claim", "region", "store"), ("region", "store")),
        ("level", ("hour", "meter"), ("hour",)),
        ("profit", SALES, ()),
    ],
)
def test_the_levels_that_may_stand_in_an_anchor_and_those_that_must(family, levels, required):
    found = metric_anchors(typed(), family)
    assert (found.levels, found.required) == (levels, required)


@pytest.mark.parametrize("family", ["amount", "on_hand", "balance", "size", "level", "margin"])
def test_what_is_told_is_what_is_answered(family):
    """Every anchor of one level or two beside the required ones, asked as a question."""
    found = metric_anchors(typed(), family)
    names = typed().graph.level_names
    for some in [(name,) for name in names] + list(combinations(names[:6], 2)):
        anchor = dict.fromkeys((*some, *found.required))
        try:
            resolved(f"SELECT {family} AT ({', '.join(anchor)})")
        except QueryError:
            assert not set(some) <= set(found.levels), some
        else:
            assert set(some) <= set(found.levels), some


def test_a_family_without_a_default_has_no_term():
    with pytest.raises(AmbiguousReducer):
        family_term(typed(), "cost")
    assert text(family_term(typed(), "amount")) == "SUM(amount)"


def reducers(family):
    found = allowed_reducers(typed(), typed().collection.metric_families[family])
    return {one.operator: one for one in found}


@pytest.mark.parametrize(
    ("family", "names"),
    [
        # A text has no sum, no mean and no middle; a closed family no statistics.
        ("note", "COUNT COUNT_DISTINCT MAX MIN"),
        ("size", "SUM"),
        ("visits", "COUNT"),
        ("profit", ""),
        ("weight", "AVG COUNT COUNT_DISTINCT MAX MEDIAN MIN QUANTILE RANGE STDDEV VAR"),
        (
            "on_hand",
            "AVG COUNT COUNT_DISTINCT FIRST LAST MAX MEDIAN MIN QUANTILE RANGE STDDEV SUM VAR",
        ),
    ],
)
def test_the_reducers_that_a_family_answers_to(family, names):
    assert sorted(reducers(family)) == names.split()


def test_a_reducer_is_told_with_its_blocks_its_type_and_whether_it_is_the_default():
    found = reducers("on_hand")
    assert found["SUM"].default
    assert not found["LAST"].default
    assert (found["SUM"].blocks, found["LAST"].blocks) == (("calendar",), ())
    assert (str(found["SUM"].type), str(found["AVG"].type)) == ("integer", "double")
    # Months order the last; what is left of the grain has to stand in the anchor.
    assert found["LAST"].anchors.required == ("store",)


def test_a_bare_name_has_a_type_where_it_means_something():
    assert [str(family_type(typed(), name)) for name in ("amount", "weight", "margin", "cost")] == [
        *("decimal(38,2)", "double", "double"),
        "None",
    ]
