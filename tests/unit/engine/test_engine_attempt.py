"""One attempt at a question: attested, collected or streamed, kept or not, of one version."""

from dataclasses import replace

import pytest
from engine_shop import collection, opened, write
from stalled import Stalled

from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.catalog.limits import Limits
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import BackendError, FDViolation, LimitExceeded, NotCached
from flightframe_server.language import parse
from flightframe_server.planner.plan import NO_FRESHNESS, Exact, Fetch, Freshness
from flightframe_server.provenance import Route, ServedFrom
from flightframe_server.resolver.resolve import resolve
from flightframe_server.statements.runner import Statements

BY_STORE = "SELECT store, revenue AT store"
# SELECT store, SUM(revenue) FROM tx GROUP BY store ORDER BY store NULLS LAST
REVENUES = [("S1", "30.30"), ("S2", None), ("S9", "7.00"), (None, "9.00")]
TABLES = frozenset({"stores", "prices", "tx", "daily", "inv"})


class Changing(Stalled):
    """A back-end that does something before each statement, and waits for nothing."""

    def __init__(self, backend):
        super().__init__(backend)
        self.holds, self.before = frozenset(), lambda: None

    def run(self, *what, **how):
        self.before()
        return super().run(*what, **how)


@pytest.fixture
def backend(tmp_path):
    made = Changing(opened(tmp_path))
    yield made
    made.close()


@pytest.fixture
def make(tmp_path, backend):
    """Open an engine over the shop, under options of its own."""
    engines = []

    def opened_engine(**options):
        engines.append(MetricEngine(collection(), tmp_path / "store", backend, **options))
        return engines[-1]

    yield opened_engine
    for engine in engines:
        engine.close()


def answered(engine, text, freshness=NO_FRESHNESS):
    """What one attempt at a text gives."""
    snapshot = engine.snapshot()
    question = resolve(parse(text), snapshot.typed)
    return engine._attempts.answer(question, freshness, snapshot, SERVER_CALL)


def planned(engine, text, without=()):
    """The one part of the plan of a text."""
    snapshot = engine.snapshot()
    question = resolve(parse(text), snapshot.typed)
    (part,) = engine._attempts.plan(question, NO_FRESHNESS, snapshot, without).parts
    return part


def rows(*batches):
    """The rows of batches of a store and a decimal."""
    every = [row for batch in batches for row in batch.to_pylist()]
    return [(row["store"], row["revenue"] and str(row["revenue"])) for row in every]


def kept(engine):
    return {entry.key.anchor for entry in engine.store.holdings()}


def test_an_answer_is_collected_kept_and_says_what_was_executed(make):
    engine = make()
    served = answered(engine, BY_STORE)
    assert rows(served.table) == REVENUES
    assert served.stream is None
    (part,) = served.parts
    assert (part.route, part.served_from) == (Route.BACKEND, ServedFrom.ENGINE_BACKEND)
    assert kept(engine) == {("store",)}
    (part,) = answered(engine, BY_STORE).parts
    assert (part.route, part.served_from) == (Route.EXACT, ServedFrom.ENGINE_CACHE)


def test_what_the_answer_rests_on_is_looked_at_and_nothing_else(make, backend):
    engine = make()
    answered(engine, BY_STORE)
    # The key of the facts; the root beside its summary, and the answer. No map is needed.
    assert sorted(backend.read) == ["duplicate", "run", "run", "run"]
    answered(engine, "SELECT region, revenue AT region")
    assert sorted(backend.read[4:]) == ["edge_map"]


def test_a_question_for_the_cache_alone_looks_at_nothing(make, backend):
    engine = make()
    answered(engine, BY_STORE)
    # As in another process, which has the entries and did not look at the data yet.
    engine._snapshots._inspector.attestations = engine._snapshots._last = None
    seen = len(backend.read)
    with pytest.raises(NotCached, match="was not looked at since the data changed"):
        answered(engine, BY_STORE, Freshness(only_if_cached=True))
    assert len(backend.read) == seen


