"""SQL that means harm: it ends soon, in little memory, and no engine sees a letter of it.

Each text carries a mark. What reaches a database is recorded as it is executed, on the two
back-ends that speak SQL and in the engine that composes answers, and the mark is never in it:
values are bound, statements are our own. Time is that of the processor, and memory what the
process had at most while one text was answered.
"""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bi_world import World, same_rows

from flightframe_server.backends.duckdb.instance import Instance
from flightframe_server.errors import FlightframeError, InternalError
from flightframe_server.outer import run
from flightframe_server.outer.pool import Engine, EnginePool

MARK = "qzmarkqz"
BYTES = 16 * 1024
SECONDS = 30
"""Of the processor for one text: what takes seconds where it should not would take hours here."""
PEAK = 512 * 1024
"""KiB that one text may add to what the process has."""

_SUM = "SELECT region, SUM(revenue) AS r FROM metrics"
_IN = ", ".join(f"'{MARK}{number}'" for number in range(10_000))


def _nested(before: str, inner: str, after: str) -> str:
    times = (BYTES - len(inner)) // len(before + after)
    return before * times + inner + after * times


_ROWS = "(SELECT transaction, store, COUNT(*) AS n FROM transactions GROUP BY 1, 2)"


def _doubled(step: str, times: int = 24) -> str:
    """Return a WITH in which each part names the one before it twice."""
    first = f"{MARK}0 AS (SELECT region, SUM(cost) AS c FROM metrics GROUP BY region)"
    parts = (f"{MARK}{at + 1} AS ({step.format(f'{MARK}{at}')})" for at in range(times))
    return f"WITH {first}, {', '.join(parts)} SELECT COUNT(*) AS n FROM {MARK}{times}"


def _grown(text: str) -> str:
    """Return a text in which each `a` becomes four thousand, three times over."""
    for _ in range(3):
        text = f"REPLACE({text}, 'a', '{'a' * 4_000}')"
    return text


