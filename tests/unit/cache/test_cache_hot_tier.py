"""The hot tier against a plain list that plays the same rules."""

from __future__ import annotations

import threading

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.cache.hot_tier import HotTier

IDS = st.sampled_from("abcde")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), IDS, st.integers(0, 8)),
        st.tuples(st.just("get"), IDS, st.just(0)),
        st.tuples(st.just("drop"), IDS, st.just(0)),
    ),
    max_size=30,
)


def table_of(numbers: int) -> pa.Table:
    """A table of 8 bytes a number."""
    return pa.table({"value": pa.array(range(numbers), pa.int64())})


@given(STEPS)
def test_it_keeps_what_was_read_last(steps):
    tier, model = HotTier(96), []
    for verb, name, numbers in steps:
        if verb == "put":
            model = [(other, table) for other, table in model if other != name]
            tier.put(name, table_of(numbers))
            model.append((name, table_of(numbers)))
            while sum(8 * table.num_rows for _, table in model) > 96:
                model.pop(0)
        elif verb == "drop":
            tier.drop([name])
            model = [(other, table) for other, table in model if other != name]
        else:
            found = next((item for item in model if item[0] == name), None)
            got = tier.get(name)
            assert (got is None) == (found is None)
            if found is not None:
                assert got.equals(found[1])
                model = [item for item in model if item is not found] + [found]
        assert len(tier) == len(model)
        assert tier.bytes == sum(8 * table.num_rows for _, table in model)


def test_a_table_that_was_read_outlives_one_that_was_not():
    tier = HotTier(96)
    for name in "ab":
        tier.put(name, table_of(6))
    tier.get("a")
    tier.put("c", table_of(6))
    assert [name for name in "abc" if tier.get(name) is not None] == ["a", "c"]


def test_a_table_larger_than_the_budget_is_not_kept_and_pushes_nothing_out():
    tier = HotTier(80)
    tier.put("small", table_of(5))
    tier.put("large", table_of(11))
    assert tier.get("large") is None
    assert tier.get("small") is not None
    tier.put("small", table_of(11))
    assert tier.get("small") is None, "an older table must not answer for a newer one"


def test_no_bytes_keep_nothing():
    tier = HotTier(0)
    tier.put("a", table_of(1))
    assert tier.get("a") is None


def test_a_slice_does_not_keep_its_parent_alive():
    tier = HotTier(1 << 20)
    tier.put("slice", table_of(100_000).slice(7, 3))
    kept = tier.get("slice")
    assert kept["value"].to_pylist() == [7, 8, 9]
    assert kept.get_total_buffer_size() < 1000


def test_a_table_is_given_back_without_a_copy():
    tier, table = HotTier(1 << 20), table_of(10)
    tier.put("a", table)
    assert tier.get("a") is table


def test_threads_leave_the_sum_right():
    tier = HotTier(400)

    def work(seed: int) -> None:
        for step in range(400):
            name = "abcdefgh"[(seed * 7 + step * 3) % 8]
            tier.put(name, table_of(1 + (seed + step) % 9))
            tier.get(name)
            tier.drop("abcdefgh"[(seed + step) % 8])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [tier.get(name) for name in "abcdefgh"]
    assert tier.bytes == sum(8 * table.num_rows for table in kept if table is not None) <= 400
