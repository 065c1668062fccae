"""How much came over each connection that no call has taken, and which of them have to end.

What comes in: what the kernel counts of each connection, and the calls that were let in, with the
bytes that each took. What goes out: the connections that are past a bound. It must never count what
a call has taken, however much that is over a connection's life, and never let a message that is
still coming pass for many that have come.

gRPC gathers a message before anybody is asked about it, and pyarrow has no bound for that. What has
come and was taken by no call is therefore a message on its way, or was refused. A call takes the
bytes of its message and what frames and headers can be at most, but never more than has come.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from flightframe_server.access.peers import peer_named
from flightframe_server.catalog.limits import Limits
from flightframe_server.flight.sockets import Counts, PortSocket

CALL_BYTES = 16 * 1024
"""What a call may bring beside its message: gRPC takes no more of headers."""

COLUMN_BYTES = 256
SECOND_BYTES = 1024
"""What comes in a second without being a call: pings."""

SENT_BYTES = 64
"""For how many bytes that a client takes it may send one that says so."""

UNPLACED_SECONDS = 3.0
"""How long what a call took is kept for a connection that was not found yet."""

REMEMBERED = 4096

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class IncomingBounds:
    """How many bytes may have come that no call has taken, and how many connections there may be.

    Attributes:
        of_one: bytes of one connection.
        of_all: bytes of all together.
        connections: how many there may be.
    """

    of_one: int
    of_all: int
    connections: int = 1 << 16

    @classmethod
    def within(cls, limits: Limits) -> IncomingBounds:
        """Return what an installation's limits allow."""
        of_one = limits.message_bytes or 2 * max(limits.request_bytes, limits.bound_bytes)
        return cls(of_one, max(of_one, limits.incoming_bytes), limits.flight_connections)


@dataclass(slots=True)
class Connection:
    """One connection, as it was when it was looked at last.

    Attributes:
        socket: its socket.
        endpoint: its other end.
        counts: what was counted.
        at: when, in seconds; nothing has passed over it since.
        open_bytes: of what came, the bytes that no call has taken.
        ended: why it was ended; empty where it was not.
    """

    socket: PortSocket
    endpoint: Endpoint
    counts: Counts
    at: float
    open_bytes: int = 0
    ended: str = ""

    @property
    def peer(self) -> str:
        """Where it comes from, as bounds count it."""
        return peer_named(self.socket.host)


