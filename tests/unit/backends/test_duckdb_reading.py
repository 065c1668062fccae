"""What one statement of the DuckDB back-end reads, and how it ends."""

import threading

import duckdb
import pytest
from duckdb_shop import BY_SHOP, ONES, SEVENS, soon, write

from flightframe_server.algebra.types import INTEGER, TEXT
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.duckdb.reading import Reading
from flightframe_server.backends.protocol import TableStatistics
from flightframe_server.errors import (
    BackendCancelled,
    BackendError,
    LimitExceeded,
    SetupError,
)
from flightframe_server.planner.hops import TableHop

ENDLESS = "SELECT sum(a.range * b.range) AS x FROM range(10000000) a, range(10000000) b"
KEYS = """
CREATE TABLE keyed (
    id INTEGER PRIMARY KEY, code TEXT UNIQUE, number INTEGER NOT NULL UNIQUE, kind TEXT,
    part INTEGER, UNIQUE (kind, part)
);
INSERT INTO keyed VALUES
  (1, 'a', 10, 'x', NULL), (2, NULL, 20, 'x', NULL), (3, NULL, 30, 'y', 1);
CREATE TABLE pairs (one INTEGER, two INTEGER, PRIMARY KEY (one, two));
INSERT INTO pairs VALUES (1, 1), (1, 2);
CREATE SCHEMA memory;
CREATE TABLE memory.keyed (id INTEGER);
INSERT INTO memory.keyed VALUES (5), (5);
CREATE SCHEMA flightframe;
CREATE VIEW slow AS SELECT a.range AS x FROM range(10000000) a, range(10000000) b;
CREATE VIEW slow_edge AS SELECT x, x % 7 AS y FROM slow;
CREATE VIEW failing AS SELECT CASE WHEN sale = 19 THEN error('no') ELSE sale END AS sale
  FROM sales;
"""


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("reading") / "data.duckdb", 1)
    with duckdb.connect(str(path)) as connection:
        connection.execute(KEYS)
    opened = DuckDBBackend(path, settings={"threads": 2})
    yield opened
    opened.close()


@pytest.fixture
def statements(backend, monkeypatch):
    """The text of each short statement that is asked."""
    asked, rows = [], Reading.rows

    def noted(self, sql, values=()):
        asked.append(sql)
        return rows(self, sql, values)

    monkeypatch.setattr(Reading, "rows", noted)
    return asked


def test_tables_are_those_of_the_file(backend):
    found = backend.tables()
    assert {"sales", "keyed", "pairs", "memory.keyed", "slow"} <= set(found)
    assert found["sales"]["shop"] == TEXT
    assert found["memory.keyed"] == {"id": INTEGER}


def test_a_schema_may_be_called_as_duckdb_calls_its_own(backend):
    assert backend.statistics("memory.keyed", ("id",)) == TableStatistics(2, {"id": 1})
    assert backend.duplicate("memory.keyed", ("id",)) == (5,)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("keyed", ("id",)),
        ("KEYED", ("Id",)),
        ("keyed", ("kind", "id")),
        ("keyed", ("number",)),
        ("pairs", ("two", "one")),
    ],
)
def test_nothing_is_read_where_duckdb_keeps_the_key(table, columns, backend, statements):
    assert backend.duplicate(table, columns) is None
    assert all("duckdb_constraints()" in sql for sql in statements)
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("table", "columns", "key"),
    [
        ("keyed", ("code",), (None,)),
        ("keyed", ("kind", "part"), ("x", None)),
        ("keyed", ("kind",), ("x",)),
        ("pairs", ("one",), (1,)),
        ("pairs", ("two",), None),
        ("sales", ("shop", "amount"), ("S0", 1)),
        ("sales", ("sale",), None),
        ("failing", ("sale",), BackendError),
    ],
)
def test_the_rows_are_read_where_it_does_not(table, columns, key, backend, statements):
    if key is BackendError:
        with pytest.raises(BackendError):
            backend.duplicate(table, columns)
    else:
        found = backend.duplicate(table, columns)
        # Either shop is on several rows.
        assert found == key or (table == "sales" and found == ("S1", 1))
    # Rows that stand in the order of the key are looked at once, and not counted.
    assert len(statements) == (2 if isinstance(key, tuple) else 1)


def edge(table):
    return TableHop("edge", "y", table, "x", "y", INTEGER, INTEGER)


@pytest.mark.parametrize(
    "read",
    [
        lambda backend, token: backend.duplicate("slow", ("x",), token=token),
        lambda backend, token: backend.statistics("slow", ("x",), token=token),
        lambda backend, token: backend.edge_map(edge("slow_edge"), token=token),
    ],
    ids=["duplicate", "statistics", "edge_map"],
)
def test_what_is_inspected_can_be_stopped(read, backend):
    ended = []

    def run(token):
        with pytest.raises(BackendCancelled):
            read(backend, token)
        ended.append(token)

    early = CancelToken()
    early.cancel()
    run(early)
    late = CancelToken()
    thread = threading.Thread(target=run, args=(late,))
    thread.start()
    assert soon(lambda: backend._source.lent == 1)
    # Again and again: a first cancellation may come between two steps of the database.
    assert soon(lambda: late.cancel() or ended == [early, late])
    thread.join()
    assert backend._source.lent == 0


