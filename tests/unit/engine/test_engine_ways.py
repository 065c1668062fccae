"""A row that two ways lead to different members of one level, counted as answers count rows."""

import os

import duckdb
import pytest

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.reading import VersionReader
from flightframe_server.engine.ways import way_disagreement

COLLECTION = """
version: 1
name: trade
schemas:
  - {name: suppliers, grain: [supplier], columns: {supplier: id, nation: nation}}
  - {name: customers, grain: [customer], columns: {customer: id, nation: nation}}
  - {name: lines, grain: [line],
     columns: {line: id, supplier: supplier, customer: customer, amount: amount}}
dimension_families:
  - name: trade
    levels: [supplier, customer, nation]
    edges:
      - {from: supplier, to: nation, via: suppliers}
      - {from: customer, to: nation, via: customers}
metric_families:
  - {name: amount, family_root: {schema: lines, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}]}
"""
TABLES = """
CREATE TABLE suppliers (id VARCHAR, nation VARCHAR);
INSERT INTO suppliers VALUES ('S1', 'Chile'), ('S2', 'Peru'), ('S3', NULL);
CREATE TABLE customers (id VARCHAR, nation VARCHAR);
INSERT INTO customers VALUES ('C1', 'Chile'), ('C2', 'Peru'), ('C3', NULL);
CREATE TABLE lines (id BIGINT, supplier VARCHAR, customer VARCHAR, amount BIGINT);
INSERT INTO lines VALUES (1, 'S1', 'C1', 5), (2, 'S2', 'C2', 7), (3, NULL, NULL, 1);
"""


@pytest.fixture
def disagreement(tmp_path):
    """What the ways to `nation` say of the lines that are there."""
    path = tmp_path / "trade.duckdb"

    def found(sql):
        coming = path.with_name("coming.duckdb")
        with duckdb.connect(str(coming)) as connection:
            connection.execute(TABLES + sql)
        os.replace(coming, path)
        backend = DuckDBBackend(path)
        engine = MetricEngine(read_collection(COLLECTION), tmp_path / "store", backend)
        try:
            snapshot = engine.snapshot()
            reader = VersionReader(
                backend, engine.statements, snapshot.versions, CancelToken(), SERVER_CALL
            )
            return way_disagreement(snapshot.typed, reader, "lines", "nation")
        finally:
            engine.close()
            backend.close()

    return found


@pytest.mark.parametrize(
    "sql",
    [
        "",
        # No parent, and one without a nation: the NULL member by either way.
        "INSERT INTO lines VALUES (4, 'S9', 'C3', 1), (5, 'S3', NULL, 1), (6, 'S9', 'C9', 1);",
        # Nations that no line comes to may differ.
        "INSERT INTO suppliers VALUES ('S4', 'Japan');",
    ],
    ids=["one nation", "NULL is a member", "no such line"],
)
def test_ways_that_lead_every_row_to_one_member_agree(disagreement, sql):
    assert disagreement(sql) is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            "4, 'S1', 'C2', 1",
            "the row with customer C2 and supplier S1 is of Peru by customer -> nation"
            " and of Chile by supplier -> nation",
        ),
        (
            "4, 'S1', 'C9', 1",
            "the row with customer C9 and supplier S1 is of NULL by customer -> nation"
            " and of Chile by supplier -> nation",
        ),
        (
            "4, NULL, 'C2', 1",
            "the row with customer C2 and supplier NULL is of Peru by customer -> nation"
            " and of NULL by supplier -> nation",
        ),
    ],
    ids=["another nation", "no parent", "no key"],
)
def test_a_row_of_two_members_is_shown_with_both(disagreement, row, words):
    assert disagreement(f"INSERT INTO lines VALUES ({row});") == words


def test_of_several_rows_the_one_that_starts_first_is_shown_and_null_last(disagreement):
    # The text of no member, "None", comes before Z1.
    parents = "INSERT INTO customers VALUES ('Z1', 'Chile'), ('Z2', 'Chile');"
    rows = "(4, 'S1', NULL, 1), (5, 'S2', 'Z2', 1), (6, 'S3', 'Z1', 1), (7, 'S2', 'Z1', 1)"
    words = disagreement(f"{parents} INSERT INTO lines VALUES {rows};")
    assert words.startswith("the row with customer Z1 and supplier S2 ")
