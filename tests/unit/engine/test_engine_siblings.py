"""Several siblings in one table: each is compared with the root."""

import duckdb
import pytest
from engine_shop import COLLECTION, TABLES

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine

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
