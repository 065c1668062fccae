"""Remarks on texts that are no known member: by what is at hand, and never by asking for more.

The shop has the regions East and NULL, the zone Z1, and facts of the stores S1, S2, S9 and NULL.
"""

import pytest
from engine_shop import COLLECTION, opened, write
from stalled import Stalled

from flightframe_server.cache.entries import EntryGone
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.catalog import read_collection
from flightframe_server.engine import unknown_members as module
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.unknown_members import remarks
from flightframe_server.language import parse
from flightframe_server.planner.plan import NO_FRESHNESS
from flightframe_server.resolver.resolve import resolve

COAST = """derived_dimensions:
  - {name: coast, source: region, mapping: {East: Atlantic}, default: Inland}
metric_families:"""
OF_STORES = "SELECT revenue WHERE store IN ('s1', 'S9') AT ()"
S1 = "'s1' is no known member of store; did you mean 'S1'?"


@pytest.fixture
def backend(tmp_path):
    made = Stalled(opened(tmp_path))
    made.holds = frozenset()
    yield made
    made.close()


@pytest.fixture
def engine(tmp_path, backend):
    text = COLLECTION.replace("metric_families:", COAST)
    made = MetricEngine(read_collection(text), tmp_path / "store", backend)
    yield made
    made.close()


@pytest.fixture
def noted(engine, backend):
    """The remarks on a text that is answered; making them reads nothing of the back-end."""

    def made(text, store=engine.store):
        snapshot = engine.snapshot()
        question = resolve(parse(text), snapshot.typed)
        served = engine._attempts.answer(question, NO_FRESHNESS, snapshot, SERVER_CALL)
        before = len(backend.read)
        found = remarks(served, store)
        assert len(backend.read) == before
        return found

    return made


def test_a_member_that_the_map_of_the_last_edge_has(noted):
    noted("SELECT region, revenue AT region")
    text = "SELECT revenue WHERE region = '{}' AT ()"
    assert noted(text.format("East")) == ()
    east = "'east' is no known member of region; did you mean 'East'?"
    assert noted(text.format("east")) == (east,)
    # Maps are known without any entry.
    assert noted(text.format("east"), None) == (east,)


@pytest.mark.parametrize(
    ("coast", "remark"),
    [
        ("Atlantic", ()),
        ("Inland", ()),
        ("Atlantik", ("'Atlantik' is no known member of coast; did you mean Atlantic?",)),
        ("x", ("'x' is no known member of coast",)),
    ],
)
def test_a_member_that_a_mapping_lists(noted, coast, remark):
    assert noted(f"SELECT revenue WHERE coast = '{coast}' AT ()") == remark


def test_a_level_of_which_nothing_is_at_hand_is_left_alone(noted):
    assert noted(OF_STORES) == ()


def test_a_member_that_an_entry_has(noted):
    noted("SELECT store, revenue AT store")
    assert noted(OF_STORES) == (S1,)
    assert noted(OF_STORES, None) == ()


def test_members_that_were_listed_are_those_of_every_metric_of_the_schema(noted):
    noted("SELECT store FROM tx AT store")
    assert noted(OF_STORES) == (S1,)


@pytest.mark.parametrize(
    "text",
    [
        # Filtered: it lacks the members of other regions.
        "SELECT store, revenue WHERE region = 'East' AT store",
        # Another level, and another schema.
        "SELECT day, revenue AT day",
        "SELECT store, month, on_hand AT (store, month)",
    ],
)
def test_an_entry_that_lacks_members_tells_nothing(noted, text):
    noted(text)
    assert noted(OF_STORES) == ()


def test_an_entry_of_another_version_tells_nothing(noted, tmp_path):
    noted("SELECT store, revenue AT store")
    write(tmp_path / "shop.duckdb", "INSERT INTO tx VALUES (6, 's1', NULL, 1.00);")
    assert noted(OF_STORES) == ()


def test_the_smallest_entry_is_read_and_none_that_is_large(noted, engine, tmp_path, monkeypatch):
    # Two days of S1: five rows by store and day, four by store.
    write(tmp_path / "shop.duckdb", "INSERT INTO tx VALUES (6, 'S1', '2024-03-01', 1.00);")
    noted("SELECT store, day, revenue AT (store, day)")
    noted("SELECT store, revenue AT store")

    class Watched:
        holdings, rows = engine.store.holdings, []

        def read(self, entry):
            self.rows.append(entry.rows)
            return engine.store.read(entry)

    store = Watched()
    assert noted(OF_STORES, store) == (S1,)
    assert store.rows == [4]
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    assert noted(OF_STORES, store) == ()
    assert store.rows == [4]


def test_an_entry_that_cannot_be_read_tells_nothing(noted, engine, monkeypatch):
    noted("SELECT store, revenue AT store")

    class Unreadable:
        holdings = engine.store.holdings

        def read(self, entry):
            raise EntryGone(entry.entry_id)

    assert noted(OF_STORES, Unreadable()) == ()


def test_at_most_three_texts_are_quoted_each_once(noted):
    text = "SELECT revenue WHERE coast IN ('a', 'b', 'a', 'c', 'd', 'e') AT ()"
    (remark,) = noted(text)
    assert remark == "'a' and 'b' and 'c' and 2 more are no known members of coast"


def test_where_there_are_many_members_none_is_looked_for(noted, monkeypatch):
    monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    text = "SELECT revenue WHERE coast = 'atlantic' AT ()"
    assert noted(text) == ("'atlantic' is no known member of coast",)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT revenue AT coast HAVING coast = 'x'",
        "SELECT SUM(revenue) FILTER (WHERE coast = 'x') AS r AT ()",
        "SELECT revenue WHERE 'x' = coast AT ()",
        "SELECT revenue WHERE coast <> 'x' AT ()",
        "SELECT revenue WHERE NOT (coast IS DISTINCT FROM 'x' AND store = 'S1') AT ()",
    ],
)
def test_wherever_a_level_is_compared(noted, text):
    assert noted(text) == ("'x' is no known member of coast",)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT revenue WHERE coast IS NULL AT ()",
        "SELECT revenue WHERE coast > 'x' AT ()",
        "SELECT revenue WHERE coast LIKE 'x' AT ()",
        "SELECT revenue WHERE coast = store AT ()",
        "SELECT revenue WHERE day = DATE '2024-01-30' AT ()",
    ],
)
def test_what_is_no_comparison_with_one_text_is_left_alone(noted, text):
    assert noted(text) == ()
