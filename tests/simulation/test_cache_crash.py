"""Does the cache survive `kill -9`? Writers are killed while a reader reads beside them.

Run as a program, this file is one of the processes to be killed. `FLIGHTFRAME_SEED` repeats the
choices of a run; what the scheduler chooses is not repeated.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.files import EntryFiles
from flightframe_server.cache.manifest import Manifest
from flightframe_server.cache.rows import Row
from flightframe_server.cache.store import EntryGone, EntryStore, Lineage, Timing
from flightframe_server.planner.identity import EntryGroup, EntryKey

KEYS = 8
ROUNDS = 4
BUDGET = 60_000
PATIENCE = 20.0
VERSION = (("sales", "v1"),)
NO_THREAD = Timing(refresh=0.02, flush=None)


def key_of(number: int) -> EntryKey:
    return EntryKey(
        EntryGroup("c0ffee", "duckdb", Domain.METRIC, f"f{number}", Operator("SUM")), ()
    )


def table_of(number: int, stamp: int) -> pa.Table:
    """A table that tells, from its own values, whether it is whole and whose it is."""
    rows = 20 + (number * 31 + stamp * 7) % 200
    values = [(number * 1_000_003 + stamp * 7919 + row * row) % 2**31 for row in range(rows)]
    return pa.table({"number": [number] * rows, "stamp": [stamp] * rows, "value": values})


def is_right(key: EntryKey, table: pa.Table) -> bool:
    number, stamp = (table.column(name)[0].as_py() for name in ("number", "stamp"))
    return key == key_of(number) and table.equals(table_of(number, stamp))


def write_until_killed(root: Path, progress: Path, seed: int) -> None:
    """Put, hit, drop and collect; one byte of `progress` per put that returned."""
    chance = random.Random(seed)
    descriptor = os.open(progress, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.stdin.readline()
    store = EntryStore(root, max_bytes=BUDGET, timing=NO_THREAD)
    parent = os.getppid()
    while os.getppid() == parent:
        number, stamp = chance.randrange(KEYS), chance.randrange(10**6)
        held = store.put(key_of(number), table_of(number, stamp), VERSION, Lineage("backend"))
        if held is not None:
            os.write(descriptor, b".")
            store.touch(held.entry_id)
        if chance.random() < 0.05:
            store.drop([entry.entry_id for entry in store.holdings()][:1])
        if chance.random() < 0.05:
            store.collect()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write_once_and_die(root: Path, point: str) -> None:
    """Put a second table under key 0 and die at a named point of the way."""
    really_rename, really_insert = Path.rename, Manifest.insert
    connection = sqlite3.connect(root / "manifest-1.sqlite")
    (cost,) = connection.execute("SELECT total FROM ledger").fetchone()
    connection.close()
    # Room for one of the two tables, where the point is the removal of the other.
    budget = cost * 5 // 4 if point == "before removal" else 1 << 20
    store = EntryStore(root, max_bytes=budget, timing=NO_THREAD)

    def rename_and_die(self: Path, target: Path) -> None:
        if point == "after rename":
            really_rename(self, target)
        die()

    def insert_and_die(self: Manifest, row: Row) -> None:
        if point == "after insert":
            really_insert(self, row)
        die()

    if point == "before sync":
        os.fsync = lambda _: die()
    elif point in ("before rename", "after rename"):
        Path.rename = rename_and_die
    elif point in ("before insert", "after insert"):
        Manifest.insert = insert_and_die
    elif point == "before removal":
        EntryFiles.remove = lambda *_: die()
    store.put(key_of(0), table_of(0, 2), VERSION, Lineage("backend"))
    if point == "after put":
        die()
    store.sync()


@contextmanager
def processes(*arguments: list[str]) -> Iterator[list[subprocess.Popen]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = [
        subprocess.Popen(
            [sys.executable, __file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        for words in arguments
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.stdin.close()
            process.wait()


class Reader(threading.Thread):
    """Reads whatever is held, from disk, and notes what it saw."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.store = EntryStore(root, max_bytes=BUDGET, hot_bytes=0, timing=NO_THREAD)
        self.right, self.gone, self.wrong = 0, 0, []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(0.001):
            for entry in self.store.holdings():
                try:
                    table = self.store.read(entry)
                except EntryGone:
                    self.gone += 1
                    continue
                if is_right(entry.key, table) and table.num_rows == entry.rows:
                    self.right += 1
                else:
                    self.wrong.append(entry.entry_id)


def written(progress: Path) -> int:
    return progress.stat().st_size if progress.exists() else 0


def kill_when(process: subprocess.Popen, progress: Path, puts: int, later: float) -> None:
    """Kill a writer some moments after it has made so many puts."""
    tick, patience = threading.Event(), time.monotonic() + PATIENCE
    while written(progress) < puts and process.poll() is None and time.monotonic() < patience:
        tick.wait(0.0005)
    tick.wait(later)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it was to be killed, not to end by itself"


