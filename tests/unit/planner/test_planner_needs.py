"""A plan by need: each its own filter, and points that are moved after they were read."""

import pytest
from planned import conditions, held, question, typed

from flightframe_server.planner.explain import explain
from flightframe_server.planner.make import can_stream, make_plan, single_query_plan
from flightframe_server.planner.plan import Exact, Fetch, Rollup
from flightframe_server.resolver.needs import Need, Shift
from flightframe_server.resolver.question import Question

REVENUE = "SELECT month, revenue AT month"
EAST = f"{REVENUE} WHERE region = 'East'"
WEST = f"{REVENUE} WHERE region = 'West'"
YEAR = Shift("month", months=12)


class Asked(Question):
    """A question that reads what it is told to."""

    told: tuple[Need, ...] = ()

    @property
    def needs(self):
        return self.told


def asking(text, *needs):
    found = question(text)
    asked = Asked(found.collection, found.anchor, found.columns, found.filter)
    object.__setattr__(asked, "told", needs)
    return asked


def need_of(text, shift=None):
    (need,) = question(text).needs
    return Need(need.metric, need.anchor, need.filter, shift)


def planned(*needs, entries=(), **given):
    return make_plan(asking(EAST, *needs), typed(), conditions(*entries, **given))


def test_a_question_needs_its_metrics_at_its_anchor_under_its_filter():
    (need,) = question(EAST).needs
    assert (need.anchor, need.filter, need.shift) == (("month",), question(EAST).filter, None)
    assert str(need.metric) == "SUM(revenue)"


def test_two_filters_of_one_metric_are_two_queries_and_two_identities():
    plan = planned(need_of(EAST), need_of(WEST))
    assert [part.key.filter for part in plan.parts] == [
        ("eq(region,'East')",),
        ("eq(region,'West')",),
    ]
    assert [query.filter for query in plan.queries] == [
        question(EAST).filter,
        question(WEST).filter,
    ]
    assert [part.how.query for part in plan.parts] == [0, 1]


def test_what_shares_schema_anchor_and_filter_shares_a_query():
    cost = need_of(EAST.replace("revenue", "cost"))
    plan = planned(need_of(EAST), need_of(WEST), cost)
    assert [part.how.query for part in plan.parts] == [0, 1, 0]
    assert [len(query.metrics) for query in plan.queries] == [2, 1]


def test_each_need_is_answered_by_an_entry_of_its_own_filter():
    kept = (held(EAST, "e1"), held("SELECT month, region, revenue AT (month, region)", "e2"))
    first, second = planned(need_of(EAST), need_of(WEST), entries=kept).parts
    assert isinstance(first.how, Exact)
    assert first.how.entry.entry_id == "e1"
    assert isinstance(second.how, Rollup)
    assert second.how.entry.entry_id == "e2"
    assert second.how.filter == question(WEST).filter


@pytest.mark.parametrize("kept", [(), (held(EAST, "e1"),)])
def test_a_shifted_need_reads_what_the_need_itself_reads(kept):
    plan = planned(need_of(EAST), need_of(EAST, YEAR), entries=kept)
    plain, shifted = plan.parts
    assert plain.key == shifted.key
    assert plain.how == shifted.how
    assert plain.need != shifted.need
    assert len(plan.queries) == (0 if kept else 1)
    assert all(len(query.metrics) == 1 for query in plan.queries)


def test_what_is_shifted_or_read_twice_is_no_one_query_of_the_back_end():
    assert can_stream(planned(need_of(EAST)))
    for needs in ((need_of(EAST, YEAR),), (need_of(EAST), need_of(WEST))):
        plan = planned(*needs, stream_rows=-1)
        assert not can_stream(plan)
        assert plan.stream is None
        assert single_query_plan(typed(), plan) is None
    assert isinstance(planned(need_of(EAST)).parts[0].how, Fetch)


def test_a_shift_is_part_of_what_makes_two_plans_equal():
    one, two = planned(need_of(EAST)), planned(need_of(EAST, YEAR))
    assert one.fingerprint != two.fingerprint
    assert two.fingerprint == planned(need_of(EAST, YEAR)).fingerprint


def test_explain_tells_what_of_a_need_is_not_the_questions_own():
    whole, everything = need_of(EAST), need_of(REVENUE)
    plan = planned(whole, need_of(WEST), everything, need_of(EAST, YEAR))
    assert [step.anchor for step in explain(plan, lambda query: "SELECT") if step.family] == [
        "month",
        "month where eq(region,'West')",
        "month where nothing is left out",
        "month; month moved by 12 months",
    ]
