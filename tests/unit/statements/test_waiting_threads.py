"""Threads that wait for work: each piece at once, none beside another, and nothing of it kept."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from contextvars import ContextVar

import pytest

from flightframe_server.statements.waiting_threads import IDLE, WaitingThreads

PATIENCE = 30.0
SAID: ContextVar[str] = ContextVar("said", default="nothing")


def soon(condition) -> bool:
    until = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def threads(name: str) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == name]


def ran_in(pool: WaitingThreads) -> int:
    """Run a piece of work and return the thread that did it, once that one waits again."""
    seen: list[int] = []
    before = len(pool._idle)
    pool.run(lambda: seen.append(threading.get_ident()))
    assert soon(lambda: seen and len(pool._idle) >= max(before, 1))
    return seen[0]


def test_work_that_follows_runs_in_the_thread_that_waits():
    pool = WaitingThreads("test-work", idle_seconds=PATIENCE)
    assert len({ran_in(pool) for _ in range(20)}) == 1


def test_no_piece_of_work_waits_for_another():
    pool = WaitingThreads("test-together", idle_seconds=0.01)
    together = threading.Barrier(12, timeout=PATIENCE)
    over = threading.Semaphore(0)

    def meet() -> None:
        together.wait()
        over.release()

    for _ in range(12):
        pool.run(meet)
    assert all(over.acquire(timeout=PATIENCE) for _ in range(12))


def test_a_thread_is_named_by_what_it_does_and_ends_when_nothing_comes():
    pool = WaitingThreads("test-named", idle_seconds=0.2)
    gate = threading.Event()
    pool.run(gate.wait)
    assert soon(lambda: len(threads("test-named")) == 1)
    (thread,) = threads("test-named")
    gate.set()
    assert soon(lambda: thread.name == IDLE)
    assert soon(lambda: not thread.is_alive())
    assert pool._idle == []


def test_nothing_of_a_piece_is_kept_while_its_thread_waits():
    class Result:
        pass

    result = Result()
    kept = weakref.ref(result)
    pool = WaitingThreads("test-kept", idle_seconds=PATIENCE)
    pool.run(lambda held=result: None)
    del result
    assert soon(lambda: bool(pool._idle))
    gc.collect()
    assert kept() is None


def test_what_one_piece_says_in_its_context_the_next_does_not_hear():
    pool = WaitingThreads("test-context", idle_seconds=PATIENCE)
    heard: list[str] = []

    def say() -> None:
        heard.append(SAID.get())
        SAID.set("secret")

    for count in (1, 2):
        pool.run(say)
        assert soon(lambda count=count: len(heard) == count and len(pool._idle) == 1)
    assert heard == ["nothing", "nothing"]


@pytest.mark.parametrize("idle_seconds", [0.0, 0.001])
def test_no_piece_is_lost_between_a_thread_that_ends_and_one_that_begins(idle_seconds):
    pool = WaitingThreads("test-lost", idle_seconds=idle_seconds)
    over = threading.Semaphore(0)
    for number in range(2000):
        pool.run(over.release)
        if number % 7 == 0:
            time.sleep(idle_seconds)
    assert all(over.acquire(timeout=PATIENCE) for _ in range(2000))
