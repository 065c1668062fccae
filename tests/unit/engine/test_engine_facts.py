"""What is known of one version: looked up once for it, taken over by the next, never of another."""

import pytest
from engine_shop import collection, opened
from stalled import Asked, Stalled

from flightframe_server.call_context import SERVER_CALL
from flightframe_server.engine.facts import DataFacts, Inspector
from flightframe_server.planner.promises import table_hops
from flightframe_server.resolver.typed import type_collection
from flightframe_server.statements.runner import Statements

GRAIN = "the grain of tx"
EDGE = "store -> region"


@pytest.fixture
def backend(tmp_path):
    found = Stalled(opened(tmp_path))
    found.let.set()
    yield found
    found.close()


@pytest.fixture
def typed(backend):
    return type_collection(collection(), backend.tables())


@pytest.fixture
def inspector(backend):
    return Inspector(backend, Statements(), None)


def versions(backend, **changed):
    """The version of each table, some of them said to be another."""
    return {**backend.fingerprints(("stores", "prices", "tx", "daily", "inv")), **changed}


def test_nothing_is_known_before_it_is_looked_at(typed, inspector, backend):
    facts = DataFacts(typed, versions(backend), inspector)
    assert GRAIN in facts.known.unattested
    assert (facts.known.violations, facts.known.siblings, facts.known.rows) == ({}, {}, {})
    assert backend.read == []


def test_a_fact_is_looked_at_once(typed, inspector, backend):
    facts = DataFacts(typed, versions(backend), inspector)
    for _ in range(2):
        facts.attest({GRAIN}, SERVER_CALL)
    assert backend.read == ["duplicate"]
    assert GRAIN not in facts.known.unattested


def test_what_is_known_is_gathered_once_for_many_verdicts(typed, inspector, backend, monkeypatch):
    facts = DataFacts(typed, versions(backend), inspector)
    gathered, gather = [], facts._gathered
    monkeypatch.setattr(facts, "_gathered", lambda: gathered.append(1) or gather())
    known = facts.attest_all(SERVER_CALL)
    assert not known.unattested
    # Once for what was not known before, and once for what is known then.
    assert len(gathered) == 2
    assert facts.known is known


def test_what_is_known_of_tables_that_did_not_move_is_taken_over(typed, inspector, backend):
    before = DataFacts(typed, versions(backend), inspector)
    before.attest_all(SERVER_CALL)
    after = DataFacts(typed, versions(backend, tx="moved"), inspector, before)
    assert GRAIN in after.known.unattested
    assert "the grain of stores" not in after.known.unattested
    assert "tx" not in after.known.rows
    assert after.known.rows["stores"] == 3
    assert ("revenue", "daily") not in after.known.siblings
    assert set(after.known_maps) == {EDGE, "region -> zone", "store -> zone"}


def test_a_map_of_a_table_that_moved_is_not_at_hand(typed, inspector, backend):
    before = DataFacts(typed, versions(backend), inspector)
    before.attest_all(SERVER_CALL)
    after = DataFacts(typed, versions(backend, stores="moved"), inspector, before)
    assert after.known_maps == {}
    assert after.targets_at_hand(EDGE) is None
    assert set(before.targets_at_hand(EDGE).to_pylist()) == {"East", None}


def test_what_is_of_a_version_that_cannot_be_told_is_taken_over_by_none(typed, inspector, backend):
    untold = versions(backend, stores=None)
    before = DataFacts(typed, untold, inspector)
    before.attest_all(SERVER_CALL)
    after = DataFacts(typed, untold, inspector, before)
    assert "the grain of stores" in after.known.unattested
    assert after.known_maps == {}
    assert GRAIN not in after.known.unattested


@pytest.mark.parametrize(
    ("signs", "times"),
    [(("one", "one"), 1), (("one", "other"), 2), ((None, None), 2)],
    ids=["one version", "two versions", "untold"],
)
def test_two_look_at_once_where_they_look_at_one_version(signs, times, typed, inspector, backend):
    """A verdict on other data, or on data of some earlier moment, is no verdict on these."""
    backend.let.clear()
    genuine = backend._backend.duplicate
    backend._backend.duplicate = lambda *what, at, **how: genuine(*what, at={}, **how)
    both = [
        Asked(DataFacts(typed, versions(backend, tx=sign), inspector).attest, {GRAIN}, SERVER_CALL)
        for sign in signs
    ]
    for _ in range(times):
        assert backend.begun.acquire(timeout=60)
    assert not backend.begun.acquire(timeout=0.2)
    backend.let.set()
    for one in both:
        one.join()
    assert len(backend.read) == times


@pytest.mark.parametrize(("signs", "times"), [(("one", "one"), 1), (("one", "other"), 2)])
def test_two_read_a_map_at_once_where_it_is_of_one_version(signs, times, typed, inspector, backend):
    backend.let.clear()
    genuine = backend._backend.edge_map
    backend._backend.edge_map = lambda *what, at, **how: genuine(*what, at={}, **how)
    hops = [hop for hop in table_hops(typed) if hop.edge == EDGE]
    both = [
        Asked(DataFacts(typed, versions(backend, stores=sign), inspector).maps, hops, SERVER_CALL)
        for sign in signs
    ]
    for _ in range(times):
        assert backend.begun.acquire(timeout=60)
    assert not backend.begun.acquire(timeout=0.2)
    backend.let.set()
    for one in both:
        assert one.join()[EDGE].num_rows == 3
    assert len(backend.read) == times
