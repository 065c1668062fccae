"""Places and the line before them."""

import threading
import time

import pytest

from flightframe_server.engine.slots import Slots
from flightframe_server.errors import BackendCancelled, Overloaded


def stays() -> None:
    """Never give up."""


class Taker(threading.Thread):
    """Somebody who wants a place, and tells what became of that."""

    def __init__(self, slots: Slots, order: list[str], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.slots, self.order, self.gone = slots, order, threading.Event()
        self.refusal: BaseException | None = None
        before = slots.waiting
        self.start()
        until = time.monotonic() + 5
        while slots.waiting == before and self.is_alive() and time.monotonic() < until:
            time.sleep(0.002)

    def check(self) -> None:
        if self.gone.is_set():
            raise BackendCancelled("gone")

    def run(self) -> None:
        try:
            self.slots.take(self.check)
        except Exception as refusal:
            self.refusal = refusal
        else:
            self.order.append(self.name)


def test_places_go_by_the_order_of_asking_and_exactly_the_surplus_is_refused():
    slots, order = Slots(2, 3, 60), []
    for _ in range(2):
        slots.take(stays)
    waiting = [Taker(slots, order, name) for name in "abc"]
    assert (slots.free, slots.waiting) == (0, 3)
    with pytest.raises(Overloaded, match="more to do than may wait"):
        slots.take(stays)
    for at, taker in enumerate(waiting):
        slots.give_back()
        taker.join(5)
        assert order == list("abc")[: at + 1]
    for _ in range(2):
        slots.give_back()
    assert (slots.free, slots.waiting) == (2, 0)


def test_nobody_waits_longer_than_allowed():
    slots = Slots(1, 5, 0.05)
    slots.take(stays)
    started = time.monotonic()
    with pytest.raises(Overloaded):
        slots.take(stays)
    assert time.monotonic() - started >= 0.05
    slots.give_back()
    assert (slots.free, slots.waiting) == (1, 0)


def test_who_leaves_the_line_takes_no_place_along():
    slots, order = Slots(1, 5, 60), []
    slots.take(stays)
    first, second = Taker(slots, order, "first"), Taker(slots, order, "second")
    first.gone.set()
    first.join(5)
    assert isinstance(first.refusal, BackendCancelled)
    slots.give_back()
    second.join(5)
    assert order == ["second"]
    slots.give_back()
    assert (slots.free, slots.waiting) == (1, 0)


def test_a_place_given_to_one_who_just_left_goes_on():
    slots = Slots(1, 5, 60)
    slots.take(stays)

    def leave() -> None:
        # The place comes at the very moment of giving up.
        slots.give_back()
        raise BackendCancelled("gone")

    with pytest.raises(BackendCancelled):
        slots.take(leave)
    assert (slots.free, slots.waiting) == (1, 0)
