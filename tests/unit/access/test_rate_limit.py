"""The rate limit of wrong passwords: by peer and name, by peer alone, and refilled with time."""

from __future__ import annotations

import pytest

from flightframe_server.access.rate_limit import Bucket, RateLimiter, RateLimits
from flightframe_server.errors import TooManyAttempts

LIMITS = RateLimits(per_name=Bucket(2, 5.0), per_peer=Bucket(4, 0.5))


def refused_after(limiter: RateLimiter, peer: str, name: str) -> int:
    """The seconds that a refusal names."""
    with pytest.raises(TooManyAttempts) as caught:
        limiter.acquire(peer, name)
    return caught.value.details["retry_after"]


def test_a_burst_passes_and_one_more_is_refused_for_the_seconds_of_a_refill(clock):
    limiter = RateLimiter(LIMITS, clock)
    limiter.acquire("a", "alice")
    limiter.acquire("a", "alice")
    assert refused_after(limiter, "a", "alice") == 5
    # Half of a refill later half of it is left; of 2.5 seconds the whole ones are told.
    clock.now += 2.5
    assert refused_after(limiter, "a", "alice") == 3
    clock.now += 2.5
    limiter.acquire("a", "alice")
    assert refused_after(limiter, "a", "alice") == 5


def test_a_bucket_never_holds_more_than_its_burst(clock):
    limiter = RateLimiter(LIMITS, clock)
    limiter.acquire("a", "alice")
    clock.now += 3600.0
    limiter.refund("a", "alice")
    limiter.acquire("a", "alice")
    limiter.acquire("a", "alice")
    assert refused_after(limiter, "a", "alice") == 5


def test_each_peer_has_its_own_attempts_for_a_name(clock):
    limiter = RateLimiter(LIMITS, clock)
    limiter.acquire("a", "alice")
    limiter.acquire("a", "alice")
    limiter.acquire("b", "alice")
    limiter.acquire("a", "bob")
    assert refused_after(limiter, "a", "alice") == 5


def test_one_peer_runs_out_over_many_names(clock):
    limiter = RateLimiter(LIMITS, clock)
    for name in ("alice", "bob", "carol", "dora"):
        limiter.acquire("a", name)
    # Half a second, told as a whole one.
    assert refused_after(limiter, "a", "emil") == 1
    limiter.acquire("b", "emil")
    clock.now += 0.5
    limiter.acquire("a", "emil")


def test_a_refused_attempt_costs_nothing(clock):
    limiter = RateLimiter(LIMITS, clock)
    limiter.acquire("a", "alice")
    limiter.acquire("a", "alice")
    for _ in range(50):
        assert refused_after(limiter, "a", "alice") == 5
    clock.now += 5.0
    limiter.acquire("a", "alice")


def test_a_refund_makes_room_for_both_counts(clock):
    limiter = RateLimiter(LIMITS, clock)
    for _ in range(50):
        limiter.acquire("a", "alice")
        limiter.refund("a", "alice")


def test_peer_and_name_do_not_run_into_each_other(clock):
    limiter = RateLimiter(LIMITS, clock)
    limiter.acquire("ab", "c")
    limiter.acquire("ab", "c")
    limiter.acquire("a", "bc")
    assert refused_after(limiter, "ab", "c") == 5


def test_the_buckets_of_a_flood_are_bounded_and_the_latest_stay(clock):
    limits = RateLimits(Bucket(1, 5.0), Bucket(1, 5.0), max_buckets=100)
    limiter = RateLimiter(limits, clock)
    for number in range(1000):
        limiter.acquire(f"peer {number}", f"name {number}" * 1000)
    assert (len(limiter._per_name), len(limiter._per_peer)) == (100, 100)
    assert all(len(key) == 16 for key in limiter._per_name._levels)
    with pytest.raises(TooManyAttempts):
        limiter.acquire("peer 999", "name 999" * 1000)
