"""What is remembered is bounded by its bytes, keys included, and the least used goes first."""

import subprocess
import sys

import pytest

from flightframe_server.answer import Request
from flightframe_server.bounded_cache import OVERHEAD, BoundedCache, cached


def test_the_least_recently_used_goes_first():
    held = BoundedCache(3 * OVERHEAD, OVERHEAD)
    for key in "abc":
        held.put(key, key.upper(), 0)
    assert held.get("a") == "A"
    held.put("d", "D", 0)
    assert [held.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_one_that_is_too_large_is_not_kept_and_costs_no_other():
    held = BoundedCache(4 * OVERHEAD, OVERHEAD)
    held.put("a", "A", 0)
    held.put("b", "B", 1)
    assert (held.get("a"), held.get("b")) == ("A", None)


def test_what_stood_under_a_key_is_gone_where_its_successor_is_too_large():
    cache = BoundedCache(4 * OVERHEAD, OVERHEAD)
    cache.put("a", "A", 0)
    cache.put("a", "B", 1)
    assert (cache.get("a"), len(cache), cache.bytes) == (None, 0, 0)


def test_what_is_dropped_takes_no_bytes():
    cache = BoundedCache(4 * OVERHEAD, OVERHEAD)
    for key in "ab":
        cache.put(key, key.upper(), 0)
    cache.drop(["a", "never there"])
    assert (cache.get("a"), cache.get("b"), cache.bytes) == (None, "B", OVERHEAD)


def test_a_key_that_is_kept_again_counts_once():
    held = BoundedCache(2 * OVERHEAD, 2 * OVERHEAD)
    for _ in range(9):
        held.put("a", "A", OVERHEAD // 2)
    held.put("b", "B", -OVERHEAD // 2)
    assert (held.get("a"), held.get("b")) == ("A", "B")


def test_an_error_is_not_remembered():
    calls = []

    def fails_first(key):
        calls.append(key)
        if len(calls) == 1:
            raise ValueError(key)
        return key

    found = cached(fails_first, lambda key, value: 1, 1 << 20)
    for _ in range(3):
        try:
            found("a")
        except ValueError:
            continue
    assert calls == ["a", "a"]


MANY_LONG_QUERIES = """
import tracemalloc
from flightframe_server.answer import tree_bytes
from flightframe_server.bounded_cache import cached
from flightframe_server.language import parse

held = cached(parse, tree_bytes, int({bound}))
# The first parse builds the grammar, which no cache holds.
parse("SELECT a AT b")
tracemalloc.start()
for number in range(130):
    values = ",".join(map(str, range(number, 40 + number)))
    held(f"SELECT a AT b WHERE c IN ({{values}})")
print(tracemalloc.get_traced_memory()[0])
"""


@pytest.mark.slow
def test_many_long_queries_take_no_more_than_their_bound():
    bound = 400 * 1024
    # In a process of its own: threads that other tests left take memory as well.
    program = MANY_LONG_QUERIES.format(bound=bound)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    taken = int(run.stdout)
    # Not bounded they take more than twice this.
    assert taken < bound
    # Each is small enough to be kept: bounds that nothing reaches would hold nothing.
    assert taken > bound / 8


def test_a_request_weighs_its_text_and_its_values():
    padded = Request("SELECT a AT ()" + " " * 10_000)
    bound = Request("SELECT a AT () WHERE b = ?", ((0, "x" * 50_000),))
    assert padded.bytes >= 10_000
    assert bound.bytes >= 50_000
