"""A SQLite file that others replace, overwrite, damage and lock: the right rows, or none."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager

import pytest
from sqlite_shop import COLLECTION, Till, held_files, write

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import BATCH_ROWS, SourceMoved
from flightframe_server.backends.sqlite import reading as sqlite_reading
from flightframe_server.backends.sqlite import source as sqlite_source
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.files import Identity, Settling
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import BackendCancelled, BackendError, FlightframeError
from flightframe_server.language import parse
from flightframe_server.planner.hops import TableHop
from flightframe_server.resolver.resolve import resolve

pytestmark = pytest.mark.slow

JOURNALS = ["DELETE", "WAL"]
ROWS = 2_000
MANY = 3 * BATCH_ROWS


def version(folder, number, *, journal="DELETE", rows=ROWS):
    """Write a file whose rows all hold one number, as every other version's does."""
    path = folder / f"v{number}.sqlite"
    if not path.exists():
        write(path, ({"line": at, "quantity": number} for at in range(rows)), journal=journal)
    return path


def copied(source, target):
    """Copy a file into another as `cp` does: in place, and not by this process."""
    subprocess.run(["cp", str(source), str(target)], check=True)


def renamed(source, target):
    """Put a copy of a file in another's place."""
    beside = target.with_name("next.sqlite")
    shutil.copy(source, beside)
    os.replace(beside, target)


def child(script, *arguments):
    """Run Python in a process of its own, with `connect(path)` for a connection."""
    connect = (
        "import sqlite3, sys, time, os\n"
        "def connect(path):\n"
        "    return sqlite3.connect(path, timeout=20, isolation_level=None)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", connect + script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def done(process):
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output


@contextmanager
def opened(path, *, enabled=False):
    """Open a file as a shop, whose engine keeps what it answered where that is enabled."""
    backend = SQLiteBackend(path)
    engine = MetricEngine(
        read_collection(COLLECTION), path.parent / "kept", backend, enabled=enabled
    )
    serving = Runtime("test", {"till": engine})
    try:
        yield backend, lambda query: answer(Request(query), serving)
    finally:
        serving.close()
        backend.close()


def total(ask):
    return ask("SELECT pieces AT ()").table["pieces"][0].as_py()


def until_answered(ask, seconds=20.0):
    """Return the total once the data are answered again."""
    until = time.monotonic() + seconds
    while True:
        try:
            return total(ask)
        except (FlightframeError, SourceMoved):
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def rows_query(backend):
    """Return the query of every line with its quantity."""
    engine = MetricEngine(read_collection(COLLECTION), backend._source._path.parent / "p", backend)
    plan = engine.plan(lambda typed: resolve(parse("SELECT line, pieces AT line"), typed))
    (query,) = plan.queries
    return query


def sign(backend):
    return backend.fingerprints(["lines"])["lines"]


def settled_sign(backend, seconds=20.0):
    until = time.monotonic() + seconds
    while (found := sign(backend)) is None:
        assert time.monotonic() < until
    return found


def values(batches):
    return {value for batch in batches for value in set(batch.column(1).to_pylist())}


@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("move", [copied, renamed])
def test_a_file_in_its_place_is_answered_from(move, journal, tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal=journal), data)
    three, four = (version(tmp_path, number, journal=journal) for number in (3, 4))
    assert three.stat().st_size == data.stat().st_size
    assert three.read_bytes()[24:28] == data.read_bytes()[24:28], "with equal change counters"
    with opened(data, enabled=True) as (_, ask):
        assert total(ask) == 2 * ROWS
        move(three, data)
        assert total(ask) == 3 * ROWS
        move(four, data)
        assert total(ask) == 4 * ROWS
        assert ask("SELECT pieces AT ()").table["pieces"].to_pylist() == [4 * ROWS]
    # After a restart, over what was kept of every version.
    with opened(data, enabled=True) as (_, ask):
        assert total(ask) == 4 * ROWS
        move(three, data)
        assert total(ask) == 3 * ROWS


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_file_of_the_same_size_and_time_is_another(journal, tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal=journal), data)
    seven = version(tmp_path, 7, journal=journal)
    for path in (data, seven):
        os.utime(path, ns=(0, 1_700_000_000_000_000_000))
    with opened(data, enabled=True) as (backend, ask):
        before = settled_sign(backend)
        assert total(ask) == 2 * ROWS
        subprocess.run(["cp", "-p", str(seven), str(data)], check=True)
        assert data.stat().st_mtime_ns == 1_700_000_000_000_000_000
        assert settled_sign(backend) != before
        assert total(ask) == 7 * ROWS


