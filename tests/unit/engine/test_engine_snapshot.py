"""One snapshot per question: types, promises and numbers of one version of the data."""

import os
import threading
import time
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from engine_shop import collection, opened

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.call_context import CallContext, SessionOptions
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.limits import Limits
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import warm_up
from flightframe_server.errors import BackendTimeout, FDViolation, LimitExceeded
from flightframe_server.language import parse
from flightframe_server.planner.plan import Freshness
from flightframe_server.resolver.resolve import resolve
from flightframe_server.statements.runner import Statements

BY_REGION = "SELECT region, revenue AT region"


def asking(text):
    """What an engine is asked: a text, resolved on whatever the data are by then."""
    return lambda typed: resolve(parse(text), typed)


class Watched:
    """A back-end that notes what it is asked, and does something before each."""

    def __init__(self, backend):
        self._backend, self.asked, self.before = backend, [], lambda name: None

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def _watched(self, name, *what, **how):
        self.asked.append(name)
        self.before(name)
        return getattr(self._backend, name)(*what, **how)

    def run(self, *what, **how):
        return self._watched("run", *what, **how)

    def edge_map(self, *what, **how):
        return self._watched("edge_map", *what, **how)

    def duplicate(self, *what, **how):
        return self._watched("duplicate", *what, **how)

    def statistics(self, *what, **how):
        return self._watched("statistics", *what, **how)


@pytest.fixture
def backend(tmp_path):
    found = Watched(opened(tmp_path))
    yield found
    found.close()


@pytest.fixture
def engines(tmp_path, backend):
    made = []

    def make(**how):
        made.append(MetricEngine(collection(), tmp_path / "store", backend, **how))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def test_an_engine_opens_without_looking_at_the_data(engines, backend):
    engines()
    assert backend.asked == []


@pytest.mark.parametrize("fails", [False, True], ids=["written", "disk full"])
@pytest.mark.slow
def test_two_versions_of_the_source_are_written_down_one_after_the_other(
    fails, engines, tmp_path, monkeypatch
):
    engine, inside, most, met = engines(), [], [], []
    second = threading.Event()

    def recorded(*what):
        inside.append(what)
        most.append(len(inside))
        if len(most) == 1:
            replace(tmp_path, "UPDATE tx SET revenue = 2;")
            threads[1].start()
            second.wait(1.0)
        else:
            second.set()
        inside.pop()
        if fails:
            raise OSError("the disk is full")

    def ask():
        try:
            engine.answer(asking("SELECT revenue AT ()"))
        except Exception as error:
            met.append(error)

    monkeypatch.setattr("flightframe_server.engine.engine.record", recorded)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    replace(tmp_path, "UPDATE tx SET revenue = 1;")
    threads[0].start()
    for thread in threads:
        thread.join()
    assert not met, "no answer depends on it"
    assert most == [1, 1]


def test_a_question_waits_for_the_promises_it_rests_on_alone(engines, backend):
    engine = engines()
    engine.answer(asking("SELECT price AT ()"))
    # The key of the facts, and that of the table of prices; no edge, no sibling, no size.
    assert backend.asked == ["duplicate", "duplicate", "run"]
    backend.asked.clear()
    engine.answer(asking("SELECT MAX(price) AS most AT ()"))
    assert backend.asked == []


def test_what_was_attested_is_known_after_a_restart_over_the_same_data(engines, backend):
    first = engines()
    first.attested()
    first.answer(asking("SELECT store, revenue AT store"))
    first.close()
    backend.asked.clear()
    again = engines()
    _, found = again.attested()
    assert found.unattested == frozenset()
    assert found.siblings == {("revenue", "daily"): None}
    # Rolled up along the map that was kept.
    served = again.answer(asking(BY_REGION))
    assert [part.route for part in served.parts] == ["rollup"]
    assert backend.asked == []


