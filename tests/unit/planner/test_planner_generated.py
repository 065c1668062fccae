"""`make_plan` over generated holdings: whatever is held, the facts of law 3 are kept.

What an entry may answer is worked out here from sets of levels alone, not by the planner's rules.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import MAPS, conditions, held, question, typed

from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Exact, Fetch, Rollup

# Each level with all that it determines, written down by hand.
DETERMINES = {
    "store": {"store", "region", "coast"},
    "region": {"region", "coast"},
    "coast": {"coast"},
    "product": {"product", "category"},
    "category": {"category"},
    "day": {"day", "week", "month", "year"},
    "week": {"week"},
    "month": {"month", "year"},
    "year": {"year"},
}
TABLE_EDGES = {
    ("store", "region"): "store -> region",
    ("store", "coast"): "store -> region",
    ("product", "category"): "product -> category",
}
TESTS = {
    "store": "store = 'S1'",
    "region": "region <> 'East'",
    "day": "day >= DATE '2024-01-15'",
    "month": "month IS NULL",
    "category": "category IN ('A', 'B')",
}
PINS = {"store", "month"}
CALLS = ("SUM(revenue)", "COUNT(revenue)", "VAR(revenue)", "MEDIAN(revenue)", "SUM(cost)")
levels = st.lists(st.sampled_from(sorted(DETERMINES)), max_size=3, unique=True)
filters = st.frozensets(st.sampled_from(sorted(TESTS)), max_size=2)


def text_of(call, anchor, tested):
    where = " AND ".join(TESTS[level] for level in sorted(tested))
    items = ", ".join([*anchor, f"{call} AS x"])
    return f"SELECT {items} {f'WHERE {where}' if where else ''} AT ({', '.join(anchor)})"


@st.composite
def entries(draw):
    """What an entry is made of: a call, an anchor, a filter, rows and a version."""
    return (
        *(draw(st.sampled_from(CALLS)), tuple(draw(levels)), draw(filters)),
        *(draw(st.integers(0, 9)), draw(st.sampled_from(["1", "1", "0"]))),
    )


def reach(anchor):
    return set().union(*(DETERMINES[level] for level in anchor)) if anchor else set()


def may_answer(entry, call, anchor, tested, maps):
    """Whether law 3 allows it, from sets alone."""
    its_call, its_anchor, its_tests, _, sign = entry
    if its_call != call or sign != "1" or not its_tests <= tested:
        return False
    needed = set(anchor) | (tested - its_tests)
    for level in needed - set(its_anchor):
        sources = [held for held in its_anchor if level in DETERMINES[held]]
        if not sources:
            return False
        # From the nearest: region is nearer to coast than store is.
        nearest = min(sources, key=lambda held: len(DETERMINES[held]))
        if TABLE_EDGES.get((nearest, level), "none") not in {*maps, "none"}:
            return False
    if call == "MEDIAN(revenue)" and (set(its_anchor), its_tests) != (set(anchor), tested):
        return set(anchor) <= set(its_anchor) and (
            set(its_anchor) - set(anchor) <= tested.intersection(PINS)
        )
    return True


@given(
    st.lists(entries(), max_size=8),
    st.sampled_from(CALLS),
    levels,
    filters,
    st.frozensets(st.sampled_from(sorted(MAPS))),
)
@pytest.mark.slow
def test_the_cheapest_entry_that_may_answer_is_taken_and_no_other(
    found, call, anchor, tested, maps
):
    made = {}
    for number, (its_call, its_anchor, its_tests, rows, sign) in enumerate(found):
        entry = held(text_of(its_call, its_anchor, its_tests), f"e{number}", rows, sign=sign)
        made[entry.key] = entry, found[number]
    asked = question(text_of(call, anchor, tested))
    given_ = conditions(*(entry for entry, _ in made.values()), mapped=maps)
    plan = make_plan(asked, typed(), given_)
    (need,) = asked.needs
    (part,) = plan.parts
    legal = [entry for entry, what in made.values() if may_answer(what, call, anchor, tested, maps)]
    match part.how:
        case Fetch():
            assert legal == []
            assert [query.metrics for query in plan.queries] == [(need.metric,)]
        case Exact(entry=entry):
            assert entry in legal
            assert entry.key == part.key
        case Rollup(entry=entry):
            assert entry in legal
            assert part.key not in [other.key for other in legal]
            assert entry.rows == min(other.rows for other in legal)
    assert make_plan(asked, typed(), given_).fingerprint == plan.fingerprint
