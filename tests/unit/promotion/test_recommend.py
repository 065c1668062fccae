"""What is counted as a hit, what deserves a hint, and why the rest does not."""

from __future__ import annotations

import time

import pytest
from market import ONE_MORE_SALE, write_data

from flightframe_server.promotion.recommend import Thresholds, recommend
from flightframe_server.promotion.usage import usages

DAY = 86_400.0
ANY = Thresholds(0, 0.0, 0.0)


@pytest.fixture
def market(open_market):
    opened = open_market()
    assert [warmed.failure for _, warmed in opened.warm_up()] == [None, None]
    return opened


def engine_of(market):
    (engine,) = market.runtime.engines.values()
    return engine


def after_days(market, days, thresholds=ANY):
    """Return what is recommended so many days after the first entry was made."""
    engine = engine_of(market)
    first = min(record.since for record in engine.store.records())
    return recommend(engine, thresholds, first + days * DAY)


def use_of(market, family, operator, anchor):
    (found,) = (
        use
        for use in usages(engine_of(market))
        if (use.family, use.operator, use.anchor, use.filtered) == (family, operator, anchor, False)
    )
    return found


def test_each_answer_that_is_given_again_from_memory_is_a_hit(market, ask):
    ask(market, "SELECT stall, revenue AT stall")
    assert use_of(market, "revenue", "SUM", ("stall",)).hits == 0, "it was asked of the database"
    assert ask(market, "SELECT stall, revenue AT stall").hot
    assert use_of(market, "revenue", "SUM", ("stall",)).hits == 1
    ask(market, "SELECT stall, revenue AT stall", 5)
    assert use_of(market, "revenue", "SUM", ("stall",)).hits == 6


def test_a_hot_answer_of_two_metrics_is_a_hit_of_both(market, ask):
    ask(market, "SELECT stall, revenue, COUNT(revenue) AS n AT stall", 4)
    assert use_of(market, "revenue", "SUM", ("stall",)).hits == 3
    assert use_of(market, "revenue", "COUNT", ("stall",)).hits == 3


def test_the_stanza_is_that_of_the_walkthrough(market, ask):
    """Asked 142 times in 9 days: rolled up once, then found."""
    assert ask(market, "SELECT day, SUM(revenue) AS r AT day").provenance.columns[1].parts[
        0
    ].rolled_up_from == ("day", "region")
    ask(market, "SELECT day, SUM(revenue) AS r AT day", 141)
    use = use_of(market, "revenue", "SUM", ("day",))
    found = recommend(engine_of(market), Thresholds(), use.since + 9 * DAY)
    (one,) = found.candidates
    assert one.stanza == (
        "# Add to metric_family 'revenue' in ac.yaml:\n"
        "cache_hint:\n"
        "  materialize_at:\n"
        "    - [day]   # Engine-recommended: 142 hits / 9 days = 15.8 hits/day"
    )
    assert (one.hits, one.age_days, one.route) == (142, 9.0, "rollup")
    assert one.hits_per_day == pytest.approx(142 / 9)
    assert one.to_json()["saved_seconds_per_day"] == pytest.approx(one.seconds * 142 / 9)


@pytest.mark.parametrize(
    ("thresholds", "days", "hot"),
    [
        (Thresholds(min_hits=10, min_age_days=7), 7, True),
        (Thresholds(min_hits=11, min_age_days=7), 7, False),
        (Thresholds(min_hits=10, min_age_days=7.1), 7, False),
        (Thresholds(10, 7.0, 1.25), 8, True),
        (Thresholds(10, 7.0, 1.26), 8, False),
        # A burst of an hour is counted as a day, and not multiplied by 24.
        (Thresholds(10, 0.0, 10.0), 1 / 24, True),
        (Thresholds(10, 0.0, 10.1), 1 / 24, False),
    ],
)
def test_a_question_is_hot_from_the_thresholds_on(market, ask, thresholds, days, hot):
    ask(market, "SELECT stall, revenue AT stall", 11)
    since = use_of(market, "revenue", "SUM", ("stall",)).since
    found = recommend(engine_of(market), thresholds, since + days * DAY)
    assert [one.anchor for one in found.candidates] == ([("stall",)] if hot else [])


def test_what_is_hinted_is_no_candidate_and_nothing_else(market, ask):
    ask(market, "SELECT region, revenue AT region", 3)
    found = after_days(market, 10)
    assert found.candidates == ()
    assert found.others == ()


def test_a_mean_is_kept_as_two_reducers_and_is_one_candidate(market, ask):
    ask(market, "SELECT day, price AT day", 6)
    (one,) = after_days(market, 10).candidates
    assert (one.family, one.operator, one.anchor, one.hits) == ("price", "AVG", ("day",), 5)
    kept = [use for use in usages(engine_of(market)) if use.family == "price"]
    assert {use.operator for use in kept} == {"SUM", "COUNT"}
    assert one.bytes == sum(use.bytes for use in kept)


def test_a_family_with_a_filter_of_its_own_is_a_candidate(market, ask):
    ask(market, "SELECT stall, large AT stall", 3)
    (one,) = after_days(market, 10).candidates
    assert (one.family, one.anchor, one.hits) == ("large", ("stall",), 2)


