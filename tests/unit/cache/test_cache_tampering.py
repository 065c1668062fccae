"""A folder that others wrote to: what makes no sense is dropped, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from flightframe_server.cache.canonical import key_hash, key_text
from flightframe_server.cache.rows import _cost, _seal, group_hash
from flightframe_server.cache.store import EntryGone, EntryStore, Lineage, Timing
from flightframe_server.errors import SetupError

VERSION = (("sales", "v1"),)
OTHER = (("sales", "v2"),)
BACKEND = Lineage("backend")
NAME = "manifest-1.sqlite"


@pytest.fixture
def root(open_store, make_key, make_table, tmp_path) -> Path:
    """A store with three entries, closed."""
    store = open_store()
    for number, family in enumerate(("a", "b", "c")):
        version = OTHER if family == "c" else VERSION
        assert store.put(make_key(family), make_table(number), version, BACKEND)
    store.close()
    return tmp_path / "cache"


def keys_of(store: EntryStore) -> set[str]:
    return {entry.key.group.family for entry in store.holdings()}


def execute(root: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(root / NAME, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement, values)


def goes_on(store: EntryStore, make_key: Callable, make_table: Callable) -> None:
    """Every kind of work still does what it says."""
    held = store.put(make_key("a"), make_table(7), VERSION, BACKEND)
    assert store.read(held).equals(make_table(7))
    store.touch(held.entry_id)
    store.set_pinned([make_key("a")])
    store.collect()
    (record,) = [record for record in store.records() if record.key == make_key("a")]
    assert record.pinned


ALTERED = {
    "key": ["", "{}", "[]", "null", "5", '"SUM"', "[" * 5000, "\ud83d".join("ab")],
    "entry_id": ["../../stranger", "", "x", 7, b"\xff\xfe", None],
    "version": ["", "5", "[]", '[["sales","v2"]]', '[["sales",2]]', '{"sales":"v1"}'],
    "made": ["[]", "{}", '{"route":5,"source_entry":null,"source_anchor":null,"edges":[]}'],
    "rows": [-1, "many", 2**62, 1.5, b"\0", None],
    "bytes": [-1, 0, 2**62, "few"],
    "cost": [-(2**62), 0, 2**62, "nothing"],
    "digest": [b"", "text", b"\0" * 32],
    "created": ["yesterday", 9e999, -1.0],
    "since": ["yesterday", 9e999],
    "last_used": ["yesterday", 9e999, b"now"],
    "hits": [-5, "none"],
    "filtered": [1, "yes"],
    "shelf": ["", "other"],
    "key_hash": ["", "0" * 32],
    "seal": [b"", "seal", b"\0" * 16],
}
CASES = [(column, value) for column, values in ALTERED.items() for value in values]


@pytest.mark.parametrize(("column", "value"), CASES)
def test_an_altered_row_is_dropped_at_start_and_no_other(
    root, open_store, make_key, make_table, column, value, capsys
):
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
        bound = "CAST(? AS TEXT)"
    else:
        bound = "?"
    if value is None:
        with pytest.raises(sqlite3.IntegrityError):
            execute(root, f"UPDATE entries SET {column} = NULL")
        return
    before = (root / "entries").parent.parent / "stranger.parquet"
    before.write_bytes(b"not ours")
    execute(
        root, f"UPDATE entries SET {column} = {bound} WHERE key LIKE '%\"b\"%'", values=(value,)
    )
    capsys.readouterr()
    store = open_store()
    assert keys_of(store) == {"a", "c"}
    assert store.damaged == 1
    assert capsys.readouterr().out.count("cache_entry_damaged") == 1
    goes_on(store, make_key, make_table)
    assert before.exists()
    store.close()
    again = open_store()
    assert (keys_of(again), again.damaged) == ({"a", "c"}, 0)


def test_an_entry_under_the_key_or_version_of_another_is_not_served(root, open_store):
    """The file is whole, and the row is well formed: only the two do not belong together."""
    swap = "SELECT {0} FROM entries WHERE key LIKE '%\"{1}\"%'"
    with closing(sqlite3.connect(root / NAME, isolation_level=None)) as connection:
        (version,) = connection.execute(swap.format("version", "c")).fetchone()
        file = connection.execute(swap.format("entry_id, bytes, digest", "c")).fetchone()
        connection.execute("DELETE FROM entries WHERE key LIKE '%\"c\"%'")
        connection.execute("UPDATE entries SET version = ? WHERE key LIKE '%\"a\"%'", (version,))
        connection.execute(
            "UPDATE entries SET entry_id = ?, bytes = ?, digest = ? WHERE key LIKE '%\"b\"%'", file
        )
    assert keys_of(open_store()) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"operator": "NONSENSE"},
        {"operator": None},
        {"domain": "NOWHERE"},
        {"anchor": "day"},
        {"anchor": [1]},
        {"filter": {"a": 1}},
        {"collection": "another"},
        {"family": ["a"]},
        {"arguments": [None]},
    ],
)
def test_a_row_that_was_sealed_again_fails_nobody_and_answers_nothing(
    root, open_store, make_key, make_table, change
):
    """Whoever forges the seal as well can still not make the server stumble."""
    with closing(sqlite3.connect(root / NAME, isolation_level=None)) as connection:
        columns = "key, rows, bytes, digest, version, made, created"
        found = connection.execute(f"SELECT {columns} FROM entries WHERE key LIKE '%\"b\"%'")
        old, rows, size, digest, version, made, created = found.fetchone()
        text = json.dumps({**json.loads(old), **change}, sort_keys=True, separators=(",", ":"))
        entry_id = f"{key_hash(text)}-{'0' * 32}"
        seal = _seal(text, entry_id, rows, size, digest, version, made, created)
        group = group_hash(make_key("b").group)
        connection.execute(
            """UPDATE entries SET key = ?, key_hash = ?, entry_id = ?, seal = ?, shelf = ?, cost = ?
            WHERE key = ?""",
            (text, key_hash(text), entry_id, seal, group, _cost(size, text, version, made), old),
        )
    (path,) = (root / "entries").glob(f"{key_hash(key_text(make_key('b')))}-*")
    path.rename(root / "entries" / f"{entry_id}.parquet")
    store = open_store()
    assert {"a", "c"} == keys_of(store)
    assert store.holdings().on(make_key("b").group) == ()
    goes_on(store, make_key, make_table)


def test_other_tables_than_the_manifests_are_read_with_the_same_suspicion(
    root, open_store, make_key, make_table, tmp_path
):
    outside = tmp_path / "outside.parquet"
    outside.write_bytes(b"not ours")
    rows = [
        ("../../outside", 5, 5, b"", 1.0),
        ("x", -(2**62), 1, b"", 1.0),
        (b"\xff", 1, 1, b"", 0.0),
    ]
    with closing(sqlite3.connect(root / NAME, isolation_level=None)) as connection:
        connection.executemany(
            """INSERT INTO superseded (entry_id, bytes, cost, digest, moment)
            VALUES (?, ?, ?, ?, ?)""",
            rows,
        )
        connection.execute("INSERT INTO pins VALUES ('nobody'), (CAST(x'ff' AS TEXT))")
        connection.execute("UPDATE ledger SET total = 'much', entries = -7")
    store = open_store()
    assert keys_of(store) == {"a", "b", "c"}
    goes_on(store, make_key, make_table)
    assert outside.exists()
    with closing(sqlite3.connect(root / NAME)) as connection:
        (left,) = connection.execute(
            "SELECT count(*) FROM superseded WHERE entry_id IN ('../../outside', 'x')"
        ).fetchone()
        costs = "SELECT cost, 1 AS n FROM entries UNION ALL SELECT cost, 0 FROM superseded"
        assert connection.execute(f"SELECT SUM(cost), SUM(n) FROM ({costs})").fetchone() == (
            connection.execute("SELECT total, entries FROM ledger").fetchone()
        )
    assert left == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET last_used = 'never', bytes = 'x', hits = 'y', since = 'z'",
        "UPDATE entries SET entry_id = CAST(number AS BLOB)",
        "UPDATE entries SET entry_id = '../../outside' WHERE number = 1",
        "UPDATE entries SET cost = 'free', key = '{}'",
        "UPDATE ledger SET total = 'much', entries = NULL",
        "DELETE FROM ledger",
        "UPDATE superseded SET entry_id = '../../outside', moment = 0.0",
        "INSERT INTO entries SELECT number + 100, hex(key_hash), hex(entry_id), shelf, filtered,"
        " '[]', rows, bytes, cost, digest, version, made, created, seal, since, last_used, hits,"
        " seconds FROM entries",
    ],
)
def test_a_store_that_is_altered_while_it_is_open_fails_no_query(
    root, open_store, make_key, make_table, tmp_path, statement
):
    outside = tmp_path / "outside.parquet"
    outside.write_bytes(b"not ours")
    store = open_store(hot_bytes=0, max_bytes=30_000)
    store.put(make_key("a"), make_table(5), VERSION, BACKEND)
    try:
        execute(root, statement)
    except sqlite3.IntegrityError:
        assert "NULL" in statement
    for number in range(12):
        held = store.put(make_key(f"f{number}"), make_table(number), VERSION, BACKEND)
        if held is not None:
            assert store.read(held).equals(make_table(number))
        for entry in store.holdings():
            try:
                store.read(entry)
            except EntryGone:
                continue
        store.touch("nobody")
        store.collect()
        store.records()
    assert outside.exists()
    store.close()
    goes_on(open_store(), make_key, make_table)


def file_of(root: Path, key: object) -> Path:
    (path,) = (root / "entries").glob(f"{key_hash(key_text(key))}-*.parquet")
    return path


def replaced(path: Path, thing: str) -> None:
    """Put something else in the place of a file; a link leads to the very content."""
    aside = path.rename(path.with_name("aside"))
    if thing == "pipe":
        os.mkfifo(path)
    elif thing == "link":
        path.symlink_to(aside)
    elif thing == "loop":
        path.symlink_to(path)
    else:
        path.mkdir()
        (path / "inside").write_bytes(b"")


THINGS = ["pipe", "link", "loop", "folder"]


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("when", ["at start", "while open"])
def test_what_is_no_file_is_never_waited_for_nor_followed(
    root, open_store, make_key, make_table, thing, when
):
    store = open_store(hot_bytes=0)
    (entry,) = [held for held in store.holdings() if held.key == make_key("b")]
    if when == "at start":
        store.close()
    replaced(file_of(root, make_key("b")), thing)
    if when == "at start":
        store = open_store(hot_bytes=0)
    else:
        with pytest.raises(EntryGone):
            store.read(entry)
    assert keys_of(store) == {"a", "c"}
    assert store.damaged == 1
    goes_on(store, make_key, make_table)
    assert store.put(make_key("b"), make_table(1), VERSION, BACKEND) is not None


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", [NAME, NAME + "-wal", "manifest.lock"])
def test_a_manifest_that_is_no_file_is_set_aside(
    root, open_store, make_key, make_table, thing, name, capsys
):
    path = root / name
    path.touch()
    replaced(path, thing)
    if (name, thing) == ("manifest.lock", "folder"):
        with pytest.raises(SetupError):
            open_store()
        return
    store = open_store()
    if name == "manifest.lock":
        assert keys_of(store) == {"a", "b", "c"}
    else:
        assert keys_of(store) == set()
        assert "cache_manifest_set_aside" in capsys.readouterr().out
    goes_on(store, make_key, make_table)
    store.close()
    assert "a" in keys_of(open_store())


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE ledger",
        "DROP TRIGGER entries_INSERT",
        "DROP INDEX entries_by_use",
        "ALTER TABLE entries ADD COLUMN more TEXT",
        "CREATE TRIGGER evil AFTER INSERT ON entries BEGIN DELETE FROM entries; END",
        "CREATE VIEW more AS SELECT 1",
    ],
)
def test_a_manifest_with_other_tables_is_set_aside(
    root, open_store, make_key, make_table, statement, capsys
):
    execute(root, statement)
    store = open_store()
    assert keys_of(store) == set()
    assert "other tables" in capsys.readouterr().out
    goes_on(store, make_key, make_table)


def test_a_manifest_that_cannot_be_written_is_refused_and_kept(
    root, open_store, make_key, make_table, monkeypatch
):
    really = sqlite3.connect

    def connect(path: Path, **how: object) -> sqlite3.Connection:
        if path == root / NAME:
            return really(f"file:{path}?mode=ro", uri=True, **how)
        return really(path, **how)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        with pytest.raises(SetupError, match="the cache folder cannot be used"):
            open_store()
    goes_on(open_store(), make_key, make_table)


def test_another_store_put_in_the_place_of_an_open_one_is_noticed(
    root, open_store, make_key, make_table, tmp_path
):
    store = open_store(hot_bytes=0)
    other = open_store(root=tmp_path / "other")
    held = other.put(make_key("z"), make_table(9), VERSION, BACKEND)
    other.close()
    shutil.copyfile(
        tmp_path / "other" / "entries" / f"{held.entry_id}.parquet",
        root / "entries" / f"{held.entry_id}.parquet",
    )
    os.replace(tmp_path / "other" / NAME, root / NAME)
    assert keys_of(store) == {"z"}
    assert store.read(held).equals(make_table(9))


def test_rows_of_another_process_that_make_no_sense_are_not_looked_at_twice(
    root, open_store, make_key, make_table
):
    store = open_store(timing=Timing(refresh=0.0, flush=None))
    execute(
        root,
        """INSERT INTO entries SELECT number + 100, hex(key_hash), replace(entry_id, '-0', '-1'),
        shelf, filtered, '[]', rows, bytes, cost, digest, version, made, created, seal, since,
        last_used, hits, seconds FROM entries WHERE entry_id LIKE '%-0%'""",
    )
    epoch = store.epoch
    assert keys_of(store) == {"a", "b", "c"}
    assert store.epoch == epoch
