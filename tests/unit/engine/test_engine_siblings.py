"""Siblings beside their roots: the row in which they differ, in each table and of every kind."""

from types import SimpleNamespace

import duckdb
import pytest
from engine_shop import COLLECTION, TABLES, collection, opened

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.siblings import difference
from flightframe_server.errors import ArithmeticOverflow

ONE = "siblings: [{schema: daily, column: revenue, operator: SUM}]"
TWO = (
    "siblings: [{schema: daily, column: revenue, operator: SUM},"
    " {schema: daily, column: top, operator: MAX}]"
)
COLUMNS = "{store: store, day: day, revenue: revenue}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("", None),
        ("UPDATE daily SET revenue = 1 WHERE store = 'S1';", "30.30"),
        ("UPDATE daily SET top = 7 WHERE store = 'S1';", "7"),
    ],
)
def test_each_of_two_siblings_in_one_table_is_compared(tmp_path, change, told):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            TABLES
            + "DROP TABLE daily; CREATE TABLE daily AS SELECT store, day, SUM(revenue) AS revenue,"
            " MAX(revenue) AS top FROM tx GROUP BY ALL;" + change
        )
    text = COLLECTION.replace(ONE, TWO).replace(
        f"{COLUMNS}}}\n  - {{name: inv", COLUMNS[:-1] + ", top: top}}\n  - {name: inv"
    )
    backend = DuckDBBackend(path)
    engine = MetricEngine(read_collection(text), tmp_path / "store", backend)
    _, attested = engine.attested()
    difference = attested.siblings["revenue", "daily"]
    assert difference is None if told is None else told in str(difference), difference
    engine.close()
    backend.close()


def difference_of(engine):
    """How the summary of the days differs from the facts, NULL in both being no difference."""
    return engine.attested()[1].siblings["revenue", "daily"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", None),
        ("DELETE FROM daily WHERE store IS NULL;",
         "at day 2024-02-01, store NULL it has no row, and the root 9.00"),
        ("INSERT INTO daily VALUES ('S7', '2024-01-01', 5.00);",
         "at day 2024-01-01, store S7 it has 5.00, and the root no row"),
        # A sum of nothing is NULL, and no zero; nor is a row of NULL no row.
        ("UPDATE daily SET revenue = 0 WHERE store = 'S2';",
         "at day 2024-02-01, store S2 it has 0.00, and the root NULL"),
        ("DELETE FROM daily WHERE store = 'S2';",
         "at day 2024-02-01, store S2 it has no row, and the root NULL"),
        ("INSERT INTO daily VALUES ('S7', '2024-01-01', NULL);",
         "at day 2024-01-01, store S7 it has NULL, and the root no row"),
        # The first in order, NULL last, of those that differ.
        ("UPDATE daily SET revenue = 1;",
         "at day 2024-01-30, store S1 it has 1.00, and the root 30.30"),
        ("ALTER TABLE daily ALTER revenue TYPE DOUBLE;",
         "it holds double, and the root decimal(38,2)"),
    ],
    ids=["equal", "lacks", "more", "zero", "lacks NULL", "more NULL", "first", "type"],
)  # fmt: skip
def test_the_row_in_which_they_differ(tmp_path, sql, words):
    backend = opened(tmp_path, sql)
    engine = MetricEngine(collection(), tmp_path / "store", backend)
    assert difference_of(engine) == words
    engine.close()
    backend.close()


def test_what_cannot_be_compared_is_not_equal(tmp_path):
    backend = opened(tmp_path)
    engine = MetricEngine(collection(), tmp_path / "store", backend)
    typed = engine.typed

    def collect(query):
        raise ArithmeticOverflow("a sum does not fit")

    family = typed.collection.metric_families["revenue"]
    (sibling,) = family.meaning.siblings
    reader = SimpleNamespace(collect=collect)
    found = difference(typed, reader, family, family.meaning, sibling)
    assert found == "a sum does not fit"
    engine.close()
    backend.close()
