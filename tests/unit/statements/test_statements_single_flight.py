"""One statement for many callers: who leaves does not decide for those who stay."""

import threading
import time

import pytest

from flightframe_server.call_context import CallContext
from flightframe_server.errors import BackendCancelled, BackendError, BackendTimeout
from flightframe_server.statements.single_flight import SingleFlight


class Work:
    """A statement that ends when it is let, or when its token is cancelled."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Semaphore(0), threading.Event()
        self.times = self.stopped = 0

    def __call__(self, token) -> str:
        self.times += 1
        self.begun.release()
        while not self.let.wait(0.005):
            if token.is_cancelled:
                self.stopped += 1
                token.check()
        return "done"


class Caller(threading.Thread):
    """Somebody who waits for the work."""

    def __init__(self, flights: SingleFlight[str], work: Work, seconds: float = 60.0) -> None:
        super().__init__(daemon=True)
        self.gone = threading.Event()
        self.wait, self.flights, self.work = (
            CallContext(is_cancelled=self.gone.is_set).within(seconds),
            flights,
            work,
        )
        self.result: object = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.flights.do("key", self.work, self.wait)
        except BaseException as error:
            self.result = error


def waiting(flights: SingleFlight[str], number: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        call = flights._calls.get("key")
        if (0 if call is None else call.waiting) == number:
            return True
        time.sleep(0.002)
    return False


def test_the_first_caller_leaves_and_the_others_are_answered():
    flights, work = SingleFlight(), Work()
    first = Caller(flights, work)
    assert work.begun.acquire(timeout=60)
    others = [Caller(flights, work) for _ in range(2)]
    assert waiting(flights, 3)
    first.gone.set()
    first.join(60)
    assert isinstance(first.result, BackendCancelled)
    work.let.set()
    for other in others:
        other.join(60)
        assert other.result == "done"
    assert (work.times, work.stopped) == (1, 0)


def test_the_work_ends_with_the_last_who_wants_it_and_whoever_comes_then_begins_anew():
    flights, work = SingleFlight(), Work()
    both = [Caller(flights, work) for _ in range(2)]
    assert work.begun.acquire(timeout=60)
    assert waiting(flights, 2)
    both[0].gone.set()
    both[0].join(60)
    assert (work.stopped, waiting(flights, 1)) == (0, True)
    both[1].gone.set()
    both[1].join(60)
    assert (work.stopped, waiting(flights, 0)) == (1, True)
    late = Caller(flights, work)
    assert work.begun.acquire(timeout=60)
    work.let.set()
    late.join(60)
    assert (late.result, work.times) == ("done", 2)


def test_each_caller_waits_its_own_time():
    flights, work = SingleFlight(), Work()
    patient = Caller(flights, work)
    assert work.begun.acquire(timeout=60)
    hurried = Caller(flights, work, seconds=0.01)
    hurried.join(60)
    assert isinstance(hurried.result, BackendTimeout)
    work.let.set()
    patient.join(60)
    assert (patient.result, work.times) == ("done", 1)


def test_what_fails_fails_for_all_and_is_not_remembered():
    flights = SingleFlight()

    def fail(token) -> str:
        raise BackendError("no")

    for _ in range(2):
        with pytest.raises(BackendError, match="no"):
            flights.do("key", fail, CallContext().within(60))
    assert flights.do("key", lambda token: "yes", CallContext().within(60)) == "yes"
    assert not flights._calls


def test_a_call_that_nothing_is_equal_to_is_its_own():
    flights: SingleFlight[str] = SingleFlight()
    context = CallContext().within(60)
    held = threading.Barrier(2)

    def meeting(token) -> str:
        held.wait(60)
        return "met"

    found: list[str] = []
    both = [
        threading.Thread(target=lambda: found.append(flights.do(None, meeting, context)))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert found == ["met", "met"]
    assert not flights._calls