SALES = """
version: 1
name: sales
schemas:
  - {name: sales, grain: [sale], columns: {sale: sale, amount: amount}}
dimension_families: [{name: sale, levels: [sale]}]
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
"""


def lay_sales(path, type_, *amounts):
    """Put a file of sales in the place of a path, by renaming."""
    fresh = path.with_suffix(".fresh")
    with duckdb.connect(str(fresh)) as connection:
        connection.execute(f"CREATE TABLE sales (sale BIGINT, amount {type_})")
        for sale, amount in enumerate(amounts):
            connection.execute(f"INSERT INTO sales VALUES ({sale}, {amount})")
    os.replace(fresh, path)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_types_that_change_before_the_statement_runs_are_resolved_again(tmp_path, restarted):
    path = tmp_path / "sales.duckdb"
    lay_sales(path, "DECIMAL(12,2)", "12.70")
    backend = Watched(DuckDBBackend(path))

    def move(name):
        backend.before = lambda name: None
        lay_sales(path, "DECIMAL(12,4)", "12.7035")

    engine = MetricEngine(read_collection(SALES), tmp_path / "store", backend)
    engine.attested()
    backend.before = move
    text = "SELECT amount AT ()"
    assert engine.answer(asking(text)).table["amount"].to_pylist() == [Decimal("12.7035")]
    if restarted:
        engine.close()
        engine = MetricEngine(read_collection(SALES), tmp_path / "store", backend)
    again = engine.answer(asking(text))
    assert [part.route for part in again.parts] == ["exact"]
    assert again.table["amount"].to_pylist() == [Decimal("12.7035")]
    engine.close()
    backend.close()


def test_an_older_entry_of_other_types_is_not_read_as_if_it_were_of_these(tmp_path):
    path = tmp_path / "sales.duckdb"
    lay_sales(path, "DECIMAL(12,4)", "12.7035")
    backend = DuckDBBackend(path)
    engine = MetricEngine(read_collection(SALES), tmp_path / "store", backend)
    text = "SELECT amount AT ()"
    engine.answer(asking(text))
    lay_sales(path, "DECIMAL(12,2)", "1.00")
    served = engine.answer(asking(text), Freshness(max_staleness=3600))
    assert served.table["amount"].to_pylist() == [Decimal("1.00")]
    engine.close()
    backend.close()


@pytest.mark.slow
def test_a_look_at_the_data_is_bounded_and_holds_nobody_else_up(engines, backend):
    engine = engines(statements=Statements(Limits(statement_timeout=300.0)))
    engine.answer(asking("SELECT price AT ()"))
    held, looking = threading.Event(), threading.Event()

    def stall(name):
        if name == "edge_map":
            looking.set()
            held.wait(60)

    backend.before = stall
    failures = []

    def ask():
        try:
            engine.answer(
                asking(BY_REGION),
                context=CallContext(options=SessionOptions(statement_timeout=5.0)),
            )
        except BackendTimeout as error:
            failures.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert looking.wait(60)
    # An answer that rests on other promises does not wait for that look.
    assert engine.answer(asking("SELECT price AT ()")).table.num_rows == 1
    assert engine.statements.running()
    waiting.join(60)
    held.set()
    assert len(failures) == 1
    until = time.monotonic() + 30
    while engine.statements.running() and time.monotonic() < until:
        time.sleep(0.01)
    assert not engine.statements.running()


def test_a_promise_broken_by_a_move_is_found_with_the_first_answer_that_needs_it(engines, tmp_path):
    engine = engines()
    assert engine.answer(asking(BY_REGION)).table.num_rows
    replace(tmp_path, "INSERT INTO stores VALUES ('S1', 'West', 'Z1');")
    with pytest.raises(FDViolation, match="S1 has East and West"):
        engine.answer(asking(BY_REGION))
    assert engine.answer(asking("SELECT store, revenue AT store")).table.num_rows
    replace(tmp_path, "")
    assert engine.answer(asking(BY_REGION)).table.num_rows


