"""Does EXPLAIN say where each column comes from, what was passed over and why, and read no data?"""

from itertools import combinations

import pytest
from test_promises import BY_REGION, SUMMARY, SUMMARY_SQL, shop

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FDViolation, NotCached
from flightframe_server.planner.plan import Freshness
from flightframe_server.planner.route import WHY_NOT_LIMIT

__all__ = ["shop"]


def steps(made, query, **freshness):
    request = Request(f"EXPLAIN {query}", freshness=Freshness(**freshness))
    return answer(request, made.serving).table.to_pylist()


def routes(made, query):
    return [
        (
            step["column"],
            f"{step['operator']}({step['family']}) @ ({step['anchor']})",
            step["route"],
        )
        for step in steps(made, query)
        if step["route"] != "note"
    ]


def notes(made, query):
    found = steps(made, query)
    assert [step["step"] for step in found] == list(range(1, len(found) + 1))
    return {step["column"]: step["source"] for step in found if step["route"] == "note"}


def test_each_entry_fails_by_its_first_rule(shop):
    made = shop()
    made.ask("SELECT region, revenue WHERE product = 'P1' AT region")
    made.ask("SELECT product, revenue AT product")
    made.ask("SELECT week, region, revenue AT (week, region)")
    (step,) = steps(made, "SELECT month, revenue WHERE region = 'East' AT month")
    assert step["route"] == "backend"
    assert step["why_not"].split("; ") == [
        "@(product): it cannot be filtered by region: it neither holds nor determines region",
        "@(region, week): it neither holds nor determines month",
        "@(region) where eq(product,…): its filter is not part of the query's",
    ]
    assert "'East'" not in step["source"]
    assert "$p0" in step["source"]


def test_distinct_members_and_older_entries_are_passed_over_by_name(shop):
    made = shop()
    made.ask("SELECT region, buyers AT region")
    (step,) = steps(made, "SELECT buyers AT ()")
    assert (step["route"], step["why_not"]) == (
        "backend",
        "@(region): COUNT_DISTINCT never rolls up",
    )
    made.ask(BY_REGION)
    made.replace("UPDATE tx SET revenue = 0;")
    (step,) = steps(made, BY_REGION)
    assert step["why_not"].startswith("@(region): it was made from an older ")


def test_a_dearer_entry_that_would_do_is_named_too(shop):
    made = shop()
    made.ask("SELECT region, store, product, revenue AT (region, store, product)")
    made.ask("SELECT region, store, revenue AT (region, store)")
    (step,) = steps(made, BY_REGION)
    assert step["route"] == "rollup"
    assert "@(region, store) of 6 rows" in step["source"]
    assert step["why_not"] == "@(product, region, store): it would do, and has more rows"


def test_many_entries_are_counted_and_not_all_told(shop):
    made = shop()
    levels = ["day", "week", "month", "quarter", "year", "product", "store"]
    anchors = [anchor for size in (1, 2) for anchor in combinations(levels, size)]
    for anchor in anchors[: WHY_NOT_LIMIT + 3]:
        made.ask(f"SELECT revenue WHERE product = 'P1' AT ({', '.join(anchor)})")
    (step,) = steps(made, BY_REGION)
    told = step["why_not"].split("; ")
    assert len(told) == WHY_NOT_LIMIT + 1
    assert told[-1] == "3 entries more"


def test_entries_that_look_the_same_to_the_reader_are_told_once(shop):
    made = shop()
    for day in range(1, 24):
        made.ask(f"SELECT revenue WHERE day > DATE '2024-01-{day:02}' AT ()")
    (step,) = steps(made, BY_REGION)
    assert step["why_not"] == (
        "@() where gt(day,…): its filter is not part of the query's (23 entries)"
    )


FOREIGN = [
    "product = 'P0042'",
    "product IN ('P0042', 'P0043', 'P1')",
    "product LIKE 'P0042%' OR NOT product = 'P0043'",
    "UPPER(product) = 'P0042'",
    "COALESCE(product, 'P0042') = 'P0043'",
    "CASE WHEN product = 'P0042' THEN 'P0043' ELSE product END = 'P1'",
    "day BETWEEN DATE '2042-01-01' AND DATE '2042-12-31'",
    "EXTRACT(YEAR FROM day) = 2042",
    "store = 'it''s P0042 = (x, y)'",
]


