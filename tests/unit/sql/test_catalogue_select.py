"""SELECT over the catalogue, against DuckDB on the same rows."""

from __future__ import annotations

import contextlib

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.errors import (
    FlightframeError,
    LimitExceeded,
    NotSupported,
    TypeMismatch,
    UnknownName,
)
from flightframe_server.sql.expressions import Parameters
from flightframe_server.sql.parse import parse_sql
from flightframe_server.sql.select import Relation, evaluate

ROWS = [
    ("stores", 1, True),
    ("Stores", 2, False),
    ("store_1", None, None),
    ("", 4, True),
    (None, 5, False),
    ("transactions", -6, None),
    ("100%", 7, True),
    ("line\nbreak", 8, False),
]
SCHEMA = pa.schema({"name": pa.string(), "n": pa.int64(), "ok": pa.bool_()})
TABLE = pa.Table.from_pylist(
    [dict(zip(SCHEMA.names, row, strict=True)) for row in ROWS], schema=SCHEMA
)


def known(table: object) -> Relation:
    return Relation(SCHEMA, lambda: ROWS, ("cat", "main", "t"))


def ours(sql: str, *values: object) -> list[tuple[object, ...]]:
    reading = parse_sql(sql)
    assert reading is not None, sql
    found = evaluate(reading.select, known, Parameters(dict(enumerate(values)))).table()
    return [tuple(row.values()) for row in found.to_pylist()]


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as opened:
        opened.register("t", TABLE)
        yield opened


QUERIES = [
    'SELECT 1 AS "one" FROM (VALUES (1)) AS t(x)',
    "SELECT * FROM (VALUES (1, 'a', NULL), (2, NULL, TRUE), (-3, '', FALSE)) AS v(n, word, ok)",
    "SELECT word, v.n FROM (VALUES (1, 'a'), (2, 'b')) AS v(n, word) WHERE n > 1 OR word = 'a'",
    "SELECT col0, COL1 FROM (VALUES (1, 'a'), (2, 'b')) v ORDER BY col0 DESC LIMIT 1",
    "SELECT COUNT(*) FROM (VALUES (1), (2), (2)) AS v(n) WHERE n = 2",
    "SELECT * FROM t",
    "SELECT T.NAME, n AS m, n FROM t",
    "SELECT t.*, n x FROM t WHERE ok",
    "SELECT * FROM t WHERE lower(name) IN ('stores', 'nope') ORDER BY n DESC",
    "SELECT upper(name) u FROM t ORDER BY u, n",
    "SELECT name FROM t ORDER BY name DESC NULLS FIRST, n",
    "SELECT name, n FROM t ORDER BY 2 DESC",
    "SELECT n FROM t ORDER BY n NULLS FIRST",
    "SELECT DISTINCT ok FROM t ORDER BY ok",
    "SELECT n FROM t ORDER BY n LIMIT 3 OFFSET 2",
    "SELECT n FROM t ORDER BY n OFFSET 6",
    "SELECT n FROM t LIMIT 0",
    "SELECT COUNT(*) FROM t WHERE n > 1",
    "SELECT COUNT(*) FROM t WHERE 1 = 0",
    "SELECT name FROM t WHERE name LIKE 'store%'",
    "SELECT name FROM t WHERE name LIKE 'store!_%' ESCAPE '!'",
    "SELECT name FROM t WHERE name NOT LIKE '%s'",
    "SELECT name FROM t WHERE name ILIKE 'STORE_'",
    "SELECT name FROM t WHERE name LIKE '%\n%'",
    "SELECT name FROM t WHERE name LIKE '%!%' ESCAPE '!'",
    "SELECT n FROM t WHERE n BETWEEN 2 AND 7",
    "SELECT n FROM t WHERE n NOT BETWEEN 2 AND 7",
    "SELECT n FROM t WHERE n NOT IN (1, 2, NULL)",
    "SELECT n FROM t WHERE n IN (1, NULL)",
    "SELECT n FROM t WHERE ok IS NOT TRUE",
    "SELECT n FROM t WHERE name IS NULL OR ok IS NULL",
    "SELECT n FROM t WHERE NOT (ok AND n > 1)",
    "SELECT n FROM t WHERE 1 >= 1 AND n < 4.5",
    "SELECT n FROM t WHERE NULL",
    "SELECT n FROM t WHERE n = -6",
    'SELECT m FROM (SELECT n AS m, ok FROM t WHERE ok) "a b" WHERE m > 1',
    'SELECT "a b".m FROM (SELECT n AS m FROM t LIMIT 4) "a b" ORDER BY m DESC',
    "SELECT 1, 'it''s' AS q, NULL, TRUE, 2.5",
    "SELECT 1 WHERE 1 = 0",
    "SELECT n FROM t FETCH FIRST 2 ROWS ONLY",
    "SELECT name /* why */ FROM t -- so\n WHERE n = 1;",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_gives_what_duckdb_gives(database, sql):
    assert ours(sql) == database.sql(sql).fetchall()


def test_parameters_stand_where_duckdb_has_them(database):
    sql = "SELECT n FROM t WHERE name LIKE ? AND n < ? ORDER BY n LIMIT ? OFFSET ?"
    values = ("%s%", 5, 2, 1)
    assert ours(sql, *values) == database.execute(sql, values).fetchall()


def test_what_a_parameter_is_compared_with_is_its_type():
    reading = parse_sql("SELECT ? FROM t WHERE ? < n AND lower(name) = ? LIMIT ?")
    assert reading is not None
    parameters = Parameters(None)
    evaluate(reading.select, known, parameters)
    assert parameters.types == {0: pa.string(), 1: pa.int64(), 2: pa.string(), 3: pa.int64()}


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT ? FROM t", (1,)),
        ("SELECT n FROM t WHERE ?", ("x",)),
        ("SELECT n FROM t WHERE name LIKE ?", (1,)),
        ("SELECT n FROM t WHERE name > ?", (1.5,)),
        ("SELECT n FROM t WHERE name = ?", (True,)),
        ("SELECT n FROM t WHERE n = ?", ("1",)),
        ("SELECT n FROM t WHERE n BETWEEN ? AND ?", (1, "z")),
        ("SELECT lower(?) FROM t", (1,)),
    ],
)
def test_a_value_of_another_kind_is_refused(sql, values):
    with pytest.raises(TypeMismatch, match=r"^TYPE: parameter \?[12] stands among"):
        ours(sql, *values)


