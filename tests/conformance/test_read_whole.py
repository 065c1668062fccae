"""Texts of which a part was once left out in silence: each is refused, at its place.

What the oracle gives for them is another answer than the text without that part.
"""

from __future__ import annotations

import pytest
from bi_world import World

from flightframe_server.errors import FlightframeError

UNITS = "SELECT region, SUM(units) AS u FROM metrics"
GROUPS = f"({UNITS} GROUP BY region) q"
RANKED = f"SELECT RANK() OVER (ORDER BY u) AS n FROM {GROUPS}"

REFUSED = (
    (f"SELECT * LIKE 'u%' FROM {GROUPS}", "NOT_SUPPORTED", "*"),
    (f"SELECT * NOT LIKE 'u%' FROM {GROUPS}", "NOT_SUPPORTED", "*"),
    (f"SELECT * AS x FROM {GROUPS}", "NOT_SUPPORTED", "*"),
    (f"{UNITS} WHERE 2 GROUP BY region", "TYPE", "2 GROUP"),
    (f"{UNITS} WHERE (1) GROUP BY region", "TYPE", "1) GROUP"),
    (f"{UNITS} WHERE 'true' GROUP BY region", "TYPE", "'true'"),
    (f"{UNITS} WHERE region = 'East' OR 2 GROUP BY region", "TYPE", "2 GROUP"),
    (f"{UNITS} WHERE region = 'East' AND 0 GROUP BY region", "TYPE", "0 GROUP"),
    (
        "SELECT SUM(units) FILTER (WHERE store = 'S01' OR 2) AS u, COUNT(units) AS n FROM metrics",
        "TYPE",
        "2)",
    ),
    ("SELECT (region = 'East' OR 2) AS k, SUM(units) AS u FROM metrics GROUP BY 1", "TYPE", "2)"),
    ("SELECT store FROM stores WHERE 2", "TYPE", "2"),
    ("SELECT DISTINCT region FROM stores WHERE 2", "TYPE", "2"),
    (f"{UNITS} GROUP BY region HAVING SUM(units) > 100 OR 2", "TYPE", "2"),
    (f"SELECT u FROM {GROUPS} WHERE u > 100 AND 0", "TYPE", "0"),
    (f"{RANKED} WHERE u > 100 OR 2", "TYPE", "2"),
    (f"{UNITS} WHERE region IN () GROUP BY region", "NOT_SUPPORTED", "region IN"),
    (f"SELECT u FROM {GROUPS} WHERE region IN ()", "NOT_SUPPORTED", "region IN"),
    (f"{RANKED} WHERE region IN ()", "NOT_SUPPORTED", "region IN"),
    (f"SELECT COUNT() AS n FROM {GROUPS}", "NOT_SUPPORTED", "COUNT"),
)
"""Texts that the oracle answers, with a code, and the words at the place of the refusal."""

UNKNOWN_TO_THE_ORACLE = (
    (f"{UNITS} GROUP BY DISTINCT ROLLUP (region), ROLLUP (region)", "region), ROLLUP"),
    (f"{UNITS} GROUP BY ALL ROLLUP (region), ROLLUP (region)", "region), ROLLUP"),
    (f"{UNITS} GROUP BY ALL region", "region"),
    (f"SELECT region, MAX(u) AS m FROM {GROUPS} WHERE u > 2 GROUP BY DISTINCT region", "region"),
    (f"SELECT a.u FROM {GROUPS[:-2]} a CROSS JOIN {GROUPS} ON a.region = q.region", "region"),
    ("SELECT COUNT(*) AS n FROM (SELECT FROM stores) q", "stores"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


def _refusal(world: World, sql: str) -> FlightframeError:
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(sql)
    return caught.value


@pytest.mark.parametrize(("sql", "code", "words"), REFUSED)
def test_a_text_is_refused_where_a_part_of_it_has_no_meaning(world, sql, code, words):
    assert world.expected(sql).num_columns
    refusal = _refusal(world, sql)
    assert refusal.code == code
    assert refusal.place is not None
    assert sql[refusal.place.column - 1 :].startswith(words)


@pytest.mark.parametrize(("sql", "words"), UNKNOWN_TO_THE_ORACLE)
def test_a_text_of_another_dialect_is_refused_whole(world, sql, words):
    refusal = _refusal(world, sql)
    assert refusal.code == "NOT_SUPPORTED"
    assert refusal.place is not None
    assert sql[refusal.place.column - 1 :].startswith(words)


def test_constants_that_are_conditions_stay_so(world):
    for condition, rows in (("TRUE", 5), ("NULL", 0), ("FALSE", 0), ("1 = 1", 5)):
        sql = f"{UNITS} WHERE {condition} GROUP BY region"
        assert world.served["duckdb"].table(sql).num_rows == rows
        assert world.expected(sql).num_rows == rows
