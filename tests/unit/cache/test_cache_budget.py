"""The budget: what gives way, what stays, what is never taken in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flightframe_server.cache.store import EntryGone, EntryStore, Lineage
from flightframe_server.planner.holdings import CacheEntry

VERSION = (("sales", "v1"),)
BACKEND = Lineage("backend")


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cache" / "entries"


def file_of(folder: Path, held: CacheEntry) -> Path:
    return folder / f"{held.entry_id}.parquet"


def keys_of(store: EntryStore) -> set[str]:
    return {entry.key.group.family for entry in store.holdings()}


def file_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def cost_of(root: Path) -> int:
    """The greatest cost of an entry, as the manifest says it."""
    connection = sqlite3.connect(root / "manifest-1.sqlite")
    (cost,) = connection.execute("SELECT max(cost) FROM entries").fetchone()
    connection.close()
    return cost


def sizes(open_store, make_key, make_table, tmp_path) -> int:
    """What one entry costs; every table of three rows has as many bytes."""
    probe = open_store(root=tmp_path / "probe")
    probe.put(make_key(), make_table(), VERSION, BACKEND)
    return cost_of(tmp_path / "probe")


def test_the_least_recently_used_goes_and_the_hinted_last(
    open_store, make_key, make_table, clock, tmp_path, folder
):
    one = sizes(open_store, make_key, make_table, tmp_path)
    store = open_store(max_bytes=3 * one)

    def put(family: str) -> CacheEntry:
        clock.now += 1
        return store.put(make_key(family), make_table(), VERSION, BACKEND)

    entries = {family: put(family) for family in ("hinted", "old", "hit")}
    store.set_pinned([make_key("hinted")])
    clock.now += 1
    store.touch(entries["hit"].entry_id)
    put("new")
    assert keys_of(store) == {"hinted", "hit", "new"}
    assert not file_of(folder, entries["old"]).exists()
    with pytest.raises(EntryGone):
        store.read(entries["old"])
    put("newer")
    assert keys_of(store) == {"hinted", "new", "newer"}
    assert file_bytes(folder) <= 3 * one
    assert store.counts().evicted == 2
    assert store.damaged == 0


def test_the_hinted_go_when_nothing_else_is_left_and_the_newcomer_never(
    open_store, make_key, make_table, clock, tmp_path
):
    one = sizes(open_store, make_key, make_table, tmp_path)
    store = open_store(max_bytes=2 * one)
    for family in ("a", "b"):
        clock.now += 1
        store.put(make_key(family), make_table(), VERSION, BACKEND, pinned=True)
    clock.now -= 100
    held = store.put(make_key("late"), make_table(), VERSION, BACKEND)
    assert keys_of(store) == {"b", "late"}
    assert store.read(held).equals(make_table())


def test_superseded_files_give_way_first(open_store, make_key, make_table, clock, tmp_path, folder):
    one = sizes(open_store, make_key, make_table, tmp_path)
    store = open_store(max_bytes=3 * one)
    store.put(make_key("other"), make_table(), VERSION, BACKEND)
    for number in range(4):
        clock.now += 1
        store.put(make_key(), make_table(number), VERSION, BACKEND)
        assert keys_of(store) >= {"other"}
        assert file_bytes(folder) <= 3 * one
    assert store.counts().evicted == 0


def test_what_is_larger_than_the_budget_is_not_stored_and_evicts_nothing(
    open_store, make_key, make_table, tmp_path, folder
):
    one = sizes(open_store, make_key, make_table, tmp_path)
    store = open_store(max_bytes=one)
    store.put(make_key("kept"), make_table(), VERSION, BACKEND)
    assert store.put(make_key(), make_table(rows=5000), VERSION, BACKEND) is None
    assert keys_of(store) == {"kept"}
    assert len(list(folder.iterdir())) == 1
    assert store.counts().unstored == 1


def test_a_smaller_budget_is_enforced_at_start(open_store, make_key, make_table, clock, folder):
    store = open_store()
    for family in "abcd":
        clock.now += 1
        store.put(make_key(family), make_table(), VERSION, BACKEND)
    store.close()
    one = cost_of(folder.parent)
    assert keys_of(open_store(max_bytes=2 * one)) == {"c", "d"}
    assert file_bytes(folder) <= 2 * one


def test_exactly_the_hinted_keys_are_pinned(open_store, make_key, make_table):
    store = open_store()
    for family in ("a", "b"):
        store.put(make_key(family), make_table(), VERSION, BACKEND)

    def pinned() -> set[str]:
        return {record.key.group.family for record in store.records() if record.pinned}

    store.set_pinned([make_key("a"), make_key("later")])
    assert pinned() == {"a"}
    store.put(make_key("later"), make_table(), VERSION, BACKEND)
    store.put(make_key("a"), make_table(1), VERSION, BACKEND)
    assert pinned() == {"a", "later"}
    store.set_pinned([make_key("b")])
    assert pinned() == {"b"}
    store.set_pinned([])
    assert pinned() == set()
