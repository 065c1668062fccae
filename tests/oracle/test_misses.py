"""What happens between asking and keeping: budgets, equal misses, data that moves meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from test_promises import BY_REGION, COLLECTION, REGIONS, SUMMARY, SUMMARY_SQL, money, shop

from flightframe_server.engine import MetricEngine
from flightframe_server.engine.warm_up import warm_up
from flightframe_server.statements.single_flight import SingleFlight

__all__ = ["shop"]

MOVED = "UPDATE tx SET revenue = revenue + 1 WHERE txn = 5;"
NOW = money(("East", "61.70"), ("West", "1.20"), (None, "21.00"))


def test_19_warming_up_over_an_empty_table_does_not_fail(shop):
    hinted = COLLECTION.replace(
        "{schema: nothing_sold, column: amount},",
        "{schema: nothing_sold, column: amount}, cache_hint: {materialize_at: [[region], []]},",
    )
    made = shop(collection=hinted)
    warmed = list(warm_up(made.engine))
    assert [str(done.hint) for done in warmed] == ["amount @ ('region',)", "amount @ ()"]
    assert [done.failure for done in warmed] == [None, None]
    found = made.ask("SELECT region, amount AT region")
    assert (found.table.num_rows, str(found.provenance.served_from)) == (0, "engine_cache")


def test_34_an_entry_past_the_budget_is_served_and_not_kept(shop, tmp_path):
    made = shop()
    small = MetricEngine(made.engine.collection, tmp_path / "small", made.backend, max_bytes=1)
    serving = type(made.serving)("test", {"shop": small})
    made.serving, unbounded = serving, made.serving
    try:
        for _ in range(2):
            found = made.ask(BY_REGION)
            assert {tuple(row.values()) for row in found.table.to_pylist()} == REGIONS
            assert str(found.provenance.served_from) == "engine_backend"
        assert list(small.store.records()) == []
    finally:
        serving.close()
        made.serving = unbounded


class Counted:
    """A lock that says when it was held a second time: by whoever comes second, and joins."""

    def __init__(self, lock, joined):
        self.lock, self.held, self.joined = lock, 0, joined

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *_):
        self.held += 1
        self.lock.release()
        if self.held == 2:
            self.joined.set()


def test_34b_two_equal_misses_at_once_are_one_statement_and_one_entry(shop, monkeypatch):
    genuine, joined, asked = SingleFlight.__init__, threading.Event(), []

    def counting(flights):
        genuine(flights)
        flights._lock = Counted(flights._lock, joined)

    monkeypatch.setattr(SingleFlight, "__init__", counting)
    made = shop()
    run = made.backend.run

    def waiting(query, **options):
        asked.append(query)
        # The statement begins when the second has asked for the same and waits for it.
        assert joined.wait(30)
        return run(query, **options)

    monkeypatch.setattr(made.backend, "run", waiting)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(made.rows, [BY_REGION, BY_REGION]))
    assert found == [REGIONS, REGIONS]
    assert len(asked) == 1
    assert len(list(made.engine.store.records())) == 1


@pytest.mark.parametrize(
    "query", [BY_REGION, "SELECT region, revenue, COUNT(on_hand) AS n AT region"]
)
def test_53_data_written_between_fingerprint_and_query_is_not_kept_as_older(
    shop, monkeypatch, query
):
    made = shop()
    genuine, asked = made.backend.run, []

    def run(query, **options):
        asked.append(query)
        if len(asked) == 1:
            made.replace(MOVED)
        return genuine(query, **options)

    monkeypatch.setattr(made.backend, "run", run)
    assert {row[:2] for row in made.rows(query)} == NOW
    now = dict(made.engine.fingerprint())
    for record in made.engine.store.records():
        assert all(now[table] == sign for table, sign in record.version)
    assert {row[:2] for row in made.rows(query)} == NOW
    made.replace("")
    assert {row[:2] for row in made.rows(query)} == REGIONS


def test_a_number_had_from_a_sibling_is_not_given_once_it_differs(shop):
    made = shop(SUMMARY_SQL, SUMMARY)
    pinned = "SELECT region, SUM(revenue) AS r FROM daily AT region"
    assert made.rows(pinned) == REGIONS
    made.replace(SUMMARY_SQL + "UPDATE daily SET revenue = 1000 WHERE region = 'West';")
    assert made.rows(BY_REGION) == REGIONS
    assert made.rows("SELECT revenue AT ()") == {(Decimal("82.90"),)}
