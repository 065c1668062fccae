"""What is hinted is made before it is asked for, pinned, and made once."""

import pytest
from engine_shop import COLLECTION, opened

from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import Hint, hints, warm_up

HINTED = COLLECTION.replace(
    "    siblings: [{schema: daily",
    "    cache_hint: {materialize_at: [[region, day], [store]]}\n    siblings: [{schema: daily",
)


@pytest.fixture
def engine(tmp_path):
    backend = opened(tmp_path)
    made = []

    def make(sql="", **how):
        made.append(MetricEngine(read_collection(HINTED), tmp_path / "store", backend, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()
    backend.close()


def anchors(found):
    return {entry.key.anchor for entry in found.store.holdings()}


def test_every_hint_is_of_a_family_and_a_sorted_anchor(engine):
    found = hints(engine())
    assert found == (Hint("revenue", ("day", "region")), Hint("revenue", ("store",)))
    assert str(found[0]) == "revenue @ ('day', 'region')"


def test_what_is_hinted_is_made_once_and_found_fresh_after_that(engine):
    made = engine()
    assert [(one.fresh, one.failure) for one in warm_up(made)] == [(False, None)] * 2
    assert {("day", "region"), ("store",)} <= anchors(made)
    assert [(one.fresh, one.failure) for one in warm_up(made)] == [(True, None)] * 2


def test_what_is_not_kept_is_told_and_the_others_are_made(engine):
    made = engine(stream_rows=2)
    by_day, by_store = warm_up(made)
    assert "has more than 2 rows, and is not kept" in by_day.failure.message
    assert by_day.failure.hint == "hint a coarser anchor"
    assert by_store.failure is not None


def test_an_engine_that_remembers_nothing_is_asked_all_the_same(engine):
    assert [one.failure for one in warm_up(engine(enabled=False))] == [None, None]