@pytest.mark.parametrize("condition", FOREIGN)
def test_values_of_another_readers_filter_are_told_to_nobody_else(shop, condition):
    made = shop()
    made.ask(f"SELECT region, revenue WHERE {condition} AT region")
    (step,) = steps(made, BY_REGION)
    assert step["why_not"].startswith("@(region) where ")
    assert step["why_not"].endswith(": its filter is not part of the query's")
    frugal = Request(BY_REGION, freshness=Freshness(only_if_cached=True))
    with pytest.raises(NotCached, match="its filter is not part of the query's") as refused:
        answer(frugal, made.serving)
    for told in (*map(str, step.values()), str(refused.value)):
        assert not [value for value in ("42", "43", "P1", "x, y") if value in told]


def test_a_value_is_told_to_whoever_wrote_the_same_condition(shop):
    made = shop()
    made.ask("SELECT region, revenue WHERE product = 'P1' AND store = 'S1' AT region")
    (step,) = steps(made, "SELECT region, revenue WHERE product = 'P1' AT region")
    assert step["why_not"] == (
        "@(region) where eq(product,'P1') and eq(store,…): its filter is not part of the query's"
    )


def test_a_list_of_guesses_does_not_tell_which_of_them_another_reader_wrote(shop):
    made = shop()
    made.ask("SELECT region, revenue WHERE product = 'P1' AT region")
    (step,) = steps(made, "SELECT region, revenue WHERE product IN ('P1', 'P2') AT region")
    assert step["why_not"] == (
        "@(region) where eq(product,…): its filter is not part of the query's"
    )


def test_a_cache_that_is_empty_off_or_passed_by_is_said(shop, tmp_path):
    made = shop()
    (step,) = steps(made, BY_REGION)
    assert step["why_not"] == "the cache: it holds nothing of this family and reducer"
    made.ask(BY_REGION)
    (step,) = steps(made, BY_REGION)
    assert (step["route"], step["why_not"]) == ("exact", "")
    (step,) = steps(made, BY_REGION, no_cache=True)
    assert (step["route"], step["why_not"]) == ("backend", "the cache: the request says no_cache")
    off = MetricEngine(made.engine.collection, tmp_path, made.backend, enabled=False)
    found = answer(Request(f"EXPLAIN {BY_REGION}"), Runtime("test", {"shop": off}))
    (step,) = found.table.to_pylist()
    assert str(found.provenance.served_from) == "backend"
    assert step["route"] == "backend"
    assert step["why_not"] == "the cache: the engine is off and remembers nothing"


def test_a_derived_column_has_a_step_for_each_input(shop):
    made = shop()
    made.ask("SELECT day, revenue AT day")
    assert routes(made, "SELECT month, margin AT month") == [
        ("margin", "SUM(revenue) @ (month)", "rollup"),
        ("margin", "SUM(cost) @ (month)", "backend"),
    ]


def test_a_mean_has_its_sum_and_its_count(shop):
    assert routes(shop(), "SELECT region, AVG(revenue) AS a AT region") == [
        ("a", "SUM(revenue) @ (region)", "backend"),
        ("a", "COUNT(revenue) @ (region)", "backend"),
    ]


def test_cells_are_had_at_their_own_levels_and_the_anchors(shop):
    made = shop()
    made.ask("SELECT region, day, revenue AT (region, day)")
    assert routes(made, "SELECT region, AVG(revenue @ day) AS a, revenue AT region") == [
        ("a", "SUM(revenue) @ (day, region)", "exact"),
        ("revenue", "SUM(revenue) @ (region)", "rollup"),
    ]


def test_hidden_columns_and_members_have_steps(shop):
    made = shop()
    query = "SELECT region, revenue AT region HAVING COUNT(revenue) > 2 ORDER BY SUM(cost)"
    assert routes(made, query) == [
        ("revenue", "SUM(revenue) @ (region)", "backend"),
        ("(hidden)", "COUNT(revenue) @ (region)", "backend"),
        ("(hidden)", "SUM(cost) @ (region)", "backend"),
    ]
    assert routes(made, "SELECT region FROM stores AT region") == [
        ("region", "MEMBERS(stores) @ (region)", "backend")
    ]


def test_a_filtered_rollup_says_so_and_along_which_edge(shop):
    made = shop()
    made.ask("SELECT store, day, revenue AT (store, day)")
    (step,) = steps(made, "SELECT region, revenue WHERE day > '2024-01-31' AT region")
    assert step["route"] == "rollup"
    assert step["source"].endswith("@(day, store) of 9 rows along store -> region filtered")


