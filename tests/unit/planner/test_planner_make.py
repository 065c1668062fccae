"""`make_plan`: the cheapest legal route, one query for each schema and anchor, refusals."""

import pytest
from planned import NOW, conditions, held, plan, question, typed

from flightframe_server.algebra.functions import FUNCTIONS
from flightframe_server.algebra.primitives import Primitive
from flightframe_server.errors import FDViolation, NotCached, NotSupported, SiblingDiffers
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.make import make_plan, single_query_plan
from flightframe_server.planner.plan import Exact, Fetch, Freshness, Rollup
from flightframe_server.planner.route import version_of

BY_REGION = "SELECT region, revenue AT region"
STORE = "SELECT store, revenue AT store"
STORE_DAY = "SELECT store, day, revenue AT (store, day)"


def chosen(found):
    (part,) = found.parts
    return None if isinstance(part.how, Fetch) else part.how.entry.entry_id


def test_an_exact_entry_comes_before_any_rollup():
    exact = held(BY_REGION, "exact", rows=99, tables=("t_tx", "t_stores"))
    found = plan(BY_REGION, held(STORE, "small", rows=2), exact)
    assert chosen(found) == "exact"
    assert isinstance(found.parts[0].how, Exact)
    assert found.queries == ()


@pytest.mark.parametrize(
    ("entries", "best"),
    [
        # The fewest rows.
        ([(STORE, "a", 7), (STORE_DAY, "b", 6)], "b"),
        # Of as many, the fewest levels.
        ([(STORE_DAY, "a", 6), (STORE, "b", 6)], "b"),
        # Of as many levels, the first by name.
        (
            [
                (STORE_DAY, "a", 6),
                ("SELECT product, store, revenue AT (product, store)", "b", 6),
            ],
            "a",
        ),
    ],
)
def test_the_cheapest_legal_entry_is_rolled_up(entries, best):
    made = [held(text, name, rows) for text, name, rows in entries]
    for order in (made, made[::-1]):
        found = plan(BY_REGION, *order)
        assert chosen(found) == best
        assert isinstance(found.parts[0].how, Rollup)


def test_illegal_entries_are_passed_over_each_with_its_rule():
    stale = held(STORE, "stale", rows=1, sign="0")
    coarse = held("SELECT day, revenue AT day", "coarse", rows=1)
    found = plan(BY_REGION, stale, coarse)
    assert chosen(found) is None
    assert [str(reason) for reason in found.parts[0].why_not] == [
        "@(store): it was made from an older t_tx",
        "@(day): it neither holds nor determines region",
    ]


def test_entries_of_another_family_or_reducer_are_not_even_considered():
    others = [
        held("SELECT store, cost AT store", "cost"),
        held("SELECT store, COUNT(revenue) AS n AT store", "count"),
        held("SELECT store, eastern AT store", "eastern", tables=("t_tx", "t_stores")),
    ]
    found = plan(BY_REGION, *others)
    assert chosen(found) is None
    assert found.parts[0].why_not == ()


def test_another_back_end_or_collection_shares_nothing():
    entry = held(STORE)
    there = conditions(entry)
    assert chosen(make_plan(question(STORE), typed(), there)) == "e1"
    elsewhere = type(there)("other", holdings=there.holdings, versions=NOW)
    assert chosen(make_plan(question(STORE), typed(), elsewhere)) is None


def test_metrics_of_one_schema_and_anchor_travel_in_one_query():
    found = plan(
        "SELECT region, month, revenue, cost, COUNT(cost) AS n, on_hand AT (region, month)"
    )
    assert [(query.schema, [str(item) for item in query.metrics]) for query in found.queries] == [
        ("tx", ["SUM(revenue)", "SUM(cost)", "COUNT(cost)"]),
        ("inv", ["SUM(on_hand)"]),
    ]
    assert [part.how.query for part in found.parts] == [0, 0, 0, 1]


