"""Does the Polars back-end read one version of each file, or refuse, while the files move?

Version one of `sales` has twenty rows of 1 at the shops S0 and S1, version two twenty rows of 7; a
sum is 20 or 140, and anything else is of no version.
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_polars_backend import REGION, SHOP, TO_REGION, metric, source, write

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.polars import parquet_file, signs
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.polars.signs import SettledSigns, sign_of
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.errors import BackendCancelled, BackendError

pytestmark = pytest.mark.slow

TOTAL = source((metric("SUM", "amount"),), columns=("amount",))
BY_SHOP = source((metric("SUM", "amount"),), (SHOP,))
PATIENT = 20


def version(amount, rows=20):
    """The bytes of a version of `sales`."""
    sink = pa.BufferOutputStream()
    shops = [f"S{at % 2}" for at in range(rows)]
    pq.write_table(pa.table({"shop": shops, "amount": [amount] * rows}), sink, row_group_size=4)
    return sink.getvalue().to_pybytes()


ONE, TWO = version(1), version(7)


def overwrite(path, content):
    """Write into the very file, as `cp` does."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


@pytest.fixture
def sales(tmp_path):
    path = tmp_path / "data" / "sales.parquet"
    path.parent.mkdir()
    path.write_bytes(ONE)
    return path


@pytest.fixture
def backend(sales):
    found = PolarsBackend(sales.parent)
    yield found
    found.close()


def asked(backend, query=TOTAL, at=None):
    """The rows, of the version that the back-end has now or of `at`."""
    at = backend.fingerprints(("sales",)) if at is None else at
    running = backend.run(query, at=at)
    found = pa.Table.from_batches(list(running), schema=running.schema)
    return [tuple(row.values()) for row in found.to_pylist()]


def soon(holds):
    """Wait until something holds."""
    until = time.monotonic() + PATIENT
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def in_place(path):
    overwrite(path, TWO)


def appended(path):
    """Offsets count from the start of a file, so that its second footer is of its first pages."""
    with path.open("ab") as file:
        file.write(TWO)


def renamed_over(path):
    beside = path.with_suffix(".new")
    beside.write_bytes(TWO)
    beside.replace(path)


def of_equal_size_and_time(path):
    before = path.stat()
    assert len(TWO) == before.st_size
    overwrite(path, TWO)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def removed_and_back(path):
    path.unlink()
    path.write_bytes(TWO)


def pointed_elsewhere(path):
    other = path.parent.parent / "other.parquet"
    other.write_bytes(TWO)
    path.unlink()
    path.symlink_to(other)


MOVES = (
    in_place,
    appended,
    renamed_over,
    of_equal_size_and_time,
    removed_and_back,
    pointed_elsewhere,
)


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_file_is_never_read_as_the_old_version(backend, sales, move):
    before = backend.fingerprints(("sales",))
    assert before["sales"] is not None
    assert asked(backend, at=before) == [(20,)]
    move(sales)
    for read in (
        lambda at: asked(backend, at=at),
        lambda at: backend.tables(at),
        lambda at: backend.duplicate("sales", ("shop",), at=at),
        lambda at: backend.duplicate("sales", (), at=at),
        lambda at: backend.statistics("sales", ("shop",), at=at),
        lambda at: backend.statistics("sales", (), at=at),
    ):
        with pytest.raises(SourceMoved):
            read(before)
    after = backend.fingerprints(("sales",))
    assert after["sales"] not in (None, before["sales"])
    assert asked(backend, at=after) == [(20 if move is appended else 140,)]
    assert backend.statistics("sales", ("shop",), at=after).rows == 20


def test_an_inode_used_again_is_another_file(backend, sales):
    """A file system gives the number of a removed file to the next one, at its leisure."""
    size, told = sales.stat().st_size, set()
    for content in (TWO, ONE) * 20:
        before = backend.fingerprints(("sales",))["sales"]
        sales.unlink()
        sales.write_bytes(content)
        assert sales.stat().st_size == size
        after = backend.fingerprints(("sales",))["sales"]
        assert after != before
        told.add(after)
        assert asked(backend) == [(20 if content is ONE else 140,)]
    assert len(told) == 40