class Incoming:
    """The connections of one server; `take` from any thread, the rest from one.

    Args:
        bounds: how much may have come.
    """

    def __init__(self, bounds: IncomingBounds) -> None:
        """Start without connections."""
        self.bounds = bounds
        self.connections: dict[int, Connection] = {}
        self._lock = threading.Lock()
        self._consumed: dict[str, int] = {}
        self._unplaced: dict[Endpoint, tuple[int, float]] = {}

    def take(self, target: str, size: int) -> None:
        """Note that a call that was let in has taken bytes that came.

        Args:
            target: the connection's other end, as gRPC tells it.
            size: the bytes of its message.
        """
        with self._lock:
            self._consumed[target] = self._consumed.get(target, 0) + size + CALL_BYTES

    def pop_consumed(self) -> dict[Endpoint, int]:
        """Return what calls have taken since the last time, by connection.

        Ask before the counts are read: what was taken had come by then.
        """
        with self._lock:
            consumed, self._consumed = self._consumed, {}
        found = Counter({endpoint: size for endpoint, (size, _) in self._unplaced.items()})
        for target, size in consumed.items():
            found[endpoint_of(target)] += size
        return dict(found)

    def keep_unplaced(self, consumed: Mapping[Endpoint, int], now: float) -> None:
        """Keep what was popped of connections that no search has found yet.

        A call may take its message before its connection is found. What it took is due when the
        connection is found, or to none once there was time enough to find it.

        Args:
            consumed: all that was popped, by connection.
            now: in seconds, by a clock that never goes back.
        """
        known = {one.endpoint for one in self.connections.values()}
        since = {endpoint: moment for endpoint, (_, moment) in self._unplaced.items()}
        self._unplaced = {
            endpoint: (size, since.get(endpoint, now))
            for endpoint, size in consumed.items()
            if endpoint not in known and now - since.get(endpoint, now) < UNPLACED_SECONDS
        }

    def opened(self, socket: PortSocket, counts: Counts, now: float) -> None:
        """Begin to count a connection; what came before it was found counts as well."""
        endpoint = _endpoint(socket.host, socket.port)
        self.connections[socket.cookie] = Connection(socket, endpoint, counts, now, counts.received)

    def closed(self, cookie: int) -> None:
        """Forget a connection."""
        self.connections.pop(cookie, None)

    def note(self, connection: Connection, counts: Counts, consumed: int, now: float) -> None:
        """Note what was counted of a connection since it was looked at last.

        Args:
            connection: the connection.
            counts: as the kernel has them now.
            consumed: the bytes that calls have taken since.
            now: in seconds, by a clock that never goes back.
        """
        before, connection.counts = connection.counts, counts
        rest = max(0, connection.open_bytes - int(SECOND_BYTES * (now - connection.at)))
        answered = (counts.acked - before.acked) // SENT_BYTES
        came = counts.received - before.received
        connection.open_bytes = max(0, rest + came - answered - consumed)
        connection.at = now

    def past(self) -> list[Connection]:
        """Return the connections that have to end now, each told once why.

        Where it is all of them that are past the bound, that is the largest of the address that
        has most: an address that sends much makes room.
        """
        open_bytes = self._still_open()
        ending = []
        for one in self.connections.values():
            if not one.ended and open_bytes[one.socket.cookie] > self.bounds.of_one:
                one.ended = "message_bytes"
                ending.append(one)
        ending += self._too_many()
        counting = [one for one in self.connections.values() if not one.ended and one.open_bytes]
        total = sum(open_bytes[one.socket.cookie] for one in counting)
        while total > self.bounds.of_all:
            of_peer: Counter[str] = Counter()
            for one in counting:
                of_peer[one.peer] += open_bytes[one.socket.cookie]
            largest = max(
                counting, key=lambda one: (of_peer[one.peer], open_bytes[one.socket.cookie])
            )
            largest.ended = "incoming_bytes"
            total -= open_bytes[largest.socket.cookie]
            counting.remove(largest)
            ending.append(largest)
        return ending

    def _still_open(self) -> dict[int, int]:
        """Return what of each connection no call has taken until now, by its cookie.

        Between the word of what was taken and the counts a busy machine may pass much time, in
        which whole messages come and are taken: they are counted as come, and not yet as taken.
        """
        with self._lock:
            since = {endpoint_of(target): size for target, size in self._consumed.items()}
        return {
            cookie: max(0, one.open_bytes - since.get(one.endpoint, 0))
            for cookie, one in self.connections.items()
        }

    def _too_many(self) -> list[Connection]:
        """Return the quietest connections of whichever address has most, until the rest may be."""
        rest = [one for one in self.connections.values() if not one.ended]
        ending = []
        of_peer = Counter(one.peer for one in rest)
        for _ in range(len(rest) - self.bounds.connections):
            ((peer, _count),) = of_peer.most_common(1)
            quietest = min((one for one in rest if one.peer == peer), key=lambda one: one.at)
            quietest.ended = "flight_connections"
            of_peer[peer] -= 1
            rest.remove(quietest)
            ending.append(quietest)
        return ending

    @property
    def largest(self) -> int:
        """The most bytes that came over one connection and were not taken."""
        return max(
            (one.open_bytes for one in self.connections.values() if not one.ended), default=0
        )


@lru_cache(maxsize=REMEMBERED)
def endpoint_of(target: str) -> Endpoint:
    """Return the other end of a connection as gRPC tells it.

    >>> endpoint_of("ipv4:127.0.0.1:50124"), endpoint_of("ipv6:%5B2001:db8::1%5D:50124")
    (('127.0.0.1', 50124), ('2001:db8::1', 50124))
    """
    head, _, port = target.rpartition(":")
    host = unquote(head.partition(":")[2]).strip("[]")
    return _endpoint(host, int(port) if port.isdecimal() else 0)


def _endpoint(host: str, port: int) -> Endpoint:
    """Return an end of a connection, the same for an IPv4 address whatever the socket is of.

    >>> _endpoint("::ffff:192.0.2.7", 5), _endpoint("fe80::1%eth0", 5)
    (('192.0.2.7', 5), ('fe80::1', 5))
    """
    address = host.partition("%")[0].lower()
    return address.removeprefix("::ffff:") if "." in address else address, port