def replace(folder, sql):
    """Put the shop's file, changed, in its own place."""
    fresh = folder / "fresh"
    fresh.mkdir(exist_ok=True)
    for old in fresh.iterdir():
        old.unlink()
    opened(fresh, sql).close()
    os.replace(fresh / "shop.duckdb", folder / "shop.duckdb")


def test_a_version_seen_and_left_again_is_not_filed_as_the_one_before(engines, backend, tmp_path):
    """The data are A, then B while the statement runs, then A again."""
    engine = engines()
    engine.attested()
    original = (tmp_path / "shop.duckdb").read_bytes()

    def there_and_back(name):
        if name == "run":
            backend.before = lambda name: None
            replace(tmp_path, "UPDATE tx SET revenue = 1;")
            threading.Timer(0.2, back).start()

    def back():
        fresh = tmp_path / "back.duckdb"
        fresh.write_bytes(original)
        os.replace(fresh, tmp_path / "shop.duckdb")

    backend.before = there_and_back
    first = engine.answer(asking("SELECT revenue AT ()"), Freshness(no_cache=True))
    assert first.table["revenue"].to_pylist()[0] in (Decimal("46.30"), Decimal("5.00"))
    until = time.monotonic() + 30
    found = None
    while found != [Decimal("46.30")] and time.monotonic() < until:
        found = engine.answer(asking("SELECT revenue AT ()")).table["revenue"].to_pylist()
    assert found == [Decimal("46.30")]
    for entry in engine.store.holdings():
        table = engine.store.read(entry)
        expected = Decimal("46.30") if dict(entry.version) == dict(engine.fingerprint()) else None
        if expected is not None and entry.key.anchor == ():
            assert table[" value"].to_pylist() == [expected]


@pytest.mark.parametrize("most", [3, 4])
def test_what_comes_decides_whether_an_answer_is_collected(engines, most):
    """Four stores: collected and kept where so many rows are, streamed in order where not."""
    engine = engines(stream_rows=most)
    served = engine.answer(asking("SELECT store, COUNT(*) AS n FROM tx AT store"))
    assert (served.stream is None) == (most == 4)
    table = served.table
    if table is None:
        table = pa.Table.from_batches(list(served.stream.open()))
    assert table.to_pydict() == {"store": ["S1", "S2", "S9", None], "n": [2, 1, 1, 1]}
    assert bool(list(engine.store.holdings())) == (most == 4)


def test_a_hint_that_is_not_kept_is_not_called_made(tmp_path, backend):
    hinted = COLLECTION_WITH_HINT
    engine = MetricEngine(read_collection(hinted), tmp_path / "small", backend, stream_rows=3)
    (warmed,) = warm_up(engine)
    assert isinstance(warmed.failure, LimitExceeded)
    assert "more than 3 rows, and is not kept" in warmed.failure.message
    engine.close()
    roomy = MetricEngine(read_collection(hinted), tmp_path / "large", backend, stream_rows=4)
    (warmed,) = warm_up(roomy)
    assert warmed.failure is None
    roomy.close()


COLLECTION_WITH_HINT = """
version: 1
name: hinted
schemas:
  - {name: tx, table: tx, grain: [txn], columns: {txn: txn, store: store, revenue: revenue}}
dimension_families: [{name: location, levels: [store]}, {name: sale, levels: [txn]}]
metric_families:
  - name: revenue
    family_root: {schema: tx, column: revenue}
    ip_reducers: [{operator: SUM}]
    cache_hint: {materialize_at: [[store]]}
"""


def test_the_source_moved_is_never_told_to_users(engines, backend):
    engine = engines()
    engine.attested()
    backend.before = lambda name: (_ for _ in ()).throw(SourceMoved())
    with pytest.raises(Exception, match="BACKEND: the data are being written"):
        engine.answer(asking("SELECT revenue AT ()"))
