"""Law 3 rule by rule: which entry may answer, how it is rolled up, or the first rule it fails."""

import pytest
from planned import MAPS, NOW, held, judged

from flightframe_server.planner.plan import Exact, Rollup
from flightframe_server.resolver.terms import text

FINE = "SELECT store, product, day, revenue AT (store, product, day)"


def test_an_entry_of_the_very_key_is_exact():
    entry = held("SELECT day, region, revenue WHERE store = 'S1' AT (day, region)")
    assert judged("SELECT region, day, revenue AT (region, day) WHERE store = 'S1'", entry) == (
        Exact(entry)
    )


@pytest.mark.parametrize(
    ("asked", "lookups"),
    [
        ("SELECT revenue AT ()", {}),
        ("SELECT store, day, revenue AT (store, day)", {}),
        ("SELECT region, revenue AT region", {"region": ("store", ["store -> region"])}),
        (
            "SELECT coast, revenue AT coast",
            {"coast": ("store", ["store -> region", "region -> coast"])},
        ),
        ("SELECT year, revenue AT year", {"year": ("day", ["day -> month", "month -> year"])}),
        (
            "SELECT category, week, revenue AT (category, week)",
            {
                "category": ("product", ["product -> category"]),
                "week": ("day", ["day -> week"]),
            },
        ),
    ],
)
def test_levels_are_climbed_hop_by_hop(asked, lookups):
    found = judged(asked, held(FINE))
    assert isinstance(found, Rollup)
    got = {step.level: (step.start, [hop.edge for hop in step.hops]) for step in found.lookups}
    assert got == lookups
    assert set(found.edges) == {edge for _, edges in lookups.values() for edge in edges}


def test_the_nearest_level_of_the_entry_is_climbed_from():
    found = judged(
        "SELECT coast, revenue AT coast",
        held("SELECT store, region, revenue AT (store, region)"),
    )
    assert [(step.start, [hop.edge for hop in step.hops]) for step in found.lookups] == [
        ("region", ["region -> coast"])
    ]


def test_an_ad_hoc_level_is_computed_once_what_it_reads_is_climbed_to():
    found = judged(
        "SELECT k, n, revenue AT (region || category AS k, EXTRACT(year FROM month) AS n)",
        held(FINE),
    )
    assert isinstance(found, Rollup)
    assert {step.level for step in found.lookups} == {"region", "category", "month"}
    assert [text(level.term) for level in found.computed] == [
        "concat(region,category)",
        "extract('year',month)",
    ]


def test_an_ad_hoc_level_of_the_entry_is_taken_by_its_expression():
    entry = held("SELECT a, store, revenue AT (LOWER(product) AS a, store)")
    found = judged("SELECT b, region, revenue AT (lower(product) AS b, region)", entry)
    assert isinstance(found, Rollup)
    assert found.computed == ()
    assert [step.level for step in found.lookups] == ["region"]
    # It determines nothing, not even another expression of the level that it reads.
    again = judged("SELECT b, revenue AT (UPPER(product) AS b)", entry)
    assert again.endswith("it neither holds nor determines product")


@pytest.mark.parametrize(
    ("entry", "asked", "rule"),
    [
        ("SELECT month, revenue AT month", "SELECT day, revenue AT day", "determines day"),
        # A week may span two months.
        ("SELECT week, revenue AT week", "SELECT month, revenue AT month", "determines month"),
        ("SELECT region, revenue AT region", "SELECT store, revenue AT store", "determines store"),
        # The rows tell their region themselves: the store's may be another.
        ("SELECT store, amount AT store", "SELECT region, amount AT region", "determines region"),
        ("SELECT store, amount AT store", "SELECT coast, amount AT coast", "determines coast"),
    ],
)
def test_a_level_that_is_not_determined_cannot_be_had(entry, asked, rule):
    assert judged(asked, held(entry, tables=())).endswith(rule)


def test_a_fact_with_a_region_of_its_own_is_climbed_from_that():
    found = judged(
        "SELECT coast, amount AT coast", held("SELECT region, amount AT region", tables=("t_told",))
    )
    assert found.edges == ("region -> coast",)


@pytest.mark.parametrize(
    ("entry", "asked", "left"),
    [
        # All of the query's conjuncts are left to apply; those the entry has are not.
        (FINE, "SELECT revenue WHERE store = 'S1' AT ()", ["eq(store,'S1')"]),
        (
            "SELECT store, day, revenue WHERE product = 'P' AT (store, day)",
            "SELECT day, revenue WHERE product = 'P' AND region = 'East' AT day",
            ["eq(region,'East')"],
        ),
        (
            "SELECT day, revenue WHERE store = 'S1' AT day",
            "SELECT month, revenue WHERE store = 'S1' AT month",
            [],
        ),
    ],
)
def test_what_is_left_of_the_filter_is_applied_to_the_entry(entry, asked, left):
    found = judged(asked, held(entry))
    assert isinstance(found, Rollup)
    assert [text(part) for part in found.filter] == left