def test_the_log_of_a_file_behind_a_link_is_read_beside_the_file(tmp_path):
    data, there = tmp_path / "data.sqlite", tmp_path / "there"
    there.mkdir()
    first, second = (there / f"{number}.sqlite" for number in (2, 4))
    for number, path in ((2, first), (4, second)):
        shutil.copy(version(tmp_path, number, journal="WAL"), path)
    data.symlink_to(first)
    with opened(data, enabled=True) as (_, ask):
        assert total(ask) == 2 * ROWS
        writer = child(FRAMES, first)
        assert writer.stdout.readline() == "written\n"
        assert total(ask) == 5 * ROWS
        writer.communicate("\n", timeout=60)
        beside = tmp_path / "beside"
        beside.symlink_to(second)
        os.replace(beside, data)
        assert total(ask) == 4 * ROWS
        done(child(FRAMES.replace("= 5", "= 6").replace("sys.stdin.readline(); ", ""), second))
        assert total(ask) == 6 * ROWS


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_stream_over_a_file_that_is_overwritten_ends_with_no_foreign_row(journal, tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal=journal, rows=MANY), data)
    other = version(tmp_path, 3, journal=journal, rows=MANY)
    with opened(data) as (backend, ask):
        query = rows_query(backend)
        running = backend.run(query, at=backend.fingerprints(["lines"]))
        batches = iter(running)
        seen = [next(batches)]
        copied(other, data)
        with pytest.raises(SourceMoved):
            seen.extend(batches)
        assert values(seen) == {2}
        assert values(backend.run(query)) == {3}
        assert total(ask) == 3 * MANY


def test_the_end_of_a_stream_is_not_believed_of_a_file_that_moved(tmp_path):
    # Its last batch was handed on already: the end is what the overwritten file would say.
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, rows=BATCH_ROWS), data)
    with opened(data) as (backend, _):
        batches = iter(backend.run(rows_query(backend)))
        assert next(batches).num_rows == BATCH_ROWS
        copied(version(tmp_path, 3, rows=2 * BATCH_ROWS), data)
        with pytest.raises(SourceMoved):
            list(batches)


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_stream_over_a_file_that_is_renamed_over_goes_on(journal, tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal=journal, rows=MANY), data)
    with opened(data) as (backend, _):
        batches = iter(backend.run(rows_query(backend)))
        first = next(batches)
        renamed(version(tmp_path, 3, journal=journal), data)
        rest = list(batches)
        assert first.num_rows + sum(batch.num_rows for batch in rest) == MANY
        assert values([first, *rest]) == {2}


def test_a_file_that_is_renamed_over_and_written_to_is_not_read_on(tmp_path):
    data, aside = tmp_path / "data.sqlite", tmp_path / "aside.sqlite"
    shutil.copy(version(tmp_path, 2, rows=MANY), data)
    with opened(data) as (backend, _):
        batches = iter(backend.run(rows_query(backend)))
        next(batches)
        os.rename(data, aside)
        next(batches)
        copied(version(tmp_path, 3, rows=MANY), aside)
        with pytest.raises(SourceMoved):
            list(batches)


@pytest.mark.parametrize("journal", JOURNALS)
def test_what_is_read_is_of_the_version_asked_for(journal, tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal=journal), data)
    with opened(data) as (backend, _):
        query = rows_query(backend)
        before = backend.fingerprints(["lines"])
        assert values(backend.run(query, at=before)) == {2}
        done(child("connect(sys.argv[1]).execute('UPDATE lines SET quantity = 5')", data))
        hop = TableHop("e", "t", "lines", "line", "line", *(query.columns[0].type,) * 2)
        for ask in (
            lambda at: list(backend.run(query, at=at)),
            lambda at: backend.tables(at),
            lambda at: backend.edge_map(hop, at=at),
            lambda at: backend.duplicate("lines", ("line",), at=at),
            lambda at: backend.statistics("lines", ("line",), at=at),
        ):
            with pytest.raises(SourceMoved):
                ask(before)
            ask(backend.fingerprints(["lines"]))
            ask({"lines": None})
            ask({})
        assert values(backend.run(query, at=backend.fingerprints(["lines"]))) == {5}


