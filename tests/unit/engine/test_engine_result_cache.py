"""Finished answers: found under their whole key, the longest unused given up first."""

import pytest

from flightframe_server.bounded_cache import OVERHEAD
from flightframe_server.engine.query_log import QueryLog
from flightframe_server.engine.result_cache import ResultCache
from flightframe_server.provenance import Provenance, ServedFrom


def answers(number, one=None):
    """Room for so many answers of 100 bytes."""
    size = OVERHEAD + 100
    return ResultCache(number * size, one or size)


def kept(found, *keys):
    return [key for key in keys if found.get(key) is not None]


def test_an_answer_is_found_under_its_own_key_alone():
    found = answers(2)
    found.put(("q", "1"), "one", 100)
    assert found.get(("q", "1")) == "one"
    assert found.get(("q", 1)) is None


def test_the_longest_unused_goes_first():
    found = answers(3)
    for key in "abc":
        found.put(key, key, 100)
    assert found.get("a") == "a"
    found.put("d", "d", 100)
    assert kept(found, *"abcd") == ["a", "c", "d"]


def test_an_answer_in_place_of_another_takes_only_its_own_room():
    found = answers(2)
    found.put("a", "old", 100)
    for _ in range(5):
        found.put("a", "new", 100)
    found.put("b", "b", 100)
    assert kept(found, "a", "b") == ["a", "b"]
    assert found.get("a") == "new"


def test_one_that_is_too_large_is_not_kept_and_costs_nobody_a_place():
    found = answers(2)
    found.put("a", "a", 100)
    found.put("large", "large", 101)
    assert kept(found, "a", "large") == ["a"]


def test_a_small_answer_has_a_cost_too():
    found = ResultCache(2 * OVERHEAD, OVERHEAD)
    for key in "abc":
        found.put(key, key, 0)
    assert kept(found, *"abc") == ["b", "c"]


@pytest.mark.parametrize("length", [1, 3])
def test_the_last_queries_are_bounded_and_newest_last(length):
    last = QueryLog(length)
    for number in range(5):
        last.add(f"q{number}", Provenance(ServedFrom.BACKEND, "id", "shop"), number, 0.0)
    assert [query.source for query in last] == [f"q{number}" for number in range(5)][-length:]
    last.add("x" * 3000, Provenance(ServedFrom.BACKEND, "id", "shop"), None, 0.0)
    assert len(list(last)[-1].source) == 2000