def files_named_by_rows(root: Path) -> tuple[set[str], set[str]]:
    """What the manifest says, asked for without the store: entries and superseded files."""
    connection = sqlite3.connect(root / "manifest-1.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    entries = {f"{name}.parquet" for (name,) in connection.execute("SELECT entry_id FROM entries")}
    old = {f"{name}.parquet" for (name,) in connection.execute("SELECT entry_id FROM superseded")}
    ledger = connection.execute("SELECT total, entries FROM ledger").fetchone()
    costs = "SELECT cost, 1 AS entry FROM entries UNION ALL SELECT cost, 0 FROM superseded"
    sums = f"SELECT TOTAL(cost), TOTAL(entry) FROM ({costs})"
    assert connection.execute(sums).fetchone() == ledger
    connection.close()
    return entries, old


def test_killed_writers_leave_every_row_readable_and_at_worst_orphans(tmp_path):
    seed = int(os.environ.get("FLIGHTFRAME_SEED", random.randrange(10**9)))
    print(f"FLIGHTFRAME_SEED={seed}")
    chance, root = random.Random(seed), tmp_path / "cache"
    logs = [tmp_path / f"progress{number}" for number in range(2 * ROUNDS)]
    words = [["write", str(root), str(log), str(chance.randrange(10**9))] for log in logs]
    reader = Reader(root)
    reader.start()
    try:
        with processes(*words) as writers:
            for first in range(0, 2 * ROUNDS, 2):
                pair = list(zip(writers[first : first + 2], logs[first : first + 2], strict=True))
                for process, _ in pair:
                    process.stdin.write(b"go\n")
                    process.stdin.flush()
                for process, log in pair:
                    kill_when(process, log, chance.randrange(60), chance.random() * 0.004)
    finally:
        reader.stop.set()
        reader.join()
    reader.store.close()

    puts = [written(log) for log in logs]
    print(f"puts {puts}, reads {reader.right} right, {reader.gone} gone")
    assert sum(puts) >= 100
    assert sum(count > 0 for count in puts) >= ROUNDS
    assert reader.right >= 50
    assert (reader.wrong, reader.store.damaged) == ([], 0)

    entries, superseded = files_named_by_rows(root)
    present = {path.name for path in (root / "entries").iterdir()}
    assert entries <= present
    assert entries
    assert sum((root / "entries" / name).stat().st_size for name in entries | superseded) <= BUDGET

    with EntryStore(root, max_bytes=BUDGET, hot_bytes=0, timing=NO_THREAD) as store:
        held = list(store.holdings())
        assert {f"{entry.entry_id}.parquet" for entry in held} == entries
        assert all(is_right(entry.key, store.read(entry)) for entry in held)
        assert len({entry.key for entry in held}) == len(held)
        assert store.damaged == 0

    left = present - entries
    print(f"left behind: {len(left & superseded)} superseded, {len(left - superseded)} orphans")
    assert left, "a run that leaves nothing behind has not tried the collector"
    tomorrow = EntryStore(
        root, max_bytes=BUDGET, hot_bytes=0, timing=NO_THREAD, clock=lambda: time.time() + 86_400
    )
    with tomorrow as store:
        assert {path.name for path in (root / "entries").iterdir()} == entries
        assert all(is_right(entry.key, store.read(entry)) for entry in held)


POINTS = {
    "before rename": (1, ".tmp"),
    "after rename": (1, ".parquet"),
    "before insert": (1, ".parquet"),
    "after insert": (1, ".parquet"),
    "before removal": (2, ".parquet"),
    "after put": (2, ".parquet"),
    "before sync": (2, ".parquet"),
}


def test_a_death_at_each_point_leaves_the_old_table_or_the_new_one(tmp_path):
    roots = {point: tmp_path / point.replace(" ", "-") for point in POINTS}
    for root in roots.values():
        with EntryStore(root, max_bytes=1 << 20, timing=NO_THREAD) as store:
            store.put(key_of(0), table_of(0, 1), VERSION, Lineage("backend"))
    words = [["die", str(root), point] for point, root in roots.items()]
    with processes(*words) as dying:
        codes = [process.wait(timeout=60) for process in dying]
    assert codes == [-signal.SIGKILL] * len(POINTS)
    for point, (stamp, suffix) in POINTS.items():
        folder = roots[point] / "entries"
        with EntryStore(roots[point], max_bytes=1 << 20, hot_bytes=0, timing=NO_THREAD) as store:
            (entry,) = store.holdings()
            assert store.read(entry).equals(table_of(0, stamp)), point
            assert store.damaged == 0
            left = [path for path in folder.iterdir() if path.stem != entry.entry_id]
        assert [path.suffix for path in left] == [suffix], point
        later = time.time() + 86_400
        with EntryStore(
            roots[point], max_bytes=1 << 20, timing=NO_THREAD, clock=lambda now=later: now
        ):
            assert [path.stem for path in folder.iterdir()] == [entry.entry_id], point


@pytest.mark.parametrize("when", ["opening", "making"])
def test_a_death_while_a_manifest_is_made_leaves_a_folder_that_opens(tmp_path, when):
    """SQLite undoes a schema that was not committed; an empty file is a new manifest."""
    root = tmp_path / "cache"
    root.mkdir()
    path = root / "manifest-1.sqlite"
    if when == "opening":
        path.write_bytes(b"")
    else:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    with EntryStore(root, max_bytes=1 << 20, timing=NO_THREAD) as store:
        held = store.put(key_of(0), table_of(0, 1), VERSION, Lineage("backend"))
        assert held is not None
    with EntryStore(root, max_bytes=1 << 20, timing=NO_THREAD) as store:
        assert list(store.holdings()) == [held]


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write_until_killed(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        write_once_and_die(Path(sys.argv[2]), sys.argv[3])