def test_a_plan_of_other_types_is_not_carried_out(tmp_path):
    # 1250 in DECIMAL(12, 2) and in DECIMAL(12, 4): under the one plan the other were off by 100.
    data = tmp_path / "data.sqlite"
    write(data, [{"line": 1, "price": 12.5}])
    with opened(data) as (backend, _):
        engine = MetricEngine(read_collection(COLLECTION), tmp_path / "p", backend)
        plan = engine.plan(lambda typed: resolve(parse("SELECT total AT ()"), typed))
        (query,) = plan.queries
        assert [str(value) for value in next(iter(backend.run(query))).column(0)] == ["12.50"]
        finer = tmp_path / "finer.sqlite"
        write(finer, [{"line": 1, "price": 12.7035}], price="DECIMAL(12, 4)")
        os.replace(finer, data)
        with pytest.raises(SourceMoved):
            backend.run(query)


BAD = {
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"not a database, but long enough " * 400),
    "half of one": lambda path: os.truncate(path, path.stat().st_size // 2),
    "header alone": lambda path: os.truncate(path, 100),
    "a damaged page": lambda path: damage(path),
}


def damage(path):
    with open(path, "r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xee" * 4096 * 12)


@pytest.mark.parametrize("how", BAD)
@pytest.mark.parametrize("move", [copied, renamed])
def test_a_bad_file_is_an_error_until_a_good_one_is_there(move, how, tmp_path):
    data, bad = tmp_path / "data.sqlite", tmp_path / "bad.sqlite"
    shutil.copy(version(tmp_path, 2), data)
    shutil.copy(version(tmp_path, 9), bad)
    BAD[how](bad)
    with opened(data, enabled=True) as (_, ask):
        assert total(ask) == 2 * ROWS
        for number in (3, 4, 5):
            move(bad, data)
            for _ in range(3):
                with pytest.raises((BackendError, SourceMoved)):
                    total(ask)
            move(version(tmp_path, number), data)
            assert total(ask) == number * ROWS


def test_a_file_that_is_gone_for_a_while(tmp_path):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2), data)
    with opened(data) as (_, ask):
        assert total(ask) == 2 * ROWS
        data.unlink()
        with pytest.raises(BackendError, match="gone"):
            total(ask)
        data.mkdir()
        with pytest.raises(BackendError, match="gone"):
            total(ask)
        data.rmdir()
        os.mkfifo(data)
        with pytest.raises(BackendError, match="gone"):
            total(ask)
        data.unlink()
        shutil.copy(version(tmp_path, 3), data)
        assert total(ask) == 3 * ROWS


