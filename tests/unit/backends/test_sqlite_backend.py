"""The SQLite back-end as the engine sees it: statements that stream, stop and never write."""

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
from sqlite_shop import COLLECTION, Till, add, write

from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import INTEGER
from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.registry import open_backend
from flightframe_server.backends.sql.names import Statement
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.statement import SQLiteRunning
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import (
    BackendCancelled,
    BackendError,
    NotSupported,
    SetupError,
)
from flightframe_server.language import parse
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.resolver.resolve import resolve


def planned(shop, query):
    (found,) = shop.engine.plan(lambda typed: resolve(parse(query), typed)).queries
    return found


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """More lines than go into one batch, each of them a point."""
    path = tmp_path_factory.mktemp("large") / "large.sqlite"
    write(path, [{"line": at, "price": at} for at in range(150_000)])
    return path


@pytest.fixture(scope="module")
def large(large_file):
    shop = Till(large_file)
    yield shop
    shop.close()


def test_tables_and_views_with_their_usable_columns(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [])
    with closing(sqlite3.connect(path)) as writer:
        writer.execute('CREATE TABLE "odd name" (a DECIMAL(5, 1), b BLOB, "c""d" DATE, e)')
        writer.execute("CREATE VIEW dear AS SELECT line, price FROM lines WHERE price > 100")
    backend = SQLiteBackend(path)
    found = backend.tables()
    assert set(found) == {"lines", "odd name", "dear"}
    assert {name: str(kind) for name, kind in found["odd name"].items()} == {
        "a": "decimal(5,1)",
        'c"d': "date",
    }
    assert {name: str(kind) for name, kind in found["dear"].items()} == {
        "line": "integer",
        "price": "decimal(12,2)",
    }
    backend.close()


def test_a_table_declared_anew_is_read_anew(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 1250}])
    shop = Till(path)
    assert str(shop.one("SELECT total AT ()")) == "12.50"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("DROP TABLE lines")
        writer.execute(
            "CREATE TABLE lines (line INTEGER, price DECIMAL(12, 3), quantity BIGINT, day DATE,"
            " moment TIMESTAMP, paid BOOLEAN, name TEXT, weight REAL)"
        )
        add(writer, [{"line": 1, "price": 1250}])
    collection = COLLECTION.replace("decimal(38,2)", "decimal(38,3)").replace("38,4", "38,6")
    shop.engine = MetricEngine(
        read_collection(collection), path.parent / "other", shop.backend, enabled=False
    )
    found = answer(Request("SELECT total AT ()"), Runtime("test", {"till": shop.engine}))
    assert str(found.table["total"][0]) == "1.250"
    shop.close()


@pytest.mark.slow
def test_batches_come_as_they_are_made(large):
    running = large.backend.run(planned(large, "SELECT line, total AT line"))
    sizes = [batch.num_rows for batch in running]
    assert sizes == [65_536, 65_536, 150_000 - 2 * 65_536]


def test_a_statement_reads_the_version_at_which_it_was_started(tmp_path):
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1, "price": 100}], journal="WAL")
    shop = Till(path)
    running = shop.backend.run(planned(shop, "SELECT total AT ()"))
    with closing(sqlite3.connect(path)) as writer:
        add(writer, [{"line": 2, "price": 100}])
    (batch,) = list(running)
    assert str(batch.column(0)[0]) == "1.00"
    assert str(shop.one("SELECT total AT ()")) == "2.00"
    shop.close()


def test_nothing_can_be_written(till):
    shop = till([{"line": 1}])
    for read_only in (True, False):
        backend = SQLiteBackend(shop.engine.root.parent / "till0.sqlite", read_only=read_only)
        with (
            pytest.raises(sqlite3.OperationalError, match="readonly"),
            backend._source.reading() as reading,
        ):
            reading.handle.execute("DELETE FROM lines")
        backend.close()
    assert shop.one("SELECT n AT ()") == 1


def test_extensions_cannot_be_loaded(till):
    shop = till([])
    with (
        pytest.raises(sqlite3.OperationalError, match="not authorized"),
        shop.backend._source.reading() as reading,
    ):
        reading.handle.execute("SELECT load_extension('x')")


def test_a_view_that_cannot_be_read_is_left_out_and_the_rest_stays(tmp_path):
    # One that calls a function of ours, under its name, and one whose table is gone.
    path = tmp_path / "till.sqlite"
    write(path, [{"line": 1}])
    with closing(sqlite3.connect(path)) as writer:
        writer.create_function("ff_real", 2, lambda a, b: 0)
        writer.execute("CREATE VIEW sly AS SELECT line FROM lines WHERE ff_real(line, 0) = 1")
        writer.execute("CREATE TABLE gone (a INTEGER)")
        writer.execute("CREATE VIEW dangling AS SELECT a FROM gone")
        writer.execute("DROP TABLE gone")
    backend = SQLiteBackend(path)
    assert set(backend.tables()) == {"lines"}
    with pytest.raises(BackendError):
        backend.statistics("sly", ())
    backend.close()