@pytest.mark.parametrize(
    "bad",
    [b"", ONE[: len(ONE) // 2], ONE[:-1], b"PAR1" * 40, bytes(len(ONE)), ONE[:-8] + b"PAR1" * 2],
)
def test_a_bad_file_is_refused_at_each_question_until_a_good_one_is_there(backend, sales, bad):
    for put in (overwrite, lambda path, content: path.write_bytes(content)):
        put(sales, bad)
        for _ in range(3):
            with pytest.raises(BackendError):
                asked(backend)
            with pytest.raises(BackendError):
                backend.tables(backend.fingerprints(("sales",)))
            with pytest.raises(BackendError):
                backend.statistics("sales", ("shop",))
            with pytest.raises(BackendError):
                backend.duplicate("sales", ("shop",))
        put(sales, TWO)
        assert asked(backend) == [(140,)]


def test_a_file_that_is_half_written_over_is_refused_until_its_writer_is_done(
    backend, sales, monkeypatch
):
    """Half of each version is a Parquet file as well: only its open writer tells."""
    middle = ONE.index(b"PAR1", 4) // 2
    with sales.open("r+b") as writer:
        for part in (TWO[:middle], TWO[middle:-1]):
            writer.write(part)
            writer.flush()
            for at in (None, {}, backend.fingerprints(("sales",))):
                with pytest.raises(SourceMoved):
                    asked(backend, at=at)
        writer.write(TWO[-1:])
    assert asked(backend) == [(140,)]
    with sales.open("r+b") as writer:
        writer.write(ONE)
        writer.flush()
        monkeypatch.setattr(parquet_file, "WRITING_SECONDS", 0.0)
        assert asked(backend) == [(20,)], "one that rests is waited for no longer"


def test_a_file_that_is_gone_is_refused_until_it_is_back(backend, sales):
    before = backend.fingerprints(("sales",))
    away = sales.with_suffix(".away")
    sales.rename(away)
    assert backend.fingerprints(("sales",)) == {"sales": None}
    with pytest.raises(BackendError):
        asked(backend)
    with pytest.raises(SourceMoved):
        asked(backend, at=before)
    with pytest.raises(SourceMoved):
        backend.tables(before)
    away.rename(sales)
    assert asked(backend) == [(20,)]


def test_what_is_no_file_is_no_table_and_hangs_nobody(backend, sales):
    os.mkfifo(sales.parent / "pipe.parquet")
    (sales.parent / "folder.parquet").mkdir()
    assert list(backend.tables()) == ["sales"]
    for name in ("pipe", "folder"):
        with pytest.raises(BackendError):
            asked(backend, source((metric("COUNT"),), table=name))


def test_a_bad_file_that_nobody_asks_for_harms_nobody(backend, sales):
    (sales.parent / "notes.parquet").write_bytes(b"half of a")
    at = backend.fingerprints(("sales",))
    assert list(backend.tables(at)) == ["sales"]
    with pytest.raises(BackendError):
        backend.tables(backend.fingerprints(("sales", "notes")))


def test_types_are_those_of_the_version_that_is_read(backend, sales):
    """Amounts to the cent become amounts to the hundredth of one: 12.7035 is never 12.70."""
    money = {"shop": ["S0"], "amount": [Decimal("12.70")]}
    write(sales.parent, "sales", **money)
    coarse = backend.fingerprints(("sales",))
    assert str(backend.tables(coarse)["sales"]["amount"]) == "decimal(4,2)"
    money["amount"] = [Decimal("12.7035")]
    write(sales.parent, "sales", **money)
    fine = backend.fingerprints(("sales",))
    with pytest.raises(SourceMoved):
        backend.tables(coarse)
    with pytest.raises(SourceMoved):
        asked(backend, at=coarse)
    assert str(backend.tables(fine)["sales"]["amount"]) == "decimal(6,4)"


@contextmanager
def held_at_the_first_batch(monkeypatch):
    """Let a query pass one batch of a table, and the others when it is told."""
    at_first, go = threading.Event(), threading.Event()
    passing = Gate.passed
    monkeypatch.setattr(parquet_file, "READ_ROWS", 4)

    def passed(self, batch):
        found = passing(self, batch)
        at_first.set()
        assert go.wait(PATIENT)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Gate, "passed", passed)
        yield at_first, go
        go.set()


@pytest.mark.parametrize("move", [*MOVES[:5], lambda path: os.truncate(path, 100)])
@pytest.mark.parametrize("query", [TOTAL, BY_SHOP])
def test_a_file_that_moves_while_it_is_read_ends_the_query(
    backend, sales, monkeypatch, move, query
):
    before = backend.fingerprints(("sales",))
    with held_at_the_first_batch(monkeypatch) as (at_first, go):
        running = backend.run(query, at=before)
        assert at_first.wait(PATIENT)
        move(sales)
        go.set()
        with pytest.raises(SourceMoved):
            list(running)


def test_a_stream_ends_before_a_row_of_another_version_is_handed_out(tmp_path):
    """Hundreds of thousands of shops come in batches; the file is overwritten after the first."""
    many, folder = 900_000, tmp_path
    path = folder / "sales.parquet"
    path.write_bytes(numbered(many, 1))
    backend = PolarsBackend(folder)
    one_each = source((metric("SUM", "amount"),), (SHOP,))
    at = backend.fingerprints(("sales",))
    running = iter(backend.run(one_each, at=at))
    seen = next(running)["m0_value"].to_pylist()
    overwrite(path, numbered(many, 7))
    with pytest.raises(SourceMoved):
        seen.extend(amount for batch in running for amount in batch["m0_value"].to_pylist())
    assert set(seen) == {1}
    backend.close()


def numbered(count, amount):
    sink = pa.BufferOutputStream()
    table = pa.table({"shop": pa.array(range(count)).cast(pa.string()), "amount": [amount] * count})
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_a_name_that_leads_elsewhere_and_back_is_not_followed(sales, monkeypatch):
    """A folder is changed for another while it is read: the files that were opened are read."""
    folder, other = sales.parent, sales.parent.parent / "other"
    other.mkdir()
    (other / "sales.parquet").write_bytes(TWO)
    link = folder.parent / "link"
    link.symlink_to(folder)
    backend = PolarsBackend(folder)
    backend._folder._folder = link
    at = backend.fingerprints(("sales",))
    with held_at_the_first_batch(monkeypatch) as (at_first, go):
        running = backend.run(TOTAL, at=at)
        assert at_first.wait(PATIENT)
        link.unlink()
        link.symlink_to(other)
        go.set()
        assert next(iter(running))["m0_value"].to_pylist() == [20]
    with pytest.raises(SourceMoved):
        backend.run(TOTAL, at=at)
    link.unlink()
    link.symlink_to(folder)
    assert asked(backend, at=at) == [(20,)]
    backend.close()


def test_a_look_up_table_that_moves_ends_the_query_too(backend, sales, monkeypatch):
    write(sales.parent, "shops", id=["S0", "S1"], area=["East", "West"])
    query = source((metric("SUM", "amount"),), (REGION,))
    at = backend.fingerprints(("sales", "shops"))
    assert sorted(asked(backend, query, at)) == [("East", 10), ("West", 10)]
    with held_at_the_first_batch(monkeypatch) as (at_first, go):
        running = backend.run(query, at=at)
        assert at_first.wait(PATIENT)
        write(sales.parent, "shops", id=["S0", "S1"], area=["West", "East"])
        go.set()
        with pytest.raises(SourceMoved):
            list(running)
    with pytest.raises(SourceMoved):
        backend.run(query, at=at)
    with pytest.raises(SourceMoved):
        backend.edge_map(TO_REGION, at=at)


# The writer ends between two writes: a page of Parquet carries no checksum, so half a
# write of equal length that is left for good would be just another version.
WRITER = """
import os, select, sys, time
path, end = sys.argv[1], time.monotonic() + float(sys.argv[2])
versions = [open(name, "rb").read() for name in sys.argv[4:]]
pause = float(sys.argv[3])
while time.monotonic() < end and not select.select([sys.stdin], [], [], 0)[0]:
    for content in versions:
        file = os.open(path, os.O_RDWR)
        os.pwrite(file, content, 0)
        os.ftruncate(file, len(content))
        os.close(file)
        time.sleep(pause)
"""


@contextmanager
def writer(path, seconds, pause, *versions):
    """Write versions into the very file, over and over, from another process."""
    names = []
    for number, content in enumerate(versions):
        names.append(str(path.parent.parent / f"version{number}"))
        with open(names[-1], "wb") as file:
            file.write(content)
    command = [sys.executable, "-c", WRITER, str(path), str(seconds), str(pause), *names]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.communicate()


def test_under_a_writer_each_answer_is_of_one_version(backend, sales):
    """Versions of 4,000 rows are written into the file thirty times a second."""
    found = {}
    with writer(sales, PATIENT, 0.03, version(1, 4000), version(7, 4000)):
        until = time.monotonic() + PATIENT
        while time.monotonic() < until and not {4000, 28000} & set(found):
            try:
                total = asked(backend)[0][0]
            except (SourceMoved, BackendError) as error:
                total = type(error).__name__
            found[total] = found.get(total, 0) + 1
    assert set(found) <= {20, 4000, 28000, "SourceMoved", "BackendError"}
    # On a slow machine none may have been whole; the last one is.
    assert asked(backend)[0][0] in {4000, 28000}


READER = """
import sys, time
sys.path[:0] = sys.argv[3:]
from test_polars_moves import BY_SHOP, asked
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.errors import BackendError
backend, until, tried = PolarsBackend(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < until:
    for at in (None, {}):
        try:
            asked(backend, BY_SHOP, at)
        except (SourceMoved, BackendError):
            pass
        tried += 1
print("alive", tried)
"""


def read_in_a_child(folder, seconds):
    """Read the sales over and over in a process of its own, and return what it said and how."""
    here = os.path.dirname(__file__)
    command = [sys.executable, "-c", READER, str(folder), str(seconds), here]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    return done.stdout, done.returncode, done.stderr[-2000:]


def test_a_file_that_shrinks_under_a_reader_does_not_end_the_process(sales):
    """A mapped file that shrinks ends the process by SIGBUS, within a second at this pace."""
    large = version(1, 20_000)
    with writer(sales, 60, 0, large, large[:4096], large, b""):
        said, code, errors = read_in_a_child(sales.parent, 4)
    assert (code, said.split()[:1]) == (0, ["alive"]), errors


DAMAGE = """
import pathlib, sys
sys.path[:0] = sys.argv[2:]
from test_polars_moves import asked, TOTAL
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.errors import ArithmeticOverflow, BackendError
path = pathlib.Path(sys.argv[1])
good, refused = path.read_bytes(), 0
for at in range(4, 120):
    for value in (0x00, 0x7F, 0x80, 0xFF):
        path.write_bytes(good[:at] + bytes([value]) * 9 + good[at + 9 :])
        try:
            asked(PolarsBackend(path.parent), TOTAL, {})
        except (ArithmeticOverflow, BackendError):
            refused += 1
print("alive", refused)
"""


def test_damaged_pages_are_refused_and_do_not_end_the_process(sales):
    """Runs of nine bytes of the first page are changed; some make lengths of 2^61."""
    table = pa.table({"shop": ["S0"] * 40, "amount": [None if at % 3 else at for at in range(40)]})
    table = table.select(["amount"])
    pq.write_table(table, sales, compression="none", use_dictionary=False)
    here = os.path.dirname(__file__)
    command = [sys.executable, "-c", DAMAGE, str(sales), here]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 100


def test_hundreds_of_moves_leave_nothing_behind(backend, sales):
    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    assert asked(backend) == [(20,)]
    before = held()
    for number in range(300):
        MOVES[number % 5](sales)
        at = backend.fingerprints(("sales",))
        given_up = backend.run(BY_SHOP, at=at)
        given_up.cancel()
        sales.write_bytes(ONE)
        with pytest.raises(SourceMoved):
            asked(backend, at=at)
        assert asked(backend) == [(20,)]
    soon(lambda: held() <= before)


@pytest.mark.parametrize(
    "read",
    [
        lambda backend, token: backend.edge_map(TO_REGION, token=token),
        lambda backend, token: backend.duplicate("shops", ("id",), token=token),
        lambda backend, token: backend.statistics("shops", ("id",), token=token),
    ],
)
def test_a_stop_ends_what_is_read_besides_queries(backend, sales, monkeypatch, read):
    write(sales.parent, "shops", id=[str(at) for at in range(100)], area=["East"] * 100)
    monkeypatch.setattr(parquet_file, "READ_ROWS", 1)
    passed, first, passing = [], threading.Event(), Gate.passed

    def slowly(self, batch):
        found = passing(self, batch)
        passed.append(batch)
        first.set()
        time.sleep(0.05)
        return found

    monkeypatch.setattr(Gate, "passed", slowly)
    token, raised = CancelToken(), []

    def reading():
        try:
            read(backend, token)
        except BackendCancelled as error:
            raised.append(error)

    thread = threading.Thread(target=reading)
    thread.start()
    assert first.wait(PATIENT)
    token.cancel()
    thread.join(PATIENT)
    assert len(raised) == 1
    soon(lambda: not [one for one in threading.enumerate() if one.name == "polars"])
    assert len(passed) < 50
    cancelled = CancelToken()
    cancelled.cancel()
    with pytest.raises(BackendCancelled):
        read(backend, cancelled)


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(signs.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(signs.time, "time", lambda: 1_700_000_000 + self.now)
        monkeypatch.setattr(signs.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds

    def stat(self, ago, size=8):
        """What is told of a file that was written so many seconds ago."""
        moment = round((1_700_000_000 + self.now - ago) * 10**9) | 1
        return Told(1, 2, size, moment, moment)


class Told:
    def __init__(self, *parts):
        self.st_dev, self.st_ino, self.st_size, self.st_mtime_ns, self.st_ctime_ns = parts


@pytest.mark.parametrize(
    ("ago", "waited"), [(3600, 0), (0.03, 0), (0.005, 0.015), (0, 0.02), (-3600, 0.02)]
)
def test_a_sign_is_told_once_a_write_must_move_it(monkeypatch, ago, waited):
    clock, known = Clock(monkeypatch), SettledSigns()
    found, began = clock.stat(ago), clock.now
    assert known.settled("t", lambda: found, clock.now + 0.1) == sign_of(found)
    assert clock.now - began == pytest.approx(waited, abs=0.004)
    # A future time is waited for once.
    began = clock.now
    assert known.settled("t", lambda: found, clock.now + 0.1) == sign_of(found)
    assert clock.now == began


def test_a_file_that_is_written_all_the_time_has_no_sign(monkeypatch):
    clock, known = Clock(monkeypatch), SettledSigns()
    began = clock.now
    assert known.settled("t", lambda: clock.stat(0), clock.now + 0.1) is None
    assert clock.now - began == pytest.approx(0.1, abs=0.01)


def test_a_write_in_the_tick_of_the_last_one_is_seen(monkeypatch):
    """Both versions have one time; the first is never told, for the second was there before."""
    clock, known = Clock(monkeypatch), SettledSigns()
    moment = clock.stat(0).st_ctime_ns
    one, two = (Told(1, 2, size, moment, moment) for size in (8, 9))
    began = clock.now
    found = known.settled("t", lambda: one if clock.now - began < 0.01 else two, clock.now + 0.1)
    assert found == sign_of(two)


def test_whole_seconds_settle_after_two(monkeypatch):
    clock, known = Clock(monkeypatch), SettledSigns()
    second = (1_700_000_000 + int(clock.now)) * 10**9
    found = Told(1, 2, 8, second, second)
    assert known.settled("t", lambda: found, clock.now + 0.1) is None
    clock.now += 2
    assert known.settled("t", lambda: found, clock.now + 0.1) == sign_of(found)
