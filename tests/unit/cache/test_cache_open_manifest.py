"""Opening a folder: sound, damaged, older, newer, unusable."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flightframe_server.cache.manifest import SCHEMA_VERSION
from flightframe_server.cache.store import EntryGone, Lineage, Timing
from flightframe_server.errors import SetupError

VERSION = (("sales", "v1"),)
EMPTIED = 1
"""A format of which nothing is taken over."""


def manifests(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("manifest-*") if path.suffix == ".sqlite")


def filled(open_store, make_key, make_table, count: int = 30) -> Path:
    store = open_store()
    for number in range(count):
        assert store.put(make_key(f"f{number}"), make_table(number), VERSION, Lineage("backend"))
    store.close()
    return store._index._root


def set_version(root: Path, version: int) -> None:
    connection = sqlite3.connect(root / manifests(root)[-1], isolation_level=None)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def as_the_second_format(root: Path) -> None:
    """Make of a manifest what the version before wrote: no making times, nothing remembered."""
    connection = sqlite3.connect(root / manifests(root)[-1], isolation_level=None)
    connection.execute("ALTER TABLE entries DROP COLUMN seconds")
    connection.execute("DROP TABLE former")
    connection.execute("PRAGMA user_version = 2")
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entries'").fetchone()
    assert text.endswith("since REAL NOT NULL, last_used REAL NOT NULL, hits INTEGER NOT NULL)")
    connection.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"this was a database once. " * 400)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def torn_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 3] = b"\xa5" * (4096 * 2)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [garbage, cut, torn_page])
def test_a_damaged_manifest_is_set_aside_and_the_store_starts_empty(
    open_store, make_key, make_table, damage
):
    root = filled(open_store, make_key, make_table)
    damage(root / "manifest-1.sqlite")
    store = open_store()
    assert list(store.holdings()) == []
    assert manifests(root) == ["manifest-2.sqlite"]
    assert (root / "manifest-1.sqlite.aside").exists()
    held = store.put(make_key(), make_table(), VERSION, Lineage("backend"))
    assert store.read(held).equals(make_table())
    store.close()
    assert [entry.key for entry in open_store().holdings()] == [make_key()]


def test_damage_is_logged_and_only_the_last_manifest_aside_is_kept(
    open_store, make_key, make_table, capsys
):
    root = filled(open_store, make_key, make_table, 1)
    for number in (1, 2):
        garbage(root / f"manifest-{number}.sqlite")
        open_store().close()
    assert "cache_manifest_set_aside" in capsys.readouterr().out
    assert sorted(path.name for path in root.glob("*.aside")) == ["manifest-2.sqlite.aside"]


def test_the_name_of_a_manifest_aside_is_never_used_again(open_store, tmp_path):
    root = tmp_path / "cache"
    root.mkdir()
    for name in ("manifest-3.sqlite.aside", "manifest-3.sqlite-wal.aside"):
        (root / name).write_bytes(b"")
    open_store()
    assert manifests(root) == ["manifest-4.sqlite"]


def test_files_of_a_lost_manifest_are_orphans_and_go(open_store, make_key, make_table, clock):
    root = filled(open_store, make_key, make_table, 4)
    garbage(root / "manifest-1.sqlite")
    clock.now += 301
    open_store()
    assert list((root / "entries").iterdir()) == []


def test_a_manifest_damaged_while_it_is_open_costs_the_entries_and_no_query(
    open_store, make_key, make_table
):
    store = open_store(hot_bytes=0, timing=Timing(refresh=3600.0, flush=None))
    for number in range(30):
        store.put(make_key(f"f{number}"), make_table(number), VERSION, Lineage("backend"))
    path = store._index._root / "manifest-1.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    # A foreign change makes the store's connection let go of its own copies of the pages.
    other.execute("UPDATE entries SET hits = 1")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    garbage(path)
    before = store.epoch
    assert store.put(make_key(), make_table(), VERSION, Lineage("backend")) is None
    assert list(store.holdings()) == []
    assert store.epoch > before
    again = store.put(make_key(), make_table(1), VERSION, Lineage("backend"))
    assert store.read(again).equals(make_table(1))
    assert (store.counts().failures, store.counts().unstored) == (1, 1)


def test_a_store_of_an_older_format_is_emptied_once_with_one_line(
    open_store, make_key, make_table, capsys
):
    root = filled(open_store, make_key, make_table, 3)
    set_version(root, EMPTIED)
    (root / "entries" / "notes.txt").write_text("a stranger's")
    capsys.readouterr()
    store = open_store()
    assert list(store.holdings()) == []
    assert [path.name for path in (root / "entries").iterdir()] == ["notes.txt"]
    assert manifests(root) == ["manifest-2.sqlite"]
    assert list(root.glob("*.aside")) == []
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert all(word in lines[0] for word in ("cache_emptied", "files=3", "format=1"))
    held = store.put(make_key(), make_table(), VERSION, Lineage("backend"))
    store.close()
    again = open_store()
    assert list(again.holdings()) == [held]
    assert again.read(held).equals(make_table())
    assert capsys.readouterr().out == ""


def test_a_store_of_the_second_format_keeps_its_entries_and_their_hits(
    open_store, make_key, make_table, clock, capsys
):
    store = open_store()
    held = store.put(make_key(), make_table(), VERSION, Lineage("backend"), seconds=1.5)
    store.touch(held.entry_id)
    store.close()
    root = store._index._root
    as_the_second_format(root)
    capsys.readouterr()
    again = open_store()
    assert capsys.readouterr().out == ""
    assert list(again.holdings()) == [held]
    assert again.read(held).equals(make_table())
    (record,) = again.records()
    assert (record.hits, record.since, record.seconds) == (1, clock.now, None)
    newer = again.put(make_key("cost"), make_table(1), VERSION, Lineage("backend"), seconds=0.25)
    again.drop([held.entry_id])
    again.close()
    last = open_store()
    assert [record.seconds for record in last.records()] == [0.25]
    assert list(last.holdings()) == [newer]
    assert [gone.key for gone in last.former()] == [make_key()]
    assert manifests(root) == ["manifest-1.sqlite"]


def test_a_process_of_the_second_format_goes_on_beside_a_migrated_store(
    open_store, make_key, make_table
):
    root = filled(open_store, make_key, make_table, 2)
    as_the_second_format(root)
    older = sqlite3.connect(root / manifests(root)[-1], isolation_level=None)
    older.execute("SELECT count(*) FROM entries").fetchall()
    store = open_store()
    older.execute("UPDATE entries SET hits = hits + 7")
    older.close()
    assert [(record.hits, record.seconds) for record in store.records()] == [(7, None)] * 2


@pytest.mark.parametrize("missing", ["former", "seconds"])
def test_a_manifest_that_is_not_what_its_number_says_is_set_aside(
    open_store, make_key, make_table, missing
):
    root = filled(open_store, make_key, make_table, 1)
    connection = sqlite3.connect(root / manifests(root)[-1], isolation_level=None)
    if missing == "seconds":
        connection.execute("ALTER TABLE entries DROP COLUMN seconds")
    else:
        connection.execute("DROP TABLE former")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    assert list(open_store().holdings()) == []
    assert [path.name for path in root.glob("*.sqlite.aside")] == ["manifest-1.sqlite.aside"]


def test_a_manifest_as_the_first_format_wrote_it_is_emptied(open_store, tmp_path):
    root = tmp_path / "cache"
    root.mkdir()
    connection = sqlite3.connect(root / "manifest-1.sqlite", isolation_level=None)
    connection.execute("CREATE TABLE entries (key TEXT, entry_id TEXT, bytes INTEGER)")
    connection.execute("INSERT INTO entries VALUES ('{}', 'x', 1)")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert list(open_store().holdings()) == []
    assert manifests(root) == ["manifest-2.sqlite"]


def test_whoever_has_an_emptied_store_open_goes_on_without_it(open_store, make_key, make_table):
    older = open_store(hot_bytes=0)
    held = older.put(make_key(), make_table(), VERSION, Lineage("backend"))
    set_version(older._index._root, EMPTIED)
    newer = open_store()
    assert list(newer.holdings()) == []
    with pytest.raises(EntryGone):
        older.read(held)
    again = newer.put(make_key(), make_table(1), VERSION, Lineage("backend"))
    assert list(older.holdings()) == [again]
    assert older.read(again).equals(make_table(1))


def test_a_newer_schema_is_left_alone(open_store, make_key, make_table):
    root = filled(open_store, make_key, make_table, 2)
    set_version(root, SCHEMA_VERSION + 1)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(SetupError, match="newer version") as caught:
        open_store()
    assert str(root) not in str(caught.value)
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert {path: after.get(path) for path in before} == before


@pytest.mark.parametrize("inside", ["", "entries"])
def test_a_folder_that_is_a_file_is_a_setup_error(open_store, tmp_path, inside):
    place = tmp_path / "cache" / inside
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("in the way")
    with pytest.raises(SetupError) as caught:
        open_store()
    assert str(tmp_path) not in str(caught.value)
    assert "cache" in caught.value.message


def test_a_folder_that_cannot_be_made_is_a_setup_error(open_store):
    with pytest.raises(SetupError) as caught:
        open_store(root=Path("/proc/flightframe-cache"))
    assert "/proc" not in str(caught.value)


def test_an_emptied_folder_is_noticed_by_whoever_has_it_open(open_store, make_key, make_table):
    store = open_store(hot_bytes=0)
    store.put(make_key(), make_table(), VERSION, Lineage("backend"))
    for path in sorted(store._index._root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert list(store.holdings()) == []
    held = store.put(make_key(), make_table(), VERSION, Lineage("backend"))
    assert store.read(held).equals(make_table())
