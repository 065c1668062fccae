"""The sign of a SQLite file: moves when the data moves, stays when it does not, and is kept."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_shop import add, write

from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.source import SQLiteSource
from flightframe_server.errors import BackendError, SetupError

JOURNALS = ["DELETE", "TRUNCATE", "WAL"]


def sign(backend):
    (found,) = set(backend.fingerprints(["lines", "others"]).values())
    return found


@pytest.fixture(params=JOURNALS)
def till_file(request, tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 100}], journal=request.param)
    return path


@pytest.fixture
def opened():
    made = []

    def make(path):
        made.append(SQLiteBackend(path))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


CHANGES = [
    "INSERT INTO lines (line) VALUES (2)",
    "UPDATE lines SET price = 101",
    "DELETE FROM lines",
    "CREATE TABLE other (a INTEGER)",
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_commit_moves_it(change, till_file, opened):
    backend = opened(till_file)
    before = sign(backend)
    with closing(sqlite3.connect(till_file, isolation_level=None)) as writer:
        writer.execute("BEGIN")
        writer.execute(change)
        assert sign(backend) == before, "not committed yet"
        writer.execute("COMMIT")
        assert sign(backend) not in (before, None)


@pytest.mark.slow
def test_commits_that_follow_each_other_at_once_all_move_it(till_file, opened):
    # Faster than the clock of the file system ticks, and without a byte more.
    backend = opened(till_file)
    seen = [sign(backend)]
    with closing(sqlite3.connect(till_file)) as writer:
        writer.execute("PRAGMA synchronous = OFF")
        for price in range(60):
            writer.execute("UPDATE lines SET price = ?", (price,))
            writer.commit()
            seen.append(sign(backend))
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_a_transaction_given_up_does_not_move_it(till_file, opened):
    backend = opened(till_file)
    before = sign(backend)
    with closing(sqlite3.connect(till_file)) as writer:
        writer.execute("UPDATE lines SET price = 5")
        writer.rollback()
    assert sign(backend) == before


def test_reading_does_not_move_it(till_file, opened):
    backend = opened(till_file)
    before = sign(backend)
    backend.statistics("lines", ("price", "name"))
    backend.duplicate("lines", ("line",))
    with closing(sqlite3.connect(till_file)) as other:
        other.execute("SELECT * FROM lines").fetchall()
        assert sign(backend) == before
    assert sign(backend) == before


def test_it_is_the_same_in_the_next_process(till_file, opened):
    with closing(sqlite3.connect(till_file)) as writer:
        add(writer, [{"line": 2}])
        first = opened(till_file)
        before = sign(first)
        first.close()
        assert sign(opened(till_file)) == before


def test_a_file_put_in_its_place_moves_it_and_is_read(till_file, opened, tmp_path):
    backend = opened(till_file)
    before = sign(backend)
    assert backend.statistics("lines", ()).rows == 1
    write(tmp_path / "next.sqlite", [{"line": 1}, {"line": 2}, {"line": 3}])
    os.replace(tmp_path / "next.sqlite", till_file)
    assert sign(backend) not in (before, None)
    assert backend.statistics("lines", ()).rows == 3


def test_a_copy_is_another_file(till_file, opened, tmp_path):
    before = sign(opened(till_file))
    shutil.copy(till_file, tmp_path / "copy.sqlite")
    os.replace(tmp_path / "copy.sqlite", till_file)
    assert sign(opened(till_file)) != before


def test_a_log_that_is_written_but_not_yet_committed_does_not_move_it(tmp_path, opened):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 100}], journal="WAL")
    backend = opened(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA cache_size = 2")
        writer.execute("PRAGMA cache_spill = 1")
        before = sign(backend)
        log = path.with_name("till.sqlite-wal")
        rows = [(at, "x" * 2_000) for at in range(500)]
        writer.executemany("INSERT INTO lines (line, name) VALUES (?, ?)", rows)
        assert log.stat().st_size > 100_000, "the transaction has spilled into the log"
        assert sign(backend) == before
        writer.commit()
        assert sign(backend) != before


def test_a_log_begun_anew_still_moves_it(tmp_path, opened):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 100}], journal="WAL")
    backend = opened(path)
    with closing(sqlite3.connect(path)) as writer:
        seen = [sign(backend)]
        for price in range(5):
            writer.execute("UPDATE lines SET price = ?", (price,))
            writer.commit()
            seen.append(sign(backend))
            writer.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    assert len(set(seen)) == len(seen)


def test_changing_to_a_log_under_an_open_backend(tmp_path, opened):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 100}])
    backend = opened(path)
    seen = [sign(backend)]
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL").fetchall()
        for price in range(3):
            writer.execute("UPDATE lines SET price = ?", (price,))
            writer.commit()
            seen.append(sign(backend))
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_descriptors_are_shared_and_given_back(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [], journal="WAL")
    count = len(os.listdir("/proc/self/fd"))
    first, second = (SQLiteSource(path, read_only=True) for _ in range(2))
    assert first._watch._main is second._watch._main
    assert first._watch._index is second._watch._index
    assert first.sign() is not None
    first.close()
    assert second.sign() is not None
    second.close()
    assert len(os.listdir("/proc/self/fd")) == count


def test_looking_does_not_let_a_writer_in(tmp_path, opened):
    # Closing any descriptor of the file would drop the lock of the statement that reads it.
    path = tmp_path / "till.sqlite"
    write(path, [{"line": at} for at in range(10)])
    backend, other = opened(path), SQLiteBackend(path)
    reader = backend._source.begin()
    reader.handle.execute("SELECT COUNT(*) FROM lines").fetchall()
    sign(backend)
    sign(other)
    other.close()
    script = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "c.execute('DELETE FROM lines')\n"
        "try:\n    c.commit()\nexcept sqlite3.OperationalError as e:\n    print(e)\n"
    )
    assert run_python(script, str(path)).strip() == "database is locked"
    backend._source.end(reader)


def run_python(script, *arguments):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_file_that_is_gone(tmp_path, opened):
    path = tmp_path / "till.sqlite"
    write(path, [])
    backend = opened(path)
    path.unlink()
    with pytest.raises(BackendError, match="gone"):
        backend.fingerprints(["lines"])


@pytest.mark.parametrize("content", [None, b"not a database, but long enough to be looked at" * 40])
def test_a_file_that_cannot_be_opened(content, tmp_path):
    path: Path = tmp_path / "till.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError) as caught:
        SQLiteBackend(path)
    assert str(tmp_path) not in str(caught.value)


def test_a_commit_that_leaves_time_and_size_as_they_were_moves_it(till_file, opened):
    # As on a file system whose clock ticks slowly.
    backend = opened(till_file)
    before, stat = sign(backend), till_file.stat()
    with closing(sqlite3.connect(till_file)) as writer:
        writer.execute("UPDATE lines SET price = 101")
        writer.commit()
        os.utime(till_file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert till_file.stat().st_size == stat.st_size
        assert sign(backend) not in (before, None)