REASONS = {
    "SELECT stall, MAX(revenue) AS m AT stall": (
        "revenue",
        (),
        "a hint keeps SUM, the family's default, and this is MAX",
    ),
    "SELECT day, revenue AT day WHERE stall = 'S1'": (
        "revenue",
        ("stall",),
        "it is asked under a filter on stall, and a hint keeps whole anchors;"
        " one of (day, stall) would answer it by rollup",
    ),
    "SELECT day, revenue AT day WHERE region = 'East'": (
        "revenue",
        ("region",),
        "it is asked under a filter on region, and a hint keeps whole anchors;"
        " the hint of (day, region) answers it by rollup",
    ),
    "SELECT stall, MEDIAN(revenue) AS m AT stall WHERE day > DATE '2024-01-01'": (
        "revenue",
        ("day",),
        "it is asked under a filter on day, and a hint keeps whole anchors",
    ),
    "SELECT stall, SUM(revenue) FILTER (WHERE day > DATE '2024-01-31') AS r AT stall": (
        "revenue",
        ("day",),
        "it is asked under a filter on day, and a hint keeps whole anchors",
    ),
    "SELECT stall, COUNT(*) AS n FROM sales AT stall": (
        "rows(sales)",
        (),
        "it is no metric family of its own, and a hint names families",
    ),
}


@pytest.mark.parametrize(("source", "expected"), REASONS.items(), ids=range(len(REASONS)))
def test_a_hot_question_that_no_hint_can_keep_is_listed_with_the_reason(
    market, ask, source, expected
):
    ask(market, source, 5)
    found = after_days(market, 10, Thresholds(3, 7.0))
    assert found.candidates == ()
    assert [(one.family, one.filter_levels, one.reason) for one in found.others] == [expected]


def test_a_filters_values_are_in_nothing_that_is_said(market, ask):
    for stall in ("S1", "S2"):
        ask(market, f"SELECT day, revenue AT day WHERE stall = '{stall}'", 5)
    found = after_days(market, 10)
    assert "S1" not in str(found.to_json())
    assert "S1" not in str(usages(engine_of(market)))
    (one,) = found.others
    # The two filters are one usage: rolled up is a hit, and so is each answer from memory.
    assert (one.filtered, one.to_json()["filter"]) == (True, ["stall"])
    assert one.hits in (8, 9, 10)


def test_hits_outlive_eviction_and_restart_and_are_one_usage_with_what_comes_back(open_market, ask):
    first = open_market()
    ask(first, "SELECT stall, revenue AT stall", 4)
    ask(first, "SELECT day, revenue AT day", 4)
    store = engine_of(first).store
    since = use_of(first, "revenue", "SUM", ("stall",)).since
    store.drop([record.entry_id for record in store.records()])
    first.close()
    second = open_market()
    assert engine_of(second).store.records() == []
    found = recommend(engine_of(second), Thresholds(3, 7.0), since + 8 * DAY)
    assert {(one.anchor, one.hits) for one in found.candidates} == {(("day",), 3), (("stall",), 3)}
    ask(second, "SELECT stall, revenue AT stall", 3)
    use = use_of(second, "revenue", "SUM", ("stall",))
    assert (use.hits, use.since) == (5, since)


def test_hits_outlive_an_edit_of_the_collection(manifest, open_market, ask):
    first = open_market()
    ask(first, "SELECT stall, revenue AT stall", 4)
    first.close()
    path = manifest.parent / "ac.yaml"
    before = path.read_text()
    path.write_text(before.replace("    cache_hint:\n", "    fill: 0\n    cache_hint:\n", 1))
    second = open_market()
    assert ask(second, "SELECT stall, revenue AT stall").provenance.served_from != "engine_cache"
    ask(second, "SELECT stall, revenue AT stall", 2)
    assert use_of(second, "revenue", "SUM", ("stall",)).hits == 5
    second.close()
    path.write_text(before.replace("name: revenue", "name: takings").replace("revenue", "takings"))
    third = open_market()
    found = recommend(engine_of(third), ANY, time.time() + 10 * DAY)
    assert [(one.family, one.reason) for one in found.others] == [
        ("revenue", "it is no metric family of its own, and a hint names families")
    ]


def test_hits_go_on_when_the_data_change(manifest, market, ask):
    ask(market, "SELECT stall, revenue AT stall", 3)
    write_data(manifest.parent, ONE_MORE_SALE)
    again = ask(market, "SELECT stall, revenue AT stall", 3)
    assert str(again.table.column("revenue")[0].as_py()) == "12.10"
    assert use_of(market, "revenue", "SUM", ("stall",)).hits == 4


def test_what_making_took_is_kept_by_the_statement_and_by_the_rollup(market, ask):
    ask(market, "SELECT stall, revenue AT stall")
    ask(market, "SELECT month, revenue AT month")
    stall = use_of(market, "revenue", "SUM", ("stall",))
    month = use_of(market, "revenue", "SUM", ("month",))
    assert (stall.route, month.route) == ("backend", "rollup")
    assert 0 < stall.seconds < 60
    assert 0 < month.seconds < 60


def test_what_the_server_asks_itself_is_no_hit(open_market, ask):
    first = open_market()
    list(first.warm_up())
    ask(first, "SELECT month, revenue AT month")
    before = {use.anchor: use.hits for use in usages(engine_of(first))}
    assert before == {("month",): 1, ("day", "region"): 1, ("region",): 0}
    list(first.warm_up())
    operations = first.operations()
    operations.refresh(entry_ids=[entry.id for entry in operations.manifest().entries])
    assert {use.anchor: use.hits for use in usages(engine_of(first))} == before
