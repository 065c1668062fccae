"""A plan executed over a real store and a real database: what is kept, and what is not."""

from decimal import Decimal

import pytest
from engine_shop import collection, opened, write
from stalled import Asked, Stalled

from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.cache.entries import EntryGone
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.executor import merged
from flightframe_server.errors import BackendError
from flightframe_server.language import parse
from flightframe_server.planner.plan import Freshness
from flightframe_server.resolver.resolve import resolve

BY_STORE = "SELECT store, revenue, COUNT(revenue) AS n AT store"
BY_REGION = "SELECT region, revenue AT region"
# A summary of as many rows as the facts is no shorter way to them.
AS_LARGE = (
    "UPDATE daily SET revenue = 10.10 WHERE store = 'S1';"
    "INSERT INTO daily VALUES ('S1', '2024-01-30', 20.20);"
)


class Watched:
    """A back-end that counts its statements, and does something before each."""

    def __init__(self, backend):
        self._backend, self.statements, self.before = backend, 0, lambda query: None

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def run(self, query, **how):
        self.statements += 1
        self.before(query)
        return self._backend.run(query, **how)


@pytest.fixture
def engine(tmp_path):
    backend = Watched(opened(tmp_path, AS_LARGE))
    made = MetricEngine(collection(), tmp_path / "store", backend)
    made.attested()
    backend.statements = 0
    yield made
    made.close()
    backend.close()


def executed(engine, text, keep=True):
    """What one plan gave, executed once."""
    snapshot = engine.snapshot()
    return execute(engine, planned(engine, text, snapshot), snapshot, keep=keep)


def planned(engine, text, snapshot):
    """The plan of a text on a snapshot, what it rests on attested."""
    asked = resolve(parse(text), snapshot.typed)
    return engine._attempts.attested_plan(asked, Freshness(), snapshot, SERVER_CALL)


def execute(engine, plan, snapshot, keep=True):
    """What a plan gives, executed once."""
    executor = engine._attempts._executor
    return executor.execute(plan, snapshot, keep=keep, max_rows=1000, context=SERVER_CALL)


def asking(text):
    """What an engine is asked: a text, resolved on whatever the data are by then."""
    return lambda typed: resolve(parse(text), typed)


def held(engine):
    return sorted(
        (str(entry.key.group.operator), entry.key.anchor) for entry in engine.store.holdings()
    )


def test_one_statement_is_split_into_an_entry_for_each_metric(engine):
    found = executed(engine, BY_STORE)
    assert engine.backend.statements == 1
    assert [part.route for part in found.parts] == ["backend", "backend"]
    sums, counts = (
        dict(zip(table["store"].to_pylist(), table[" value"].to_pylist(), strict=True))
        for table in found.tables
    )
    assert sums == {
        **{"S1": Decimal("30.30"), "S2": None, "S9": Decimal("7.00"), None: Decimal("9.00")}
    }
    assert counts == {"S1": 2, "S2": 0, "S9": 1, None: 1}
    assert held(engine) == [("COUNT", ("store",)), ("SUM", ("store",))]


def test_the_same_again_asks_nobody(engine):
    executed(engine, BY_STORE)
    again = executed(engine, BY_STORE)
    assert engine.backend.statements == 1
    assert [part.route for part in again.parts] == ["exact", "exact"]


def test_a_rollup_is_kept_with_the_tables_of_the_edges_it_climbed(engine):
    executed(engine, BY_STORE)
    found = executed(engine, BY_REGION)
    (part,) = found.parts
    assert (part.route, part.rolled_up_from) == ("rollup", ("store",))
    rolled = next(entry for entry in engine.store.holdings() if entry.key.anchor == ("region",))
    assert sorted(dict(rolled.version)) == ["stores", "tx"]
    assert rolled.edges == ("store -> region",)


def test_what_is_not_to_be_kept_leaves_nothing(engine):
    executed(engine, BY_STORE, keep=False)
    assert held(engine) == []
    executed(engine, BY_STORE)
    executed(engine, BY_REGION, keep=False)
    assert ("SUM", ("region",)) not in held(engine)


def test_data_that_moved_meanwhile_is_not_kept_nor_answered_with(engine, tmp_path):
    def move(query):
        engine.backend.before = lambda query: None
        write(tmp_path / "shop.duckdb", "UPDATE tx SET revenue = 1;")

    engine.backend.before = move
    with pytest.raises(SourceMoved):
        executed(engine, BY_STORE)
    assert held(engine) == []
    # The engine begins anew, on the data as it is by then.
    engine.backend.before = move
    assert engine.answer(asking("SELECT revenue AT ()")).table.to_pylist() == [
        {"revenue": Decimal("5.00")}
    ]