@pytest.mark.parametrize(
    ("entry", "asked", "rule"),
    [
        (
            "SELECT store, revenue WHERE day = DATE '2024-01-01' AT store",
            "SELECT store, revenue AT store",
            "its filter is not part of the query's",
        ),
        (
            "SELECT store, revenue WHERE store = 'S1' AT store",
            "SELECT store, revenue WHERE store = 'S2' AT store",
            "its filter is not part of the query's",
        ),
        # Half of the entry's filter is not enough.
        (
            "SELECT store, revenue WHERE store = 'S1' AND day < DATE '2024-02-01' AT store",
            "SELECT store, revenue WHERE store = 'S1' AT store",
            "its filter is not part of the query's",
        ),
        # Mid-month is no edge of a month.
        (
            "SELECT region, month, revenue AT (region, month)",
            "SELECT region, revenue WHERE day >= DATE '2024-01-15' AT region",
            "it cannot be filtered by day: it neither holds nor determines day",
        ),
        (
            "SELECT day, revenue AT day",
            "SELECT day, revenue WHERE region = 'East' AT day",
            "it cannot be filtered by region: it neither holds nor determines region",
        ),
    ],
)
def test_a_filter_that_cannot_be_seen_in_the_entry(entry, asked, rule):
    assert judged(asked, held(entry)) == rule


@pytest.mark.parametrize(
    ("tables", "sign", "rule"),
    [
        (("t_tx",), "0", "it was made from an older t_tx"),
        (("t_stores", "t_tx"), "0", "it was made from an older t_stores"),
        (("t_gone",), "1", "it was made from an older t_gone"),
    ],
)
def test_an_entry_of_another_version_is_refused_though_it_be_exact(tables, sign, rule):
    asked = "SELECT store, revenue AT store"
    assert judged(asked, held(asked, tables=tables, sign=sign)) == rule


def test_a_table_whose_fingerprint_is_unknown_matches_no_entry():
    asked = "SELECT store, revenue AT store"
    found = judged(asked, held(asked), versions={**NOW, "t_tx": None})
    assert found == "it was made from an older t_tx"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"violations": {"store -> region": "S1 has two"}}, "the data breaks store -> region"),
        ({"mapped": MAPS - {"store -> region"}}, "the map store -> region is not at hand"),
        (
            {"current": {**NOW, "t_stores": "2"}},
            "the map store -> region is of another version",
        ),
        (
            {"versions": {**NOW, "t_stores": None}},
            "the map store -> region is of another version",
        ),
    ],
)
def test_an_edge_is_climbed_only_while_its_map_is_attested_and_of_that_version(given, rule):
    assert judged("SELECT region, revenue AT region", held(FINE), **given) == rule
    # What does not climb it goes on.
    assert isinstance(judged("SELECT month, revenue AT month", held(FINE), **given), Rollup)


@pytest.mark.parametrize(
    "operator",
    ["COUNT", "MIN", "MAX", "VAR", "STDDEV"],
)
def test_states_that_combine_roll_up(operator):
    entry = held(f"SELECT store, {operator}(revenue) AS x AT store")
    assert isinstance(judged(f"SELECT {operator}(revenue) AS x AT ()", entry), Rollup)


NEVER = ["COUNT_DISTINCT(revenue)", "MEDIAN(revenue)", "QUANTILE(revenue, 0.9)"]


@pytest.mark.parametrize("call", NEVER)
def test_what_needs_the_rows_again_never_rolls_up(call):
    entry = held(f"SELECT store, day, {call} AS x AT (store, day)")
    assert judged(f"SELECT store, {call} AS x AT store", entry).endswith("never rolls up")
    # A further conjunct does not help where it holds nothing to one member.
    two = "day IN (DATE '2024-01-01', DATE '2024-01-02')"
    for where in ("day > DATE '2024-01-01'", two, "month IS NULL"):
        asked = f"SELECT store, {call} AS x WHERE {where} AT store"
        assert judged(asked, entry).endswith("never rolls up"), where


@pytest.mark.parametrize("call", NEVER)
@pytest.mark.parametrize(
    "pin", ["day = DATE '2024-01-01'", "day IN (DATE '2024-01-01')", "day IS NULL"]
)
def test_unless_every_extra_level_is_held_to_one_member(call, pin):
    entry = held(f"SELECT store, day, {call} AS x AT (store, day)")
    assert isinstance(judged(f"SELECT store, {call} AS x WHERE {pin} AT store", entry), Rollup)
    # Not where a level is climbed: several stores are one region.
    found = judged(f"SELECT region, {call} AS x WHERE {pin} AT region", entry)
    assert found.endswith("never rolls up")


def test_stock_of_one_moment_never_rolls_up():
    entry = held("SELECT store, balance AT store", tables=("t_inv",))
    assert judged("SELECT balance AT ()", entry).endswith("never rolls up")
