"""Texts by chance that are more than one question give what they give over the flat table.

A share runs with the tests; `BI_SQL_CASES=10000` asks more.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import duckdb
import pytest
from bi_world import World, same_rows
from outer_queries import OuterQueries

from flightframe_server.errors import FlightframeError, InternalError

CASES = int(os.environ.get("BI_SQL_CASES", "150"))
SEED = int(os.environ.get("BI_SQL_SEED", "20261130"))
KEPT = 50
ANSWERED_SHARE = 0.85


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


@pytest.mark.slow
def test_texts_by_chance_over_answers_give_what_the_flat_table_gives(world, capsys):
    queries = OuterQueries(Random(SEED))
    answered: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in range(CASES):
        kind, sql, ordered = queries.next()
        try:
            expected = world.expected(sql)
        except duckdb.Error:
            continue
        served = world.served[("duckdb", "duckdb", "sqlite", "polars")[number % 4]]
        if number % KEPT == 0:
            served.forget()
        try:
            answer = served.table(sql, cold=number % 2 == 0)
        except InternalError:
            raise
        except FlightframeError as error:
            refused[f"{kind}: {error.code} {error.message}"[:110]] += 1
            continue
        difference = same_rows(answer, expected, ordered=ordered)
        assert difference is None, f"number {number} of seed {SEED}: {sql}\n{difference}"
        answered[kind] += 1
    done, missed = answered.total(), refused.total()
    with capsys.disabled():
        print(f"\n{done} of {done + missed} texts of seed {SEED} answered: {dict(answered)}")
        for reason, count in refused.most_common(10):
            print(f"  {count} x {reason}")
    assert done + missed > CASES * 0.8
    assert done >= ANSWERED_SHARE * (done + missed) - 5
