"""The threads that verify passwords: how many run and wait, and at which priority."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from flightframe_server.access.password_pool import PasswordPool, PoolBounds
from flightframe_server.errors import Overloaded


def test_only_so_many_wait_and_so_many_of_one_peer():
    pool, go_on = PasswordPool(PoolBounds(threads=1, waiting=2, per_peer=2)), threading.Event()
    first = pool.submit("a", lambda: go_on.wait(30))
    second = pool.submit("a", lambda: go_on.wait(30))
    with pytest.raises(Overloaded) as caught:
        pool.submit("a", bool)
    assert caught.value.details == {"retry_after": 1}
    third = pool.submit("b", lambda: go_on.wait(30))
    with pytest.raises(Overloaded):
        pool.submit("c", bool)
    go_on.set()
    assert [one.result(30) for one in (first, second, third)] == [True] * 3
    until = time.monotonic() + 30
    while pool._total and time.monotonic() < until:
        time.sleep(0.001)
    assert pool.submit("a", lambda: "done").result(30) == "done"


def test_the_threads_of_passwords_step_back():
    niceness = PasswordPool().submit(
        "a", lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    )
    # Only Linux has a niceness for each thread; elsewhere it is the process's.
    own = os.getpriority(os.PRIO_PROCESS, 0)
    expected = min(19, own + 10) if sys.platform == "linux" else own
    assert niceness.result(30) == expected
