"""What a description rests on is found ahead: all of it once, and no large table unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.discovery import preparation
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.preparation import prepare
from flightframe_server.discovery.request import DescribeRequest
from flightframe_server.errors import BackendError

AC = """\
version: 1
name: shop
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, town: town}}
  - {name: sales, table: sales, grain: [sale], columns: {sale: id, shop: shop, amount: amount}}
dimension_families:
  - {name: place, levels: [shop, town], edges: [{from: shop, to: town, via: shops}]}
metric_families:
  - name: taken
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
"""
MANIFEST = """\
id: shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenInstallation]:
    """A shop in two towns at once, with twenty sales."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE shops (shop VARCHAR, town VARCHAR)")
        connection.execute("INSERT INTO shops VALUES ('a', 'N'), ('a', 'S'), ('b', 'S')")
        connection.execute("CREATE TABLE sales (id BIGINT, shop VARCHAR, amount DECIMAL(12,2))")
        connection.execute("INSERT INTO sales SELECT i, 'a', i FROM range(20) AS t(i)")
    (tmp_path / "ac.yaml").write_text(AC)
    (tmp_path / "installation.yaml").write_text(MANIFEST)
    opened = open_installation(tmp_path / "installation.yaml")
    yield opened
    opened.close()


def looked_at(opened: OpenInstallation) -> set[str]:
    facts = opened.runtime.engines["shop"].snapshot().facts
    return set(facts._facts) - facts.known.unattested


def test_a_description_that_follows_looks_at_nothing_more_and_tells_the_broken_row(opened):
    assert looked_at(opened) == set()
    assert prepare(opened.runtime.engines["shop"], SERVER_CALL)
    found = looked_at(opened)
    assert {"shop -> town", "the grain of sales"} <= found
    told = json.loads(describe(DescribeRequest(), opened.runtime))
    assert looked_at(opened) == found
    (anchors,) = told["collections"][0]["metrics"][0]["anchors"]
    (blocked,) = anchors["blocked"]
    assert blocked["level"] == "town"
    assert "a has N and S" in blocked["reason"]


def test_a_large_table_is_left_for_whoever_asks(opened, monkeypatch):
    monkeypatch.setattr(preparation, "AHEAD_ROWS", 19)
    assert not prepare(opened.runtime.engines["shop"], SERVER_CALL)
    found = looked_at(opened)
    assert "shop -> town" in found
    assert not [key for key in found if "sales" in key and key != "the rows of sales"]
    describe(DescribeRequest(), opened.runtime)
    assert "the grain of sales" in looked_at(opened)


def test_nothing_is_looked_at_twice_after_a_restart(opened, tmp_path, monkeypatch):
    assert prepare(opened.runtime.engines["shop"], SERVER_CALL)
    opened.close()
    again = open_installation(tmp_path / "installation.yaml")
    try:
        engine = again.runtime.engines["shop"]
        monkeypatch.setattr(engine.statements, "inspect", None)
        monkeypatch.setattr(engine.statements, "collect", None)
        assert prepare(engine, SERVER_CALL)
    finally:
        again.close()


def test_it_ends_with_the_call_that_waits_for_it(opened):
    with pytest.raises(BackendError):
        prepare(opened.runtime.engines["shop"], CallContext(is_cancelled=lambda: True))
