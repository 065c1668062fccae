"""Values under handles that cannot be guessed, bounded by number, by bytes and by age.

What comes in: values with their sizes and owners. What goes out: the same values under handles of
256 random bits, to their owners, until they are old, or room is needed. It must never tell a forged
handle from an expired one, nor from one of another owner's, nor let go what one caller holds for
the sake of another who holds as much.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flightframe_server.errors import LimitExceeded

Value = TypeVar("Value")

HANDLE_BYTES = 32

LIFE_SECONDS = 7 * 24 * 3600.0
"""How long a handle is good at most, however often its value is used."""

OVERHEAD = 2048


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is held.

    Attributes:
        count: the most values.
        bytes: the most bytes of all values together.
        seconds: how long a value is held after its last use.
        of_one: the most values of one holder; None: as many as of all.
        refuses: whether who has so many is refused one more, rather than let its longest unused
            one go.
        of_caller: the most values of one caller; None: as many as of all.
        bytes_of_caller: the most bytes of one caller; None: as many as of all. A larger value is
            held as its caller's only one, unless the bounds refuse.
    """

    count: int
    bytes: int
    seconds: float
    of_one: int | None = None
    refuses: bool = False
    of_caller: int | None = None
    bytes_of_caller: int | None = None


@dataclass(slots=True)
class _Entry(Generic[Value]):
    value: Value
    size: int
    owner: str
    holder: Hashable
    caller: str
    ends: float
    """When its handle is good no longer, however often the value is used."""
    until: float = 0.0


@dataclass(slots=True)
class _Share:
    """What one caller holds, the longest unused first."""

    handles: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    bytes: int = 0


