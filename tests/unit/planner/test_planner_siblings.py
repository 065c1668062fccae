"""Which table a metric is read from: a sibling only if equal, smaller, and on the same paths."""

import pytest
from planned import COLLECTION, TABLES, plan

from flightframe_server.algebra.types import DOUBLE, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.errors import SiblingDiffers
from flightframe_server.planner.plan import Freshness
from flightframe_server.planner.siblings import compared
from flightframe_server.resolver.typed import type_collection

EQUAL = {("revenue", "daily"): None}
SMALL = {"t_tx": 100, "t_daily": 10}


def read_from(text, siblings=EQUAL, rows=SMALL):
    found = plan(text, siblings=siblings, rows=rows)
    return [query.schema for query in found.queries]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT revenue AT ()",
        "SELECT store, month, revenue AT (store, month)",
        "SELECT region, revenue WHERE day < DATE '2024-02-01' AT region",
        "SELECT coast, revenue AT coast",
    ],
)
def test_an_equal_smaller_sibling_is_read(text):
    assert read_from(text) == ["daily"]


@pytest.mark.parametrize(
    "text",
    [
        # Levels that its grain does not determine, in the anchor or in the filter.
        "SELECT product, revenue AT product",
        "SELECT store, revenue WHERE category = 'A' AT store",
        # Another reducer: a mean of sums is no mean of rows.
        "SELECT COUNT(revenue) AS x AT ()",
        "SELECT MAX(revenue) AS x AT ()",
        # Some of its rows only.
        "SELECT SUM(revenue) FILTER (WHERE store = 'S1') AS x AT ()",
        "SELECT cost AT ()",
    ],
)
def test_what_it_does_not_hold_is_read_from_the_root(text):
    assert read_from(text) == ["tx"]


@pytest.mark.parametrize(
    ("level", "read"), [("store", "told_sums"), ("region", "told"), ("coast", "told")]
)
def test_a_level_that_the_facts_tell_themselves_is_not_looked_up_by_a_sibling(level, read):
    equal, small = {("amount", "told_sums"): None}, {"t_told": 9, "t_told_sums": 2}
    assert read_from(f"SELECT {level}, amount AT {level}", equal, small) == [read]


def test_a_mean_takes_its_sum_from_the_sibling_and_its_count_from_the_rows():
    assert read_from("SELECT AVG(revenue) AS x AT ()") == ["daily", "tx"]


@pytest.mark.parametrize(
    "siblings", [{}, {("revenue", "daily"): "at S1 it has 1"}, {("cost", "daily"): None}]
)
def test_one_that_differs_or_was_never_compared_is_not_read(siblings):
    assert read_from("SELECT revenue AT ()", siblings) == ["tx"]


@pytest.mark.parametrize(
    "rows", [{"t_tx": 10, "t_daily": 10}, {"t_tx": 9, "t_daily": 10}, {"t_tx": 9}, {}]
)
def test_one_that_is_not_known_to_be_smaller_is_not_read(rows):
    assert read_from("SELECT revenue AT ()", rows=rows) == ["tx"]


def test_none_is_read_where_only_the_root_may_be():
    asked = Freshness(no_siblings=True)
    found = plan("SELECT revenue AT ()", siblings=EQUAL, rows=SMALL, freshness=asked)
    assert [query.schema for query in found.queries] == ["tx"]
    assert [dict(part.version) for part in found.parts] == [{"t_tx": "1"}]


def test_the_entry_is_the_familys_whatever_was_read():
    there = plan("SELECT store, revenue AT store", siblings=EQUAL, rows=SMALL).parts[0]
    here = plan("SELECT store, revenue AT store").parts[0]
    assert there.key == here.key
    assert there.metric == here.metric
    assert there.how.metric.schema == "daily"
    # It rests on both tables: the sibling's numbers, attested on the root's.
    assert dict(there.version) == {"t_tx": "1", "t_daily": "1"}


