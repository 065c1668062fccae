"""Values under handles that nobody can guess, bounded by number, by bytes and by age.

What comes in: values with their sizes and owners. What goes out: the same values under sealed
handles (`seals.py`), to their owners, until they are old, or room is needed. It must never tell a
forged handle from an expired one, nor from one of somebody else's.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flightframe_server.errors import LimitExceeded
from flightframe_server.flight.seals import Seal

Value = TypeVar("Value")

LIFE_SECONDS = 7 * 24 * 3600.0
"""How long a handle is good at most, however often its value is used."""

OVERHEAD = 2048


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is held.

    Attributes:
        count: the most values.
        bytes: the most bytes of all values together; a single larger value is held alone.
        seconds: how long a value is held after its last use.
        of_one: the most values of one holder; None: as many as of all.
        refuses: whether a holder that has so many is refused one more, rather than let its longest
            unused one go.
    """

    count: int
    bytes: int
    seconds: float
    of_one: int | None = None
    refuses: bool = False


@dataclass(slots=True)
class _Held(Generic[Value]):
    value: Value
    size: int
    owner: str
    holder: Hashable
    until: float


class Handles(Generic[Value]):
    """A thread-safe store of values under handles.

    Args:
        bounds: how much is held.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._bounds, self._clock = bounds, clock
        self._seal = Seal()
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, _Held[Value]] = OrderedDict()
        self._bytes = 0
        self._of_holder: dict[Hashable, OrderedDict[bytes, None]] = {}
        self._next_sweep = clock() + bounds.seconds

    def __len__(self) -> int:
        """Return how many values are held, expired ones that nobody asked for included."""
        return len(self._held)

    @property
    def held_bytes(self) -> int:
        """The bytes of what is held, an overhead for each value included."""
        return self._bytes

    def keep(
        self, value: Value, size: int, owner: str = "", holder: Hashable | None = None
    ) -> bytes:
        """Hold a value under a new handle; the longest unused ones make room.

        Args:
            value: the value.
            size: its bytes.
            owner: whom it is given back to.
            holder: whose share of the bounds it takes, such as a session; None: the owner's.

        Raises:
            LimitExceeded: the holder has as many as it may, and the bounds refuse more.
        """
        handle = self._seal.sealed(owner, self._clock() + LIFE_SECONDS)
        with self._lock:
            self._put(handle, value, size, owner, owner if holder is None else holder)
        return handle

    def replace(self, handle: bytes, value: Value, size: int, owner: str = "") -> bool:
        """Hold another value under a handle; False where its owner has no such handle."""
        with self._lock:
            held = self._find(handle, owner)
            if held is None:
                return False
            self._drop(handle)
            self._put(handle, value, size, owner, held.holder)
        return True

    def get(self, handle: bytes, owner: str = "") -> Value | None:
        """Return the value and count it as used now; None where its owner has no such handle."""
        with self._lock:
            held = self._find(handle, owner)
            if held is None:
                return None
            held.until = self._clock() + self._bounds.seconds
            self._held.move_to_end(handle)
            self._of_holder[held.holder].move_to_end(handle)
            return held.value

    def spend(self, handle: bytes) -> None:
        """Let a value go before all others when room is needed: it did what it was held for."""
        with self._lock:
            held = self._held.get(handle)
            if held is not None:
                self._held.move_to_end(handle, last=False)
                self._of_holder[held.holder].move_to_end(handle, last=False)

    def drop(self, handle: bytes, owner: str = "") -> None:
        """Forget a value of its owner's; unknown handles are fine."""
        with self._lock:
            if self._find(handle, owner) is not None:
                self._drop(handle)

    def _find(self, handle: bytes, owner: str) -> _Held[Value] | None:
        now = self._clock()
        held = self._held.get(handle) if self._seal.holds(handle, owner, now) else None
        if held is not None and held.until <= now:
            self._drop(handle)
            return None
        return held

    def _put(self, handle: bytes, value: Value, size: int, owner: str, holder: Hashable) -> None:
        now = self._clock()
        if now >= self._next_sweep:
            self._next_sweep = now + self._bounds.seconds
            self._sweep(now)
        self._make_room_of(holder, now)
        size += OVERHEAD
        while self._held and (
            len(self._held) >= self._bounds.count or self._bytes + size > self._bounds.bytes
        ):
            self._drop(next(iter(self._held)))
        self._held[handle] = _Held(value, size, owner, holder, now + self._bounds.seconds)
        self._of_holder.setdefault(holder, OrderedDict())[handle] = None
        self._bytes += size

    def _make_room_of(self, holder: Hashable, now: float) -> None:
        most, own = self._bounds.of_one, self._of_holder.get(holder)
        # Whoever calls without a name or a session is nobody in particular.
        if most is None or own is None or len(own) < most or holder == "":
            return
        if self._bounds.refuses:
            self._sweep(now)
            if len(self._of_holder.get(holder, ())) >= most:
                raise LimitExceeded(
                    f"a session holds at most {most:,} of these", hint="close what is done with"
                )
            return
        self._drop(next(iter(own)))

    def _sweep(self, now: float) -> None:
        for old in [key for key, held in self._held.items() if held.until <= now]:
            self._drop(old)

    def _drop(self, handle: bytes) -> None:
        held = self._held.pop(handle, None)
        if held is None:
            return
        self._bytes -= held.size
        own = self._of_holder[held.holder]
        del own[handle]
        if not own:
            del self._of_holder[held.holder]
