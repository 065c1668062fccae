"""A reload: checked whole and swapped whole, or not at all; what can change without a restart."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, BY_TOWN, MANIFEST, OTHER, ReloadedShop

from flightframe_server.answer import Request, answer
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.request import DescribeRequest
from flightframe_server.errors import BackendError, LimitExceeded, UnknownName
from flightframe_server.reload import warming
from flightframe_server.sql.tables import PublishedTables

SECOND = AC.replace("name: shop\n", "name: store\n")


def test_before_the_first_reload_there_is_nothing_to_tell(shop):
    assert shop.opened.reloader.status.to_json() == {"state": "none", "at": None, "errors": []}


def test_files_that_did_not_change_keep_their_engines(shop):
    engine = shop.opened.runtime.engines["shop"]
    outcome = shop.reload()
    assert (outcome.changed, outcome.unchanged, outcome.errors) == ((), ("shop",), ())
    assert shop.opened.runtime.engines["shop"] is engine
    assert shop.opened.reloader.status.state == "ok"


BROKEN = {
    "no YAML": AC + "  - {name: [",
    "an unknown key": AC.replace("cache_hint", "cach_hint"),
    "a name that is not there": AC.replace("inputs: [taken, costs]", "inputs: [taken, cost]"),
    "a table that is not there": AC.replace("table: sales", "table: sale"),
    "a column that is not there": AC.replace("cost: cost}", "cost: costs}"),
    "a frame that is no query": AC + "frames: [{name: f, query: SELECT taken}]\n",
    "a frame of a name that is not there": AC + "frames: [{name: f, query: SELECT takne AT ()}]\n",
    "a frame that has a table's name": AC + "frames: [{name: Shops, query: SELECT taken AT ()}]\n",
    "a frame of a level that is not reached": (
        AC.replace("edges: [{from: shop, to: town, via: shops}]", "edges: []")
        + "frames: [{name: f, query: SELECT taken AT town}]\n"
    ),
    "nothing": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_leaves_what_was_served(shop, text):
    assert shop.totals() == AS_WRITTEN
    engine = shop.opened.runtime.engines["shop"]
    with structlog.testing.capture_logs() as logs:
        outcome = shop.reload(text)
    assert not outcome.succeeded
    (told, *_) = outcome.errors
    assert (told.code, told.file) == ("CATALOG", "ac.yaml")
    assert told.line or text == ""
    assert outcome.to_json()["reloaded"] is False
    status = shop.opened.reloader.status
    assert (status.state, status.errors) == ("failed", outcome.errors)
    failed = [event for event in logs if event["event"] == "reload.failed"]
    assert [event["file"] for event in failed] == ["ac.yaml"] * len(outcome.errors)
    assert shop.opened.runtime.engines["shop"] is engine
    assert shop.totals() == AS_WRITTEN
    assert shop.reload(OTHER).succeeded
    assert shop.opened.reloader.status.state == "ok"
    assert shop.totals() == AS_OTHER


def test_a_file_that_is_gone_leaves_what_was_served(shop):
    (shop.folder / "ac.yaml").unlink()
    (told,) = shop.reload().errors
    assert (told.code, told.message) == ("SETUP", "there is no file ac.yaml")
    assert shop.totals() == AS_WRITTEN


def test_one_of_two_broken_files_keeps_both_as_they_were(shop):
    shop.write("second.yaml", SECOND)
    both = MANIFEST.replace("[ac.yaml]", "[ac.yaml, second.yaml]")
    assert shop.reload(manifest=both).changed == ("store",)
    shop.write("second.yaml", SECOND.replace("table: sales", "table: none"))
    assert not shop.reload(OTHER).succeeded
    assert answer(Request(BY_TOWN, collection="shop"), shop.opened.runtime).table.to_pylist() == [
        {"town": town, "total": total} for town, total in AS_WRITTEN.items()
    ]


@pytest.mark.slow
def test_a_hundred_broken_files_leave_nothing_behind(shop):
    broken = [*BROKEN.values()]
    assert shop.totals() == AS_WRITTEN
    for at in range(100):
        assert not shop.reload(broken[at % len(broken)]).succeeded
        assert shop.totals() == AS_WRITTEN
    assert shop.opened.runtime.sets.former == 0
    assert shop.reload(AC).succeeded


def test_collections_come_and_go(shop):
    shop.write("second.yaml", SECOND)
    runtime = shop.opened.runtime
    outcome = shop.reload(manifest=MANIFEST.replace("[ac.yaml]", "[ac.yaml, second.yaml]"))
    assert outcome.to_json() == {
        "reloaded": True,
        "changed": ["store"],
        "collections": ["shop", "store"],
        "errors": [],
    }
    assert answer(Request(BY_TOWN, collection="store"), runtime).rows == 2
    shop.warmed()
    outcome = shop.reload(manifest=MANIFEST)
    assert (outcome.changed, outcome.collections) == (("store",), ("shop",))
    with pytest.raises(UnknownName, match="there is no collection store"):
        answer(Request(BY_TOWN, collection="store"), runtime)
    assert [table.collection for table in PublishedTables(runtime)] == ["shop"] * 3


def test_what_is_described_follows_the_file(shop):
    def told():
        (collection,) = json.loads(describe(DescribeRequest(), shop.opened.runtime))["collections"]
        return next(metric["description"] for metric in collection["metrics"])

    assert told() == "What customers paid."
    shop.reload(AC.replace("What customers paid.", "Paid."))
    assert told() == "Paid."


def test_new_hints_are_made_and_pinned_and_former_ones_are_not(shop):
    shop.reload(AC.replace("[[town]]", "[[shop]]"))
    shop.warmed()
    assert shop.label("SELECT shop, taken AT shop") == "engine_cache"
    records = shop.opened.runtime.engines["shop"].store.records()
    assert [record.key.anchor for record in records if record.pinned] == [("shop",)]
    shop.reload(AC)
    shop.warmed()
    records = shop.opened.runtime.engines["shop"].store.records()
    assert [record.key.anchor for record in records if record.pinned] == [("town",)]


def test_a_warm_up_that_ends_late_pins_nothing_over_its_successor(shop):
    late = shop.opened.warm_up()
    next(late)
    shop.reload(AC.replace("[[town]]", "[[shop]]"))
    shop.warmed()
    assert list(late) == []
    records = shop.opened.runtime.engines["shop"].store.records()
    assert [record.key.anchor for record in records if record.pinned] == [("shop",)]


def test_without_warm_up_nothing_is_made(shop):
    shop.opened.reloader.warms = False
    shop.reload(AC.replace("[[town]]", "[[shop]]"))
    shop.warmed()
    assert shop.opened.runtime.engines["shop"].store.records() == []


def test_reloads_that_are_asked_for_at_once_follow_each_other(shop):
    shop.opened.reloader.warms = False
    shop.write("ac.yaml", OTHER)
    with ThreadPoolExecutor(8) as pool:
        outcomes = [one.result() for one in [pool.submit(shop.reload) for _ in range(8)]]
    assert sorted(outcome.changed for outcome in outcomes) == [()] * 7 + [("shop",)]
    assert shop.totals() == AS_OTHER


def test_after_the_end_nothing_is_changed(tmp_path):
    shop = ReloadedShop(tmp_path)
    shop.opened.reloader.close()
    (told,) = shop.reload(OTHER).errors
    assert told.message == "the server is ending"
    assert shop.totals() == AS_WRITTEN
    shop.opened.close()


def test_settings_change_while_the_database_is_away(shop):
    (shop.folder / "shop.duckdb").rename(shop.folder / "away")
    assert shop.reload(manifest=MANIFEST + "limits: {query_bytes: 10}\n").succeeded
    (told, *_) = shop.reload(OTHER).errors
    assert told.code in ("BACKEND", "SETUP")
    (shop.folder / "away").rename(shop.folder / "shop.duckdb")
    assert shop.reload(OTHER, MANIFEST).succeeded
    assert shop.totals() == AS_OTHER


def test_two_engines_of_a_folder_have_one_store(shop):
    store = shop.opened.runtime.engines["shop"].store
    shop.reload(OTHER)
    assert shop.opened.runtime.engines["shop"].store is store
    assert shop.totals() == AS_OTHER
    assert store.holdings().groups


def test_the_engine_is_turned_off_and_on(shop):
    off = MANIFEST + "metric_engine: {enabled: false}\n"
    assert shop.reload(manifest=off).changed == ("shop",)
    assert shop.label() == "backend"
    assert shop.reload(manifest=MANIFEST).changed == ("shop",)
    shop.warmed()
    assert shop.label() == "engine_cache"
    assert shop.totals() == AS_WRITTEN


def test_a_smaller_budget_holds_at_once(shop):
    shop.answer("SELECT shop, taken AT shop")
    store = shop.opened.runtime.engines["shop"].store
    assert store.records()
    assert shop.reload(manifest=MANIFEST + "metric_engine: {max_bytes_per_ac: 1}\n").succeeded
    assert shop.opened.runtime.engines["shop"].store is store
    assert store.records() == []
    assert shop.totals() == AS_WRITTEN
    assert shop.reload(manifest=MANIFEST).succeeded
    shop.answer()
    assert shop.label() == "engine_cache"


def test_limits_hold_for_the_next_question(shop):
    assert shop.reload(manifest=MANIFEST + "limits: {query_bytes: 10}\n").succeeded
    with pytest.raises(LimitExceeded, match="a query has at most 10 bytes"):
        shop.answer()
    assert shop.reload(manifest=MANIFEST).succeeded
    assert shop.totals() == AS_WRITTEN


def test_the_audit_is_turned_on_and_off(shop):
    audit = shop.opened.access.audit
    assert not audit.on
    assert shop.reload(manifest=MANIFEST + "audit: {mode: full}\n").succeeded
    assert audit.on
    assert shop.reload(manifest=MANIFEST).succeeded
    assert not audit.on


FIXED = {
    "id": (MANIFEST.replace("id: shop", "id: other"), "id", 1),
    "backend.source": (MANIFEST.replace("./shop.duckdb", "./shop2.duckdb"), "backend.source", 3),
    "server.host": (MANIFEST.replace("127.0.0.1", "127.0.0.2"), "server.host", 4),
    "server.http_port": (MANIFEST.replace("http_port: 0", "http_port: 1"), "server.http_port", 4),
    "server.tls": (
        MANIFEST.replace("http_port: 0", "http_port: 0, tls: {certificate: a, key: b}"),
        "server.tls",
        4,
    ),
    "server.auth": (
        MANIFEST.replace("http_port: 0", "http_port: 0, auth: {users: u}"),
        "server.auth",
        4,
    ),
    "metric_engine.store": (MANIFEST + "metric_engine: {store: ./x}\n", "metric_engine.store", 5),
    "limits.threads": (MANIFEST + "limits: {threads: 2}\n", "limits.threads", 5),
    "limits.http_head_seconds": (
        MANIFEST + "limits: {http_head_seconds: 2}\n",
        "limits.http_head_seconds",
        5,
    ),
}


@pytest.mark.parametrize(("manifest", "key", "line"), FIXED.values(), ids=FIXED.keys())
def test_what_needs_a_restart_is_refused_whole(shop, manifest, key, line):
    outcome = shop.reload(OTHER, manifest + "audit: {mode: full}\n")
    (told,) = outcome.errors
    assert told.message == f"{key} cannot change while the server runs"
    assert (told.file, told.line) == ("installation.yaml", line)
    assert "restart" in told.hint
    assert not shop.opened.access.audit.on
    assert shop.totals() == AS_WRITTEN


def test_a_reload_waits_for_a_writer_and_then_says_which_file(shop, monkeypatch):
    monkeypatch.setattr("flightframe_server.reload.reloader.WRITING_SECONDS", 0.2)
    with (shop.folder / "ac.yaml").open("r+") as file:
        file.write(AC[:100])
        (told,) = shop.reload().errors
        assert (told.code, told.message) == ("SETUP", "ac.yaml is being written")
        assert shop.totals() == AS_WRITTEN
    assert shop.reload(OTHER).succeeded


def test_what_describes_a_new_collection_is_found_before_anybody_asks(shop):
    # Without a hint, which would look at some of it.
    shop.reload(OTHER.replace("    cache_hint: {materialize_at: [[town]]}\n", ""))
    shop.warmed()
    facts = shop.opened.runtime.engines["shop"].snapshot().facts
    assert "the grain of sales" not in facts.known.unattested


def test_a_database_that_fails_meanwhile_stops_nothing(shop, monkeypatch):
    def failing(*_: object) -> bool:
        raise BackendError("the database is gone")

    monkeypatch.setattr(warming, "prepare", failing)
    with structlog.testing.capture_logs() as told:
        shop.reload(OTHER)
        shop.warmed()
    assert [one["collection"] for one in told if one["event"] == "describe.not_prepared"] == [
        "shop"
    ]
    assert shop.totals() == AS_OTHER
