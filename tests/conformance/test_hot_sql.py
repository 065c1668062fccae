"""A text of SQL that was answered is answered again without being read, while nothing has moved."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from bi_world import World, same_rows

from flightframe_server.errors import QueryError
from flightframe_server.request import SqlOptions
from flightframe_server.sql import texts

REGIONS = "SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region"
TEXTS = {
    "one question": REGIONS,
    "over answers": f"SELECT region, r, r / SUM(r) OVER () AS s FROM ({REGIONS}) q",
    "with a set": REGIONS.replace(" GROUP", " WHERE store IN (SELECT store FROM stores) GROUP"),
}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def never_read(monkeypatch) -> None:
    def meaning(*_, **__):
        raise AssertionError("the text was read again")

    monkeypatch.setattr(texts, "meaning", meaning)


@pytest.mark.parametrize("sql", TEXTS.values(), ids=TEXTS)
def test_a_hot_text_is_not_read_again(world, sql, monkeypatch):
    served = world.served["sqlite"]
    for _ in range(2):
        # The first of them makes the entries, and so moves what the second rests on.
        served.answer(sql, cold=False)
    first = served.answer(sql, cold=False)
    never_read(monkeypatch)
    again = served.answer(sql, cold=False)
    assert again is first
    assert same_rows(again.table, world.expected(sql), ordered=False) is None


@pytest.mark.parametrize("sql", TEXTS.values(), ids=TEXTS)
def test_moved_data_are_answered_anew(world, sql):
    served = world.served["sqlite"]
    for _ in range(3):
        served.answer(sql, cold=False)
    with closing(sqlite3.connect(world.files[0])) as writer, writer:
        writer.execute("DELETE FROM transactions WHERE transaction_id = 1")
    world.oracle.execute("DELETE FROM world.transactions WHERE transaction_id = 1")
    given = served.answer(sql, cold=False).table
    assert same_rows(given, world.expected(sql), ordered=False) is None


def test_what_a_clock_decides_is_read_each_time(world, monkeypatch):
    served = world.served["sqlite"]
    dated = REGIONS.replace(" GROUP", " WHERE day <= CURRENT_DATE GROUP")
    for _ in range(3):
        served.answer(dated, cold=False)
    never_read(monkeypatch)
    with pytest.raises(AssertionError, match="read again"):
        served.answer(dated, cold=False)


def test_what_one_session_may_ask_is_refused_to_another_still(world):
    served, bare = world.served["sqlite"], "SELECT region, revenue FROM metrics GROUP BY region"
    for _ in range(3):
        served.answer(bare, cold=False, options=SqlOptions(bare_is_measure=True))
    with pytest.raises(QueryError):
        served.answer(bare, cold=False)


def test_each_value_has_an_answer_of_its_own(world):
    served = world.served["sqlite"]
    sql = REGIONS.replace(" GROUP", " WHERE store = ? GROUP")
    for _ in range(3):
        for store in ("S01", "S02"):
            given = served.answer(sql, (store,), cold=False).table
            expected = world.expected(sql.replace("?", f"'{store}'"))
            assert same_rows(given, expected, ordered=False) is None


def test_an_answer_that_is_checked_is_read_each_time(world, monkeypatch):
    served = world.served["sqlite"]
    for _ in range(3):
        served.answer(REGIONS, cold=False)
    served._runtimes[served.remembering].shadow.share = 1.0
    never_read(monkeypatch)
    with pytest.raises(AssertionError, match="read again"):
        served.answer(REGIONS, cold=False)
