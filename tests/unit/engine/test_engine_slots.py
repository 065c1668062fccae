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

    def __init__(self, slots: Slots, order: list[str], name: str, caller: str = "") -> None:
        super().__init__(name=name, daemon=True)
        self.caller = caller
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
            self.slots.take(self.check, self.caller)
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


def test_one_caller_has_its_share_of_the_places_and_of_the_line():
    slots, order = Slots(4, 4, 60, share=2, line_share=1), []
    for _ in range(2):
        slots.take(stays, "ann")
    waiting = Taker(slots, order, "ann waits", "ann")
    with pytest.raises(Overloaded):
        slots.take(stays, "ann")
    # Two places are free, and not hers.
    assert (slots.free, slots.waiting) == (2, 1)
    slots.take(stays, "bob")
    slots.take(stays, "bob")
    others = [Taker(slots, order, "bob waits", "bob"), Taker(slots, order, "carol waits", "carol")]
    slots.give_back("bob")
    others[0].join(5)
    # The first in the line may not have it; the first who may does.
    assert order == ["bob waits"]
    slots.give_back("ann")
    waiting.join(5)
    assert order == ["bob waits", "ann waits"]
    slots.give_back("ann")
    others[1].join(5)
    assert order[2:] == ["carol waits"]
    for caller in ("ann", "bob", "bob", "carol"):
        slots.give_back(caller)
    assert (slots.free, slots.waiting, dict(slots._taken)) == (4, 0, {})


def test_what_is_nobodys_is_bounded_by_all_alone():
    slots = Slots(3, 0, 60, share=1)
    for _ in range(3):
        slots.take(stays)
    with pytest.raises(Overloaded):
        slots.take(stays, "ann")
