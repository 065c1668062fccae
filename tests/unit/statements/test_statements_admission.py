"""Permits and the queue for them."""

import threading
import time

import pytest

from flightframe_server.errors import BackendCancelled, Overloaded
from flightframe_server.statements.admission import AdmissionQueue


def stays() -> None:
    """Never give up."""


class Taker(threading.Thread):
    """Somebody who wants a place, and tells what became of that."""

    def __init__(
        self, queue: AdmissionQueue, order: list[str], name: str, caller: str = ""
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.caller = caller
        self.queue, self.order, self.gone = queue, order, threading.Event()
        self.refusal: BaseException | None = None
        before = queue.waiting
        self.start()
        until = time.monotonic() + 5
        while queue.waiting == before and self.is_alive() and time.monotonic() < until:
            time.sleep(0.002)

    def check(self) -> None:
        if self.gone.is_set():
            raise BackendCancelled("gone")

    def run(self) -> None:
        try:
            self.queue.acquire(self.check, self.caller)
        except Exception as refusal:
            self.refusal = refusal
        else:
            self.order.append(self.name)


def test_permits_go_by_the_order_of_asking_and_exactly_the_surplus_is_refused():
    queue, order = AdmissionQueue(2, 3, 60), []
    for _ in range(2):
        queue.acquire(stays)
    waiting = [Taker(queue, order, name) for name in "abc"]
    assert (queue.free, queue.waiting) == (0, 3)
    with pytest.raises(Overloaded, match="more to do than may wait"):
        queue.acquire(stays)
    for at, taker in enumerate(waiting):
        queue.release()
        taker.join(60)
        assert order == list("abc")[: at + 1]
    for _ in range(2):
        queue.release()
    assert (queue.free, queue.waiting) == (2, 0)


def test_nobody_waits_longer_than_allowed():
    queue = AdmissionQueue(1, 5, 0.05)
    queue.acquire(stays)
    started = time.monotonic()
    with pytest.raises(Overloaded):
        queue.acquire(stays)
    assert time.monotonic() - started >= 0.05
    queue.release()
    assert (queue.free, queue.waiting) == (1, 0)


def test_who_leaves_the_line_takes_no_place_along():
    queue, order = AdmissionQueue(1, 5, 60), []
    queue.acquire(stays)
    first, second = Taker(queue, order, "first"), Taker(queue, order, "second")
    first.gone.set()
    first.join(60)
    assert isinstance(first.refusal, BackendCancelled)
    queue.release()
    second.join(60)
    assert order == ["second"]
    queue.release()
    assert (queue.free, queue.waiting) == (1, 0)


def test_a_place_given_to_one_who_just_left_goes_on():
    queue = AdmissionQueue(1, 5, 60)
    queue.acquire(stays)

    def leave() -> None:
        # The place comes at the very moment of giving up.
        queue.release()
        raise BackendCancelled("gone")

    with pytest.raises(BackendCancelled):
        queue.acquire(leave)
    assert (queue.free, queue.waiting) == (1, 0)


def test_one_caller_has_its_share_of_the_permits_and_of_the_queue():
    queue, order = AdmissionQueue(4, 4, 60, share=2, waiting_share=1), []
    for _ in range(2):
        queue.acquire(stays, "ann")
    waiting = Taker(queue, order, "ann waits", "ann")
    with pytest.raises(Overloaded):
        queue.acquire(stays, "ann")
    # Two permits are free, and not hers.
    assert (queue.free, queue.waiting) == (2, 1)
    queue.acquire(stays, "bob")
    queue.acquire(stays, "bob")
    others = [Taker(queue, order, "bob waits", "bob"), Taker(queue, order, "carol waits", "carol")]
    queue.release("bob")
    others[0].join(60)
    # The first in the queue may not have it; the first who may does.
    assert order == ["bob waits"]
    queue.release("ann")
    waiting.join(60)
    assert order == ["bob waits", "ann waits"]
    queue.release("ann")
    others[1].join(60)
    assert order[2:] == ["carol waits"]
    for caller in ("ann", "bob", "bob", "carol"):
        queue.release(caller)
    assert (queue.free, queue.waiting, dict(queue._in_use)) == (4, 0, {})


def test_what_is_nobodys_is_bounded_by_all_alone():
    queue = AdmissionQueue(3, 0, 60, share=1)
    for _ in range(3):
        queue.acquire(stays)
    with pytest.raises(Overloaded):
        queue.acquire(stays, "ann")


def resized(queue: AdmissionQueue, permits: int, waiting: int = 8, share: int = 64) -> None:
    """Give a queue other bounds."""
    queue.resize(permits, waiting, 60, share=share, waiting_share=waiting)


def test_more_permits_go_to_those_that_wait_at_once():
    queue, order = AdmissionQueue(1, 8, 60), []
    queue.acquire(stays)
    waiting = [Taker(queue, order, name) for name in "abc"]
    resized(queue, 3)
    for taker in waiting[:2]:
        taker.join(60)
    assert (sorted(order), queue.free, queue.waiting) == (["a", "b"], 0, 1)
    queue.release()
    waiting[2].join(60)
    assert sorted(order) == ["a", "b", "c"]


def test_fewer_permits_are_given_out_once_the_surplus_is_back():
    queue, order = AdmissionQueue(3, 8, 60), []
    for _ in range(3):
        queue.acquire(stays)
    resized(queue, 1)
    assert queue.free == 0
    taker = Taker(queue, order, "a")
    for _ in range(2):
        queue.release()
        assert (order, queue.waiting, queue.free) == ([], 1, 0)
    queue.release()
    taker.join(60)
    assert order == ["a"]
    queue.release()
    assert queue.free == 1


def test_a_larger_share_lets_a_caller_on():
    queue, order = AdmissionQueue(4, 8, 60, share=1), []
    queue.acquire(stays, "one")
    taker = Taker(queue, order, "a", "one")
    assert order == []
    resized(queue, 4, share=2)
    taker.join(60)
    assert order == ["a"]
