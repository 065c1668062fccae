"""The store, rule by rule."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from flightframe_server.cache.store import CollectorReport, EntryGone, EntryStore, Lineage, Timing
from flightframe_server.planner.holdings import CacheEntry

VERSION = (("calendar", "7"), ("sales", "v1"))
BACKEND = Lineage("backend")


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cache" / "entries"


def file_of(folder: Path, held: CacheEntry) -> Path:
    return folder / f"{held.entry_id}.parquet"


def keys_of(store: EntryStore) -> set[str]:
    return {entry.key.group.family for entry in store.holdings()}


def test_what_is_put_is_held_and_read(open_store, make_key, make_table, folder):
    store = open_store()
    before = store.epoch
    made = Lineage("rollup", "source", ("day", "store"), ("store -> region",))
    held = store.put(make_key(), make_table(), VERSION, made)
    assert held == CacheEntry(
        make_key(),
        held.entry_id,
        3,
        file_of(folder, held).stat().st_size,
        VERSION,
        ("store -> region",),
        2000000000.0,
    )
    assert store.epoch > before
    assert store.holdings().on(make_key().group) == (held,)
    assert store.read(held).equals(make_table())


def test_a_snapshot_never_changes(open_store, make_key, make_table):
    store = open_store()
    empty = store.holdings()
    store.put(make_key(), make_table(), VERSION, BACKEND)
    assert list(empty) == []
    assert store.holdings() is store.holdings()


def test_a_hot_read_touches_neither_disk_nor_manifest(open_store, make_key, make_table, folder):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    file_of(folder, held).unlink()
    with store._index._lock:
        reader = threading.Thread(target=store.read, args=(held,))
        reader.start()
        reader.join(timeout=60)
        assert not reader.is_alive()
    assert store.read(held).equals(make_table())


def test_entries_are_found_again(open_store, make_key, make_table, clock):
    store = open_store()
    made = Lineage("rollup", "source", ("day",), ("day -> month",))
    first = store.put(make_key("b"), make_table(1), VERSION, BACKEND)
    second = store.put(make_key("a", ("day", "region"), ("day > 3",)), make_table(2), (), made)
    records = store.records()
    store.close()
    again = open_store()
    assert list(again.holdings()) == [first, second]
    assert again.records() == records
    assert [record.lineage for record in records] == [BACKEND, made]
    assert again.read(first).equals(make_table(1))
    assert again.read(second).equals(make_table(2))
    assert again.damaged == 0


def test_the_manifest_names_the_bytes_of_the_file(open_store, make_key, make_table, folder):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    connection = sqlite3.connect(folder.parent / "manifest-1.sqlite")
    rows = connection.execute("SELECT entry_id, bytes, digest FROM entries").fetchall()
    connection.close()
    content = file_of(folder, held).read_bytes()
    digest = hashlib.blake2b(content, digest_size=32).digest()
    assert rows == [(held.entry_id, len(content), digest)]


def test_a_key_has_one_row_and_its_new_table(open_store, make_key, make_table):
    store = open_store()
    old = store.put(make_key(), make_table(1), VERSION, BACKEND)
    new = store.put(make_key(), make_table(2), (("sales", "v2"),), BACKEND)
    assert list(store.holdings()) == [new]
    assert [record.entry_id for record in store.records()] == [new.entry_id]
    assert old.entry_id != new.entry_id
    assert store.read(new).equals(make_table(2))


def test_a_superseded_file_can_be_read_until_its_grace_is_over(
    open_store, make_key, make_table, folder, clock
):
    store = open_store(hot_bytes=0)
    old = store.put(make_key(), make_table(1), VERSION, BACKEND)
    # Old as a file, but replaced only now: the grace counts from the replacement.
    os.utime(file_of(folder, old), (clock.now - 9999, clock.now - 9999))
    store.put(make_key(), make_table(2), VERSION, BACKEND)
    clock.now += 299
    assert store.collect() == CollectorReport()
    assert store.read(old).equals(make_table(1))
    clock.now += 2
    assert store.collect() == CollectorReport(superseded=1)
    with pytest.raises(EntryGone) as gone:
        store.read(old)
    assert gone.value.entry_id == old.entry_id
    assert store.damaged == 0
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("harm", ["missing", "cut", "changed", "empty"])
def test_a_damaged_file_drops_its_row_and_is_counted(
    open_store, make_key, make_table, folder, harm, capsys
):
    store = open_store(hot_bytes=0)
    kept = store.put(make_key("kept"), make_table(1), VERSION, BACKEND)
    held = store.put(make_key("lost"), make_table(2), VERSION, BACKEND)
    path = file_of(folder, held)
    content = path.read_bytes()
    path.unlink()
    if harm != "missing":
        new = {"cut": content[:-1], "changed": content[:-1] + b"\0", "empty": b""}[harm]
        path.write_bytes(new)
    before = store.epoch
    with pytest.raises(EntryGone):
        store.read(held)
    assert keys_of(store) == {"kept"}
    assert store.epoch > before
    assert store.damaged == 1
    assert held.entry_id in capsys.readouterr().out
    with pytest.raises(EntryGone):
        store.read(held)
    assert store.damaged == 1
    assert store.read(kept).equals(make_table(1))
    assert store.put(make_key("lost"), make_table(2), VERSION, BACKEND) is not None
    assert keys_of(store) == {"kept", "lost"}


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_file_damaged_while_nobody_looked_is_found_at_start(
    open_store, make_key, make_table, folder, harm
):
    store = open_store()
    store.put(make_key("kept"), make_table(1), VERSION, BACKEND)
    held = store.put(make_key("lost"), make_table(2), VERSION, BACKEND)
    store.close()
    path = file_of(folder, held)
    path.unlink() if harm == "missing" else path.write_bytes(b"PAR1")
    again = open_store()
    assert keys_of(again) == {"kept"}
    assert again.damaged == 1


def test_a_row_that_makes_no_sense_is_dropped_at_start(open_store, make_key, make_table, folder):
    store = open_store()
    for family in ("kept", "nonsense", "traversal"):
        store.put(make_key(family), make_table(), VERSION, BACKEND)
    store.close()
    stranger = folder.parent / "stranger.parquet"
    stranger.write_bytes(b"not ours")
    connection = sqlite3.connect(folder.parent / "manifest-1.sqlite")
    with connection:
        connection.execute("UPDATE entries SET made = '[]' WHERE key LIKE '%nonsense%'")
        connection.execute(
            "UPDATE entries SET entry_id = '../stranger' WHERE key LIKE '%traversal%'"
        )
    connection.close()
    again = open_store()
    assert keys_of(again) == {"kept"}
    assert again.damaged == 2
    assert stranger.exists()


def test_an_unreadable_file_is_gone_for_now_and_not_thrown_away(
    open_store, make_key, make_table, monkeypatch
):
    store = open_store(hot_bytes=0)
    held = store.put(make_key(), make_table(), VERSION, BACKEND)

    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EntryGone):
        store.read(held)
    monkeypatch.undo()
    assert store.read(held).equals(make_table())
    assert (store.damaged, store.counts().failures) == (0, 1)


def test_hits_are_counted_and_kept(open_store, make_key, make_table, clock):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    stored = clock.now
    for _ in range(3):
        clock.now += 10
        store.touch(held.entry_id)
    store.touch("nobody")
    store.close()
    (record,) = open_store().records()
    assert (record.hits, record.created, record.since) == (3, stored, stored)
    assert record.last_used == stored + 30


def test_hits_belong_to_the_key_and_outlive_its_table(open_store, make_key, make_table, clock):
    store = open_store()
    first = store.put(make_key(), make_table(), VERSION, BACKEND)
    since = clock.now
    store.touch(first.entry_id)
    clock.now += 100
    second = store.put(make_key(), make_table(1), VERSION, BACKEND)
    store.touch(second.entry_id)
    (record,) = store.records()
    assert (record.hits, record.since, record.created) == (2, since, since + 100)


def test_a_hit_writes_nothing_until_the_flush(open_store, make_key, make_table, folder):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    connection = sqlite3.connect(folder.parent / "manifest-1.sqlite", isolation_level=None)

    def changes() -> int:
        return connection.execute("PRAGMA data_version").fetchone()[0]

    before = changes()
    for _ in range(50):
        store.touch(held.entry_id)
    assert changes() == before
    store.flush()
    assert changes() != before
    assert connection.execute("SELECT hits FROM entries").fetchall() == [(50,)]
    connection.close()


@pytest.mark.parametrize("timing", [Timing(flush=0.02), Timing(flush=3600.0, flush_hits=5)])
def test_hits_are_flushed_by_time_and_by_number(open_store, make_key, make_table, folder, timing):
    store = open_store(timing=timing)
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    for _ in range(5):
        store.touch(held.entry_id)
    connection = sqlite3.connect(folder.parent / "manifest-1.sqlite", isolation_level=None)
    found, tick = 0, threading.Event()
    for _ in range(200):
        (found,) = connection.execute("SELECT hits FROM entries").fetchone()
        if found == 5:
            break
        tick.wait(0.02)
    connection.close()
    assert found == 5


def test_a_dropped_entry_is_gone(open_store, make_key, make_table, folder):
    store = open_store()
    kept, gone = (
        store.put(make_key(family), make_table(), VERSION, BACKEND) for family in ("kept", "gone")
    )
    stranger = folder.parent / "stranger.parquet"
    stranger.write_bytes(b"")
    before = store.epoch
    store.drop([gone.entry_id, "unknown", "../stranger"])
    assert store.epoch > before
    assert list(store.holdings()) == [kept]
    with pytest.raises(EntryGone):
        store.read(gone)
    assert sorted(folder.iterdir()) == [file_of(folder, kept)]
    assert stranger.exists()
    assert store.damaged == 0
    assert keys_of(open_store()) == {"kept"}


def test_the_collector_takes_what_a_crash_left_and_nothing_else(
    open_store, make_key, make_table, folder, clock
):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    digits = "0123456789abcdef" * 2
    ages = {
        f"{digits}-{'0' * 32}.parquet": 301,
        f"{digits}-{'1' * 32}.parquet": 299,
        f"{digits}-{'2' * 32}.tmp": 3601,
        f"{digits}-{'3' * 32}.tmp": 3599,
        "notes.txt": 9999,
    }
    for name, age in ages.items():
        (folder / name).write_bytes(b"left")
        os.utime(folder / name, (clock.now - age, clock.now - age))
    os.utime(file_of(folder, held), (1, 1))
    assert store.collect() == CollectorReport(temporaries=1, orphans=1)
    assert {path.name for path in folder.iterdir()} == {
        f"{held.entry_id}.parquet",
        f"{digits}-{'1' * 32}.parquet",
        f"{digits}-{'3' * 32}.tmp",
        "notes.txt",
    }
    clock.now += 10_000
    store.close()
    again = open_store()
    assert {path.name for path in folder.iterdir()} == {f"{held.entry_id}.parquet", "notes.txt"}
    assert again.read(held).equals(make_table())


def test_a_table_that_parquet_would_change_is_served_and_not_stored(open_store, make_key):
    store = open_store()
    table = pa.table({"moment": pa.array([1], pa.timestamp("s"))})
    assert store.put(make_key(), table, VERSION, BACKEND) is None
    assert list(store.holdings()) == []
    assert store.counts().unstored == 1


def test_a_closed_store_keeps_nothing_and_fails_nobody(open_store, make_key, make_table, folder):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    store.close()
    store.close()
    assert store.put(make_key("late"), make_table(), VERSION, BACKEND) is None
    assert store.read(held).equals(make_table())
    assert [path.name for path in folder.iterdir()] == [f"{held.entry_id}.parquet"]
