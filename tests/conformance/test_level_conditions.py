"""`WHERE x @ level > 2`: the rows of the members that pass, beside SQL written by hand.

Each text stands beside SQL over the flat table. x is taken over all facts at its level; the other
conditions of WHERE choose rows of the answer alone.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from bi_world import World, same_rows

from flightframe_server.answer import Request
from flightframe_server.errors import FlightframeError
from flightframe_server.sql.texts import answer_text, explain_text, type_text

BIG = "(SELECT store FROM metrics GROUP BY store HAVING SUM(units) > 370)"

QUERIES = {
    "stores that sold much": (
        "SELECT revenue AT region WHERE units @ store > 370",
        f"SELECT region, SUM(revenue) FROM metrics WHERE store IN {BIG} GROUP BY region",
    ),
    "the answer's own level": (
        "SELECT store, units AT store WHERE units @ store > 370",
        f"SELECT store, SUM(units) FROM metrics WHERE store IN {BIG} GROUP BY store",
    ),
    "beside another condition, which x does not take": (
        "SELECT revenue AT region WHERE category = 'Toys' AND units @ store > 370",
        f"""SELECT region, SUM(revenue) FROM metrics
        WHERE category = 'Toys' AND store IN {BIG} GROUP BY region""",
    ),
    "what restricts x stands in its FILTER": (
        "SELECT revenue AT region WHERE (SUM(units) FILTER (WHERE category = 'Toys')) @ store > 36",
        """SELECT region, SUM(revenue) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING SUM(units) FILTER (WHERE category = 'Toys') > 36) GROUP BY region""",
    ),
    "a coarser level": (
        "SELECT units AT store WHERE revenue @ region > 1000",
        """SELECT store, SUM(units) FROM metrics WHERE region IN (SELECT region FROM metrics
        GROUP BY region HAVING SUM(revenue) > 1000) GROUP BY store""",
    ),
    "two of them": (
        "SELECT units AT category WHERE revenue @ store > 950 AND cost @ product > 960",
        """SELECT category, SUM(units) FROM metrics WHERE
        store IN (SELECT store FROM metrics GROUP BY store HAVING SUM(revenue) > 950) AND
        product IN (SELECT product FROM metrics GROUP BY product HAVING SUM(cost) > 960)
        GROUP BY category""",
    ),
    "two metrics in one": (
        "SELECT units AT () WHERE revenue @ product > cost @ product * 1.02",
        """SELECT SUM(units) FROM metrics WHERE product IN (SELECT product FROM metrics
        GROUP BY product HAVING SUM(revenue) > SUM(cost) * 1.02)""",
    ),
    "a derived metric, in a function": (
        "SELECT units AT () WHERE ROUND(profit @ store, 0) BETWEEN -33 AND 70",
        """SELECT SUM(units) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING ROUND(SUM(revenue) - SUM(cost), 0) BETWEEN -33 AND 70)""",
    ),
    "not": (
        "SELECT units AT region WHERE NOT (revenue @ store > 950)",
        """SELECT region, SUM(units) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING NOT (SUM(revenue) > 950)) GROUP BY region""",
    ),
    "or, beside the level itself": (
        "SELECT units AT store WHERE revenue @ store < 400 OR store = 'S01'",
        """SELECT store, SUM(units) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING SUM(revenue) < 400 OR store = 'S01') GROUP BY store""",
    ),
    "members that no metric knows": (
        "SELECT units AT store WHERE (MAX(on_hand)) @ store IS NULL",
        """SELECT store, SUM(units) FROM metrics WHERE store IS NOT NULL AND store NOT IN (
        SELECT store FROM store_monthly_inventory WHERE on_hand IS NOT NULL) GROUP BY store""",
    ),
    "a metric of another table": (
        "SELECT units AT store WHERE (MAX(on_hand)) @ store > 35",
        """SELECT store, SUM(units) FROM metrics WHERE store IN (SELECT store
        FROM store_monthly_inventory GROUP BY store HAVING MAX(on_hand) > 35) GROUP BY store""",
    ),
    "metrics of two tables": (
        "SELECT units, LAST(on_hand) AS h AT (store, month) WHERE revenue @ store > 960",
        """SELECT COALESCE(a.store, b.store), COALESCE(a.month, b.month), a.u, b.h
        FROM (SELECT store, month, SUM(units) AS u FROM metrics GROUP BY ALL) a
        FULL JOIN (SELECT store, month, SUM(on_hand) AS h FROM store_monthly_inventory
        GROUP BY ALL) b ON a.store = b.store AND a.month IS NOT DISTINCT FROM b.month
        WHERE COALESCE(a.store, b.store) IN (SELECT store FROM metrics GROUP BY store
        HAVING SUM(revenue) > 960)""",
    ),
    "rows, of the metrics beside them": (
        "SELECT units AT region WHERE COUNT(*) @ store < 116",
        """SELECT region, SUM(units) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING COUNT(*) < 116) GROUP BY region""",
    ),
    "nothing passes": (
        "SELECT units AT region WHERE units @ store > 1000000",
        "SELECT region, SUM(units) FROM metrics WHERE FALSE GROUP BY region",
    ),
    "nothing passes, and there is one row": (
        "SELECT units, COUNT(*) AS n AT () WHERE units @ store > 1000000",
        "SELECT SUM(units), COUNT(*) FROM metrics WHERE FALSE",
    ),
    "a date's members": (
        "SELECT units AT region WHERE units @ month > 260",
        """SELECT region, SUM(units) FROM metrics WHERE month IN (SELECT month FROM metrics
        GROUP BY month HAVING SUM(units) > 260) GROUP BY region""",
    ),
    "an ad-hoc level": (
        "SELECT units AT region WHERE units @ (EXTRACT(isodow FROM day) AS d) < 300",
        """SELECT region, SUM(units) FROM metrics WHERE EXTRACT(isodow FROM day) IN (
        SELECT EXTRACT(isodow FROM day) FROM metrics GROUP BY ALL HAVING SUM(units) < 300)
        GROUP BY region""",
    ),
    "qualified, over FROM": (
        "SELECT m.region, SUM(m.units) AS u FROM metrics AS m AT m.region"
        " WHERE SUM(m.revenue) @ m.store > 960",
        """SELECT region, SUM(units) FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING SUM(revenue) > 960) GROUP BY region""",
    ),
    "levels alone": (
        "SELECT region FROM transactions AT region WHERE revenue @ store > 960",
        """SELECT DISTINCT region FROM metrics WHERE store IN (SELECT store FROM metrics
        GROUP BY store HAVING SUM(revenue) > 960)""",
    ),
    "a nested mean": (
        "SELECT units AT region WHERE AVG(units @ day) @ store < 7.45",
        """SELECT region, SUM(units) FROM metrics WHERE store IN (SELECT store FROM (
        SELECT store, day, SUM(units) AS u FROM metrics GROUP BY ALL) GROUP BY store
        HAVING AVG(u) < 7.45) GROUP BY region""",
    ),
}

NOTHING = ("nothing passes", "nothing passes, and there is one row")
BACKENDS = ("duckdb", "sqlite", "polars")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


def refused(world, source, code):
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(source)
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_rows_of_the_members_that_pass(world, backend, name):
    source, sql = QUERIES[name]
    expected, served = world.expected(sql), world.served[backend]
    without = source.partition(" WHERE")[0] if " WHERE" in source else source
    if name not in NOTHING:
        # A condition that all members pass, or none, would show nothing.
        assert expected.num_rows
        assert same_rows(served.table(without), expected, ordered=False) is not None
    served.forget()
    for cold in (True, False, False):
        answer = served.answer(source, cold=cold)
        assert same_rows(answer.table, expected, ordered=False) is None, answer.table
        assert type_text(Request(source), *served.parts()).schema.types == answer.schema.types
    if "FROM day" not in source:
        assert str(answer.provenance.served_from) == "engine_cache"


def test_a_member_that_is_null_does_not_pass(world):
    source = "SELECT COUNT(*) AS n FROM transactions AT () WHERE units @ store < 200"
    sql = """SELECT COUNT(*) FROM metrics WHERE store IN
        (SELECT store FROM metrics GROUP BY store HAVING SUM(units) < 200)"""
    assert world.expected("SELECT 1 FROM metrics WHERE store IS NULL").num_rows == 40
    for backend in BACKENDS:
        assert (
            same_rows(world.served[backend].table(source), world.expected(sql), ordered=True)
            is None
        )


def test_x_is_not_taken_under_the_other_conditions(world):
    """No store sold so much of Toys alone."""
    toys = "SELECT sum(units) AS u FROM metrics WHERE category = 'Toys' GROUP BY store"
    assert max(row["u"] for row in world.expected(toys).to_pylist()) < 370
    source = "SELECT units AT () WHERE category = 'Toys' AND units @ store > 370"
    assert world.served["duckdb"].table(source).to_pylist()[0]["units"] > 0


def test_values_are_bound_in_both_questions(world):
    source = "SELECT units AT region WHERE units @ store > $least AND category IN $kinds"
    runtime, tables = world.served["duckdb"].parts()
    values = (("least", 370), ("kinds", ("Toys", "Tools")))
    answer = answer_text(Request(source, values), runtime, tables)
    sql = f"""SELECT region, SUM(units) FROM metrics WHERE category IN ('Toys', 'Tools')
        AND store IN {BIG} GROUP BY region"""
    assert same_rows(answer.table, world.expected(sql), ordered=False) is None
    typed = dict(type_text(Request(source), runtime, tables).parameters)
    assert typed == {"least": pa.int64(), "kinds": pa.list_(pa.string())}
    with pytest.raises(FlightframeError) as caught:
        answer_text(Request(source, (*values, ("other", 1))), runtime, tables)
    assert caught.value.code == "TYPE"


def test_explain_lists_the_question_of_the_members(world):
    runtime, tables = world.served["duckdb"].parts()
    source = "SELECT revenue AT region WHERE units @ store > 370"
    for asked in (
        explain_text(Request(source), runtime, tables),
        answer_text(Request(f"EXPLAIN {source}"), runtime, tables),
    ):
        text = str(asked.table.to_pylist())
        assert "SELECT store FROM transactions AT store HAVING units > 370" in text
        assert "its members not known yet" in text


def test_what_is_no_condition_on_one_level_is_refused(world):
    refused(world, "SELECT units AT region WHERE units @ () > 2", "NOT_SUPPORTED")
    refused(world, "SELECT units AT region WHERE units @ (store, product) > 2", "NOT_SUPPORTED")
    refused(world, "SELECT units AT region WHERE units @ store > cost @ product", "NOT_SUPPORTED")
    source = "SELECT units AT region WHERE units @ store > 2 OR category = 'Toys'"
    other = refused(world, source, "NOT_SUPPORTED")
    assert other.place.column == 51
    refused(world, "SELECT units AT region WHERE on_hand @ product > 2", "FAN_OUT")
    refused(world, "SELECT units AT region WHERE units @ nowhere > 2", "UNKNOWN_NAME")
    refused(world, "SELECT units AT region WHERE units @ store", "TYPE")


def test_every_metric_must_reach_the_level(world):
    source = "SELECT on_hand AT (store, month) WHERE units @ product > 2"
    refused(world, source, "FILTER_UNREACHABLE")


def test_too_many_members_are_refused_and_never_cut(world, bounded):
    source = "SELECT units AT region WHERE units @ store > 370"
    bounded(member_limit=6)
    assert world.served["duckdb"].table(source).num_rows
    bounded(member_limit=2)
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(source)
    assert caught.value.code == "LIMIT_EXCEEDED"


@pytest.fixture
def bounded(world):
    runtime, _ = world.served["duckdb"].parts()
    limits = runtime.statements.limits
    yield lambda **changes: runtime.statements.change_limits(replace(limits, **changes))
    runtime.statements.change_limits(limits)
