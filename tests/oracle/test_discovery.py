"""Discovery: members, cardinality, range and valid anchors, against what the fixture holds."""

import datetime

import pytest
from test_promises import shop

from flightframe_server.discovery.availability import availabilities
from flightframe_server.discovery.level_facts import home_of, level_facts, members
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FDViolation, UnreachableAnchor
from flightframe_server.resolver.anchors import metric_anchors

__all__ = ["shop"]


def test_members_of_a_level_are_those_of_its_own_table(shop):
    engine = shop().engine
    assert members(engine, "store")["store"].to_pylist() == ["S1", "S2", "S3", "S4"]
    assert members(engine, "region")["region"].to_pylist() == ["East", "West", None]


def test_members_are_kept_and_versioned_like_any_entry(shop):
    made = shop()
    members(made.engine, "store")
    (entry,) = [found for found in made.engine.store.records() if found.key.group.domain == "QM"]
    assert entry.key.anchor == ("store",)
    made.replace("INSERT INTO stores VALUES ('S5', 'West');")
    assert members(made.engine, "store").num_rows == 5


def test_facts_of_a_level(shop):
    engine = shop().engine
    days = level_facts(engine, "day")
    assert (days.schema, days.cardinality, days.has_null) == ("tx", 5, False)
    assert (days.first, days.last) == (datetime.date(2024, 1, 30), datetime.date(2024, 2, 3))
    region = level_facts(engine, "region")
    assert (region.cardinality, region.has_null, region.first, region.last) == (
        3,
        True,
        "East",
        "West",
    )
    month = level_facts(engine, "month")
    assert month.schema == "inv"
    assert month.first == datetime.date(2024, 1, 1)
    assert month.last == datetime.date(2024, 2, 1)


def test_a_level_is_known_best_where_it_is_the_key(shop):
    engine = shop().engine
    assert home_of(engine, "store") == "stores"
    assert home_of(engine, "product") == "products"
    assert home_of(engine, "tag") == "tags"


def test_where_a_metric_may_be_asked(shop):
    typed = shop().engine.typed
    revenue = metric_anchors(typed, "revenue")
    assert {"store", "region", "coast", "product", "category", "day", "week", "year"} <= set(
        revenue.levels
    )
    assert revenue.required == ()
    assert "tag" not in revenue.levels
    stock = metric_anchors(typed, "on_hand")
    assert set(stock.levels) == {"store", "region", "coast", "month", "quarter", "year"}
    assert stock.required == ("month",)
    assert set(metric_anchors(typed, "profit").levels) == set(revenue.levels)


def test_members_are_told_in_order_and_no_more_than_wanted(shop):
    made = shop("INSERT INTO stores VALUES ('s0', 'east'), ('S10', 'Éast');")
    found = level_facts(made.engine, "region", limit=4)
    assert found.members == ("East", "West", "east", "Éast")
    assert (found.cardinality, found.has_null) == (5, True)
    assert (found.first, found.last) == ("East", "Éast")
    assert level_facts(made.engine, "region", limit=9).members[-1] is None
    assert level_facts(made.engine, "region").members == ()


def test_members_of_a_level_are_those_that_rows_of_a_schema_have(shop):
    engine = shop().engine
    # S9 and NULL sold and are listed nowhere; S4 sold, S1 to S3 have stock.
    sold = level_facts(engine, "store", "tx", limit=9)
    assert sold.members == ("S1", "S2", "S3", "S4", "S9", None)
    assert level_facts(engine, "store", "inv", limit=9).members == ("S1", "S2", "S3")
    with pytest.raises(UnreachableAnchor):
        level_facts(engine, "tag", "inv")


def test_facts_come_from_the_cache_until_the_data_moves(shop):
    made = shop()
    assert str(level_facts(made.engine, "store").served_from) == "engine_backend"
    assert str(level_facts(made.engine, "store").served_from) == "engine_cache"
    made.replace("INSERT INTO stores VALUES ('S5', 'West');")
    again = level_facts(made.engine, "store", limit=9)
    assert str(again.served_from) == "engine_backend"
    assert (again.cardinality, again.last) == (5, "S5")


def test_coarser_members_are_rolled_up_from_finer_ones(shop):
    made = shop()
    members(made.engine, "day", "tx")
    months = level_facts(made.engine, "month", "tx", limit=9)
    assert months.members == (datetime.date(2024, 1, 1), datetime.date(2024, 2, 1))
    assert str(months.served_from) == "engine_cache"