@pytest.mark.parametrize("kind", ["WITHOUT ROWID", "view"])
def test_sizes_where_rows_have_no_number(kind, tmp_path):
    path = tmp_path / "wide.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        without = kind if kind != "view" else ""
        writer.execute(f"CREATE TABLE held (a INTEGER PRIMARY KEY, b INTEGER) {without}")
        writer.executemany("INSERT INTO held VALUES (?, ?)", ((at, at % 7) for at in range(70_000)))
        writer.execute("CREATE VIEW seen AS SELECT a, b FROM held")
        writer.commit()
    backend = SQLiteBackend(path)
    sizes = backend.statistics("seen" if kind == "view" else "held", ("a", "b"))
    assert (sizes.rows, sizes.members) == (70_000, {"a": 70_000, "b": 7})
    backend.close()


COUNTING = Statement(
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000000)"
    " SELECT COUNT(*) FROM c",
    {},
    (("n", INTEGER),),
)


def counting(shop):
    """A statement of one row that takes minutes if nothing stops it."""
    source = shop.backend._source
    return SQLiteRunning(source, source.begin(), COUNTING)


def stopped(running, found):
    try:
        found.append(list(running))
    except Exception as error:
        found.append(error)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_running_statement_stops(how, large):
    running = counting(large)
    found = []
    thread = threading.Thread(target=stopped, args=(running, found))
    thread.start()
    time.sleep(0.1)
    getattr(running, how)()
    thread.join(60)
    assert isinstance(found[0], BackendCancelled)
    running.close()
    assert large.one("SELECT n AT ()") == 150_000


def test_a_statement_that_is_cancelled_before_it_is_read(large):
    running = counting(large)
    running.cancel()
    started = time.process_time()
    with pytest.raises(BackendCancelled):
        list(running)
    assert time.process_time() - started < 2


def test_a_statement_given_up_half_way(large):
    running = large.backend.run(planned(large, "SELECT line, total AT line"))
    next(iter(running))
    running.close()
    running.close()
    with pytest.raises(BackendError):
        list(running)
    assert large.one("SELECT n AT ()") == 150_000


