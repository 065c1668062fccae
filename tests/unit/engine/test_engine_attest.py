"""Promises attested on real tables: each broken one under its key, with the row that shows it."""

import pyarrow as pa
import pytest
from engine_shop import collection, opened

from flightframe_server.engine.attest import counter_example
from flightframe_server.engine.engine import MetricEngine


@pytest.fixture
def attested(tmp_path):
    opening = []

    def run(sql=""):
        backend = opened(tmp_path, sql)
        engine = MetricEngine(collection(), tmp_path / f"store{len(opening)}", backend)
        opening.extend((engine, backend))
        snapshot, found = engine.attested()
        assert found.unattested == frozenset()
        return found, snapshot.facts.known_maps

    yield run
    for one in opening:
        one.close()


def test_nothing_is_broken_and_every_map_is_at_hand(attested):
    found, known_maps = attested()
    assert found.violations == {}
    assert found.siblings == {("revenue", "daily"): None}
    assert found.rows == {"stores": 3, "prices": 2, "tx": 5, "daily": 4, "inv": 3}
    maps = {
        edge: sorted(map(tuple, map(dict.values, table.to_pylist())), key=str)
        for edge, table in known_maps.items()
    }
    assert maps == {
        "store -> region": [("S1", "East"), ("S2", "East"), ("S3", None)],
        # NULL is no key: the region of S3 leads nowhere.
        "region -> zone": [("East", "Z1")],
        "store -> zone": [("S1", "Z1"), ("S2", "Z1"), ("S3", None)],
    }


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        # A row twice, and a row without a key, break no edge.
        (
            "INSERT INTO stores VALUES ('S1', 'East', 'Z1'), (NULL, 'West', 'Z2');",
            {"the grain of stores": "(S1) stands on several rows"},
        ),
        (
            "INSERT INTO stores VALUES ('S2', 'West', 'Z1');",
            {
                "store -> region": "S2 has East and West",
                "the grain of stores": "(S2) stands on several rows",
            },
        ),
        # NULL counts as a region of its own.
        (
            "INSERT INTO stores VALUES ('S1', NULL, 'Z1');",
            {
                "store -> region": "S1 has East and NULL",
                "the grain of stores": "(S1) stands on several rows",
            },
        ),
        (
            "INSERT INTO stores VALUES ('S4', 'East', 'Z2');",
            {"region -> zone": "East has Z1 and Z2"},
        ),
        # Each path leads to one zone, and they differ.
        (
            "UPDATE stores SET zone = 'Z9' WHERE store = 'S3';",
            {"store => zone": "S3 leads to NULL by store -> region and to Z9 by store -> zone"},
        ),
        (
            "UPDATE inv SET month = '2024-02-15' WHERE on_hand = 80;",
            {"inv.month is a period": "2024-02-15 in inv is not the first day of its period"},
        ),
        (
            "INSERT INTO prices VALUES ('S2', 3.50);",
            {
                "tx.price is fetched along a key": "(S2) stands on several rows",
                "the grain of prices": "(S2) stands on several rows",
            },
        ),
        # NULL-safe: two rows without a key are two of one point.
        (
            "INSERT INTO inv VALUES (NULL, NULL, 2);",
            {"the grain of inv": "(NULL, NULL) stands on several rows"},
        ),
        ("INSERT INTO inv VALUES ('S1', NULL, 2), (NULL, '2024-01-01', 2);", {}),
        (
            "INSERT INTO tx VALUES (1, 'S1', '2024-01-30', NULL);",
            {"the grain of tx": "(1) stands on several rows"},
        ),
    ],
)
def test_a_broken_promise_stands_under_its_key(attested, sql, broken):
    found, _ = attested(sql)
    assert found.violations == broken


@pytest.mark.parametrize(
    ("sql", "difference"),
    [
        ("UPDATE daily SET revenue = 30.31 WHERE store = 'S1';", "30.31"),
        ("DELETE FROM daily WHERE store IS NULL;", "no row"),
        ("UPDATE daily SET revenue = 0 WHERE revenue IS NULL;", "NULL"),
        ("INSERT INTO daily VALUES ('S7', NULL, NULL);", "no row"),
        # The same number under another key is a difference as well.
        ("UPDATE daily SET day = '2024-03-01' WHERE store = 'S9';", "no row"),
    ],
)
def test_a_sibling_that_differs_says_in_which_row(attested, sql, difference):
    found, _ = attested(sql)
    assert found.violations == {}
    assert difference in found.siblings["revenue", "daily"]


def test_several_rows_of_a_sibling_add_up(attested):
    sql = (
        "UPDATE daily SET revenue = 30.00 WHERE store = 'S1';"
        "INSERT INTO daily VALUES ('S1', '2024-01-30', 0.30);"
    )
    found, _ = attested(sql)
    assert found.siblings == {("revenue", "daily"): None}


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([], None),
        ([("a", 1), ("b", 1)], None),
        ([("a", None)], None),
        ([("b", 2), ("b", 1), ("a", 3)], "b has 1 and 2"),
        ([("b", 2), ("b", None), ("a", 4), ("a", 3)], "a has 3 and 4"),
        ([("a", None), ("a", 1)], "a has 1 and NULL"),
    ],
)
def test_the_first_member_with_two_parents_is_the_counter_example(pairs, found):
    table = pa.table(
        {
            "source": pa.array([one for one, _ in pairs], pa.string()),
            "target": pa.array([other for _, other in pairs], pa.int64()),
        }
    )
    assert counter_example(table) == found
