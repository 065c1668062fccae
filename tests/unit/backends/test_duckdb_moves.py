"""A DuckDB file that moves under a back-end: right, or refused, and never down for good."""

import gc
import os
import shutil
import threading
from pathlib import Path

import pytest
from duckdb_shop import (
    BY_SALE,
    CRASHED,
    HOLDER,
    ONES,
    SEVENS,
    Shop,
    copy,
    ended,
    python,
    replace,
    soon,
    started,
    sums,
    version,
    write,
)

from flightframe_server.backends.duckdb import instance as duckdb_instance
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.duckdb.instance import Instance
from flightframe_server.backends.duckdb.reading import Reading
from flightframe_server.backends.duckdb.source import INSTANCES
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.errors import BackendError, SetupError

pytestmark = pytest.mark.slow

MANY = 400_000


def in_place(shop):
    copy(shop.seven, shop.path)


def renamed(shop):
    replace(shop.seven, shop.path)


def in_place_with_its_old_time(shop):
    found = shop.path.stat()
    copy(shop.seven, shop.path)
    os.utime(shop.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert shop.path.stat().st_size == found.st_size


def deleted_and_made_again(shop):
    """With the inode of the old one, where the file system gives it out again."""
    shop.path.unlink()
    copy(shop.seven, shop.path)


def moved_away_first(shop):
    shop.path.rename(shop.folder / "old.duckdb")
    copy(shop.seven, shop.path)


def by_a_link(shop):
    shop.path.unlink()
    shop.path.symlink_to(shop.seven)


def half_first(shop):
    half = shop.folder / "half"
    half.write_bytes(shop.seven.read_bytes()[:300_000])
    copy(half, shop.path)
    with pytest.raises((BackendError, SourceMoved)):
        shop.sums()
    copy(shop.seven, shop.path)


def garbage_first(shop):
    garbage = shop.folder / "garbage"
    garbage.write_bytes(os.urandom(300_000))
    copy(garbage, shop.path)
    with pytest.raises(BackendError, match="no DuckDB database"):
        shop.sums()
    copy(shop.seven, shop.path)


MOVES = [
    in_place,
    renamed,
    in_place_with_its_old_time,
    deleted_and_made_again,
    moved_away_first,
    by_a_link,
    half_first,
    garbage_first,
]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
def test_the_next_question_is_answered_from_what_stands_there(move, shop):
    before = shop.version()
    assert shop.sums(before) == ONES
    move(shop)
    with pytest.raises(SourceMoved):
        shop.sums(before)
    after = shop.version()
    assert after != before
    assert shop.sums(after) == shop.sums() == SEVENS
    assert soon(lambda: len(shop.source.instances) == 1)


def test_every_reading_says_that_the_version_is_gone(shop):
    before = shop.version()
    in_place(shop)
    for read in (
        lambda: shop.backend.tables(before),
        lambda: shop.backend.run(BY_SALE, at=before),
        lambda: shop.backend.duplicate("sales", ("sale",), at=before),
        lambda: shop.backend.statistics("sales", ("shop",), at=before),
    ):
        with pytest.raises(SourceMoved):
            read()
    assert shop.backend.statistics("sales", (), at={"sales": None, "other": "x"}).rows == 20


def test_what_leaves_the_content_leaves_the_answer(shop):
    before = shop.version()
    shop.path.touch()
    assert shop.sums(before) == ONES
    replace(shop.path, shop.path)
    assert shop.sums(before) == ONES
    shop.path.chmod(0o600)
    os.link(shop.path, shop.folder / "backup")
    assert shop.sums(before) == ONES


def test_an_appended_or_cut_file_is_another_version(shop):
    before = shop.version()
    with shop.path.open("ab") as file:
        file.write(b"more")
    appended = shop.version()
    assert appended != before
    assert shop.sums(appended) == ONES, "DuckDB reads no further than its blocks"
    os.truncate(shop.path, 100_000)
    with pytest.raises((BackendError, SourceMoved)):
        shop.sums()
    copy(shop.seven, shop.path)
    assert shop.sums(shop.version()) == SEVENS


def test_links_and_their_targets_move(tmp_path):
    ones, sevens = write(tmp_path / "a.duckdb", 1), write(tmp_path / "b.duckdb", 7)
    link = tmp_path / "link.duckdb"
    link.symlink_to("a.duckdb")
    backend = DuckDBBackend(link)
    assert sums(backend) == ONES
    coming = tmp_path / "coming"
    coming.symlink_to("b.duckdb")
    coming.rename(link)
    assert sums(backend, version(backend)) == SEVENS
    replace(ones, sevens)
    assert sums(backend, version(backend)) == ONES
    backend.close()


def test_a_relative_path_is_of_the_folder_where_it_was_given(tmp_path, monkeypatch):
    write(tmp_path / "data.duckdb", 1)
    monkeypatch.chdir(tmp_path)
    backend = DuckDBBackend("data.duckdb")
    monkeypatch.chdir("/")
    assert sums(backend) == ONES
    replace(write(tmp_path / "seven.duckdb", 7), tmp_path / "data.duckdb")
    assert sums(backend) == SEVENS
    backend.close()


def test_a_path_with_a_quote(tmp_path):
    path = write(tmp_path / "data.duckdb", 1).rename(tmp_path / "its 'own'.duckdb")
    backend = DuckDBBackend(path)
    assert sums(backend) == ONES
    backend.close()


def bad_empty(shop):
    (shop.folder / "bad").write_bytes(b"")


def bad_garbage(shop):
    (shop.folder / "bad").write_bytes(b"x" * 500_000)


def bad_headers(shop):
    """What tells a database, and nothing behind it."""
    (shop.folder / "bad").write_bytes(shop.seven.read_bytes()[:12288])


def bad_block(shop):
    """A database whose catalogue was written over."""
    data = bytearray(shop.seven.read_bytes())
    data[12288:] = os.urandom(len(data) - 12288)
    (shop.folder / "bad").write_bytes(data)


WRITES_SLOWLY = """
import sys
with open(sys.argv[1], "r+b") as file:
    start = file.read(1)
    file.seek(0)
    file.write(start)
    file.flush()
    print("written", flush=True)
    sys.stdin.read()
"""


def bad_locked(shop):
    shutil.copyfile(shop.path, shop.folder / "bad")
    return started(HOLDER, shop.folder / "bad")


@pytest.mark.parametrize(
    "make", [bad_empty, bad_garbage, bad_headers, bad_block, bad_locked], ids=lambda m: m.__name__
)
@pytest.mark.parametrize("over", ["renamed", "linked", "in place"])
def test_a_bad_file_is_refused_until_a_good_one_is_there(make, over, shop):
    writer, bad = make(shop), shop.folder / "bad"
    if over == "in place":
        if writer is not None:
            ended(writer)
        copy(bad, shop.path)
        # Over the file that is read a writer of DuckDB's cannot come; another one can.
        writer = started(WRITES_SLOWLY, shop.path) if writer is not None else None
    elif over == "renamed":
        bad.rename(shop.path)
    else:
        shop.path.unlink()
        shop.path.symlink_to(bad)
    files = open_files()
    for _ in range(3):
        with pytest.raises((BackendError, SourceMoved)):
            shop.sums()
        with pytest.raises((BackendError, SourceMoved)):
            shop.backend.tables()
    assert open_files() <= files
    assert shop.source.lent == 0
    if writer is not None:
        ended(writer)
        assert shop.sums(shop.version()) == ONES, "its writer let it go"
    replace(shop.seven, shop.path)
    assert shop.sums(shop.version()) == SEVENS
    assert shop.source.lent == 0
    assert len(shop.source.instances) == 1


def test_a_file_that_is_gone_is_refused_until_it_is_back(shop):
    shop.path.rename(shop.folder / "away")
    for _ in range(2):
        with pytest.raises(BackendError, match="gone"):
            shop.version()
        with pytest.raises(BackendError, match="gone"):
            shop.sums()
    (shop.folder / "away").rename(shop.path)
    assert shop.sums(shop.version()) == ONES


def test_a_file_that_moves_while_it_is_opened_is_not_read(shop, monkeypatch):
    connected, before = duckdb_instance.connected, open_files()

    def overtaken(path, settings):
        found = connected(path, settings)
        copy(shop.seven, shop.path)
        return found

    shop.path.touch()
    at = shop.version()
    with monkeypatch.context() as patch:
        patch.setattr(duckdb_instance, "connected", overtaken)
        with pytest.raises(SourceMoved):
            shop.sums(at)
    assert open_files() <= before
    assert shop.sums(shop.version()) == SEVENS


def test_a_failed_opening_leaves_the_streams_that_run(shop):
    stream, first = stalled(shop)
    (shop.folder / "bad").write_bytes(b"x" * 500_000)
    (shop.folder / "bad").rename(shop.path)
    with pytest.raises(BackendError):
        shop.sums()
    assert counted(first, stream) == MANY


def stalled(shop, amount=1):
    """A stream of one row for each of many sales, of which a first batch was taken."""
    replace(write(shop.folder / "many.duckdb", amount, MANY), shop.path)
    stream = iter(shop.backend.run(BY_SALE, at=shop.version()))
    return stream, next(stream)


def counted(first, stream):
    """The sum of the amounts of all batches of a stream."""
    return sum(sum(batch["m0_value"].to_pylist()) for batch in (first, *stream))


def test_a_stalled_reader_blocks_nobody_and_ends_on_what_it_began_with(shop):
    stream, first = stalled(shop)
    replace(shop.seven, shop.path)
    assert shop.sums(shop.version()) == SEVENS
    assert len(shop.source.instances) == 2
    assert counted(first, stream) == MANY
    assert soon(lambda: len(shop.source.instances) == 1)


def test_a_reader_whose_file_is_moved_away_or_deleted_goes_on(shop):
    stream, first = stalled(shop)
    shop.path.rename(shop.folder / "away")
    batches = [first, next(stream)]
    (shop.folder / "away").unlink()
    assert sum(sum(batch["m0_value"].to_pylist()) for batch in (*batches, *stream)) == MANY


@pytest.mark.parametrize("whole", [True, False])
def test_a_reader_whose_file_was_renamed_and_then_written_is_sent_away(whole, shop, monkeypatch):
    if not whole:
        monkeypatch.setattr("flightframe_server.backends.duckdb.version.WHOLE_BYTES", 0)
    stream, _ = stalled(shop)
    away = shop.folder / "away"
    shop.path.rename(away)
    next(stream)
    copy(shop.seven, away)
    with pytest.raises(SourceMoved):
        list(stream)


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_was_written_before_it_was_renamed_is_not_vouched_for(whole, shop, monkeypatch):
    """The time is set back, so that only the content tells; a large one shows in its time."""
    if not whole:
        monkeypatch.setattr("flightframe_server.backends.duckdb.version.WHOLE_BYTES", 0)
    stream, _ = stalled(shop)
    found = shop.path.stat()
    data = bytearray(shop.path.read_bytes())
    data[-9] ^= 1
    (shop.folder / "changed").write_bytes(data)
    copy(shop.folder / "changed", shop.path)
    if whole:
        os.utime(shop.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    shop.path.rename(shop.folder / "away")
    with pytest.raises(SourceMoved):
        list(stream)


def test_an_error_across_a_write_is_a_move_and_any_other_a_failure(shop):
    corrupt = "SELECT error('Corrupted DICT_FSST segment')"
    with pytest.raises(BackendError, match="refused the statement"):
        Reading(shop.source, ()).rows(corrupt)
    reading = Reading(shop.source, ())
    in_place(shop)
    with pytest.raises(SourceMoved):
        reading.rows(corrupt)


@pytest.mark.parametrize("move", [in_place, in_place_with_its_old_time, half_first])
def test_a_stream_is_cut_off_where_its_file_is_written(move, shop):
    shop.seven = write(shop.folder / "seven.duckdb", 7, MANY)
    stream, _ = stalled(shop)
    move(shop)
    with pytest.raises(SourceMoved):
        list(stream)
    assert soon(lambda: shop.source.lent == 0)
    assert shop.sums(shop.version()) == {"S0": MANY // 2 * 7, "S1": MANY // 2 * 7}


def test_the_last_batch_waits_for_the_end(shop, monkeypatch):
    """A write between the last batch and the end may be why there is no further one."""
    checked, check = [], Instance.check

    def moved_at_the_end(self):
        checked.append(self)
        if len(checked) > 1:
            raise SourceMoved
        check(self)

    running = shop.backend.run(BY_SALE)
    monkeypatch.setattr(Instance, "check", moved_at_the_end)
    stream = iter(running)
    with pytest.raises(SourceMoved):
        next(stream)
    assert len(checked) == 2


def test_no_more_than_a_few_instances_live_and_the_oldest_readers_are_sent_away(shop):
    streams = []
    for amount in range(1, INSTANCES + 3):
        streams.append((amount, *stalled(shop, amount)))
        assert len(shop.source.instances) <= INSTANCES
    sent, kept = streams[:2], streams[2:]
    for _, stream, _ in sent:
        with pytest.raises(SourceMoved):
            list(stream)
    for amount, stream, first in kept:
        assert counted(first, stream) == MANY * amount
    assert soon(lambda: len(shop.source.instances) == 1)
    assert shop.source.lent == 0


def test_a_table_larger_than_memory_is_never_a_mixture(tmp_path):
    """Whatever is read while files are copied over each other is of one of them."""
    rows, totals = 3_000_000, {}
    for name, change in (("one", 0), ("two", 977)):
        amount = f"(i * 2654435761 + {change}) % 2147483648"
        made = write(tmp_path / f"{name}.duckdb", amount, rows)
        assert made.stat().st_size > 10 << 20
        totals[sum((i * 2654435761 + change) % 2147483648 for i in range(rows))] = name
    shop = Shop(tmp_path, memory_limit="16MiB", threads=1)
    copy(tmp_path / "one.duckdb", shop.path)
    over, failures, found = threading.Event(), [], []

    def read():
        while not over.is_set():
            try:
                found.append(sum(sums(shop.backend).values()))
            except SourceMoved:
                failures.append("moved")
            except BackendError as error:
                failures.append(error.message)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(24):
            copy(tmp_path / f"{('two', 'one')[turn % 2]}.duckdb", shop.path)
            answered = len(found)
            # Some copies come while a statement runs, others after an answer.
            if turn % 3 == 2:
                assert soon(lambda known=answered: len(found) > known)
    finally:
        over.set()
        reader.join()
    assert set(found) == set(totals)
    assert set(failures) <= {"moved", "the database file is being written"}, failures
    assert "moved" in failures
    shop.close()


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_hundreds_of_moves_leave_nothing_behind(shop):
    ones, sevens = shop.path.read_bytes(), shop.seven.read_bytes()

    def turn(at):
        data, wanted = ((sevens, SEVENS), (ones, ONES))[at % 2]
        if at % 4 < 2:
            (shop.folder / "coming").write_bytes(data)
            (shop.folder / "coming").rename(shop.path)
        else:
            (shop.folder / "data").write_bytes(data)
            copy(shop.folder / "data", shop.path)
        assert shop.sums(shop.version()) == wanted

    for at in range(8):
        turn(at)
    gc.collect()
    files, threads = open_files(), len(os.listdir("/proc/self/task"))
    for at in range(200):
        turn(at)
    gc.collect()
    assert soon(lambda: open_files() <= files + 1), (files, open_files())
    assert soon(lambda: len(os.listdir("/proc/self/task")) <= threads + 1)
    assert len(shop.source.instances) == 1
    shop.close()
    assert soon(lambda: not shop.source.instances)
    leads = [
        os.readlink(f"/proc/self/fd/{name}")
        for name in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{name}")
    ]
    assert str(shop.path) not in leads


def test_readers_and_moves_at_once_give_whole_answers(shop):
    """Many readers, each told the version it wants, while files are renamed and copied."""
    over, wrong, answered = threading.Event(), [], []
    known = {}
    for amount in (1, 7):
        path = write(shop.folder / f"known{amount}.duckdb", amount)
        copy(path, shop.path)
        known[shop.version()["sales"]] = {"S0": 10 * amount, "S1": 10 * amount}

    def read():
        while not over.is_set():
            try:
                at = shop.version()
                found = shop.sums(at)
            except (SourceMoved, BackendError):
                continue
            answered.append(at["sales"])
            if found != known.get(at["sales"]):
                wrong.append((at, found))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for at in range(40):
            move = (copy, replace)[at % 4 // 2]
            move(shop.folder / f"known{(1, 7)[at % 2]}.duckdb", shop.path)
            seen = len(answered)
            assert soon(lambda count=seen: len(answered) > count)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert not wrong
    assert set(answered) == set(known)
    assert shop.source.lent == 0


def test_a_log_that_a_dead_writer_left_is_read(shop):
    before = shop.version()
    python(CRASHED, shop.seven)
    log = Path(f"{shop.seven}.wal")
    replace(shop.seven, shop.path)
    copy(log, f"{shop.path}.wal")
    after = shop.version()
    assert after != before
    assert shop.sums(after) == {"S0": 1070, "S1": 70}
    Path(f"{shop.path}.wal").unlink()
    assert shop.sums(shop.version()) == SEVENS


def test_a_log_that_is_there_only_while_the_file_is_opened_is_not_read(shop, monkeypatch):
    """It leaves the file, and the sign of the file, as they were."""
    python(CRASHED, shop.seven)
    log, beside = Path(f"{shop.seven}.wal"), Path(f"{shop.path}.wal")
    replace(shop.seven, shop.path)
    connected = duckdb_instance.connected

    def with_a_log(*how):
        log.rename(beside)
        try:
            return connected(*how)
        finally:
            beside.rename(log)

    monkeypatch.setattr(duckdb_instance, "connected", with_a_log)
    with pytest.raises(SourceMoved):
        shop.sums(shop.version())
    monkeypatch.undo()
    assert shop.sums(shop.version()) == SEVENS


def test_a_file_is_opened_while_others_come_and_go_beside_it(shop, monkeypatch):
    """Logs of servers and stores may stand in the folder of the data."""
    connected = duckdb_instance.connected

    def beside_others(*how):
        (shop.folder / "server.log").touch()
        try:
            return connected(*how)
        finally:
            (shop.folder / "server.log").unlink()

    monkeypatch.setattr(duckdb_instance, "connected", beside_others)
    replace(shop.seven, shop.path)
    assert shop.sums(shop.version()) == SEVENS


def test_a_log_of_another_file_is_refused(shop):
    python(CRASHED, shop.seven)
    copy(f"{shop.seven}.wal", f"{shop.path}.wal")
    with pytest.raises(BackendError, match="cannot be opened"):
        shop.sums()
    Path(f"{shop.path}.wal").unlink()
    assert shop.sums() == ONES


WRITES = """
import sys, duckdb
try:
    duckdb.connect(sys.argv[1])
except duckdb.IOException as error:
    sys.exit(0 if "lock" in str(error) else 2)
sys.exit(1)
"""


def test_a_foreign_writer_is_kept_out_whatever_else_opens_and_closes_the_file(shop):
    """Locks of the process would go with the first descriptor that is closed."""
    python(WRITES, shop.path)
    shop.path.read_bytes()
    python(WRITES, shop.path)
    other = DuckDBBackend(shop.path)
    other.close()
    python(WRITES, shop.path)
    shop.path.touch()
    assert shop.sums() == ONES
    python(WRITES, shop.path)


def test_a_file_in_a_writers_hands_cannot_be_opened(tmp_path):
    path = write(tmp_path / "data.duckdb", 1)
    writer = started(HOLDER, path)
    try:
        with pytest.raises(SetupError, match="cannot be opened"):
            DuckDBBackend(path)
    finally:
        ended(writer)
    backend = DuckDBBackend(path)
    assert sums(backend) == ONES
    backend.close()
