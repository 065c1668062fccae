"""A disk that refuses: the answer is served, it is only not stored."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flightframe_server.cache.store import Lineage, Timing

VERSION = (("sales", "v1"),)
BACKEND = Lineage("backend")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system itself refuse to write files past `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [100, 4096])
def test_a_full_disk_fails_no_query_and_leaves_nothing(
    open_store, make_key, make_table, tmp_path, size
):
    store = open_store()
    kept = store.put(make_key("kept"), make_table(), VERSION, BACKEND)
    with largest_file(size):
        assert store.put(make_key(), make_table(rows=5000), VERSION, BACKEND) is None
    assert store.counts().unstored == 1
    assert store.counts().failures >= 1
    files = [path.name for path in (tmp_path / "cache" / "entries").iterdir()]
    assert files == [f"{kept.entry_id}.parquet"]
    assert list(store.holdings()) == [kept]
    assert store.put(make_key(), make_table(rows=5000), VERSION, BACKEND) is not None


def test_a_manifest_that_cannot_be_written_fails_no_query(
    open_store, make_key, make_table, tmp_path
):
    store = open_store()
    kept = store.put(make_key("kept"), make_table(), VERSION, BACKEND)
    wal = (tmp_path / "cache" / "manifest-1.sqlite-wal").stat().st_size
    assert kept.bytes < wal, "else the file would be refused, not the manifest"
    with largest_file(wal):
        assert store.put(make_key(), make_table(), VERSION, BACKEND) is None
        store.touch(kept.entry_id)
        store.flush()
        store.set_pinned([make_key("kept")])
        store.drop(["unknown"])
    files = [path.name for path in (tmp_path / "cache" / "entries").iterdir()]
    assert files == [f"{kept.entry_id}.parquet"]
    (record,) = store.records()
    assert (record.hits, record.pinned) == (1, False), "the hit waited for the next flush"
    assert store.counts().unstored == 1


def test_a_manifest_that_somebody_holds_too_long_fails_no_query(
    open_store, make_key, make_table, tmp_path
):
    store = open_store(timing=Timing(flush=None, busy=0.05))
    other = sqlite3.connect(tmp_path / "cache" / "manifest-1.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.put(make_key(), make_table(), VERSION, BACKEND) is None
    assert list(store.holdings()) == []
    other.execute("ROLLBACK")
    other.close()
    assert store.put(make_key(), make_table(), VERSION, BACKEND) is not None
    assert store.counts().failures == 1
