"""Holdings are values: what is put in or taken out makes new ones and leaves the old alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import held, key_of

from flightframe_server.planner.holdings import Holdings

STORE, DAY = "SELECT store, revenue AT store", "SELECT day, revenue AT day"
COST = "SELECT store, cost AT store"


def ids(holdings):
    return [entry.entry_id for entry in holdings]


def test_a_shelf_holds_one_family_and_reducer_in_the_order_put():
    holdings = Holdings.of([held(STORE, "a"), held(COST, "b"), held(DAY, "c")])
    assert ids(holdings.on(key_of(STORE).group)) == ["a", "c"]
    assert ids(holdings.on(key_of(COST).group)) == ["b"]
    assert holdings.on(key_of("SELECT COUNT(cost) AS n AT ()").group) == ()


def test_an_entry_stands_in_place_of_the_one_of_its_key():
    before = Holdings.of([held(STORE, "a"), held(DAY, "b")])
    after = before.with_entry(held(STORE, "new"))
    assert ids(after) == ["b", "new"]
    assert ids(before) == ["a", "b"]


def test_entries_are_taken_out_by_id_and_empty_shelves_with_them():
    before = Holdings.of([held(STORE, "a"), held(DAY, "b"), held(COST, "c")])
    assert ids(before.without(["a", "unknown"])) == ["b", "c"]
    left = before.without(["a", "b"])
    assert ids(left) == ["c"]
    assert len(left.groups) == 1
    assert ids(before) == ["a", "b", "c"]


def test_what_is_not_touched_is_shared():
    before = Holdings.of([held(STORE, "a"), held(COST, "c")])
    group = key_of(COST).group
    assert before.without(["a"]).groups[group] is before.groups[group]
    assert before.with_entry(held(DAY, "b")).groups[group] is before.groups[group]


CONJUNCTS = "abcdefgh"
filters = st.sets(st.sampled_from(CONJUNCTS)).map(lambda texts: tuple(sorted(texts)))


@pytest.mark.slow
@given(st.lists(filters, max_size=40), filters)
def test_within_a_filter_are_the_entries_that_a_scan_finds(held_filters, asked):
    base = held(STORE, "a")
    entries = [
        replace(base, entry_id=f"e{number}", key=replace(base.key, filter=found))
        for number, found in enumerate(dict.fromkeys(held_filters))
    ]
    holdings = Holdings.of(entries)
    scanned = {entry.entry_id for entry in entries if set(entry.key.filter) <= set(asked)}
    assert set(ids(holdings.within(base.key.group, asked))) == scanned
    beyond = ids(holdings.beyond(base.key.group, asked))
    assert sorted(beyond) == sorted({entry.entry_id for entry in entries} - scanned)


def test_nothing_is_held_at_first():
    assert ids(Holdings()) == []