def test_facts_of_more_members_than_are_held_are_the_same(shop, tmp_path):
    made = shop("INSERT INTO stores SELECT 'N' || i, 'R' || (i % 7) FROM range(3000) AS r(i);")
    streaming = MetricEngine(
        made.engine.collection, tmp_path, made.backend, enabled=False, stream_rows=-1
    )
    for level in ("store", "region", "day", "month", "txn", "coast", "losing"):
        one, other = (level_facts(engine, level, limit=50) for engine in (made.engine, streaming))
        assert str(other.served_from) == "backend"
        assert (one.schema, one.cardinality, one.has_null) == (
            other.schema,
            other.cardinality,
            other.has_null,
        )
        assert (one.first, one.last, one.members) == (other.first, other.last, other.members)
    assert level_facts(streaming, "store").cardinality == 3004


def test_an_empty_level_has_no_ends(shop):
    found = level_facts(shop().engine, "txn", "nothing_sold", limit=3)
    assert (found.cardinality, found.has_null, found.first, found.last) == (0, False, None, None)
    assert found.members == ()


def test_members_along_a_broken_edge_are_refused(shop):
    made = shop("INSERT INTO stores VALUES ('S1', 'West');")
    with pytest.raises(FDViolation, match="S1 has East and West"):
        level_facts(made.engine, "region", "tx")
    assert level_facts(made.engine, "region", "stores").cardinality == 3


def standing(engine, family):
    _, attested = engine.attested()
    found = availabilities(
        engine.typed, attested.violations, engine.collection.metric_families[family]
    )
    return {item.reducer: item for item in found}


def test_where_a_metric_may_stand_and_why_not_elsewhere(shop):
    found = standing(shop().engine, "revenue")["SUM"]
    assert found.required == ()
    blocked = {item.level: item for item in found.blocked}
    assert set(blocked) | set(found.levels) == set(shop().engine.typed.graph.level_names)
    assert set(blocked) == {"tag", "account", "sensor"}
    assert {item.code for item in found.blocked} == {"FAN_OUT"}
    assert "tags links them many to many" in blocked["tag"].reason
    told = blocked["account"].reason
    assert "no edge leads there from tx, and through balances facts would count more than" in told
    stock = standing(shop().engine, "on_hand")["SUM"]
    assert {item.level: item.code for item in stock.blocked}["tag"] == "UNREACHABLE_ANCHOR"


def test_each_reducer_has_its_own_standing_and_the_default_comes_first(shop):
    stock = standing(shop().engine, "on_hand")
    assert list(stock) == ["SUM", "LAST"]
    assert set(stock["SUM"].levels) == {"store", "region", "coast", "month", "quarter", "year"}
    assert stock["SUM"].required == ("month",)
    # The last of each store: the store must stand beside whatever is asked.
    assert stock["LAST"].required == ("store",)
    assert set(stock["LAST"].levels) == set(stock["SUM"].levels)


def test_a_derived_metric_stands_where_all_its_inputs_do(shop):
    engine = shop().engine
    margin = standing(engine, "margin")[""]
    assert margin.levels == standing(engine, "revenue")["SUM"].levels


def test_what_may_stand_is_answered_and_what_is_blocked_is_refused(shop):
    """The resolver and the planner agree, for every metric, reducer and level of the shop."""
    made = shop("INSERT INTO stores VALUES ('S1', 'West');")
    asked = 0
    broken = made.engine.attested()[1].violations
    for family in made.engine.collection.metric_families.values():
        for found in availabilities(made.engine.typed, broken, family):
            item = (
                f"{found.reducer}({family.name}) AS x" if found.reducer else f"{family.name} AS x"
            )
            for level in found.levels:
                made.ask(f"EXPLAIN SELECT {item} AT ({', '.join((level, *found.required))})")
            for blocked in found.blocked:
                anchor = ", ".join((blocked.level, *found.required))
                with pytest.raises(Exception, match=blocked.code):
                    made.ask(f"EXPLAIN SELECT {item} AT ({anchor})")
            asked += len(found.levels) + len(found.blocked)
    assert asked > 300


def test_a_broken_edge_blocks_the_levels_behind_it_and_its_repair_frees_them(shop):
    made = shop("INSERT INTO stores VALUES ('S1', 'West');")
    found = standing(made.engine, "revenue")["SUM"]
    broken = {item.level: item.reason for item in found.blocked if item.code == "FD_VIOLATION"}
    assert set(broken) == {"region", "coast"}
    assert "S1 has East and West" in broken["region"]
    assert standing(made.engine, "east_sales")["COUNT"].levels == ()
    assert "region" in standing(made.engine, "balance")["SUM"].levels
    made.replace("")
    assert {"region", "coast"} <= set(standing(made.engine, "revenue")["SUM"].levels)
