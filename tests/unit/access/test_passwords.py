"""Passwords: checked by Argon2, remembered for a while, and guessed only so often."""

from __future__ import annotations

import threading
import time

import argon2
import pytest
from access_values import cheap_hash

from flightframe_server.access import passwords as module
from flightframe_server.access.password_pool import PasswordPool, PoolBounds
from flightframe_server.access.passwords import Passwords, hash_password, is_hash, verify
from flightframe_server.access.rate_limit import RateLimiter
from flightframe_server.errors import NotAuthenticated, Overloaded, TooManyAttempts


@pytest.fixture
def users() -> dict[str, str]:
    return {"alice": cheap_hash("correct"), "bob": cheap_hash("pässword")}


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """The stored hashes that Argon2 was asked about."""
    asked: list[str] = []

    def count(stored: str, password: str) -> bool:
        asked.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(module, "verify", count)
    return asked


@pytest.fixture
def checker(users, clock) -> Passwords:
    return Passwords(lambda: users, RateLimiter(clock=clock), clock)


def test_the_hash_is_argon2id_with_the_parameters_of_rfc_9106():
    stored = hash_password("correct horse")
    # The second recommended choice of RFC 9106, section 4: 64 MiB, three passes, four lanes.
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_hash(stored)
    assert verify(stored, "correct horse")
    assert not verify(stored, "correct horse ")
    assert hash_password("correct horse") != stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "$2b$12$abc",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2g",
        "$argon2id$",
    ],
)
def test_what_is_no_hash(text):
    assert not is_hash(text)


def test_a_right_password_is_looked_at_once(checker, users, counted, clock):
    for _ in range(5):
        assert checker.check("alice", "correct") == users["alice"]
    assert counted == [users["alice"]]
    clock.now += 301
    checker.check("alice", "correct")
    assert len(counted) == 2


def test_a_changed_password_is_not_remembered(checker, users):
    checker.check("alice", "correct")
    users["alice"] = cheap_hash("another")
    with pytest.raises(NotAuthenticated):
        checker.check("alice", "correct")
    del users["alice"]
    with pytest.raises(NotAuthenticated):
        checker.check("alice", "another")


def test_a_wrong_password_is_never_remembered(checker, counted):
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            checker.check("alice", "wrong")
    assert len(counted) == 3


def test_an_unknown_name_costs_what_a_wrong_password_costs(users, counted, clock):
    checker = Passwords(lambda: users, RateLimiter(clock=clock), clock)
    told = set()
    for user in ("alice", "nobody", "bob", ""):
        with pytest.raises(NotAuthenticated) as caught:
            checker.check(user, "wrong")
        told.add(str(caught.value))
    assert len(told) == 1
    # One look each, and always of the same work.
    assert len(counted) == 4
    work = {tuple(stored.split("$")[1:4]) for stored in counted}
    assert len(work) == 1


def test_name_and_password_do_not_run_into_each_other(clock):
    users = {"a": cheap_hash("bc"), "ab": cheap_hash("x")}
    checker = Passwords(lambda: users, RateLimiter(clock=clock), clock)
    checker.check("a", "bc")
    with pytest.raises(NotAuthenticated):
        checker.check("ab", "c")


def test_guesses_are_bounded_by_peer_and_name_and_come_back_with_time(
    checker, users, counted, clock
):
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            checker.check("alice", "wrong", "192.0.2.1")
    # The right one as well: whoever guesses must not learn by the way he is refused.
    for password in ("wrong", "correct"):
        with pytest.raises(TooManyAttempts) as caught:
            checker.check("alice", password, "192.0.2.1")
        assert caught.value.details == {"retry_after": 5}
    assert len(counted) == 10
    assert checker.check("bob", "pässword", "192.0.2.1") == users["bob"]
    # The same name from elsewhere has guesses of its own.
    with pytest.raises(NotAuthenticated):
        checker.check("alice", "wrong", "192.0.2.2")
    assert checker.check("alice", "correct", "192.0.2.2") == users["alice"]
    clock.now += 5
    with pytest.raises(NotAuthenticated):
        checker.check("alice", "still wrong", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        checker.check("alice", "still wrong", "192.0.2.1")


def test_a_password_tried_on_many_names_runs_out_by_peer(checker, counted, clock):
    for number in range(100):
        with pytest.raises(NotAuthenticated):
            checker.check(f"name {number}", "password1", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        checker.check("another", "password1", "192.0.2.1")
    with pytest.raises(NotAuthenticated):
        checker.check("another", "password1", "192.0.2.2")
    assert len(counted) == 101
    clock.now += 0.5
    with pytest.raises(NotAuthenticated):
        checker.check("another", "password1", "192.0.2.1")


def test_unknown_names_run_out_of_guesses_alike(checker):
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            checker.check("nobody", "wrong")
    with pytest.raises(TooManyAttempts):
        checker.check("nobody", "wrong")


def test_right_passwords_use_up_nothing(checker, users, counted, monkeypatch):
    monkeypatch.setattr(module, "MEMORY_SECONDS", 0.0)
    for _ in range(50):
        checker.check("alice", "correct")
    assert len(counted) == 50


def test_who_is_remembered_is_let_in_while_others_guess(checker, users):
    checker.check("alice", "correct")
    for _ in range(30):
        with pytest.raises((NotAuthenticated, TooManyAttempts)):
            checker.check("alice", "wrong")
    assert checker.check("alice", "correct") == users["alice"]


def test_calls_that_begin_together_are_checked_once(checker, counted):
    start = threading.Barrier(16)

    def call() -> None:
        start.wait()
        checker.check("alice", "correct")

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(counted) == 1


def test_a_refusal_for_want_of_room_counts_as_no_guess(users, clock):
    pool = PasswordPool(PoolBounds(threads=1, waiting=0, per_peer=1))
    checker = Passwords(lambda: users, RateLimiter(clock=clock), clock, pool)
    go_on = threading.Event()
    pool.submit("else", lambda: go_on.wait(30))
    for number in range(20):
        with pytest.raises(Overloaded):
            checker.check("alice", f"guess {number}", "192.0.2.1")
    go_on.set()
    until = time.monotonic() + 30
    while pool._total and time.monotonic() < until:
        time.sleep(0.001)
    assert checker.check("alice", "correct", "192.0.2.1") == users["alice"]


@pytest.mark.slow
def test_the_lock_of_the_interpreter_is_free_while_a_password_is_checked():
    stored = argon2.PasswordHasher(time_cost=10).hash("x")
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    other = threading.Thread(target=tick)
    other.start()
    started = time.monotonic()
    verify(stored, "y")
    took = time.monotonic() - started
    done.set()
    other.join()
    during = [at for at in ticks if started < at < started + took]
    assert len(during) > 3
