"""Answers of SQL asked again from the facts: a wrong one is noticed, a moved one is none."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter

import pyarrow as pa
import pytest
from bi_world import NAME, TABLES, World, same_rows
from structlog.testing import capture_logs

from flightframe_server.answer import Request
from flightframe_server.planner import siblings
from flightframe_server.sql.shadowing import differs
from flightframe_server.sql.texts import answer_text
from flightframe_server.telemetry import shadow
from flightframe_server.telemetry.metrics import Metrics
from flightframe_server.telemetry.shadow import Outcome, ShadowSampler

REGIONS = "SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region"
SHARES = f"SELECT region, r, r / SUM(r) OVER () AS s FROM ({REGIONS}) q"
TOP = f"{REGIONS.replace(' GROUP', ' WHERE store IN (SELECT store FROM stores) GROUP')}"
SECONDS = 120


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def counts(metrics: Metrics) -> Counter[str]:
    """Return how many checks ended how."""
    found: Counter[str] = Counter()
    for family in metrics.registry.collect():
        if family.name == "flightframe_shadow_answers":
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    found[sample.labels["outcome"]] += int(sample.value)
    return found


def ended(metrics: Metrics, number: int) -> Counter[str]:
    """Wait until so many checks have ended, and return how."""
    until = time.monotonic() + SECONDS
    while counts(metrics).total() < number and time.monotonic() < until:
        time.sleep(0.02)
    return counts(metrics)


class Sampled:
    """A back-end all of whose answers to SQL are checked."""

    def __init__(self, world: World, backend: str) -> None:
        served = world.served[backend]
        self.engine = served.remembering
        self.runtime = served._runtimes[self.engine]
        self.tables = served._tables[self.engine]
        self.runtime.shadow.share = 1.0

    def ask(self, sql: str) -> pa.Table:
        return answer_text(Request(sql), self.runtime, self.tables).table

    def ended(self, number: int) -> Counter[str]:
        return ended(self.runtime.metrics, number)


@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "polars"])
def test_right_answers_are_the_same_from_the_facts_by_every_tier(world, backend):
    sampled = Sampled(world, backend)
    for sql in (REGIONS, SHARES, TOP, REGIONS, SHARES):
        sampled.ask(sql)
    assert sampled.ended(5) == {"same": 5}


@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "polars"])
def test_an_answer_that_rests_on_other_tables_than_the_facts_is_compared_too(world, backend):
    sampled = Sampled(world, backend)
    for sql, table in (
        (REGIONS, "region_daily_summary"),
        ("SELECT store, SUM(units) AS u FROM metrics GROUP BY store", "transactions"),
        # Rolled up to what the map of its edge tells: the entry itself rests on no look-up table.
        ("SELECT region, SUM(units) AS u FROM metrics GROUP BY region", "transactions"),
    ):
        sampled.runtime.shadow.share = 1.0
        given = answer_text(Request(sql), sampled.runtime, sampled.tables)
        parts = [part for column in given.provenance.columns for part in column.parts]
        assert any(table in part.version for part in parts)
    assert [str(part.route) for part in parts] == ["rollup"]
    assert sampled.ended(3) == {"same": 3}


def test_a_sibling_that_differs_is_noticed_wherever_it_was_read(tmp_path, monkeypatch):
    off = "UPDATE region_daily_summary SET revenue = revenue + 1 WHERE region = 'East';"
    world = World(tmp_path, TABLES + off)
    monkeypatch.setattr(siblings, "_unequal", lambda *_: None)
    sampled = Sampled(world, "duckdb")
    given = sampled.ask(REGIONS)
    assert same_rows(given, world.expected(REGIONS), ordered=False) is not None
    assert sampled.ended(1) == {"mismatch": 1}
    sampled.ask(REGIONS)
    assert sampled.ended(2) == {"mismatch": 2}
    world.close()


def test_what_is_no_sql_and_what_is_a_plan_is_not_checked(world):
    sampled = Sampled(world, "duckdb")
    for text in (
        "SELECT region, revenue AT region",
        f"EXPLAIN {REGIONS}",
        f"EXPLAIN {SHARES}",
        "SELECT table_name FROM information_schema.tables",
    ):
        sampled.ask(text)
    sampled.ask(REGIONS)
    assert sampled.ended(1) == {"same": 1}


def test_a_wrong_entry_is_noticed_counted_and_logged_without_values(world, monkeypatch):
    sampled = Sampled(world, "duckdb")
    right = sampled.engine.statements.collect

    def wrong(*arguments, **options):
        table = right(*arguments, **options)
        for at, field in enumerate(table.schema):
            if pa.types.is_decimal(field.type):
                values = table.column(at).to_pylist()
                more = [None if value is None else value + 1 for value in values]
                table = table.set_column(at, field, pa.array(more, field.type))
        return table

    sampled.runtime.shadow.share = 0.0
    sampled.ask(REGIONS.replace("revenue", "cost"))
    monkeypatch.setattr(sampled.engine.statements, "collect", wrong)
    where = " WHERE region <> 'secret'"
    sql = REGIONS.replace(" GROUP", f"{where} GROUP")
    planted = sampled.ask(sql)
    monkeypatch.undo()
    assert same_rows(planted, world.expected(sql), ordered=False) is not None
    sampled.runtime.shadow.share = 1.0
    with capture_logs() as logs:
        sampled.ask(sql)
        assert sampled.ended(1) == {"mismatch": 1}
        sampled.ask(f"SELECT region, r, SUM(r) OVER () AS s FROM ({sql}) q")
        assert sampled.ended(2) == {"mismatch": 2}
    first, second = (line for line in logs if line["event"] == "shadow.mismatch")
    assert first["difference"].startswith("column r of row ")
    assert "region <> ?" in first["query"]
    assert "secret" not in str(logs)
    assert {first["collection"], second["collection"]} == {NAME}


def test_data_that_move_in_between_are_no_mismatch(world, monkeypatch):
    sampled = Sampled(world, "sqlite")
    (path,) = world.files
    offered = []
    monkeypatch.setattr(ShadowSampler, "offer", lambda self, name, check: offered.append(check))
    for sql in (REGIONS, SHARES):
        sampled.ask(sql)
    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE transactions SET revenue = 7")
    writer.close()
    assert [check(lambda: False) for check in offered] == [Outcome.MOVED] * 2


def test_nothing_is_checked_unless_it_is_set_and_the_share_is_kept():
    draws = iter([0.0, 0.24, 0.25, 0.99])
    sampler = ShadowSampler(Metrics(), chance=lambda: next(draws))
    assert not sampler.picks()
    sampler.share = 0.25
    assert [sampler.picks() for _ in range(4)] == [True, True, False, False]


def test_checks_that_find_no_place_are_skipped_and_one_that_fails_ends_none_but_itself():
    metrics = Metrics()
    sampler = ShadowSampler(metrics, 1.0)
    begun, held = threading.Event(), threading.Event()

    def slow(ending):
        begun.set()
        held.wait(SECONDS)
        raise ValueError

    sampler.offer("shop", slow)
    assert begun.wait(SECONDS)
    for _ in range(shadow.MOST_WAITING + 3):
        sampler.offer("shop", lambda ending: Outcome.SAME)
    sampler.offer("shop", None)
    assert counts(metrics) == {"skipped": 4}
    held.set()
    done = shadow.MOST_WAITING + 5
    assert ended(metrics, done) == {"skipped": 4, "failed": 1, "same": shadow.MOST_WAITING}
    sampler.close()
    sampler.offer("shop", lambda ending: Outcome.SAME)
    assert counts(metrics).total() == done


def test_answers_differ_by_types_rows_and_values_and_not_by_the_last_digits_of_a_double():
    double = pa.float64()

    def table(*rows, type_=double):
        return pa.table({"k": ["a", None], "x": pa.array(rows, type_)})

    assert differs(table(0.1 + 0.2, None), table(0.3, None)) is None
    assert differs(table(0.3, None), table(0.3001, None)) == "column x of row 2"
    assert differs(table(0.3, None), table(0.3, 0.0)) is not None
    assert differs(table(1, 2, type_=pa.int64()), table(1, 2, type_=pa.int32())) is not None
    assert differs(table(1.0, 2.0), table(1.0, 2.0).slice(1)) == "2 rows, and 1 from the facts"
    assert differs(table(1.0, 2.0), table(1.0, 2.0).take([1, 0])) is None
