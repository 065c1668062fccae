"""Single flight: one works, the others wait for it; nobody gets another's cancellation."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flightframe_server.engine.single_flight import SingleFlight
from flightframe_server.errors import BackendCancelled, BackendError, BackendTimeout


class Waited(SingleFlight):
    """Tells when a caller is about to wait for another's work."""

    def __init__(self):
        super().__init__()
        self.arrived = threading.Semaphore(0)

    def do(self, key, work, *, timeout=None):
        if key in self._under_way:
            self.arrived.release()
        return super().do(key, work, timeout=timeout)


class Work:
    """Work that starts when asked, and ends when told."""

    def __init__(self, result=None, error=None):
        self.started, self.told = threading.Event(), threading.Event()
        self.calls, self._result, self._error = 0, result, error

    def __call__(self):
        self.calls += 1
        self.started.set()
        assert self.told.wait(60)
        if self._error is not None:
            raise self._error
        return self._result


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as made:
        yield made


def test_equal_calls_share_one_execution(pool):
    flight, work = Waited(), Work("result")
    led = pool.submit(flight.do, "key", work)
    assert work.started.wait(60)
    others = [pool.submit(flight.do, "key", work) for _ in range(3)]
    for _ in others:
        assert flight.arrived.acquire(timeout=60)
    work.told.set()
    assert [future.result(60) for future in (led, *others)] == ["result"] * 4
    assert work.calls == 1


def test_another_key_does_not_wait(pool):
    flight, work = SingleFlight(), Work()
    led = pool.submit(flight.do, "key", work)
    assert work.started.wait(60)
    assert flight.do("other", lambda: "at once") == "at once"
    work.told.set()
    led.result(60)


def test_a_result_is_not_remembered():
    flight, results = SingleFlight(), iter([1, 2])
    assert [flight.do("key", lambda: next(results)) for _ in range(2)] == [1, 2]


def test_a_failure_is_everybodys_and_is_not_remembered(pool):
    flight, work = Waited(), Work(error=BackendError("the disk is gone"))
    led = pool.submit(flight.do, "key", work)
    assert work.started.wait(60)
    other = pool.submit(flight.do, "key", work)
    assert flight.arrived.acquire(timeout=60)
    work.told.set()
    for future in (led, other):
        with pytest.raises(BackendError, match="the disk is gone"):
            future.result(60)
    assert flight.do("key", lambda: "again") == "again"


def test_who_waited_leads_when_the_leader_gives_up(pool):
    flight, given_up = Waited(), Work(error=BackendCancelled("stopped"))
    led = pool.submit(flight.do, "key", given_up)
    assert given_up.started.wait(60)
    other = pool.submit(flight.do, "key", lambda: "mine")
    assert flight.arrived.acquire(timeout=60)
    given_up.told.set()
    with pytest.raises(BackendCancelled):
        led.result(60)
    assert other.result(60) == "mine"


def test_nobody_waits_past_a_limit_of_its_own(pool):
    flight, work = SingleFlight(), Work("late")
    led = pool.submit(flight.do, "key", work)
    assert work.started.wait(60)
    with pytest.raises(BackendTimeout):
        flight.do("key", work, timeout=0.0)
    work.told.set()
    assert led.result(60) == "late"
