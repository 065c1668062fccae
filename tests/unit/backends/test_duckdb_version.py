"""The version of a DuckDB file: names its content, and is believed only when it may be."""

import os
import struct
import subprocess
import sys
from contextlib import suppress

import duckdb
import pytest
from duckdb_shop import CRASHED, HOLDER, copy, ended, python, replace, started, write

from flightframe_server.backends.duckdb import version as duckdb_version
from flightframe_server.backends.duckdb.version import (
    COARSE_MARGIN,
    MARGIN,
    DatabaseFile,
    unsettled,
)
from flightframe_server.errors import BackendError

SECOND = 10**9
HEADERS, BLOCK = 3 * 4096, 262144
WRITER = "import sys\nfile = open(sys.argv[1], 'r+b')\nprint('open', flush=True)\nsys.stdin.read()"


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "data.duckdb", 1)


def text(path):
    return DatabaseFile(path).version().text


def test_what_leaves_the_content_leaves_the_version(file, tmp_path):
    looking = DatabaseFile(file)
    before = looking.version()
    file.touch()
    assert looking.version().text == before.text
    assert looking.version().sign != before.sign
    replace(file, file)
    assert looking.version().text == before.text
    copy(file, tmp_path / "copy.duckdb")
    copy(tmp_path / "copy.duckdb", file)
    assert looking.version().text == before.text
    assert text(file) == text(tmp_path / "copy.duckdb") == before.text
    code = "import sys\nfrom flightframe_server.backends.duckdb.version import DatabaseFile\n"
    code += "assert DatabaseFile(sys.argv[1]).version().text == sys.argv[2]"
    python(code, file, before.text)


def test_other_content_under_the_same_size_and_time_moves_the_version(file, tmp_path):
    looking = DatabaseFile(file)
    before, found = looking.version().text, file.stat()
    copy(write(tmp_path / "seven.duckdb", 7), file)
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    after = file.stat()
    same = ("st_size", "st_mtime_ns", "st_ino")
    assert [getattr(after, name) for name in same] == [getattr(found, name) for name in same]
    assert looking.version().text != before


def checksums(path):
    """What DuckDB keeps of each part of a file: headers, then the first word of each block."""
    data = path.read_bytes()
    places = [0, 4096, 8192, *range(HEADERS, len(data), BLOCK)]
    return [struct.unpack_from("<Q", data, place) for place in places]


def test_two_numbers_that_change_places_move_the_version(tmp_path):
    """DuckDB's own checksums do not see it, in the format that most files are of."""
    files = []
    for amounts in ((1 << 40, 1 << 50, 12345), (1 << 50, 1 << 40, 12345)):
        path = tmp_path / f"{len(files)}.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{path}' AS made (STORAGE_VERSION 'v1.0.0')")
            connection.execute("PRAGMA force_compression = 'uncompressed'")
            connection.execute("CREATE TABLE made.sales (amount BIGINT)")
            connection.execute("INSERT INTO made.sales SELECT unnest(?)", [list(amounts)])
        files.append(path)
    one, other = files
    assert checksums(one) == checksums(other)
    assert text(one) != text(other)


def test_a_log_is_part_of_the_version(file, tmp_path):
    looking = DatabaseFile(file)
    before = looking.version().text
    python(CRASHED, file)
    assert (tmp_path / "data.duckdb.wal").exists()
    logged = looking.version().text
    assert logged != before
    (tmp_path / "data.duckdb.wal.checkpoint").write_bytes(b"more")
    assert looking.version().text not in (before, logged)


def test_a_log_stands_beside_the_file_that_a_link_leads_to(file, tmp_path):
    (tmp_path / "link.duckdb").symlink_to(file)
    looking = DatabaseFile(tmp_path / "link.duckdb")
    before = looking.version().text
    assert before == text(file)
    python(CRASHED, tmp_path / "link.duckdb")
    assert looking.version().text == text(file) != before


def test_a_link_is_followed_at_each_question(file, tmp_path):
    link, other = tmp_path / "link.duckdb", write(tmp_path / "seven.duckdb", 7)
    link.symlink_to(file)
    looking = DatabaseFile(link)
    assert looking.version().text == text(file)
    link.unlink()
    link.symlink_to(other)
    assert looking.version().text == text(other)
    replace(file, other)
    assert looking.version().text == text(file)


