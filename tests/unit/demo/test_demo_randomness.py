"""The draws, against SplitMix64 written with Python's own integers."""

from itertools import islice

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.demo.randomness import (
    SEED,
    Stream,
    WeightTables,
    below,
    between,
    words,
)

MODULUS = 2**64
WORDS = st.lists(st.integers(0, MODULUS - 1), min_size=1, max_size=20)


def mixed(state):
    """The finaliser of the paper, as published."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % MODULUS
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) % MODULUS
    return state ^ (state >> 31)


def reference(state):
    """SplitMix64 as a sequential generator."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % MODULUS
        yield mixed(state)


def test_the_reference_gives_the_published_sequence():
    # Test vector for seed 1234567, as Rosetta Code's "Pseudo-random numbers/Splitmix64" lists it.
    assert list(islice(reference(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("stream", list(Stream))
def test_a_stream_is_the_sequential_generator_from_its_own_start(stream):
    start = mixed((SEED + stream * 0x9E3779B97F4A7C15) % MODULUS)
    expected = list(islice(reference(start), 500))
    assert words(stream, pl.int_range(500, eager=True)).to_list() == expected


@given(
    st.sampled_from(Stream),
    st.lists(st.integers(0, 2**62), min_size=1, max_size=20),
    st.integers(0, MODULUS - 1),
)
def test_a_word_depends_on_seed_stream_and_counter_alone(stream, counters, seed):
    start = mixed((seed + stream * 0x9E3779B97F4A7C15) % MODULUS)
    expected = [mixed((start + (n + 1) * 0x9E3779B97F4A7C15) % MODULUS) for n in counters]
    assert words(stream, pl.Series(counters, dtype=pl.UInt64), seed=seed).to_list() == expected


def test_streams_share_no_word():
    drawn = [set(words(stream, pl.int_range(2000, eager=True))) for stream in Stream]
    assert len(set().union(*drawn)) == 2000 * len(Stream)


@given(WORDS, st.integers(1, 2**32))
def test_below_is_the_upper_half_times_the_bound(drawn, bound):
    got = below(pl.Series(drawn, dtype=pl.UInt64), bound).to_list()
    assert got == [(word >> 32) * bound >> 32 for word in drawn]
    assert all(0 <= value < bound for value in got)


@given(WORDS, st.integers(-1000, 1000), st.integers(0, 10_000))
def test_between_holds_both_ends(drawn, low, width):
    got = between(pl.Series(drawn, dtype=pl.UInt64), low, low + width).to_list()
    assert all(low <= value <= low + width for value in got)
    ends = between(pl.Series([0, MODULUS - 1], dtype=pl.UInt64), low, low + width)
    assert ends.to_list() == [low, low + width]


@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 50), min_size=width, max_size=width).filter(any),
            min_size=1,
            max_size=4,
        )
    ),
    st.data(),
)
def test_pick_is_a_walk_along_the_row_of_weights(rows, data):
    drawn = data.draw(WORDS)
    chosen = data.draw(
        st.lists(st.integers(0, len(rows) - 1), min_size=len(drawn), max_size=len(drawn))
    )
    got = WeightTables.of(rows).pick(pl.Series(drawn, dtype=pl.UInt64), pl.Series(chosen))
    assert got.to_list() == [
        walked(rows[row], (word >> 32) * sum(rows[row]) >> 32)
        for word, row in zip(drawn, chosen, strict=True)
    ]


def walked(weights, place):
    for item, weight in enumerate(weights):
        if place < weight:
            return item
        place -= weight
    raise AssertionError("past the end of the weights")


def test_picks_follow_the_weights():
    count = 200_000
    drawn = words(Stream.PRODUCT, pl.int_range(count, eager=True))
    row = pl.zeros(count, dtype=pl.Int64, eager=True)
    got = WeightTables.of([(5, 0, 15, 80)]).pick(drawn, row).value_counts()
    counted = dict(got.iter_rows())
    assert set(counted) == {0, 2, 3}
    # Five standard deviations: sqrt(n p (1 - p)) is at most 179.
    assert abs(counted[0] - 10_000) < 500
    assert abs(counted[2] - 30_000) < 800
    assert abs(counted[3] - 160_000) < 900


@pytest.mark.parametrize("rows", [[[1, 2], [1]], [[0, 0]], [[1], [0]], [[2**32 + 1]]])
def test_weights_that_cannot_be_drawn_from_are_refused(rows):
    with pytest.raises(ValueError, match="weight row"):
        WeightTables.of(rows)