def held(path):
    """Return the descriptors of this process that lead to files beside a path."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{descriptor}")
            if target.startswith(str(path)):
                found.append(target)
    return found


@pytest.mark.parametrize("journal", JOURNALS)
def test_hundreds_of_moves_leave_nothing_behind(journal, tmp_path):
    others = held_files()
    data, bad = tmp_path / "data.sqlite", tmp_path / "bad.sqlite"
    good = {number: version(tmp_path, number, journal=journal, rows=20) for number in (2, 3, 4)}
    shutil.copy(good[2], data)
    with opened(data) as (backend, ask):
        assert total(ask) == 40
        for at in range(300):
            number = at % 3 + 2
            move = copied if at % 2 else renamed
            if at % 7 == 0:
                shutil.copy(good[number], bad)
                list(BAD.values())[at // 7 % 4](bad)
                move(bad, data)
                with pytest.raises((BackendError, SourceMoved)):
                    total(ask)
            move(good[number], data)
            assert total(ask) == number * 20
        source = backend._source
        assert not source._in_use
        assert len(source._idle) <= sqlite_source.KEPT_IDLE
        # A few connections, each with its log, and the descriptors that are kept.
        assert len(held(data)) <= 3 * (sqlite_source.KEPT_IDLE + 2)
    assert held(data) == []
    assert held_files() == others


def test_a_locked_file_is_an_error_and_then_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_source, "BUSY_SECONDS", 0.2)
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2), data)
    with opened(data) as (backend, ask):
        query = rows_query(backend)
        assert total(ask) == 2 * ROWS
        holder = child(
            "c = connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE')\n"
            "c.execute('UPDATE lines SET quantity = 9')\n"
            "print('locked', flush=True); sys.stdin.readline(); c.execute('COMMIT')\n",
            data,
        )
        assert holder.stdout.readline() == "locked\n"
        for _ in range(3):
            with pytest.raises(BackendError, match="locked"):
                total(ask)
        token, found = CancelToken(), []
        thread = threading.Thread(target=begun, args=(backend, query, token, found))
        monkeypatch.setattr(sqlite_source, "BUSY_SECONDS", 60)
        thread.start()
        token.cancel()
        thread.join(60)
        assert isinstance(found[0], BackendCancelled)
        holder.communicate("\n", timeout=60)
        assert until_answered(ask) == 9 * ROWS
        assert not backend._source._in_use


def begun(backend, query, token, found):
    try:
        found.append(backend.run(query, token=token))
    except BackendError as error:
        found.append(error)


FRAMES = (
    "c = connect(sys.argv[1]); c.execute('PRAGMA wal_autocheckpoint = 0')\n"
    "c.execute('UPDATE lines SET quantity = 5')\n"
    # No close, which would bring the log back.
    "print('written', flush=True); sys.stdin.readline(); os._exit(0)\n"
)


COMMIT = (
    "c = connect(sys.argv[1]); c.execute('PRAGMA wal_autocheckpoint = 0')\n"
    "c.execute('UPDATE lines SET quantity = 7'); print('written', flush=True)\n"
    "sys.stdin.readline(); os._exit(0)\n"
)


def test_a_log_that_was_removed_under_a_stream_does_not_hide_the_next_commit(tmp_path):
    # SQLite gives one index to all connections of a process: the old one, while anything reads.
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal="WAL", rows=MANY), data)
    with opened(data) as (backend, ask):
        stalled = iter(backend.run(rows_query(backend)))
        assert next(stalled).num_rows == BATCH_ROWS
        for name in ("data.sqlite-wal", "data.sqlite-shm"):
            (tmp_path / name).unlink()
        writer = child(COMMIT, data)
        assert writer.stdout.readline() == "written\n"
        assert until_answered(ask) == 7 * MANY
        with pytest.raises(SourceMoved):
            list(stalled)
        assert not backend._source._in_use
        writer.communicate("\n", timeout=60)
        assert until_answered(ask) == 7 * MANY


def test_a_connection_whose_file_is_lost_as_it_begins_is_given_back(tmp_path, monkeypatch):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2), data)
    with opened(data) as (backend, ask):
        assert total(ask) == 2 * ROWS
        watch = backend._source._watch
        looks = iter([watch.look(), BackendError("the database file is gone")])

        def look():
            found = next(looks)
            if isinstance(found, Exception):
                raise found
            return found

        with monkeypatch.context() as patched:
            patched.setattr(watch, "look", look)
            with pytest.raises(BackendError, match="gone"):
                backend._source.begin()
        assert not backend._source._in_use
        assert total(ask) == 2 * ROWS


@pytest.fixture
def logged(tmp_path):
    """A file with a log that holds what was committed last, and its back-end."""
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal="WAL"), data)
    with opened(data) as (backend, ask):
        writer = child(FRAMES, data)
        assert writer.stdout.readline() == "written\n"
        assert total(ask) == 5 * ROWS
        yield data, backend, ask, writer
        if writer.poll() is None:
            writer.communicate("\n", timeout=60)


@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("move", [copied, renamed])
def test_the_log_of_another_file_is_not_played_into_a_new_one(move, journal, logged, tmp_path):
    data, _, ask, writer = logged
    writer.communicate("\n", timeout=60)
    other = tmp_path / "other"
    other.mkdir()
    move(version(other, 3, journal=journal), data)
    for _ in range(3):
        with pytest.raises(BackendError, match="log beside the database"):
            total(ask)
    for name in ("data.sqlite-wal", "data.sqlite-shm"):
        (tmp_path / name).unlink()
    assert total(ask) == 3 * ROWS


def test_a_name_or_a_permission_that_changes_is_no_foreign_write(logged, tmp_path):
    data, backend, ask, _ = logged
    before = settled_sign(backend)
    os.link(data, tmp_path / "backup.sqlite")
    assert settled_sign(backend) != before
    assert total(ask) == 5 * ROWS


def test_a_log_that_does_not_belong_to_its_index_is_refused(logged, tmp_path):
    _, _, ask, writer = logged
    writer.communicate("\n", timeout=60)
    other = tmp_path / "other"
    other.mkdir()
    source = other / "data.sqlite"
    shutil.copy(version(other, 3, journal="WAL"), source)
    second = child(FRAMES.replace("= 5", "= 6"), source)
    assert second.stdout.readline() == "written\n"
    copied(other / "data.sqlite-wal", tmp_path / "data.sqlite-wal")
    with pytest.raises(BackendError, match="log beside the database"):
        total(ask)
    second.communicate("\n", timeout=60)


CHECKPOINT = "print(connect(sys.argv[1]).execute('PRAGMA wal_checkpoint').fetchone())"


@pytest.fixture
def streaming(tmp_path):
    """A file with a log of frames that were not brought back, read by one batch."""
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2, journal="WAL", rows=MANY), data)
    with opened(data) as (backend, ask):
        writer = child(FRAMES, data)
        assert writer.stdout.readline() == "written\n"
        batches = iter(backend.run(rows_query(backend), at=backend.fingerprints(["lines"])))
        yield data, batches, next(batches), ask
        writer.communicate("\n", timeout=60)


def test_a_checkpoint_does_not_end_a_statement(streaming, monkeypatch):
    monkeypatch.setattr(sqlite_reading, "CLOSE_LOOKS_SECONDS", 60)
    data, batches, first, ask = streaming
    before = data.stat().st_mtime_ns
    (answered,) = done(child(CHECKPOINT, data)).splitlines()
    assert answered.startswith("(0, "), "the checkpoint was not busy"
    assert data.stat().st_mtime_ns != before, "it wrote to the file"
    rest = list(batches)
    assert first.num_rows + sum(batch.num_rows for batch in rest) == MANY
    assert values([first, *rest]) == {5}
    assert until_answered(ask) == 5 * MANY


def test_a_checkpoint_that_cannot_be_told_from_a_foreign_write_ends_it(streaming, monkeypatch):
    monkeypatch.setattr(sqlite_reading, "CLOSE_LOOKS_SECONDS", -1)
    data, batches, _, _ = streaming
    done(child(CHECKPOINT, data))
    with pytest.raises(SourceMoved):
        list(batches)


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_foreign_write_beside_a_log_ends_a_statement(
    checkpointed, streaming, tmp_path, monkeypatch
):
    monkeypatch.setattr(sqlite_reading, "CLOSE_LOOKS_SECONDS", 60)
    data, batches, _, _ = streaming
    if checkpointed:
        done(child(CHECKPOINT, data))
        next(batches)
    other = tmp_path / "other"
    other.mkdir()
    copied(version(other, 3, journal="WAL", rows=MANY), data)
    with pytest.raises(SourceMoved):
        list(batches)


WRITING = (
    "c = connect(sys.argv[1]); c.execute('PRAGMA synchronous = OFF')\n"
    "number = 1\n"
    "print('writing', flush=True)\n"
    "while not os.path.exists(sys.argv[2]):\n"
    "    number += 1\n"
    "    c.execute('UPDATE lines SET quantity = ?', (number,))\n"
    "    if number % 20 == 0: c.execute('PRAGMA wal_checkpoint').fetchall()\n"
    "    time.sleep(0.002)\n"
)


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_writer_that_never_rests_does_not_keep_readers_out(journal, tmp_path):
    data, over = tmp_path / "data.sqlite", tmp_path / "over"
    shutil.copy(version(tmp_path, 2, journal=journal, rows=50), data)
    with opened(data) as (backend, _):
        query = rows_query(backend)
        writer = child(WRITING, data, over)
        assert writer.stdout.readline() == "writing\n"
        seen, moved, until = [], 0, time.monotonic() + 60
        while len(seen) < 20 and time.monotonic() < until:
            try:
                seen.append(values(backend.run(query)))
            except SourceMoved:
                moved += 1
        over.touch()
        done(writer)
        assert len(seen) == 20, moved
        assert all(len(found) == 1 for found in seen), "each of one version"


def identity(changed):
    return Identity(1, 2, 3, 4, changed)


def test_a_time_of_change_settles():
    settling = Settling()
    assert settling.settled(identity(time.time_ns() - 10**9))
    assert not settling.settled(identity(time.time_ns()))


def test_a_time_of_change_in_the_future_settles_as_soon():
    settling, found = Settling(), identity(time.time_ns() + 3_600 * 10**9)
    assert not settling.settled(found)
    started = time.monotonic()
    while not settling.settled(found):
        assert time.monotonic() < started + 20
        time.sleep(0.002)
    assert time.monotonic() - started >= 0.015
    assert not settling.settled(identity(found.changed + 1)), "another write, seen first now"


def test_a_file_that_never_settles_has_no_sign_and_is_not_read(tmp_path, monkeypatch):
    data = tmp_path / "data.sqlite"
    shutil.copy(version(tmp_path, 2), data)
    with opened(data) as (backend, _):
        query = rows_query(backend)
        monkeypatch.setattr(backend._source._watch, "settled", lambda version: False)
        assert sign(backend) is None
        with pytest.raises(SourceMoved):
            backend.run(query)
        assert not backend._source._in_use
        monkeypatch.undo()
        assert values(backend.run(query)) == {2}


KEYS = {
    "a INTEGER PRIMARY KEY, b TEXT": {("a",): True, ("a", "b"): True, ("b",): False},
    "a INT PRIMARY KEY, b TEXT": {("a",): False},
    "a INT NOT NULL PRIMARY KEY, b TEXT": {("a",): True},
    "a INTEGER PRIMARY KEY DESC, b TEXT": {("a",): False},
    "a TEXT, b TEXT, PRIMARY KEY (a, b)": {("a", "b"): False},
    "a TEXT NOT NULL, b TEXT NOT NULL, UNIQUE (a, b)": {("a", "b"): True, ("a",): False},
    "a TEXT NOT NULL UNIQUE, b TEXT": {("a",): True, ("a", "b"): True},
    "a TEXT UNIQUE, b TEXT": {("a",): False},
    "a TIMESTAMP NOT NULL UNIQUE, b TEXT": {("a",): False},
    "a DECIMAL(9, 2) NOT NULL UNIQUE, b TEXT": {("a",): True},
}
BARE = {
    "CREATE TABLE held (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID": {("a", "b"): True},
    "CREATE TABLE held (a TEXT NOT NULL, b TEXT);"
    "CREATE UNIQUE INDEX part ON held (a) WHERE b = 'x'": {("a",): False},
    "CREATE TABLE held (a TEXT NOT NULL, b TEXT);CREATE UNIQUE INDEX computed ON held (lower(a))": {
        ("a",): False
    },
    "CREATE TABLE held (a TEXT NOT NULL, b TEXT); CREATE INDEX plain ON held (a)": {("a",): False},
}
BARE |= {f"CREATE TABLE held ({columns})": asked for columns, asked in KEYS.items()}


@pytest.mark.parametrize("created", BARE)
def test_a_key_that_the_database_keeps_is_not_read(created, tmp_path, monkeypatch):
    path = tmp_path / "held.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.executescript(created)
    with closing(SQLiteBackend(path)) as backend:
        read = []
        table = backend._table
        monkeypatch.setattr(backend, "_table", lambda *how: read.append(how) or table(*how))
        for columns, kept in BARE[created].items():
            read.clear()
            assert backend.duplicate("held", columns) is None
            assert (not read) == kept, columns


def test_the_same_moment_written_in_two_ways_is_twice_the_key(tmp_path):
    path = tmp_path / "held.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE held (a TIMESTAMP NOT NULL UNIQUE)")
        texts = [("2024-02-29 12:00:00",), ("2024-02-29T12:00",)]
        writer.executemany("INSERT INTO held VALUES (?)", texts)
        writer.commit()
    with closing(SQLiteBackend(path)) as backend:
        assert backend.duplicate("held", ("a",)) is not None


def test_columns_of_a_type_that_is_not_answered_are_named(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [])
    with closing(sqlite3.connect(path)) as writer:
        writer.execute(
            "CREATE TABLE odd (a INTEGER, b BLOB, c TIMESTAMP WITH TIME ZONE, d, e JSON)"
        )
        writer.execute("CREATE VIEW seen AS SELECT a, b, a + 1 AS f FROM odd")
    with closing(SQLiteBackend(path)) as backend:
        assert backend.unanswered(["odd", "lines", "seen", "missing"]) == {
            "odd": {"b": "BLOB", "c": "TIMESTAMP WITH TIME ZONE", "d": "none", "e": "JSON"},
            "seen": {"b": "BLOB", "f": "none"},
        }
        assert set(backend.tables()["odd"]) == {"a"}


def test_a_shop_of_the_till_closes_what_it_opened(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1}])
    Till(path).close()
    assert held(path) == []
