"""What is remembered of a key after its entry is gone, and handed on when it comes back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flightframe_server.cache.former import MOST_FORMER
from flightframe_server.cache.store import Lineage

VERSION = (("sales", "v1"),)
BACKEND = Lineage("backend")


def used(store, key, table, times: int, seconds: float | None = None) -> str:
    """Put an entry, hit it so many times, and return its id."""
    entry_id = store.put(key, table, VERSION, BACKEND, seconds=seconds).entry_id
    for _ in range(times):
        store.touch(entry_id)
    store.flush()
    return entry_id


def test_the_hits_of_a_key_outlive_its_entry_and_a_restart(open_store, make_key, make_table, clock):
    store = open_store()
    entry_id = used(store, make_key(), make_table(), 3, 0.5)
    since = clock.now
    store.drop([entry_id])
    store.close()
    clock.now += 1000
    again = open_store()
    (gone,) = again.former()
    assert (gone.key, gone.hits, gone.since, gone.seconds) == (make_key(), 3, since, 0.5)
    assert (gone.rows, gone.route) == (3, "backend")
    entry_id = used(again, make_key(), make_table(1), 2)
    (record,) = again.records()
    assert (record.hits, record.since, record.created) == (5, since, since + 1000)
    assert again.former() == []


def test_an_evicted_entry_is_remembered_and_one_that_was_never_hit_is_not(
    open_store, make_key, make_table, clock
):
    store = open_store(max_entries=2)
    used(store, make_key("hot"), make_table(), 9)
    clock.now += 1
    used(store, make_key("cold"), make_table(), 0)
    clock.now += 1
    for number in range(2):
        used(store, make_key(f"new{number}"), make_table(), 0)
        clock.now += 1
    assert store.counts().evicted == 2
    assert [(gone.key.group.family, gone.hits) for gone in store.former()] == [("hot", 9)]


def test_a_damaged_entry_is_remembered(open_store, make_key, make_table, folder):
    store = open_store()
    entry_id = used(store, make_key(), make_table(), 4)
    store.close()
    (folder / f"{entry_id}.parquet").write_bytes(b"no parquet")
    assert [gone.hits for gone in open_store().former()] == [4]


@pytest.mark.slow
def test_so_many_keys_are_remembered_and_the_oldest_go(open_store, make_key, make_table, clock):
    store = open_store()
    ids = []
    for number in range(MOST_FORMER + 3):
        clock.now += 1
        entry = store.put(make_key(f"f{number}"), make_table(rows=1), VERSION, BACKEND)
        store.touch(entry.entry_id)
        ids.append(entry.entry_id)
    store.flush()
    store.drop(ids)
    families = {gone.key.group.family for gone in store.former()}
    assert families == {f"f{number}" for number in range(3, MOST_FORMER + 3)}


@pytest.mark.parametrize(
    "change",
    ["hits = 'many'", "hits = -1", "since = 'long ago'", "key = '{}'", "made = ''", "seconds = -1"],
)
def test_a_row_that_we_did_not_write_is_passed_over(
    open_store, make_key, make_table, folder, change
):
    store = open_store()
    store.drop([used(store, make_key(), make_table(), 1)])
    other = sqlite3.connect(folder.parent / "manifest-1.sqlite", isolation_level=None)
    other.execute(f"UPDATE former SET {change}")
    other.close()
    assert store.former() == []
    entry_id = used(store, make_key(), make_table(), 1)
    (record,) = store.records()
    assert record.entry_id == entry_id
    assert record.hits in (1, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the entries' files."""
    return tmp_path / "cache" / "entries"