HARMFUL = {
    "parentheses": _nested("(", f"SELECT '{MARK}'", ")"),
    "parentheses of a value": f"SELECT {_nested('(', repr(MARK), ')')}",
    "open parentheses": f"SELECT '{MARK}' FROM {'(' * BYTES}",
    "functions": f"{_SUM} WHERE {_nested('LOWER(', repr(MARK), ')')} = 'x' GROUP BY region",
    "negations": f"{_SUM} WHERE {'NOT ' * 3_500} region = '{MARK}' GROUP BY region",
    "signs": f"SELECT {'- ' * 7_500}1 AS {MARK}",
    "cases": f"{_SUM} WHERE {_nested('CASE WHEN TRUE THEN ', repr(MARK), ' END')} = 'x' GROUP BY 1",
    "sub-selects": _nested("SELECT * FROM (", f"{_SUM} GROUP BY region", f") {MARK}"),
    "columns that double": _doubled("SELECT region, c + c AS c FROM {}"),
    "keys that double": _doubled("SELECT region || region AS region, c FROM {}"),
    "unions that double": _doubled("SELECT * FROM {0} UNION ALL SELECT * FROM {0}"),
    "joins that double": _doubled("SELECT x.region, x.c FROM {0} x JOIN {0} y ON x.c = y.c"),
    "sets that double": _doubled(
        "SELECT region, SUM(cost) AS c FROM metrics WHERE region IN (SELECT region FROM {0})"
        " OR region IN (SELECT region FROM {0}) GROUP BY region"
    ),
    "joins that explode": f"SELECT COUNT(*) AS n, '{MARK}' FROM {_ROWS} a JOIN {_ROWS} b"
    f" ON a.n = b.n JOIN {_ROWS} c ON b.n = c.n JOIN {_ROWS} d ON c.n = d.n",
    "many windows": "SELECT region, "
    + ", ".join(f"SUM(r) OVER (ORDER BY r ROWS {at} PRECEDING) AS {MARK}{at}" for at in range(40))
    + f" FROM ({_SUM} GROUP BY region) q",
    "cubes": "SELECT store, SUM(units) AS u FROM metrics GROUP BY CUBE (store, region, product,"
    f" category, day, week, month, quarter, year), store || '{MARK}'",
    "a constant that grows": f"{_SUM} WHERE region = {_grown(repr(MARK))} GROUP BY region",
    "a level that grows": f"SELECT {_grown('region')} AS {MARK}, SUM(units) AS u FROM metrics GROUP"
    " BY 1",
    "a column that grows": f"SELECT {_grown('region')} AS {MARK}, SUM(r) OVER () AS t FROM"
    f" ({_SUM} GROUP BY region) q",
    "a joined constant": f"{_SUM} WHERE region = {' || '.join([repr(MARK)] * 50)} GROUP BY region",
    "a number that grows": f"{_SUM} GROUP BY region HAVING SUM(revenue) > 1e1000000000 -- {MARK}",
    "digits": f"{_SUM} GROUP BY region HAVING SUM(revenue) > {'9' * 15_000} -- {MARK}",
    "an order that repeats": f"{_SUM} GROUP BY region ORDER BY {', '.join(['2'] * 900)} -- {MARK}",
    "withs": "WITH " + _nested(f"{MARK} AS (WITH ", f"x AS ({_SUM} GROUP BY 1) SELECT 1", ")"),
    "unions": " UNION ALL ".join([f"SELECT '{MARK}' FROM metrics"] * 400),
    "a long IN": f"{_SUM} WHERE region IN ({_IN}) GROUP BY region",
    "an IN within bounds": f"{_SUM} WHERE region IN ({_IN[:14_000].rpartition(',')[0]}) GROUP BY 1",
    "a long OR": f"{_SUM} WHERE {' OR '.join([f'region = {MARK!r}'] * 400)} GROUP BY region",
    "a long pattern": f"{_SUM} WHERE region LIKE '{'%a' * 400}{MARK}' GROUP BY region",
    "joins": f"SELECT '{MARK}' FROM {', '.join(f'transactions t{n}' for n in range(60))}",
    "joins by true": "SELECT 1 FROM transactions a"
    + "".join(f" JOIN transactions {MARK}{number} ON TRUE" for number in range(60)),
    "a query as text": f"SELECT * FROM query('SELECT ''{MARK}''')",
    "a table as text": f"SELECT * FROM query_table('{MARK}')",
    "a file": f"SELECT * FROM '/tmp/{MARK}.csv'",
    "read_csv": f"SELECT * FROM read_csv('/etc/{MARK}')",
    "read_text": f"SELECT content FROM read_text('/etc/{MARK}')",
    "read_parquet": f"SELECT region, COUNT(*) FROM read_parquet('{MARK}*.parquet') GROUP BY 1",
    "glob": f"SELECT * FROM glob('/{MARK}*')",
    "a function in SELECT": f"SELECT getenv('{MARK}')",
    "a function beside a sum": f"SELECT getenv('{MARK}'), SUM(units) AS u FROM metrics",
    "sleep": f"SELECT pg_sleep(1000), '{MARK}'",
    "sleep in WHERE": f"{_SUM} WHERE pg_sleep(1000) IS NULL AND region = '{MARK}' GROUP BY region",
    "a range": f"SELECT * FROM range(100000000000) {MARK}",
    "rows by generation": f"SELECT '{MARK}', * FROM generate_series(1, 100000000000)",
    "several statements": f"SELECT 1; DROP TABLE {MARK}",
    "several answers": f"{_SUM} GROUP BY region; SELECT '{MARK}'",
    "a comment that ends nowhere": f"SELECT 1 /* {MARK} {'*' * 9_000}",
    "a text that ends nowhere": f"{_SUM} WHERE region = '{MARK}{'x' * 9_000}",
    "dollar quotes": f"SELECT $${MARK}$$ FROM metrics",
    "attach": f"ATTACH '{MARK}' AS a",
    "copy": f"COPY (SELECT 1) TO '{MARK}'",
    "install": f"INSTALL {MARK}",
    "pragma": f"PRAGMA {MARK}",
    "a setting": f"SET search_path = '{MARK}'",
    "a macro": f"CREATE MACRO {MARK}(a) AS a",
    "no characters": f"SELECT '\x00{MARK}\ufffe' FROM metrics",
}
# Answered, every name and value of it the client's.
HARMLESS = {
    "values": f"{_SUM} WHERE category = '{MARK}' OR category LIKE '%{MARK}%' GROUP BY region",
    "names": f'SELECT "t"."region" AS "{MARK}", SUM(revenue) AS {MARK}2 FROM metrics t GROUP BY 1',
    "injection": f"{_SUM} WHERE region = '''; DROP TABLE {MARK}; --' GROUP BY region",
    "comments": f"{_SUM} /* {MARK} */ GROUP BY region -- {MARK}",
    "computed": f"SELECT region || '{MARK}' AS k, SUM(units) AS u FROM metrics GROUP BY 1",
    "cases": f"SELECT CASE WHEN region = '{MARK}' THEN '{MARK}1' ELSE 'x' END AS {MARK}2,"
    " SUM(units) AS u FROM metrics GROUP BY 1",
    "sets": f"{_SUM} WHERE region IN (SELECT region AS {MARK} FROM metrics WHERE category <>"
    f" '{MARK}' GROUP BY region) GROUP BY region",
    "top n": f"SELECT t.region, SUM(t.units) AS {MARK}u FROM metrics t JOIN (SELECT region AS"
    f" {MARK} FROM metrics WHERE category <> '{MARK}' GROUP BY region ORDER BY SUM(units) LIMIT 2)"
    f" q ON t.region = q.{MARK} GROUP BY t.region",
    "windows": f"SELECT COALESCE({MARK}, '{MARK}') AS {MARK}2, RANK() OVER (ORDER BY r) AS n FROM"
    f" (SELECT region || '{MARK}' AS {MARK}, SUM(units) AS r FROM metrics GROUP BY 1) {MARK}3"
    f" WHERE {MARK} <> '{MARK}' OR {MARK} LIKE '%{MARK}%'",
    "unions": f"SELECT '{MARK}' || region AS {MARK}, SUM(units) AS u FROM metrics GROUP BY 1 UNION"
    f" ALL SELECT region || '{MARK}', SUM(cost) FROM metrics WHERE region <> '{MARK}' GROUP BY 1",
    "rows": f"SELECT store AS {MARK}, region FROM stores WHERE region <> '{MARK}'",
}


