"""Many threads on one store, and several stores on one folder."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.files import EntryFiles
from flightframe_server.cache.store import EntryGone, EntryStore, Lineage, Timing
from flightframe_server.planner.identity import EntryGroup, EntryKey

VERSION = (("sales", "v1"),)
BACKEND = Lineage("backend")


@pytest.mark.slow
def test_threads_that_put_one_key_leave_one_row_and_whole_files(
    open_store, make_key, make_table, clock, tmp_path
):
    store = open_store(timing=Timing(refresh=0.0, flush=0.01))
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for step in range(15):
            table = make_table(number * 100 + step)
            held = store.put(make_key("shared"), table, VERSION, BACKEND)
            store.touch(held.entry_id)
            assert store.read(held).equals(table)
            own = store.put(make_key(f"own{number}"), table, VERSION, BACKEND)
            assert own in list(store.holdings())
            assert len(store.holdings().on(make_key("shared").group)) == 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, number) for number in range(8)]:
            done.result()
    families = [record.key.group.family for record in store.records()]
    assert sorted(families) == sorted(["shared", *(f"own{number}" for number in range(8))])
    assert store.counts().failures == store.damaged == 0
    clock.now += 9999
    assert store.collect().superseded == 2 * 8 * 15 - 9
    assert len(list((tmp_path / "cache" / "entries").iterdir())) == 9
    store.close()
    again = open_store(hot_bytes=0)
    for entry in again.holdings():
        again.read(entry)
    assert len(list(again.holdings())) == 9


@pytest.mark.slow
def test_threads_read_while_others_evict(open_store, make_key, make_table, tmp_path):
    probe = open_store(root=tmp_path / "probe")
    one = probe.put(make_key(), make_table(), VERSION, BACKEND).bytes
    store = open_store(max_bytes=4 * one, hot_bytes=0)
    stop, gone, right = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            for entry in store.holdings():
                number = int(entry.key.group.family[1:])
                try:
                    assert store.read(entry).equals(make_table(number))
                    right.append(number)
                except EntryGone as signal:
                    gone.append(signal.entry_id)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(120):
            store.put(make_key(f"f{number}"), make_table(number), VERSION, BACKEND)
        stop.set()
        for reader in readers:
            reader.result()
    assert right
    assert store.damaged == 0, "an entry that was evicted is no damaged one"
    left = list(store.holdings())
    assert store.counts().evicted == 120 - len(left) > 100
    assert sum(entry.bytes for entry in left) <= 4 * one


def test_another_store_sees_puts_and_drops(open_store, make_key, make_table):
    one, other = open_store(), open_store()
    before = other.epoch
    held = one.put(make_key(), make_table(), VERSION, BACKEND)
    assert list(other.holdings()) == [held]
    assert other.epoch > before
    assert other.read(held).equals(make_table())
    newer = one.put(make_key(), make_table(1), VERSION, BACKEND)
    assert list(other.holdings()) == [newer]
    one.drop([newer.entry_id])
    assert list(other.holdings()) == []
    with pytest.raises(EntryGone):
        other.read(newer)
    assert other.damaged == 0


def test_changes_are_looked_for_now_and_then_or_when_told(open_store, make_key, make_table):
    one, other = open_store(), open_store(timing=Timing(refresh=3600.0, flush=None))
    held = one.put(make_key(), make_table(), VERSION, BACKEND)
    assert list(other.holdings()) == []
    assert other.refresh() is True
    assert list(other.holdings()) == [held]
    assert other.refresh() is False


def test_a_snapshot_waits_for_nobody(open_store, make_key, make_table):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, BACKEND)
    seen: list[object] = []
    with store._index._lock:
        asking = threading.Thread(target=lambda: seen.extend(store.holdings()))
        asking.start()
        asking.join(timeout=60)
        assert seen == [held]


def test_an_entry_that_another_store_evicted_is_gone(open_store, make_key, make_table):
    one = open_store()
    held = one.put(make_key(), make_table(), VERSION, BACKEND)
    other = open_store(timing=Timing(refresh=3600.0, flush=None), hot_bytes=0)
    one.drop([held.entry_id])
    with pytest.raises(EntryGone):
        other.read(held)
    assert list(other.holdings()) == []
    assert other.damaged == 0


def test_a_file_that_a_collector_took_before_its_row_came_gets_no_row(
    open_store, make_key, make_table, monkeypatch
):
    store = open_store()
    really_write = EntryFiles.write

    def write_and_lose(self, *arguments):
        written = really_write(self, *arguments)
        self.remove((written.entry_id,))
        return written

    monkeypatch.setattr(EntryFiles, "write", write_and_lose)
    assert store.put(make_key(), make_table(), VERSION, BACKEND) is None
    assert list(store.holdings()) == store.records() == []


def test_an_entry_of_another_store_is_read_before_the_next_refresh(
    open_store, make_key, make_table
):
    other = open_store(timing=Timing(refresh=3600.0, flush=None))
    held = open_store().put(make_key(), make_table(), VERSION, BACKEND)
    assert other.read(held).equals(make_table())


def put_one_key(root: str, number: int) -> None:
    group = EntryGroup("c0ffee", "duckdb", Domain.METRIC, "shared", Operator("SUM"))
    with EntryStore(Path(root), max_bytes=1 << 30) as store:
        for step in range(15):
            table = pa.table({"value": [number, step]})
            held = store.put(EntryKey(group, ("day",)), table, VERSION, BACKEND)
            assert held is not None
            assert store.read(held).equals(table)


@pytest.mark.slow
def test_processes_that_open_and_put_one_key_at_once_leave_one_row(open_store, tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=put_one_key, args=(str(tmp_path / "cache"), number))
        for number in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = open_store(hot_bytes=0, clock=time.time)
    (entry,) = store.holdings()
    assert store.read(entry)["value"].to_pylist()[1] == 14
    assert store.damaged == 0
    assert len(list((tmp_path / "cache" / "entries").iterdir())) == 3 * 15