def test_one_that_was_not_looked_at_yet_is_named_and_not_read():
    keys = frozenset({"daily holds revenue", "the rows of t_daily", "store -> region"})
    found = plan("SELECT revenue AT ()", siblings={}, rows=SMALL, unattested=keys)
    assert [query.schema for query in found.queries] == ["tx"]
    # The edge is not needed, and what is needed is not more than what is not known.
    assert found.unattested == {"daily holds revenue", "the rows of t_daily"}


def test_one_that_cannot_hold_the_question_is_not_looked_at():
    keys = frozenset({"daily holds revenue", "the rows of t_daily"})
    found = plan("SELECT product, revenue AT product", siblings={}, unattested=keys)
    assert found.unattested == frozenset()


def compared_of(name, tables=TABLES):
    typed = type_collection(read_collection(COLLECTION), tables)
    family = typed.collection.metric_families[name]
    (sibling,) = family.meaning.siblings
    return compared(typed, family, family.meaning, sibling)


def test_it_is_compared_with_the_root_at_its_own_grain():
    root, sibling, unlike = compared_of("revenue")
    assert (root.schema, sibling.schema) == ("tx", "daily")
    for query in (root, sibling):
        assert [read.level for read in query.anchor] == ["day", "store"]
        assert query.filter == ()
        assert [str(metric) for metric in query.metrics] == ["SUM(revenue)"]
    assert [metric.argument.schema for metric in sibling.metrics] == ["daily"]
    assert unlike is None


@pytest.mark.parametrize(
    ("stored", "unlike"),
    [
        # A sum of decimals keeps their places: 38 digits, 2 of them after the point.
        (DOUBLE, "it holds double, and the root decimal(38,2)"),
        (decimal(38, 3), "it holds decimal(38,3), and the root decimal(38,2)"),
        (decimal(5, 2), None),
    ],
)
def test_sums_of_another_type_are_never_equal(stored, unlike):
    daily = {**TABLES["t_daily"], "revenue": stored}
    assert compared_of("revenue", {**TABLES, "t_daily": daily})[2] == unlike


def test_from_a_sibling_that_was_not_looked_at_yet_is_to_be_looked_at():
    key = frozenset({"daily holds revenue"})
    text = "SELECT store, revenue FROM daily AT store"
    assert plan(text, unattested=key).unattested >= key
    # What it was found to hold on another version says nothing of this one.
    assert plan(text, unattested=key, siblings={("revenue", "daily"): "at S1"}).unattested >= key


NEVER = "it was never compared with the root"
YET = "it is not compared with the root yet"


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"siblings": {}}, NEVER),
        ({"siblings": {("cost", "daily"): None}}, NEVER),
        ({"siblings": {("revenue", "daily"): "at S1 it has 1"}}, "it differs from the root: at S1"),
        ({"siblings": {}, "unattested": {"daily holds revenue"}}, YET),
        ({"siblings": EQUAL, "unattested": {"the rows of t_tx"}}, "its rows are not counted yet"),
        ({"siblings": EQUAL, "rows": {"t_tx": 9, "t_daily": 9}}, "it would do, and has no fewer"),
    ],
)
def test_a_sibling_that_is_passed_over_says_what_is_true_of_it(known, reason):
    known = {"rows": SMALL, **known, "unattested": frozenset(known.get("unattested", ()))}
    (part,) = plan("SELECT store, revenue AT store", **known).parts
    (remark,) = [text for text in part.aside if text.startswith("sibling daily")]
    assert remark.startswith(f"sibling daily: {reason}")


@pytest.mark.parametrize(
    ("siblings", "message"),
    [
        ({}, "daily was never compared with the root of SUM(revenue)"),
        (
            {("revenue", "daily"): "at S1 it has 1"},
            "daily does not hold SUM(revenue) as its root does: at S1 it has 1",
        ),
    ],
)
def test_from_a_sibling_that_is_not_known_to_be_equal_is_refused(siblings, message):
    with pytest.raises(SiblingDiffers) as refused:
        plan("SELECT store, revenue FROM daily AT store", siblings=siblings)
    assert (refused.value.message, refused.value.hint) == (message, "leave FROM out, or name tx")
