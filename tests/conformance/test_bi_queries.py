"""SELECTs by chance give what they give over the flat tables, or are refused.

A share runs with the tests; `make bi-sql` asks ten thousand. The end of it says how many of each
construct were answered and how many refused.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import duckdb
import pytest
from bi_queries import Queries
from bi_world import World, same_rows

from flightframe_server.errors import FlightframeError, InternalError

CASES = int(os.environ.get("BI_SQL_CASES", "150"))
SEED = int(os.environ.get("BI_SQL_SEED", "20261129"))
KEPT = 60
"""Queries after which an engine that remembers forgets."""
ANSWERED_SHARE = 0.9

FLAT = """
CREATE VIEW retail_full.flat_sales AS FROM retail_full.metrics;
CREATE VIEW retail_full.flat_stock AS
SELECT *, date_trunc('quarter', month)::DATE AS quarter, date_trunc('year', month)::DATE AS year
FROM retail_full.store_monthly_inventory;
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    world.oracle.execute(FLAT)
    yield world
    world.close()


@pytest.mark.slow
def test_queries_by_chance_give_what_the_flat_tables_give(world, capsys):
    queries = Queries(Random(SEED))
    answered: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    done = 0
    for number in range(CASES):
        query = queries.next()
        try:
            expected = world.expected(query.flat)
        except duckdb.Error:
            continue
        served = world.served[("duckdb", "duckdb", "sqlite", "polars")[number % 4]]
        if number % KEPT == 0:
            served.forget()
        try:
            answer = served.table(query.sql, cold=number % 2 == 0)
        except InternalError:
            raise
        except FlightframeError as error:
            refused.update(query.constructs)
            reasons[f"{error.code}: {error.message}"[:90]] += 1
            continue
        difference = same_rows(answer, expected, ordered=query.ordered)
        assert difference is None, f"number {number} of seed {SEED}: {query.sql}\n{difference}"
        answered.update(query.constructs)
        done += 1
    total = done + sum(reasons.values())
    with capsys.disabled():
        print(f"\n{done} of {total} texts of seed {SEED} answered; of each construct, refused:")
        for name in sorted({*answered, *refused}):
            count = answered[name] + refused[name]
            print(f"  {name}: {refused[name]} of {count} ({refused[name] / count:.0%})")
        for reason, count in reasons.most_common(12):
            print(f"  {count} x {reason}")
    assert total > CASES * 0.8
    assert done >= ANSWERED_SHARE * total - 5