def test_a_nested_frame_is_read_at_an_anchor_of_its_own():
    found = plan("SELECT region, revenue, AVG(revenue @ day) AS mean AT region")
    assert [part.key.anchor for part in found.parts] == [("region",), ("day", "region")]
    assert len(found.queries) == 2


def test_only_what_is_not_held_is_asked_for():
    found = plan("SELECT store, revenue, cost AT store", held(STORE))
    assert [type(part.how) for part in found.parts] == [Exact, Fetch]
    assert [str(item) for query in found.queries for item in query.metrics] == ["SUM(cost)"]


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT revenue AT ()", {"t_tx"}),
        (BY_REGION, {"t_tx", "t_stores"}),
        ("SELECT day, revenue WHERE category = 'A' AT day", {"t_tx", "t_products"}),
        ("SELECT eastern AT ()", {"t_tx", "t_stores"}),
        ("SELECT price AT ()", {"t_tx", "t_prices"}),
        ("SELECT region, amount AT region", {"t_told"}),
    ],
)
def test_a_part_is_of_the_version_of_every_table_it_rests_on(text, tables):
    (part,) = plan(text).parts
    assert dict(part.version) == dict.fromkeys(tables, "1")


def test_a_version_is_unknown_where_one_table_is():
    assert version_of({"a": "1", "b": None}, {"a", "b"}) is None
    assert version_of({"a": "1"}, {"a", "b"}) is None
    assert version_of({"b": "2", "a": "1"}, {"b", "a"}) == (("a", "1"), ("b", "2"))


def test_the_engine_switched_off_or_bypassed_reads_no_entry():
    assert chosen(plan(STORE, held(STORE), enabled=False)) is None
    assert chosen(plan(STORE, held(STORE), freshness=Freshness(no_cache=True))) is None


def test_only_if_cached_refuses_with_the_rule_that_failed():
    asked = Freshness(only_if_cached=True)
    assert chosen(plan(STORE, held(STORE), freshness=asked)) == "e1"
    with pytest.raises(NotCached) as caught:
        plan(BY_REGION, held("SELECT day, revenue AT day"), freshness=asked)
    assert "@(day): it neither holds nor determines region" in str(caught.value)


def test_a_broken_edge_withdraws_what_needs_it_and_nothing_else():
    violations = {"violations": {"store -> region": "S1 has East and West"}}
    for text in (BY_REGION, "SELECT revenue WHERE coast = 'Inland' AT ()", "SELECT eastern AT ()"):
        with pytest.raises(FDViolation, match="S1 has East and West"):
            plan(text, **violations)
    # The very entry does not help: it was made when the edge held.
    with pytest.raises(FDViolation):
        plan(BY_REGION, held(BY_REGION), **violations)
    for text in (STORE, "SELECT month, revenue AT month", "SELECT region, amount AT region"):
        assert plan(text, **violations).parts


@pytest.mark.parametrize(
    ("promise", "refused", "kept"),
    [
        ("region => coast", "SELECT coast, revenue AT coast", BY_REGION),
        ("inv.month is a period", "SELECT month, on_hand AT month", STORE),
        ("tx.price is fetched along a key", "SELECT price AT ()", "SELECT revenue AT ()"),
        ("the grain of inv", "SELECT store, LAST(on_hand) AS x AT store", STORE),
        ("the grain of inv", "SELECT store, month, on_hand AT (store, month)", STORE),
        (
            "the grain of tx",
            "SELECT COUNT(*) AS n FROM tx AT store",
            "SELECT store FROM tx AT store",
        ),
        ("the grain of tx", BY_REGION, "SELECT region, amount AT region"),
        ("the grain of stores", "SELECT COUNT(*) AS n FROM stores AT ()", BY_REGION),
        ("the grain of daily", "SELECT COUNT(day) AS n FROM daily AT ()", BY_REGION),
    ],
)
def test_each_promise_withdraws_its_own(promise, refused, kept):
    with pytest.raises(FDViolation):
        plan(refused, violations={promise: "a row"})
    assert plan(kept, violations={promise: "a row"}).parts


ADDS = Capabilities(frozenset({Primitive.SUM}), frozenset(FUNCTIONS))


