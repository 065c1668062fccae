"""Saved frames across a reload: another question under the same name, and none of the old rows."""

from __future__ import annotations

from typing import Any

import pytest
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, COSTS

from flightframe_server.errors import FlightframeError
from flightframe_server.request import Request
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import answer_text

FRAMES = AC + "frames:\n"
BY_TOWN = '  - {name: by_town, query: "SELECT town, SUM(taken) AS total AT town"}\n'
BY_COST = BY_TOWN.replace("taken", "costs")
WHOLE = "SELECT * FROM by_town"
PART = "SELECT town, total FROM by_town WHERE town <> ''"


@pytest.fixture
def tables(shop) -> PublishedTables:
    return PublishedTables(shop.opened.runtime)


def asked(shop, tables: PublishedTables, sql: str) -> dict[str, Any]:
    table = answer_text(Request(sql), shop.opened.runtime, tables).table
    assert table is not None
    return {row["town"]: row["total"] for row in table.to_pylist()}


@pytest.mark.parametrize("sql", [WHOLE, PART])
def test_a_frame_asks_what_the_file_says_now(shop, tables, sql):
    with pytest.raises(FlightframeError):
        answer_text(Request(sql), shop.opened.runtime, tables)
    assert shop.reload(FRAMES + BY_TOWN).succeeded
    for _ in range(3):
        assert asked(shop, tables, sql) == AS_WRITTEN
    assert shop.reload(FRAMES + BY_COST).succeeded
    assert asked(shop, tables, sql) == AS_OTHER
    assert not shop.reload(FRAMES + BY_COST.replace("costs", "cost")).succeeded
    assert asked(shop, tables, sql) == AS_OTHER
    assert shop.reload(AC).succeeded
    with pytest.raises(FlightframeError):
        answer_text(Request(sql), shop.opened.runtime, tables)


def test_a_broken_frame_is_told_with_its_line_and_hint(shop):
    (told,) = shop.reload(FRAMES + BY_TOWN.replace("SUM(taken)", "SUM(takne)")).errors
    assert (told.code, told.file, told.line) == ("CATALOG", "ac.yaml", FRAMES.count("\n") + 1)
    assert "UNKNOWN_NAME" in told.message
    assert "did you mean taken" in (told.hint or "")


def test_entries_are_served_on_when_frames_come_and_go(shop):
    shop.opened.reloader.warms = False
    shop.answer(COSTS)
    for text in (FRAMES + BY_TOWN, FRAMES + BY_COST, AC):
        assert shop.reload(text).changed == ("shop",)
        assert shop.label(COSTS) == "engine_cache"