def test_many_threads_at_once(large):
    found = []

    def ask():
        found.append(large.one("SELECT total AT ()"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [str(value) for value in found] == ["112499250.00"] * 8


def test_closing_stops_what_runs(large_file):
    large = Till(large_file)
    running = counting(large)
    found = []
    thread = threading.Thread(target=stopped, args=(running, found))
    thread.start()
    time.sleep(0.1)
    large.backend.close()
    thread.join(60)
    assert isinstance(found[0], BackendError)
    with pytest.raises(BackendError, match="closed"):
        large.backend.tables()


def test_one_key_on_several_rows(till):
    rows = [(1, "a", "2024-01-01"), (2, "a", "2024-01-02"), (3, None, None), (4, None, None)]
    shop = till([{"line": line, "name": name, "day": day} for line, name, day in rows])
    assert shop.backend.duplicate("lines", ("line",)) is None
    assert shop.backend.duplicate("lines", ("name", "day")) == (None, None)
    assert shop.backend.duplicate("lines", ()) == ()
    assert till([{"line": 1}]).backend.duplicate("lines", ()) is None


def test_sizes_are_estimated_from_above(large):
    sizes = large.backend.statistics("lines", ("line", "name"))
    assert sizes.rows == 150_000
    assert sizes.members == {"line": 150_000, "name": 0}


def test_sizes_of_few_rows_are_exact(till):
    shop = till([{"line": at, "name": f"n{at % 3}"} for at in range(10)])
    sizes = shop.backend.statistics("lines", ("line", "name"))
    assert sizes.members == {"line": 10, "name": 3}


def test_an_installation_names_it(tmp_path):
    write(tmp_path / "till.sqlite", [])
    backend = open_backend(BackendSettings("sqlite", "till.sqlite"), tmp_path)
    assert isinstance(backend, SQLiteBackend)
    assert backend.id == "sqlite:till.sqlite"
    backend.close()
    with pytest.raises(SetupError, match="threads"):
        open_backend(BackendSettings("sqlite", "till.sqlite", {"threads": 2}), tmp_path)


def test_every_reducer_is_answered(till):
    rows = [{"line": at, "price": price} for at, price in enumerate([100, 300, 400, None])]
    shop = till(rows)
    assert shop.backend.capabilities().primitives == frozenset(Primitive)
    found = shop.table(
        "SELECT SUM(total) AS s, COUNT(total) AS c, MIN(total) AS lo, MAX(total) AS hi,"
        " COUNT(DISTINCT total) AS d, MEDIAN(total) AS m, QUANTILE(total, 0.25) AS q,"
        " VAR(total) AS v, AVG(total) AS a AT ()"
    ).to_pylist()[0]
    assert {name: str(value) for name, value in found.items() if name in ("s", "lo", "hi")} == {
        "s": "8.00",
        "lo": "1.00",
        "hi": "4.00",
    }
    assert (found["c"], found["d"]) == (3, 3)
    # Of 1, 3, 4: the middle, half way from 1 to 3, and (25 + 1 + 16) / 9 less ... over n - 1.
    assert (found["m"], found["q"]) == (3.0, 2.0)
    assert found["v"] == pytest.approx(7 / 3, rel=1e-12)
    assert found["a"] == pytest.approx(8 / 3, rel=1e-12)


def test_the_spread_of_some_rows_only(till):
    rows = [{"line": at, "price": at * 100, "paid": at > 1} for at in (1, 2, 4)]
    query = "SELECT VAR(total) FILTER (WHERE paid) AS v AT ()"
    # Of 2 and 4.
    assert till(rows).one(query) == pytest.approx(2.0, rel=1e-12)


class Poorer:
    """A back-end that lacks some primitives or row functions, and counts what it is asked."""

    def __init__(self, backend, *lacking):
        self._backend, able = backend, backend.capabilities()
        self.able = Capabilities(able.primitives - {*lacking}, able.functions - {*lacking})
        self.asked = 0

    def capabilities(self):
        return self.able

    def run(self, query, **how):
        self.asked += 1
        return self._backend.run(query, **how)

    def __getattr__(self, name):
        return getattr(self._backend, name)


@pytest.mark.parametrize("stream_rows", [1_000_000, -1])
def test_what_a_backend_lacks_is_refused_before_anything_runs(stream_rows, till, tmp_path):
    shop = till([{"line": 1, "price": 100}])
    poor = Poorer(shop.backend, Primitive.QUANTILE)
    engine = MetricEngine(
        read_collection(COLLECTION), tmp_path / "poor", poor, stream_rows=stream_rows
    )
    serving = Runtime("test", {"till": engine})
    surveyed = poor.asked
    for query in ("SELECT total, MEDIAN(total) AS m AT ()", "EXPLAIN SELECT MEDIAN(total) AT ()"):
        with pytest.raises(NotSupported, match="MEDIAN is not computed by the back-end sqlite"):
            answer(Request(query), serving)
    assert poor.asked == surveyed
    serving.close()


@pytest.mark.parametrize(
    ("lacking", "query", "named"),
    [
        ("upper", "SELECT COUNT(*) WHERE UPPER(name) = 'A' AT ()", "UPPER"),
        ("upper", "SELECT COUNT(*) FILTER (WHERE UPPER(name) = 'A') AS n AT ()", "UPPER"),
        ("like", "SELECT COUNT(*) WHERE name LIKE 'A%' AT ()", "like"),
        ("upper", "SELECT name FROM lines WHERE UPPER(name) = 'A' AT name", "UPPER"),
        ("abs", "SELECT total AT name ORDER BY ABS(total)", "ABS"),
        ("sqrt", "SELECT VAR(total) AS v AT name ORDER BY STDDEV(total)", "SQRT"),
    ],
)
def test_a_row_function_that_a_backend_lacks_is_refused_too(lacking, query, named, till, tmp_path):
    shop = till([{"line": 1, "price": 100}])
    poor = Poorer(shop.backend, lacking)
    engine = MetricEngine(read_collection(COLLECTION), tmp_path / "poor", poor)
    serving = Runtime("test", {"till": engine})
    surveyed = poor.asked
    with pytest.raises(NotSupported, match=f"{named} is not computed by the back-end sqlite"):
        answer(Request(query), serving)
    assert poor.asked == surveyed
    # A formula over finished numbers needs no back-end.
    over = "SELECT ABS(total) AS a, SQRT(total) AS r, UPPER(CAST(total AS text)) AS u AT ()"
    assert answer(Request(over), serving).table.num_rows == 1
    assert answer(Request("SELECT name FROM lines AT name"), serving).table.num_rows == 1
    serving.close()


def test_what_the_cache_holds_needs_no_backend(till, tmp_path):
    shop = till([{"line": 1, "price": 100}])
    poor = Poorer(shop.backend)
    engine = MetricEngine(read_collection(COLLECTION), tmp_path / "poor", poor)
    serving = Runtime("test", {"till": engine})
    query = Request("SELECT MEDIAN(total) AS m AT ()")
    first = answer(query, serving).table
    poor.able = replace(poor.able, primitives=frozenset())
    again = Request("SELECT MEDIAN(total) AS middle AT ()")
    assert answer(again, serving).table["middle"].to_pylist() == first["m"].to_pylist()
    serving.close()
