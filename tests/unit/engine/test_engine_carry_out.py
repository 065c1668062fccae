"""A plan carried out over a real store and a real database: what is kept, and what is not."""

from decimal import Decimal

import pytest
from engine_shop import collection, opened, write

from flightframe_server.cache.entries import EntryGone
from flightframe_server.engine.carry_out import SourceMoved, merged
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.language import parse
from flightframe_server.planner.plan import Freshness
from flightframe_server.planner.source import FrameQuery
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

    def run(self, query, *, timeout=None):
        self.statements += 1
        self.before(query)
        return self._backend.run(query, timeout=timeout)


@pytest.fixture
def engine(tmp_path):
    backend = Watched(opened(tmp_path, AS_LARGE))
    made = MetricEngine(collection(), tmp_path / "store", backend)
    backend.statements = 0
    yield made
    made.close()
    backend.close()


def carried(engine, text, keep=True):
    """What one plan gave, carried out once."""
    ground = engine.ground()
    plan = engine.plan(resolve(parse(text), ground.typed), ground=ground)
    return engine._carrier.carry_out(plan, ground, keep=keep, timeout=None)


def held(engine):
    return sorted(
        (str(entry.key.shelf.operator), entry.key.anchor) for entry in engine.store.holdings()
    )


def test_one_statement_is_split_into_an_entry_for_each_metric(engine):
    found = carried(engine, BY_STORE)
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
    carried(engine, BY_STORE)
    again = carried(engine, BY_STORE)
    assert engine.backend.statements == 1
    assert [part.route for part in again.parts] == ["exact", "exact"]


def test_a_rollup_is_kept_with_the_tables_of_the_edges_it_climbed(engine):
    carried(engine, BY_STORE)
    found = carried(engine, BY_REGION)
    (part,) = found.parts
    assert (part.route, part.rolled_up_from) == ("rollup", ("store",))
    rolled = next(entry for entry in engine.store.holdings() if entry.key.anchor == ("region",))
    assert sorted(dict(rolled.version)) == ["stores", "tx"]
    assert rolled.edges == ("store -> region",)


def test_what_is_not_to_be_kept_leaves_nothing(engine):
    carried(engine, BY_STORE, keep=False)
    assert held(engine) == []
    carried(engine, BY_STORE)
    carried(engine, BY_REGION, keep=False)
    assert ("SUM", ("region",)) not in held(engine)


def test_data_that_moved_meanwhile_is_not_kept_nor_answered_with(engine, tmp_path):
    def move(query):
        engine.backend.before = lambda query: None
        write(tmp_path / "shop.duckdb", "UPDATE tx SET revenue = 1;")

    engine.backend.before = move
    with pytest.raises(SourceMoved):
        carried(engine, BY_STORE)
    assert held(engine) == []
    # The engine plans again, on the data as it is now.
    engine.backend.before = move
    question = resolve(parse("SELECT revenue AT ()"), engine.typed)
    assert engine.answer(question).table.to_pylist() == [{"revenue": Decimal("5.00")}]


def test_an_entry_that_is_gone_is_a_signal_and_the_engine_asks_again(engine):
    carried(engine, BY_STORE)
    ground = engine.ground()
    question = resolve(parse(BY_REGION), ground.typed)
    plan = engine.plan(question, ground=ground)
    engine.store.drop([entry.entry_id for entry in engine.store.holdings()])
    with pytest.raises(EntryGone):
        engine._carrier.carry_out(plan, ground, keep=True, timeout=None)
    served = engine.answer(question)
    assert [part.route for part in served.parts] == ["backend"]


def test_a_source_that_never_stands_still_is_asked_once_for_everything(engine, tmp_path):
    changes = iter(range(2, 100))

    def move(query):
        # While it is surveyed it stands still, or nothing could be said of it at all.
        if isinstance(query, FrameQuery) or not query.anchor:
            write(tmp_path / "shop.duckdb", f"UPDATE tx SET revenue = {next(changes)};")

    engine.backend.before = move
    question = resolve(parse("SELECT revenue, COUNT(*) AS n FROM tx AT ()"), engine.typed)
    served = engine.answer(question)
    # Three attempts, none of which may be kept, then one statement that sees one version.
    assert next(changes) == 6
    (row,) = served.table.to_pylist()
    assert row == {"revenue": Decimal("25.00"), "n": 5}
    assert held(engine) == []


def test_no_cache_neither_reads_nor_keeps(engine):
    carried(engine, BY_STORE)
    before = held(engine)
    question = resolve(parse(BY_REGION), engine.typed)
    served = engine.answer(question, Freshness(no_cache=True))
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
