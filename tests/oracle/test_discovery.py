"""Discovery: members, cardinality, range and valid anchors, against what the fixture holds."""

import datetime

from test_promises import shop

from flightframe_server.engine.discovery import home_of, level_facts, members
from flightframe_server.resolver.anchors import metric_anchors

__all__ = ["shop"]


def test_members_of_a_level_are_those_of_its_own_table(shop):
    engine = shop().engine
    assert members(engine, "store")["store"].to_pylist() == ["S1", "S2", "S3", "S4"]
    assert members(engine, "region")["region"].to_pylist() == ["East", "West", None]


def test_members_are_kept_and_versioned_like_any_entry(shop):
    made = shop()
    members(made.engine, "store")
    (entry,) = [found for found in made.engine.store.records() if found.key.shelf.domain == "QM"]
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
