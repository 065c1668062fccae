"""Is a declared type kept to on every back-end, or refused?

A moment under a level of days is its midnight or no answer; a key with more places than the key it
is looked up by matches exactly or not at all. Nothing is cut off on the way.
"""

import duckdb
import pytest
from conformance_tables import export, open_backends

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import ArithmeticOverflow, FDViolation
from flightframe_server.language import parse
from flightframe_server.planner.source import source_query
from flightframe_server.resolver.resolve import resolve

COLLECTION = read_collection("""
version: 1
name: strict
schemas:
  - {name: days, grain: [day], columns: {day: day, season: season}}
  - name: sales
    grain: [sale]
    columns:
      sale: sale
      day: sold
      rate: rate
      amount: amount
      share: {lookup: share, via: {schema: rates, on: [rate]}}
  - {name: rates, grain: [rate], columns: {rate: rate, share: share}}
dimension_families:
  - {name: calendar, levels: [day, season], edges: [{from: day, to: season, via: days}]}
  - {name: keys, levels: [sale]}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: share, family_root: {schema: sales, column: share}, ip_reducers: [{operator: MAX}]}
""")
TABLES = """
CREATE TABLE days (day DATE, season VARCHAR);
INSERT INTO days VALUES ('2024-02-01', 'winter'), ('2024-02-02', 'winter');
CREATE TABLE rates (rate DECIMAL(6, 3), share DOUBLE);
INSERT INTO rates VALUES ('{rate}', 0.5), (2, 0.25);
CREATE TABLE sales (sale INTEGER, sold TIMESTAMP, rate DECIMAL(4, 2), amount DECIMAL(8, 2));
INSERT INTO sales
VALUES (1, '2024-02-01', 1.5, 10), (2, '{moment}', 2, 20), (3, NULL, NULL, 5);
"""


@pytest.fixture
def engines(tmp_path):
    opened = []

    def made(**given):
        database = tmp_path / "strict.duckdb"
        with duckdb.connect(str(database)) as connection:
            connection.execute(TABLES.format(**{"moment": "2024-02-02", "rate": "1.5"} | given))
        backends = open_backends(export(database, tmp_path))
        opened.extend(backends.values())
        return {
            name: Runtime(
                "test",
                {"strict": MetricEngine(COLLECTION, tmp_path / name, backend, enabled=False)},
            )
            for name, backend in backends.items()
        }

    yield made
    for backend in opened:
        backend.close()


def rows(serving, query):
    return sorted(map(str, answer(Request(query), serving).table.to_pylist()))


QUERIES = {
    "SELECT day, amount AT day": ["2024, 2, 1", "2024, 2, 2", "None"],
    "SELECT season, amount AT season": ["winter", "None"],
    "SELECT amount AT () WHERE day = '2024-02-02'": ["20.00"],
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_moment_is_a_day_at_midnight_alone(query, engines, tmp_path):
    for name, serving in engines().items():
        found = " ".join(rows(serving, query))
        assert all(word in found for word in QUERIES[query]), (name, found)


@pytest.mark.parametrize("query", QUERIES)
def test_a_moment_within_a_day_is_refused_as_a_day(query, engines):
    for serving in engines(moment="2024-02-02 00:00:00.000001").values():
        with pytest.raises(FDViolation, match="not the first day of its period"):
            rows(serving, query)


def test_a_back_end_that_is_asked_all_the_same_cuts_nothing_off(engines):
    # What the engine attests today may have changed when the statement runs.
    for serving in engines(moment="2024-02-02 10:00").values():
        engine = serving.engines["strict"]
        typed = engine.typed
        question = resolve(parse("SELECT amount AT ()"), typed)
        metrics = tuple(need.metric for need in question.needs)
        for levels in (("day",), ("season",)):
            query = source_query(typed, "sales", levels, (), metrics)
            with pytest.raises(ArithmeticOverflow, match="does not fit its declared type"):
                list(engine.backend.run(query))


def test_what_does_not_ask_for_the_day_goes_on(engines):
    for serving in engines(moment="2024-02-02 10:00").values():
        assert rows(serving, "SELECT amount AT ()") == ["{'amount': Decimal('35.00')}"]


def test_a_key_of_more_places_is_matched_exactly(engines):
    for name, serving in engines().items():
        assert rows(serving, "SELECT sale, share AT sale") == [
            "{'sale': 1, 'share': 0.5}",
            "{'sale': 2, 'share': 0.25}",
            "{'sale': 3, 'share': None}",
        ], name


def test_a_key_that_would_have_to_be_rounded_is_refused(engines):
    for serving in engines(rate="1.499").values():
        with pytest.raises(ArithmeticOverflow, match="does not fit its declared type"):
            rows(serving, "SELECT sale, share AT sale")