def test_a_sibling_is_named_where_it_is_read_and_where_it_is_not(shop):
    made = shop(SUMMARY_SQL, SUMMARY)
    (step, note) = steps(made, BY_REGION)
    assert '"daily"' in step["source"]
    assert note["column"] == "SUM(revenue)"
    assert note["source"] == "read from its sibling daily, equal to it on this data"
    (step,) = steps(made, "SELECT store, revenue AT store")
    assert "sibling daily: it neither holds nor determines store" in step["why_not"]
    (step,) = steps(made, "SELECT region, COUNT(revenue) AS n AT region")
    assert "sibling daily: it holds SUM alone" in step["why_not"]
    (step,) = steps(made, "SELECT SUM(revenue) FILTER (WHERE region = 'East') AS e AT ()")
    assert "sibling daily: it holds the family as it is" in step["why_not"]
    stale = shop(SUMMARY_SQL + "UPDATE daily SET revenue = 1000 WHERE region = 'West';", SUMMARY)
    (step,) = steps(stale, BY_REGION)
    assert '"tx"' in step["source"]
    assert (
        "sibling daily: it differs from the root: at day 2024-02-01, region West" in step["why_not"]
    )


@pytest.mark.parametrize(
    ("query", "noted"),
    [
        ("SELECT region, revenue AT region ORDER BY revenue DESC LIMIT 1", []),
        ("SELECT region, revenue AT region HAVING revenue > 1e1", []),
        ("SELECT region, revenue AT region LIMIT 1", []),
        ("SELECT region, margin AT region HAVING margin > 0.1", ["HAVING"]),
        ("SELECT region, revenue AT region ORDER BY AVG(revenue)", ["ORDER BY"]),
        ("SELECT sensor, value AT sensor HAVING value > 1 ORDER BY value", ["HAVING", "ORDER BY"]),
        ("SELECT region, revenue AT region ORDER BY MAX(VAR(revenue) @ day)", ["ORDER BY"]),
        ("SELECT region, revenue AT region ORDER BY COUNT(margin @ day)", ["ORDER BY"]),
    ],
)
def test_clauses_that_sit_on_doubles_are_noted(shop, query, noted):
    assert list(notes(shop(), query)) == noted


def test_a_limit_over_doubles_is_noted_with_its_order(shop):
    made = shop()
    found = notes(made, "SELECT region, margin AT region ORDER BY margin LIMIT 1")
    assert "LIMIT may cut between them" in found["ORDER BY"]
    assert "LIMIT" not in notes(made, "SELECT region, margin AT region ORDER BY margin")["ORDER BY"]


EXPLAINED = [
    BY_REGION,
    "SELECT revenue WHERE region = 'East' AT ()",
    "SELECT region, margin, doubled_profit AT region",
    "SELECT region, AVG(revenue @ day) AS a AT region",
    "SELECT store, month, revenue, on_hand AT (store, month)",
    "SELECT region FROM stores AT region",
    "SELECT account, balance AT account",
    "SELECT * AT (store, month)",
    "SELECT region, list_price, buyers AT region ORDER BY MEDIAN(revenue) LIMIT 1 PER (region)",
]


@pytest.mark.parametrize("query", EXPLAINED)
def test_it_reads_no_data_and_keeps_nothing(shop, monkeypatch, query):
    made = shop(SUMMARY_SQL, SUMMARY)
    made.ask("SELECT region, store, revenue AT (region, store)")
    made.engine.attested()
    kept = made.engine.store.records()
    asked = []
    for name in ("run", "edge_map", "duplicate", "statistics"):
        monkeypatch.setattr(made.backend, name, lambda *_, name=name, **__: asked.append(name))
    monkeypatch.setattr(made.engine.store, "read", lambda *_: asked.append("entry"))
    for freshness in ({}, {"no_cache": True}):
        found = steps(made, query, **freshness)
        assert {step["route"] for step in found} <= {"exact", "rollup", "backend", "note"}
    assert asked == []
    assert made.engine.store.records() == kept


def test_what_would_be_refused_is_refused(shop):
    made = shop("INSERT INTO stores VALUES ('S1', 'West');")
    with pytest.raises(FDViolation, match="S1 has East and West"):
        steps(made, BY_REGION)
