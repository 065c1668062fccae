"""Rows compared with rows, against DuckDB over the flat table: NULLs among them, and both ways."""

from __future__ import annotations

import pytest
from bi_world import World, same_rows

from flightframe_server.errors import QueryError

SUMS = "SELECT region, SUM(revenue) AS r FROM metrics WHERE {} GROUP BY region"
PAIR = "(region, category)"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("rows"))
    yield world
    world.close()


@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "polars"])
@pytest.mark.parametrize(
    "sql",
    [
        SUMS.format(f"{PAIR} IN (('East', 'Toys'), ('West', 'Tools'))"),
        SUMS.format(f"{PAIR} NOT IN (('East', 'Toys'), ('West', NULL))"),
        SUMS.format(f"{PAIR} = ('East', 'Toys')"),
        SUMS.format(f"{PAIR} <> ('East', 'Toys')"),
        SUMS.format("(region, year) IN (('East', DATE '2023-01-01'))"),
        SUMS.format(f"{PAIR} IN (('East', category), (region, 'Toys'))"),
        "SELECT store, product, revenue FROM transactions"
        " WHERE (store, product) IN (('S01', 'A'), ('S02', 'B'))",
        "SELECT * FROM (SELECT region, category, SUM(units) AS u FROM metrics GROUP BY 1, 2) q"
        f" WHERE (region, u) IN (('East', 3), ('West', 16)) OR {PAIR} = ('East', 'Toys')",
        "SELECT region, category, SUM(units) AS u FROM metrics GROUP BY 1, 2"
        f" HAVING (region, SUM(units)) IN (('East', 3)) OR {PAIR} = ('East', 'Toys')",
        "SELECT CASE WHEN (region, category) IN (('East', 'Toys')) THEN 'x' ELSE 'y' END AS k,"
        " SUM(units) AS u FROM metrics GROUP BY 1",
    ],
)
def test_rows_are_equal_where_all_their_parts_are(world, sql, backend):
    expected = world.expected(sql)
    assert expected.num_rows > 0
    assert same_rows(world.served[backend].table(sql), expected, ordered=False) is None


def test_bound_values_stand_where_they_are_asked_for(world):
    sql = SUMS.format(f"{PAIR} IN ((?, ?), (?, ?))")
    values = ("East", "Toys", "West", "Tools")
    literal = world.expected(SUMS.format(f"{PAIR} IN (('East', 'Toys'), ('West', 'Tools'))"))
    assert same_rows(world.served["duckdb"].table(sql, values), literal, ordered=False) is None


def test_many_rows_are_no_deep_condition(world):
    others = ", ".join(f"('R{number}', 'Toys')" for number in range(300))
    sql = SUMS.format(f"{PAIR} IN ({others}, ('East', 'Toys'))")
    expected = world.expected(sql)
    assert expected.num_rows == 1
    assert same_rows(world.served["duckdb"].table(sql), expected, ordered=False) is None


@pytest.mark.parametrize(
    "condition",
    [
        f"{PAIR} IN (('East', 'Toys', 3))",
        f"{PAIR} > ('East', 'Toys')",
        f"{PAIR} IN (SELECT region, category FROM metrics)",
        f"({PAIR}, 1) IN ((('East', 'Toys'), 1))",
        "(?, category) IN (('East', 'Toys'), ('West', 'Tools'))",
    ],
)
def test_other_comparisons_of_rows_are_refused_at_their_place(world, condition):
    values = ("East",) if "?" in condition else ()
    with pytest.raises(QueryError) as refused:
        world.served["duckdb"].table(SUMS.format(condition), values)
    assert refused.value.code in {"NOT_SUPPORTED", "TYPE"}
    assert refused.value.place is not None