def test_two_parameters_compare_as_texts():
    assert ours("SELECT 1 WHERE ? = ?", "a", "a") == [(1,)]
    assert ours("SELECT 1 WHERE ? = ?", "a", "b") == []
    with pytest.raises(TypeMismatch):
        ours("SELECT 1 WHERE ? = ?", 1, 1)


def operands(names: list[str], literals: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([*names, *literals, "NULL"])


numbers = operands(["n", "t.n"], ["0", "1", "-6", "4.5"])
texts = operands(["name", "lower(name)", "upper(t.name)"], ["''", "'stores'", "'S%'", "'%o_e%'"])
comparisons = st.one_of(
    st.tuples(numbers, st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="]), numbers),
    st.tuples(texts, st.sampled_from(["=", "<>", "<", ">="]), texts),
    st.tuples(texts, st.sampled_from(["LIKE", "NOT LIKE", "ILIKE"]), st.just("'%o_e%'")),
    st.tuples(numbers, st.sampled_from(["IN", "NOT IN"]), st.sampled_from(["(1, 7)", "(NULL, 1)"])),
    st.tuples(numbers, st.sampled_from(["BETWEEN", "NOT BETWEEN"]), st.just("0 AND 5")),
    st.tuples(st.sampled_from(["ok", "(n > 1)", "name"]), st.sampled_from(["IS", "IS NOT"]),
              st.just("NULL")),
).map(lambda parts: f"({' '.join(parts)})")  # fmt: skip
conditions = st.recursive(
    comparisons | st.sampled_from(["ok", "TRUE", "FALSE", "1 = 0", "1 >= 1"]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"NOT ({one})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(conditions)
def test_any_condition_keeps_the_rows_that_duckdb_keeps(condition):
    sql = f"SELECT n, name FROM t WHERE {condition}"
    with duckdb.connect() as opened:
        opened.register("t", TABLE)
        assert ours(sql) == opened.sql(sql).fetchall()


@settings(max_examples=100, deadline=None)
@given(conditions)
def test_what_is_known_to_be_empty_is(condition):
    reading = parse_sql(f"SELECT n FROM t WHERE {condition}")
    assert reading is not None
    found = evaluate(reading.select, known, Parameters({}))
    if found.empty:
        assert list(found.rows()) == []


@pytest.mark.parametrize(
    ("sql", "empty"),
    [
        ("SELECT * FROM t WHERE 1 = 0", True),
        ("SELECT * FROM t WHERE 1 <> 1 AND n = 2", True),
        ("SELECT * FROM t WHERE NULL = 1", True),
        ("SELECT * FROM (SELECT * FROM t WHERE FALSE) x", True),
        ("SELECT * FROM (SELECT * FROM t) x LIMIT 0", True),
        ("SELECT * FROM t WHERE 1 = 0 OR n = 2", False),
        ("SELECT * FROM t WHERE n = 1 AND n = 2", False),
        ("SELECT COUNT(*) FROM t WHERE 1 = 0", False),
        ("SELECT COUNT(*) FROM t LIMIT 0", True),
        ("SELECT * FROM t LIMIT 1 OFFSET 5", False),
    ],
)
def test_emptiness_is_read_off_the_text(sql, empty):
    reading = parse_sql(sql)
    assert reading is not None
    assert evaluate(reading.select, known, Parameters({})).empty is empty


REFUSED = {
    "SELECT nope FROM t": UnknownName,
    "SELECT s.n FROM t": UnknownName,
    "SELECT t.n FROM t AS s": UnknownName,
    "SELECT n FROM t GROUP BY n": NotSupported,
    "SELECT n FROM t HAVING n > 1": NotSupported,
    "SELECT n FROM t, t AS s": NotSupported,
    "SELECT n FROM t JOIN t AS s ON TRUE": NotSupported,
    "SELECT n FROM t WHERE n IN (SELECT n FROM t)": NotSupported,
    "SELECT (SELECT 1)": NotSupported,
    "SELECT max(n) FROM t": NotSupported,
    "SELECT COUNT(*), n FROM t": NotSupported,
    "SELECT DISTINCT ON (n) n FROM t": NotSupported,
    "SELECT n + 1 FROM t": NotSupported,
    "SELECT name || 'x' FROM t": NotSupported,
    "SELECT * FROM t QUALIFY TRUE": NotSupported,
    "SELECT * FROM t TABLESAMPLE (10 PERCENT)": NotSupported,
    "SELECT * FROM t AS s(a, b, c)": NotSupported,
    "SELECT * FROM range(10)": NotSupported,
    "SELECT (1, 2)": NotSupported,
    "SELECT * FROM (SELECT n FROM t) AS s(a)": NotSupported,
    "SELECT * FROM (VALUES (1), ('a')) AS v(n)": TypeMismatch,
    "SELECT * FROM (VALUES (1), (1, 2)) AS v(n)": TypeMismatch,
    "SELECT * FROM (VALUES (1)) AS v(n, m)": TypeMismatch,
    "SELECT * FROM (VALUES (n)) AS v(m)": UnknownName,
    "SELECT * FROM t FETCH FIRST 10 PERCENT ROWS ONLY": NotSupported,
    "SELECT * FROM t WHERE name LIKE name": NotSupported,
    "SELECT * FROM t WHERE ok = TRUE IS NULL": NotSupported,
    "SELECT * FROM t WHERE ok = NOT TRUE": NotSupported,
    "SELECT CAST(n AS VARCHAR) FROM t": NotSupported,
    "SELECT * EXCEPT (n) FROM t": NotSupported,
    "SELECT t.* REPLACE (1 AS n) FROM t": NotSupported,
    "SELECT * FROM t WHERE n BETWEEN SYMMETRIC 7 AND 2": NotSupported,
    "SELECT * FROM t WHERE n IN UNNEST(n)": NotSupported,
    "SELECT * FROM t WHERE name LIKE ANY ('a')": NotSupported,
    "SELECT * FROM t WHERE name COLLATE x = 'a'": NotSupported,
    "SELECT * FROM t WHERE name GLOB 'a'": NotSupported,
    "SELECT COUNT(DISTINCT *) FROM t": NotSupported,
    "SELECT COUNT(*) FILTER (WHERE ok) FROM t": NotSupported,
    "SELECT COUNT(*) OVER () FROM t": NotSupported,
    "SELECT n FROM t LIMIT 10 PERCENT": NotSupported,
    "SELECT n FROM t LIMIT 1 BY n": NotSupported,
    "SELECT n FROM t FOR UPDATE": NotSupported,
    "SELECT n INTO x FROM t": NotSupported,
    "SELECT -n FROM t": NotSupported,
    "SELECT * FROM t WHERE n": TypeMismatch,
    "SELECT * FROM t WHERE n = 'a'": TypeMismatch,
    "SELECT * FROM t WHERE ok > 1": TypeMismatch,
    "SELECT lower(n) FROM t": TypeMismatch,
    "SELECT n FROM t LIMIT -1": TypeMismatch,
    "SELECT n FROM t LIMIT n": TypeMismatch,
    "SELECT n FROM t ORDER BY 2": TypeMismatch,
    "SELECT 99999999999999999999": TypeMismatch,
    "SELECT 1e": TypeMismatch,
    "SELECT 1e9999999999999999999999": TypeMismatch,
    "SELECT n FROM t LIMIT 1e": TypeMismatch,
    "SELECT n FROM t WHERE n = ?": UnknownName,
    f"SELECT {'*, ' * 400}1 FROM t": LimitExceeded,
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_not_known_is_refused_and_never_left_out(sql):
    with pytest.raises(REFUSED[sql]):
        ours(sql)


NOT_READ = [
    "",
    ";",
    "SELECT",
    "SELECT '",
    "SELECT 1; SELECT 2",
    "INSERT INTO t VALUES (1)",
    "DROP TABLE t",
    "SHOW",
    "SHOW TABLES FROM",
    "SHOW CREATE TABLE t",
    "SHOW TABLES LIKE 'a' LIKE 'b'",
    "SELECT " + "(" * 30 + "1" + ")" * 30,
    "SELECT 1 WHERE " + "NOT " * 100 + "TRUE",
    "SELECT 1 WHERE 1" + " = 1" * 500,
    "SELECT " + ", ".join("1" * 2000),
    "SELECT '" + "x" * 20_000 + "'",
]


@pytest.mark.parametrize("sql", NOT_READ, ids=lambda sql: sql[:24])
def test_what_is_no_one_select_within_bounds_is_not_read(sql, caplog):
    assert parse_sql(sql) is None
    assert caplog.records == []


def test_a_long_chain_is_no_depth():
    assert ours("SELECT 1 WHERE 1 = 1" + " AND 1 = 1" * 250) == [(1,)]


WORDS = """
    SELECT FROM WHERE t n name * , ( ) = <> < 'a' 1 ? NOT AND OR IN LIKE IS NULL ORDER BY LIMIT
    OFFSET DISTINCT AS x lower COUNT BETWEEN CASE WHEN END :: [ ] { } ; " ' $a @
"""


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=14))
def test_any_words_give_rows_or_an_error_of_ours(words):
    reading = parse_sql(" ".join(["SELECT", *words]))
    if reading is not None:
        with contextlib.suppress(FlightframeError):
            evaluate(reading.select, known, Parameters({0: "a", 1: 1})).table()