def test_an_entry_that_is_gone_is_a_signal_and_the_engine_asks_again(engine):
    executed(engine, BY_STORE)
    snapshot = engine.snapshot()
    plan = planned(engine, BY_REGION, snapshot)
    engine.store.drop([entry.entry_id for entry in engine.store.holdings()])
    with pytest.raises(EntryGone):
        execute(engine, plan, snapshot)
    served = engine.answer(asking(BY_REGION))
    assert [part.route for part in served.parts] == ["backend"]


def test_a_source_that_never_stands_still_is_refused_and_nothing_is_kept(engine, tmp_path):
    changes = iter(range(2, 100))
    engine.backend.before = lambda query: write(
        tmp_path / "shop.duckdb", f"UPDATE tx SET revenue = {next(changes)};"
    )
    with pytest.raises(BackendError, match="the data are being written"):
        engine.answer(asking("SELECT revenue, COUNT(*) AS n FROM tx AT ()"))
    # Three attempts.
    assert next(changes) == 5
    assert held(engine) == []
    engine.backend.before = lambda query: None
    served = engine.answer(asking("SELECT revenue, COUNT(*) AS n FROM tx AT ()"))
    assert served.table.to_pylist() == [{"revenue": Decimal("20.00"), "n": 5}]


def test_no_cache_neither_reads_nor_keeps(engine):
    executed(engine, BY_STORE)
    before = held(engine)
    served = engine.answer(asking(BY_REGION), Freshness(no_cache=True))
    assert [str(part.served_from) for part in served.parts] == ["backend"]
    assert held(engine) == before


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((), (), ()),
        ((("a", "1"),), (("b", "2"),), (("a", "1"), ("b", "2"))),
        ((("b", "2"),), (("a", "1"), ("b", "2")), (("a", "1"), ("b", "2"))),
        ((("a", "1"),), (("a", "2"),), None),
    ],
)
def test_versions_are_merged_or_disagree(one, other, both):
    assert merged(one, other) == both


def test_what_is_rolled_up_from_an_older_version_is_not_kept(engine, tmp_path):
    """Its age would begin anew, and pass the bound that the next question sets."""
    executed(engine, "SELECT store, day, revenue AT (store, day)")
    before = held(engine)
    write(tmp_path / "shop.duckdb", "UPDATE tx SET revenue = 1;")
    served = engine.answer(
        asking("SELECT store, revenue AT store"), Freshness(max_staleness=3600.0)
    )
    assert [part.route for part in served.parts] == ["rollup"]
    assert Decimal("30.30") in served.table["revenue"].to_pylist()
    assert held(engine) == before


@pytest.fixture
def stalled(tmp_path):
    """An engine whose statements wait until they are let go."""
    backend = Stalled(opened(tmp_path, AS_LARGE))
    backend.holds = {"run"}
    made = MetricEngine(collection(), tmp_path / "store", backend)
    yield made
    backend.let.set()
    made.close()
    backend.close()


# No sibling has to be compared for it, which would be a statement as well.
MOST = "SELECT MAX(revenue) AS x AT ()"


def test_two_ask_the_back_end_once_for_one_version(stalled):
    both = [Asked(executed, stalled, MOST) for _ in range(2)]
    assert stalled.backend.begun.acquire(timeout=60)
    assert not stalled.backend.begun.acquire(timeout=0.3)
    stalled.backend.let.set()
    for one in both:
        (table,) = one.join().tables
        assert table[" value"].to_pylist() == [Decimal("20.20")]


def test_what_is_read_of_one_version_is_not_given_to_who_asks_for_another(stalled, tmp_path):
    first = Asked(executed, stalled, MOST)
    assert stalled.backend.begun.acquire(timeout=60)
    write(tmp_path / "shop.duckdb", AS_LARGE + "UPDATE tx SET revenue = 1;")
    second = Asked(executed, stalled, MOST)
    assert stalled.backend.begun.acquire(timeout=60)
    stalled.backend.let.set()
    (table,) = second.join().tables
    assert table[" value"].to_pylist() == [Decimal("1.00")]
    with pytest.raises(SourceMoved):
        first.join()


def test_who_asks_of_a_version_that_cannot_be_told_is_given_nothing_read_before(stalled, tmp_path):
    stalled.backend.untold = {"tx"}
    first = Asked(stalled.answer, asking(MOST))
    assert stalled.backend.begun.acquire(timeout=60)
    write(tmp_path / "shop.duckdb", AS_LARGE + "UPDATE tx SET revenue = 1;")
    second = Asked(stalled.answer, asking(MOST))
    assert stalled.backend.begun.acquire(timeout=60)
    stalled.backend.let.set()
    assert second.join().table.to_pylist() == [{"x": Decimal("1.00")}]
    first.join()