def test_a_reducer_that_the_back_end_lacks_is_refused_unless_it_is_held():
    text = "SELECT store, MEDIAN(revenue) AS x AT store"
    with pytest.raises(NotSupported):
        plan(text, capabilities=ADDS)
    assert chosen(plan(text, held(text), capabilities=ADDS)) == "e1"


def test_from_a_sibling_is_refused_unless_it_is_attested_equal():
    text = "SELECT store, revenue FROM daily AT store"
    for known in ({}, {("revenue", "daily"): "at S1 it has 1, and the root 2"}):
        with pytest.raises(SiblingDiffers):
            plan(text, siblings=known)
    assert plan(text, siblings={("revenue", "daily"): None}).parts


def test_an_older_entry_answers_only_within_the_staleness_asked_for():
    old = held(STORE, "old", sign="0", created=100.0)
    for age, name in ((None, None), (50.0, "old"), (10.0, None)):
        asked = Freshness(max_staleness=age)
        assert chosen(plan(STORE, old, freshness=asked, now=140.0)) == name, age


def test_older_parts_are_of_one_version_or_everything_is_new():
    old = held(STORE, "old", sign="0", created=100.0)
    cost = held("SELECT store, cost AT store", "cost", sign="0", created=100.0)
    text = "SELECT store, revenue, cost AT store"
    asked = {"freshness": Freshness(max_staleness=60.0), "now": 110.0}
    assert [part.how.entry.entry_id for part in plan(text, old, cost, **asked).parts] == [
        "old",
        "cost",
    ]
    newer = held("SELECT store, cost AT store", "newer", sign="7", created=105.0)
    assert all(isinstance(part.how, Fetch) for part in plan(text, old, newer, **asked).parts)


def test_every_older_part_is_young_enough():
    """A young part of the version says nothing of the age of the others."""
    old = held(STORE, "old", sign="0", created=40.0)
    cost = held("SELECT store, cost AT store", "cost", sign="0", created=100.0)
    text = "SELECT store, revenue, cost AT store"
    for age, route in ((70.0, Exact), (69.0, Fetch)):
        asked = Freshness(max_staleness=age)
        found = plan(text, old, cost, freshness=asked, now=110.0)
        assert {type(part.how) for part in found.parts} == {route}, age


def test_a_younger_entry_is_rolled_up_where_the_exact_one_is_too_old():
    old = held(STORE, "old", rows=1, sign="0", created=40.0)
    young = held("SELECT store, day, revenue AT (store, day)", "young", sign="0", created=100.0)
    asked = {"freshness": Freshness(max_staleness=60.0), "now": 110.0}
    assert chosen(plan(STORE, old, young, **asked)) == "young"


def test_an_older_entry_is_not_climbed_with_the_map_of_now():
    old = held(STORE, "old", sign="0", created=100.0)
    asked = {"freshness": Freshness(max_staleness=60.0), "now": 110.0}
    assert chosen(plan(BY_REGION, old, **asked)) is None


BY_SALE = "SELECT txn, revenue AT txn"


def test_a_frame_that_is_surely_large_is_streamed_unless_it_is_held_or_nested():
    large = {"rows": {"t_tx": 10_000}, "stream_rows": 9_999}
    assert plan(BY_SALE, **large).stream is not None
    assert plan(BY_SALE, **{**large, "stream_rows": 10_000}).stream is None
    assert plan(BY_SALE, held(BY_SALE), **large).stream is None
    nested = "SELECT txn, AVG(revenue @ (txn, day)) AS x AT txn"
    assert plan(nested, **large).stream is None


@pytest.mark.parametrize(
    "text",
    [
        # A coarse level may have as many members as the table has rows, or one.
        STORE,
        "SELECT day, product, store, revenue AT (day, product, store)",
        # A filter may leave nothing.
        "SELECT txn, revenue WHERE store = 'S1' AT txn",
    ],
)
def test_what_is_not_surely_large_is_tried(text):
    assert plan(text, rows={"t_tx": 10_000}, stream_rows=1).stream is None


