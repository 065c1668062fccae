"""What a request may say of age: `max_staleness`, `only_if_cached`, `no_cache`."""

import time
from decimal import Decimal

import pytest
from test_promises import BY_REGION, REGIONS, money, shop

from flightframe_server.answer import Request, answer
from flightframe_server.errors import NotCached
from flightframe_server.planner.plan import Freshness

__all__ = ["shop"]

MOVED = "UPDATE tx SET revenue = revenue + 1 WHERE txn = 5;"
NOW = money(("East", "61.70"), ("West", "1.20"), (None, "21.00"))


def ask(made, query, **freshness):
    found = answer(Request(query, freshness=Freshness(**freshness)), made.serving)
    rows = {tuple(row.values()) for row in found.table.to_pylist()}
    return rows, str(found.provenance.served_from)


def test_an_older_answer_is_given_only_when_it_is_asked_for(shop):
    made = shop()
    assert made.rows(BY_REGION) == REGIONS
    made.replace(MOVED)
    assert ask(made, BY_REGION, max_staleness=60.0) == (REGIONS, "engine_cache")
    assert ask(made, BY_REGION, max_staleness=0.0) == (NOW, "engine_backend")
    assert ask(made, BY_REGION, max_staleness=60.0) == (NOW, "engine_cache")


def test_an_older_answer_is_never_put_together_from_two_versions(shop):
    made = shop()
    made.ask("SELECT region, revenue AT region")
    made.replace(MOVED)
    made.ask("SELECT region, cost AT region")
    rows, label = ask(made, "SELECT region, revenue, cost AT region", max_staleness=60.0)
    assert {row[0]: row[1] for row in rows} == {
        "East": Decimal("61.70"),
        "West": Decimal("1.20"),
        None: Decimal("21.00"),
    }
    assert label == "engine_mixed"


def test_an_older_entry_is_not_climbed_with_todays_map(shop):
    made = shop()
    made.ask("SELECT store, revenue AT store")
    made.replace("UPDATE stores SET region = 'West' WHERE store = 'S1';")
    rows, label = ask(made, BY_REGION, max_staleness=60.0)
    assert rows == money(("East", "30.40"), ("West", "31.50"), (None, "21.00"))
    assert label == "engine_backend"


def test_only_if_cached_never_touches_the_back_end(shop):
    made = shop()
    with pytest.raises(NotCached):
        ask(made, BY_REGION, only_if_cached=True)
    made.ask("SELECT store, revenue AT store")
    # The stores are held, and not the regions they lead to: those stand in a table.
    with pytest.raises(NotCached, match="the map store -> region is not at hand"):
        ask(made, BY_REGION, only_if_cached=True)
    made.engine.attested()
    assert ask(made, BY_REGION, only_if_cached=True) == (REGIONS, "engine_cache")


def test_no_cache_goes_round_the_engine(shop):
    made = shop()
    made.ask(BY_REGION)
    assert ask(made, BY_REGION, no_cache=True) == (REGIONS, "backend")
    assert ask(made, BY_REGION) == (REGIONS, "engine_cache")


def test_a_restart_finds_its_entries(shop, tmp_path):
    from flightframe_server.engine import MetricEngine

    made = shop()
    made.ask(BY_REGION)
    made.engine.close()
    again = MetricEngine(made.engine.collection, tmp_path / "0" / "store", made.backend)
    found = answer(Request(BY_REGION), type(made.serving)("test", {"shop": again}))
    assert str(found.provenance.served_from) == "engine_cache"
    again.close()


def test_a_store_serves_without_its_back_end(shop, tmp_path):
    from flightframe_server.engine import Domain, MetricEngine
    from flightframe_server.errors import FlightframeError

    made = shop()
    made.ask(BY_REGION)
    made.engine.close()
    alone = MetricEngine(made.engine.collection, tmp_path / "0" / "store")
    frame = alone.serve(Domain.METRIC, "revenue", ("region",), operator="SUM").collect()
    assert set(frame.rows()) == REGIONS
    with pytest.raises(FlightframeError):
        alone.serve(Domain.METRIC, "revenue", ("store",), operator="SUM")
    alone.close()


def test_a_stale_answer_does_not_outlive_its_bound(shop, monkeypatch):
    made = shop()
    made.ask(BY_REGION)
    made.replace(MOVED)
    assert ask(made, BY_REGION, max_staleness=3600.0)[0] == REGIONS
    assert ask(made, BY_REGION, max_staleness=3600.0)[0] == REGIONS
    later = time.time() + 3601.0
    monkeypatch.setattr("flightframe_server.engine.attempt.time.time", lambda: later)
    assert ask(made, BY_REGION, max_staleness=3600.0)[0] == NOW


def test_a_collection_named_in_another_case_is_as_fresh(shop):
    made = shop()

    def asked():
        found = answer(Request(BY_REGION, collection="SHOP"), made.serving)
        return {tuple(row.values()) for row in found.table.to_pylist()}

    assert [asked(), asked(), asked()] == [REGIONS] * 3
    made.replace(MOVED)
    assert asked() == NOW


def test_an_answer_is_not_kept_under_a_state_it_was_not_made_in(shop, monkeypatch):
    made = shop()
    made.ask(BY_REGION)
    genuine = made.engine.answer

    def moving(question, *how):
        served = genuine(question, *how)
        made.replace(MOVED)
        return served

    monkeypatch.setattr(made.engine, "answer", moving)
    assert made.rows(BY_REGION) == REGIONS
    monkeypatch.undo()
    assert made.rows(BY_REGION) == NOW