def test_a_relative_path_is_of_the_folder_where_it_was_given(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    looking = DatabaseFile("data.duckdb")
    monkeypatch.chdir("/")
    assert looking.version().text == text(file)


def test_the_content_is_read_only_when_the_sign_moved(file, monkeypatch):
    looking = DatabaseFile(file)
    before = looking.version()
    monkeypatch.setattr(duckdb_version, "digest", lambda descriptor: pytest.fail("read again"))
    assert looking.version() is before


def test_a_large_file_has_its_sign_for_a_version(file, monkeypatch):
    monkeypatch.setattr(duckdb_version, "WHOLE_BYTES", file.stat().st_size - 1)
    monkeypatch.setattr(duckdb_version, "digest", lambda descriptor: pytest.fail("read"))
    looking = DatabaseFile(file)
    before = looking.version()
    assert before.file is None
    assert text(file) == before.text
    os.utime(file, ns=(0, 0))
    assert looking.version().text != before.text


def test_a_sign_is_believed_once_a_later_write_would_show():
    def sign(changed):
        return ((1, 1, 1, 0, changed),)

    now = 1_700_000_000 * SECOND + 1
    assert unsettled(sign(now), now) == pytest.approx(MARGIN)
    assert unsettled(sign(now - SECOND // 200), now) == pytest.approx(MARGIN - 0.005)
    assert unsettled(sign(now - SECOND), now) == 0
    assert unsettled((*sign(now - SECOND), None), now) == 0
    assert unsettled((*sign(now - SECOND), (1, 2, 1, 0, now)), now) == pytest.approx(MARGIN)


def test_a_change_time_to_come_is_waited_for_once():
    now = 1_700_000_000 * SECOND + 1
    assert unsettled(((1, 1, 1, 0, now + 3600 * SECOND),), now) == pytest.approx(MARGIN)


def test_a_file_system_of_whole_seconds_is_given_more_time():
    now = 1_700_000_000 * SECOND
    assert unsettled(((1, 1, 1, 0, now),), now + SECOND) == pytest.approx(COARSE_MARGIN - 1)


def test_a_fresh_sign_is_waited_for(file, monkeypatch):
    slept = []
    monkeypatch.setattr(duckdb_version.time, "sleep", slept.append)
    # A clock that stands still just after the change.
    changed = file.stat().st_ctime_ns
    monkeypatch.setattr(duckdb_version.time, "time_ns", lambda: changed + 1)
    DatabaseFile(file).version()
    assert slept == [pytest.approx(MARGIN, abs=1e-6)]


def test_a_file_that_goes_on_changing_has_no_version(file, monkeypatch):
    """Each wait finds another change, until it is given up."""
    monkeypatch.setattr(duckdb_version, "PATIENCE", 0.05)
    times = iter(range(1, 10**6))
    monkeypatch.setattr(
        duckdb_version.DatabaseFile, "sign", lambda self: ((1, 1, 1, 0, next(times)),)
    )
    with pytest.raises(BackendError, match="the database file is being written"):
        DatabaseFile(file).version()


def test_a_file_that_moves_while_it_is_read_is_read_again(file, tmp_path, monkeypatch):
    seven = write(tmp_path / "seven.duckdb", 7)
    digest, reads = duckdb_version.digest, []

    def moving(descriptor):
        found = digest(descriptor)
        if not reads:
            copy(seven, file)
        reads.append(found)
        return found

    monkeypatch.setattr(duckdb_version, "digest", moving)
    found = text(file)
    assert len(reads) == 2
    assert found == text(seven)


def test_a_file_that_is_cut_while_it_is_looked_at_is_no_wrong_kind_of_file(
    file, tmp_path, monkeypatch
):
    seven = write(tmp_path / "seven.duckdb", 7)
    looks = []

    def cut(descriptor):
        if not looks:
            os.truncate(file, 0)
        if len(looks) == 1:
            copy(seven, file)
        looks.append(descriptor)
        return False

    monkeypatch.setattr(duckdb_version, "open_for_writing", cut)
    monkeypatch.setattr(duckdb_version, "PATIENCE", 30)
    assert text(file) == text(seven)


def test_a_file_in_a_writers_hands_has_no_version_however_slow_it_writes(file):
    looking = DatabaseFile(file)
    before = looking.version().text
    writer = started(WRITER, file)
    try:
        assert looking.version().text == before, "nothing moved yet"
        os.utime(file)
        with pytest.raises(BackendError, match="the database file is being written"):
            looking.version()
    finally:
        ended(writer)
    assert looking.version().text == before


def test_a_database_in_a_writers_hands_has_no_version(file):
    looking = DatabaseFile(file)
    before = looking.version().text
    writer = started(HOLDER, file, "and writes")
    try:
        with pytest.raises(BackendError, match="the database file is being written"):
            looking.version()
    finally:
        ended(writer)
    assert looking.version().text != before


@pytest.mark.parametrize("content", [b"", b"DUCK", b"0" * 10_000], ids=["empty", "short", "other"])
def test_what_is_no_database_has_no_version(content, file):
    looking = DatabaseFile(file)
    before = looking.version().text
    good = file.read_bytes()
    file.write_bytes(content)
    for _ in range(2):
        with pytest.raises(BackendError, match="no DuckDB database"):
            looking.version()
    file.write_bytes(good)
    assert looking.version().text == before


def test_a_pipe_or_a_folder_in_its_place_is_not_waited_for(file):
    looking = DatabaseFile(file)
    file.unlink()
    with pytest.raises(BackendError, match="gone"):
        looking.version()
    os.mkfifo(file)
    with pytest.raises(BackendError, match="no DuckDB database"):
        looking.version()
    file.unlink()
    file.mkdir()
    with pytest.raises(BackendError, match="no DuckDB database"):
        looking.version()


def test_writes_that_follow_each_other_at_once_are_told_apart(file, tmp_path):
    """Each version is read right after a write and right before the next."""
    contents = [write(tmp_path / f"{amount}.duckdb", amount).read_bytes() for amount in (7, 8)]
    looking = DatabaseFile(file)
    found = []
    for turn in range(20):
        file.write_bytes(contents[turn % 2])
        found.append(looking.version().text)
    assert found == [text(tmp_path / "7.duckdb"), text(tmp_path / "8.duckdb")] * 10


def test_a_writer_is_not_ended_by_our_looking(file):
    """Looking takes a lease, and who opens the file meanwhile waits for a moment and goes on."""
    code = "import sys\nfor _ in range(3000):\n    open(sys.argv[1], 'r+b').close()"
    writer = subprocess.Popen([sys.executable, "-c", code, str(file)])
    looking = DatabaseFile(file)
    while writer.poll() is None:
        os.utime(file)
        with suppress(BackendError):
            looking.version()
    assert writer.returncode == 0