class Handles(Generic[Value]):
    """A thread-safe store of values under handles.

    Args:
        bounds: how much is held.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._bounds, self._clock = bounds, clock
        self._max_bytes = bounds.bytes_of_caller or bounds.bytes
        self._lock = threading.Lock()
        self._entries: dict[bytes, _Entry[Value]] = {}
        self._bytes = 0
        self._of_holder: dict[Hashable, OrderedDict[bytes, None]] = {}
        self._of_caller: dict[str, _Share] = {}
        self._next_sweep = clock() + bounds.seconds

    def __len__(self) -> int:
        """Return how many values are held, with expired ones that were not asked for since."""
        return len(self._entries)

    @property
    def held_bytes(self) -> int:
        """The bytes of what is held, an overhead for each value included."""
        return self._bytes

    def change_bounds(self, bounds: Bounds) -> None:
        """Hold as much as other bounds say; what is held already goes when room is needed."""
        with self._lock:
            self._bounds, self._max_bytes = bounds, bounds.bytes_of_caller or bounds.bytes
            for share in self._of_caller.values():
                share.bytes = sum(self._counted(self._entries[one].size) for one in share.handles)
            self._bytes = sum(share.bytes for share in self._of_caller.values())

    def keep(
        self,
        value: Value,
        size: int,
        owner: str = "",
        holder: Hashable | None = None,
        caller: str = "",
    ) -> bytes:
        """Hold a value under a new handle; the longest unused ones make room.

        Args:
            value: the value.
            size: its bytes.
            owner: whom it is given back to.
            holder: whose share of `of_one` it takes, such as a session; None: the owner's.
            caller: whose share of the bounds it takes; empty: no caller's.

        Raises:
            LimitExceeded: the holder or the caller has as many as it may, and the bounds refuse
                more.
        """
        handle = secrets.token_bytes(HANDLE_BYTES)
        ends = self._clock() + LIFE_SECONDS
        if holder is None:
            holder = owner
        with self._lock:
            self._put(handle, _Entry(value, size + OVERHEAD, owner, holder, caller, ends))
        return handle

    def replace(self, handle: bytes, value: Value, size: int, owner: str = "") -> bool:
        """Hold another value under a handle; False where its owner has no such handle.

        Raises:
            LimitExceeded: as `keep`; what was held is held still.
        """
        with self._lock:
            entry = self._find(handle, owner)
            if entry is None:
                return False
            self._drop(handle)
            new = _Entry(value, size + OVERHEAD, owner, entry.holder, entry.caller, entry.ends)
            try:
                self._put(handle, new)
            except LimitExceeded:
                self._add(handle, entry)
                raise
        return True

    def get(self, handle: bytes, owner: str = "") -> Value | None:
        """Return the value and count it as used now; None where its owner has no such handle."""
        with self._lock:
            entry = self._find(handle, owner)
            if entry is None:
                return None
            entry.until = self._clock() + self._bounds.seconds
            self._move(handle, entry, last=True)
            return entry.value

    def spend(self, handle: bytes) -> None:
        """Let a value go before its caller's others when room is needed: it did what it is for."""
        with self._lock:
            entry = self._entries.get(handle)
            if entry is not None:
                self._move(handle, entry, last=False)

    def drop(self, handle: bytes, owner: str = "") -> None:
        """Forget a value of its owner's; unknown handles are fine."""
        with self._lock:
            if self._find(handle, owner) is not None:
                self._drop(handle)

    def drop_of(
        self, holder: Hashable, stays: Callable[[Value], bool] = lambda value: False
    ) -> None:
        """Forget what a holder has, such as a session that has ended.

        Args:
            holder: whose, as values were kept.
            stays: which of the values others have as well.
        """
        with self._lock:
            for handle in [*self._of_holder.get(holder, ())]:
                if not stays(self._entries[handle].value):
                    self._drop(handle)

    def _find(self, handle: bytes, owner: str) -> _Entry[Value] | None:
        entry = self._entries.get(handle)
        if entry is None or entry.owner != owner:
            return None
        if self._clock() >= min(entry.until, entry.ends):
            self._drop(handle)
            return None
        return entry

    def _put(self, handle: bytes, new: _Entry[Value]) -> None:
        now = self._clock()
        if now >= self._next_sweep:
            self._next_sweep = now + self._bounds.seconds
            self._sweep(now)
        self._make_room_of_holder(new, now)
        self._make_room_of_caller(new, now)
        while self._entries and (
            len(self._entries) >= self._bounds.count
            or self._bytes + self._counted(new.size) > self._bounds.bytes
        ):
            self._drop(next(iter(self._makes_room_for(new).handles)))
        new.until = now + self._bounds.seconds
        self._add(handle, new)

    def _make_room_of_holder(self, new: _Entry[Value], now: float) -> None:
        limit, own = self._bounds.of_one, self._of_holder.get(new.holder)
        # A caller without a name or a session is one among many of an address.
        if limit is None or own is None or len(own) < limit or new.holder == "":
            return
        if not self._bounds.refuses:
            self._drop(next(iter(own)))
            return
        self._sweep(now)
        if len(self._of_holder.get(new.holder, ())) >= limit:
            raise LimitExceeded(
                f"a session holds at most {limit:,} of these", hint="close what is done with"
            )

    def _make_room_of_caller(self, new: _Entry[Value], now: float) -> None:
        if not new.caller or self._fits(new):
            return
        if self._bounds.refuses:
            self._sweep(now)
            if not self._fits(new):
                raise LimitExceeded(
                    "a caller holds at most"
                    f" {self._bounds.of_caller or self._bounds.count:,} of these"
                    f" and {self._max_bytes:,} bytes",
                    hint="close what is done with",
                )
        while (share := self._of_caller.get(new.caller)) is not None and not self._fits(new):
            self._drop(next(iter(share.handles)))

    def _fits(self, new: _Entry[Value]) -> bool:
        """Return whether a value is within its caller's share, beside what the caller holds."""
        share = self._of_caller.get(new.caller)
        count, size = (0, 0) if share is None else (len(share.handles), share.bytes)
        limit = self._bounds.of_caller or self._bounds.count
        return count < limit and size + new.size <= self._max_bytes

    def _makes_room_for(self, new: _Entry[Value]) -> _Share:
        """Return whose values are let go for a new one, where all together hold too much.

        That is who holds most, unless the new one's caller would hold as much with it: then that.
        """
        by_bytes = len(self._entries) < self._bounds.count

        def amount(share: _Share) -> int:
            return share.bytes if by_bytes else len(share.handles)

        largest = max(self._of_caller.values(), key=amount)
        own = self._of_caller.get(new.caller)
        added = self._counted(new.size) if by_bytes else 1
        return largest if own is None or amount(own) + added < amount(largest) else own

    def _counted(self, size: int) -> int:
        """Return what a value counts in all: one larger than a share makes room in no other."""
        return min(size, self._max_bytes)

    def _sweep(self, now: float) -> None:
        for old in [
            key for key, entry in self._entries.items() if min(entry.until, entry.ends) <= now
        ]:
            self._drop(old)

    def _move(self, handle: bytes, entry: _Entry[Value], *, last: bool) -> None:
        self._of_caller[entry.caller].handles.move_to_end(handle, last=last)
        self._of_holder[entry.holder].move_to_end(handle, last=last)

    def _add(self, handle: bytes, entry: _Entry[Value]) -> None:
        self._entries[handle] = entry
        self._of_holder.setdefault(entry.holder, OrderedDict())[handle] = None
        share = self._of_caller.setdefault(entry.caller, _Share())
        share.handles[handle] = None
        share.bytes += self._counted(entry.size)
        self._bytes += self._counted(entry.size)

    def _drop(self, handle: bytes) -> None:
        entry = self._entries.pop(handle, None)
        if entry is None:
            return
        self._bytes -= self._counted(entry.size)
        share = self._of_caller[entry.caller]
        del share.handles[handle]
        share.bytes -= self._counted(entry.size)
        if not share.handles:
            del self._of_caller[entry.caller]
        own = self._of_holder[entry.holder]
        del own[handle]
        if not own:
            del self._of_holder[entry.holder]