class Recorded:
    """A cursor of DuckDB that notes what it is asked."""

    def __init__(self, cursor: Any, log: list[str]) -> None:
        self._cursor, self._log = cursor, log

    def execute(self, sql: str, *values: Any) -> Any:
        self._log.append(sql)
        return self._cursor.execute(sql, *values)

    def sql(self, sql: str, **values: Any) -> Any:
        self._log.append(sql)
        return self._cursor.sql(sql, **values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def _recorded_pool(patch: pytest.MonkeyPatch, log: list[str]) -> EnginePool:
    """Return engines over answers of their own, each of which notes what it is asked."""
    opened = Engine.__init__

    def recorded(engine: Engine) -> None:
        opened(engine)
        engine._connection = Recorded(engine._connection, log)

    patch.setattr(Engine, "__init__", recorded)
    return EnginePool()


@pytest.fixture(scope="module")
def executed():
    """What the databases were asked since a test emptied it."""
    log: list[str] = []
    cursor_of = Instance._cursor

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> Any:
            log.append(sql)
            return super().execute(sql, *values)

    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{"factory": Connection, **options})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Instance, "_cursor", lambda instance: Recorded(cursor_of(instance), log))
        patch.setattr(sqlite3, "connect", connected)
        patch.setattr(run, "POOL", _recorded_pool(patch, log))
        yield log


@pytest.fixture(scope="module")
def world(tmp_path_factory, executed):
    world = World(tmp_path_factory.mktemp("hostile"))
    yield world
    world.close()


@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "polars"])
def test_the_record_holds_what_is_executed(world, executed, backend):
    executed.clear()
    world.served[backend].table(f"{_SUM} GROUP BY region")
    assert any("revenue" in sql for sql in executed) is (backend != "polars")


def asked(world: World, backend: str, text: str) -> int | str:
    """Return the number of rows of an answer, or what a refusal says."""
    try:
        return int(world.served[backend].table(text).num_rows)
    except InternalError:
        raise
    except FlightframeError as error:
        return str(error)


def forget_peak() -> int:
    """Forget what the process had at most, where the system can; return that in KiB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Return what the process had at most since it was forgotten, in KiB."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_text_is_refused_soon_and_no_engine_sees_it(world, executed, name):
    executed.clear()
    before, began = forget_peak(), time.process_time()
    answers = [asked(world, backend, HARMFUL[name]) for backend in ("duckdb", "sqlite")]
    assert time.process_time() - began < SECONDS
    assert peak() - before < PEAK
    assert not [sql for sql in executed if MARK in sql]
    assert all(isinstance(answer, int) or len(answer) < 1_000 for answer in answers)
    assert all(answer <= 9 for answer in answers if isinstance(answer, int))


LARGE = ("parentheses", "functions", "a long IN", "negations", "cases")


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_as_such(world, name):
    assert str(asked(world, "duckdb", HARMFUL[name])).startswith("LIMIT_EXCEEDED")


def test_columns_that_stand_for_others_are_bounded_as_they_are_written_out(world):
    """Ten times doubled, a column is a thousand; it is answered, and as it is by hand."""
    text = _doubled("SELECT region, c + c AS c FROM {}", 10)
    text = text.replace("COUNT(*) AS n", "region, c")
    served = world.served["duckdb"].table(text)
    by_hand = world.expected("SELECT region, SUM(cost) * 1024 AS c FROM metrics GROUP BY region")
    assert same_rows(served, by_hand, ordered=False) is None


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
@pytest.mark.parametrize("name", HARMLESS)
def test_of_an_answered_text_no_letter_reaches_an_engine(world, executed, backend, name):
    executed.clear()
    answer = world.served[backend].table(HARMLESS[name])
    assert answer.num_columns == 2
    assert executed
    assert not [sql for sql in executed if MARK in sql]