def test_tables_and_queries_can_be_stopped_before_they_begin(backend):
    token = CancelToken()
    token.cancel()
    with pytest.raises(BackendCancelled):
        backend.tables(token=token)
    with pytest.raises(BackendCancelled):
        backend.run(BY_SHOP, token=token)
    assert backend._source.lent == 0


def test_a_wish_for_an_ended_statement_does_not_reach_the_next_on_its_cursor(backend):
    first = Reading(backend._source, ())
    cursor = first._cursor
    assert first.rows("SELECT 1") == [(1,)]
    second = Reading(backend._source, ())
    assert second._cursor is cursor
    first.cancel()
    assert second.rows("SELECT 2") == [(2,)]


def test_a_cursor_that_was_interrupted_is_not_lent_again(backend):
    reading = Reading(backend._source, ())
    cursor = reading._cursor
    reading.cancel()
    reading.close()
    again = Reading(backend._source, ())
    assert again._cursor is not cursor
    again.close()


def test_an_instance_that_duckdb_gave_up_is_replaced(backend):
    """DuckDB answers nothing more in an instance in which it met a fault of its own."""
    before = backend._source.instances[-1]
    reading = Reading(backend._source, ())
    with pytest.raises(BackendError, match="refused the statement"):
        reading.rows("SELECT error('INTERNAL Error: as it would be')")
    assert backend.statistics("sales", ()).rows == 20
    (after,) = backend._source.instances
    assert after is not before


def test_what_runs_ends_when_the_back_end_is_closed(tmp_path):
    opened = DuckDBBackend(write(tmp_path / "data.duckdb", 1))
    stream = opened.run(BY_SHOP)
    opened.close()
    opened.close()
    with pytest.raises(Exception, match=r"^$|closed"):
        list(stream)
    with pytest.raises(BackendError, match="closed"):
        opened.run(BY_SHOP)
    assert not opened._source.instances


def test_the_end_is_told_once(backend):
    told = []
    running = backend.run(BY_SHOP)
    running.add_done_callback(lambda: told.append("first"))
    assert told == []
    assert {row["shop"]: row["m0_value"] for b in running for row in b.to_pylist()} == ONES
    assert told == ["first"]
    running.add_done_callback(lambda: told.append("second"))
    running.close()
    assert told == ["first", "second"]


def test_two_files_of_one_name_are_two(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = DuckDBBackend(write(tmp_path / "a" / "data.duckdb", 1))
    two = DuckDBBackend(write(tmp_path / "b" / "data.duckdb", 7))
    for backend, wanted in ((one, ONES), (two, SEVENS), (one, ONES)):
        rows = [row for batch in backend.run(BY_SHOP) for row in batch.to_pylist()]
        assert {row["shop"]: row["m0_value"] for row in rows} == wanted
    one.close()
    two.close()


@pytest.mark.slow
def test_what_does_not_fit_spills_beside_the_file_and_no_further_than_allowed(tmp_path):
    path = write(tmp_path / "data.duckdb", "hash(i) % 1000000007", 3_000_000)
    large = "SELECT max(place), count(*) FROM (SELECT *, row_number() OVER (ORDER BY amount)"
    large += " AS place FROM sales) WHERE place + sale >= 0"
    bounded = {"memory_limit": "40MiB", "threads": 1}
    opened = DuckDBBackend(path, settings={**bounded, "max_temp_directory_size": "1GiB"})
    place = Reading(opened._source, ()).rows("SELECT current_setting('temp_directory')")
    assert place == [(f"{path}.tmp",)]
    assert Reading(opened._source, ()).rows(large) == [(3_000_000, 3_000_000)]
    opened.close()
    opened = DuckDBBackend(path, settings={**bounded, "max_temp_directory_size": "1MiB"})
    with pytest.raises(LimitExceeded):
        Reading(opened._source, ()).rows(large)
    opened.close()


@pytest.mark.parametrize("name", ["enable_external_access", "Lock_Configuration", "access_mode"])
def test_an_option_that_unlocks_is_refused(name, tmp_path):
    with pytest.raises(SetupError, match="is locked"):
        DuckDBBackend(write(tmp_path / "data.duckdb", 1), settings={name: "true"})


@pytest.mark.parametrize(
    "sql",
    [
        "SET memory_limit = '1GiB'",
        "SET enable_external_access = true",
        "ATTACH '/tmp/other.duckdb'",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY sales TO '/tmp/sales.csv'",
        "INSERT INTO sales VALUES (1, 'S0', 1, 1)",
        "INSTALL httpfs",
    ],
)
def test_an_instance_reads_its_file_and_nothing_else(sql, backend):
    with pytest.raises(BackendError, match="refused"):
        Reading(backend._source, ()).rows(sql)


def test_a_variable_of_ours_is_no_table(backend):
    missing = [{"a": 1}]
    with pytest.raises(BackendError, match="refused"):
        Reading(backend._source, ()).rows("SELECT * FROM missing")
    assert missing