@pytest.mark.parametrize("stream_rows", [-1, 3], ids=["all frames", "found out as it comes"])
def test_a_frame_that_is_too_large_is_streamed_and_not_kept(make, stream_rows):
    engine = make(stream_rows=stream_rows)
    served = answered(engine, BY_STORE)
    assert served.table is None
    assert sorted(rows(*served.stream.open()), key=str) == sorted(REVENUES, key=str)
    assert [part.served_from for part in served.parts] == [ServedFrom.ENGINE_BACKEND]
    assert kept(engine) == set()


def test_a_frame_of_just_as_many_rows_as_are_collected_is_collected(make):
    assert answered(make(stream_rows=4), BY_STORE).table.num_rows == 4


def test_an_answer_past_the_limits_is_refused(make):
    limits = replace(Limits(), result_rows=3)
    with pytest.raises(LimitExceeded, match="at most 3 rows"):
        answered(make(statements=Statements(limits)), BY_STORE)


@pytest.mark.parametrize("stream_rows", [-1, 100])
def test_past_the_cache_the_back_end_answers_and_nothing_is_kept(make, stream_rows):
    engine = make(stream_rows=stream_rows)
    served = answered(engine, BY_STORE, Freshness(no_cache=True))
    assert [part.served_from for part in served.parts] == [ServedFrom.BACKEND]
    assert kept(engine) == set()


def test_an_entry_is_passed_over_where_the_back_end_is_to_be_asked(make):
    engine = make()
    answered(engine, BY_STORE)
    (part,) = answered(engine, BY_STORE, Freshness(no_cache=True)).parts
    assert (part.route, part.served_from) == (Route.BACKEND, ServedFrom.BACKEND)


def test_an_engine_that_remembers_nothing_says_so_of_its_answers(make):
    (part,) = answered(make(enabled=False), BY_STORE).parts
    assert part.served_from == ServedFrom.BACKEND


def test_an_entry_that_cannot_be_read_is_planned_without(make):
    engine = make()
    answered(engine, BY_STORE)
    (entry,) = engine.store.holdings()
    assert isinstance(planned(engine, BY_STORE).how, Exact)
    assert isinstance(planned(engine, BY_STORE, {entry.entry_id}).how, Fetch)
    assert isinstance(planned(engine, BY_STORE, {"another"}).how, Exact)


TWO_TABLES = "SELECT store, month, revenue, on_hand AT (store, month)"


def test_parts_of_unknown_version_are_read_by_one_statement_and_not_kept(make, backend):
    engine, backend.untold = make(), TABLES
    served = answered(engine, TWO_TABLES)
    assert served.plan.stream is not None
    found = {tuple(map(str, row.values())) for row in served.table.to_pylist()}
    # The sums of tx and of inv by hand, joined on both levels, NULL equal to NULL.
    assert found == {
        ("S1", "2024-01-01", "30.30", "100"),
        ("S1", "2024-02-01", "None", "80"),
        ("S2", "2024-02-01", "None", "None"),
        ("S9", "None", "7.00", "None"),
        ("None", "2024-02-01", "9.00", "None"),
        ("None", "None", "None", "1"),
    }
    assert [dict(part.version) for part in served.parts] == [{}, {}]
    assert kept(engine) == set()


def test_parts_of_unknown_version_that_take_several_statements_are_refused(make, backend):
    engine, backend.untold = make(), TABLES
    with pytest.raises(BackendError, match="cannot tell which version it is of"):
        answered(engine, "SELECT AVG(revenue @ day) AS a, MAX(price) AS p AT store")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("INSERT INTO tx VALUES (1, 'S1', NULL, 1.00);", FDViolation),
        ("ALTER TABLE tx ALTER revenue TYPE DECIMAL(12,4);", SourceMoved),
    ],
    ids=["a promise", "a type"],
)
def test_what_was_true_before_an_unversioned_answer_and_not_after_it_is_refused(
    make, backend, tmp_path, change, refusal
):
    engine, backend.untold = make(), TABLES
    text = "SELECT store, COUNT(revenue) AS n AT store"
    answered(engine, text)
    # The answer is the one statement: what it rests on is read by other calls.
    assert backend.read.count("run") == 1
    backend.before = lambda: write(tmp_path / "shop.duckdb", change)
    with pytest.raises(refusal):
        answered(engine, text)
