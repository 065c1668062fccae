"""Who may have a request answered: how many at once, of all callers and of each.

What comes in: requests whose bodies have come, and the bytes of those that are still to come. What
goes out: leave to go on, for as long as a block lasts, or a refusal at once. It must never let one
caller have all there is, nor keep a request waiting: that is what the line of statements is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flightframe_server.catalog.limits import MIB, Limits, tenth, three_quarters
from flightframe_server.errors import Overloaded

BODIES_BYTES = 128 * MIB
"""The most bytes of all bodies that are being read together; of one caller half of that."""


class Share:
    """A number that all callers take from, and each only so much; for one event loop.

    Args:
        most: of all callers.
        of_one: of one caller.
    """

    def __init__(self, most: int, of_one: int) -> None:
        """Start with nothing taken."""
        self._most, self._of_one = most, of_one
        self._all, self._of = 0, Counter[str]()

    def resize(self, most: int, of_one: int) -> None:
        """Let other amounts be taken from now on; what is taken already stays taken."""
        self._most, self._of_one = most, of_one

    def take(self, caller: str, amount: int = 1) -> None:
        """Take some of it, which `give_back` ends.

        Raises:
            Overloaded: that is more than there is, or more than a caller's share.
        """
        if self._all + amount > self._most or self._of[caller] + amount > self._of_one:
            raise Overloaded(
                "more requests are under way than may be",
                hint="ask again in a moment",
                details={"retry_after": 1},
            )
        self._all += amount
        self._of[caller] += amount

    def give_back(self, caller: str, amount: int = 1) -> None:
        """Give some of it back."""
        self._all -= amount
        self._of[caller] -= amount
        if self._of[caller] <= 0:
            del self._of[caller]


class Admission:
    """What the requests of one server take.

    Args:
        limits: the installation's.
    """

    def __init__(self, limits: Limits) -> None:
        """Start with nothing taken."""
        self._requests = Share(*_request_bounds(limits))
        self._listeners = Share(*_listener_bounds(limits))
        self._bodies = Share(BODIES_BYTES, BODIES_BYTES // 2)

    def change_limits(self, limits: Limits) -> None:
        """Keep other limits from now on; what is under way goes on."""
        self._requests.resize(*_request_bounds(limits))
        self._listeners.resize(*_listener_bounds(limits))

    def listener(self, caller: str) -> Callable[[], None]:
        """Let one listener to events in, and return what gives its place back.

        Raises:
            Overloaded: too many listen.
        """
        self._listeners.take(caller)
        return partial(self._listeners.give_back, caller)

    @contextmanager
    def request(self, caller: str) -> Iterator[None]:
        """Let one request be answered for as long as the block lasts.

        Raises:
            Overloaded: too many are.
        """
        self._requests.take(caller)
        try:
            yield
        finally:
            self._requests.give_back(caller)

    @contextmanager
    def body(self, caller: str) -> Iterator[BodyBytes]:
        """Let one body be read for as long as the block lasts."""
        body_bytes = BodyBytes(self._bodies, caller)
        try:
            yield body_bytes
        finally:
            body_bytes.give_back()


def _request_bounds(limits: Limits) -> tuple[int, int]:
    most, of_one = limits.http_requests, limits.requests_per_caller
    return most, three_quarters(most) if of_one is None else of_one


def _listener_bounds(limits: Limits) -> tuple[int, int]:
    return limits.event_streams, limits.event_streams_per_caller or tenth(limits.event_streams)


class BodyBytes:
    """The bytes of one body that is being read.

    Args:
        share: what they are taken from.
        caller: whose they are.
    """

    def __init__(self, share: Share, caller: str) -> None:
        """Start with none."""
        self._share, self._caller, self._bytes = share, caller, 0

    def take(self, size: int) -> None:
        """Take as many more; raises as `Share.take`."""
        self._share.take(self._caller, size)
        self._bytes += size

    def give_back(self) -> None:
        """Give all of them back."""
        self._share.give_back(self._caller, self._bytes)
        self._bytes = 0