def test_the_size_of_a_table_is_looked_at_where_it_decides():
    keys = frozenset({"the rows of t_tx"})
    by_sale = BY_SALE.replace("revenue", "cost")
    assert plan(by_sale, unattested=keys).unattested == keys
    assert plan("SELECT store, cost AT store", unattested=keys).unattested == frozenset()


def test_the_promises_of_the_answer_alone_are_to_be_looked_at():
    keys = frozenset({"store -> region", "product -> category", "inv.month is a period"})
    assert plan(STORE, unattested=keys).unattested == frozenset()
    assert plan(BY_REGION, unattested=keys).unattested == {"store -> region"}
    # An entry rests on the same promises as the rows it was made from.
    held_too = plan(BY_REGION, held(STORE), unattested=keys)
    assert held_too.unattested == {"store -> region"}
    filtered = plan("SELECT store, revenue WHERE category = 'A' AT store", unattested=keys)
    assert filtered.unattested == {"product -> category"}


def test_a_broken_promise_is_refused_before_others_are_looked_at():
    with pytest.raises(FDViolation, match="S1 has East and West"):
        plan(
            "SELECT region, category, revenue AT (region, category)",
            violations={"store -> region": "S1 has East and West"},
            unattested=frozenset({"product -> category"}),
        )


def test_the_whole_in_one_query_reads_roots_only():
    found = plan("SELECT store, revenue, cost AT store", held(STORE))
    whole = single_query_plan(typed(), found)
    assert all(isinstance(part.how, Fetch) for part in whole.parts)
    assert [query.schema for query in whole.stream.sources] == ["tx"]
    nested = plan("SELECT store, AVG(revenue @ day) AS x AT store")
    assert single_query_plan(typed(), nested) is None


def test_the_same_plan_has_the_same_fingerprint_and_another_another():
    first, again = plan(STORE), plan(STORE)
    assert first.fingerprint == again.fingerprint
    others = [plan(STORE, held(STORE)), plan(BY_REGION), plan("SELECT store, cost AT store")]
    assert len({found.fingerprint for found in (first, *others)}) == 4


def test_levels_alone_are_listed_from_their_schema():
    found = plan("SELECT region FROM stores AT region")
    (part,) = found.parts
    assert str(part.key.group.domain) == "QM"
    assert found.queries[0].schema == "stores"


def test_entries_of_another_filter_beyond_what_is_told_are_counted():
    others = [
        held(f"SELECT day, revenue WHERE store = 'S{at}' AT day", f"e{at}") for at in range(120)
    ]
    (part,) = plan(STORE, *others).parts
    # A hundred are looked at, and are one to the reader, who may not know their values.
    assert [why.entries for why in part.why_not] == [100]
    assert part.aside[0] == "20 entries more"
    (part,) = plan(STORE, *others[:100]).parts
    assert not any("more" in aside for aside in part.aside)


def test_an_entry_of_now_answers_whatever_lag_is_allowed():
    old = held(STORE, "old", rows=1, sign="0", created=100.0)
    new = held(STORE, "new", created=1.0)
    asked = Freshness(max_staleness=60.0)
    assert chosen(plan(STORE, old, new, freshness=asked, now=110.0)) == "new"


def test_entries_of_another_filter_are_looked_at_only_to_tell_of_them():
    """They never answer, and a cache may hold a thousand: no answer waits for their reasons."""
    entries = [
        held(f"SELECT store, revenue AT store WHERE store = 'S{n}'", f"e{n}") for n in range(5)
    ]
    entries.append(held("SELECT store, revenue AT store", "fine"))
    text = "SELECT region, revenue AT region WHERE region = 'East'"
    told, answered = plan(text, *entries), plan(text, *entries, explains=False)
    assert [part.how for part in told.parts] == [part.how for part in answered.parts]
    assert told.parts[0].how.entry.entry_id == "fine"
    assert sum(why.entries for why in told.parts[0].why_not) == 5
    assert answered.parts[0].why_not == ()
