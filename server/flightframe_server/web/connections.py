"""The connections of the HTTP server: how many, and how long each may keep it waiting.

What comes in: connections as they are made, and what their clients send and take. What goes out:
requests with whole heads, and an end to what does not come or is not taken. It must never end a
connection whose request is being answered to make room for another, nor count a silent one as work.

A client is waited for while its head, or its body, is to come and while it does not take what was
written for it. Where there is one connection too many, it ends the one waited for longest of the
peer that has the most of them: a peer that opens many ends its own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from flightframe_server.access.peers import peer_named
from flightframe_server.access.tls import identity_of
from flightframe_server.catalog.limits import Limits

log = structlog.get_logger(__name__)

CERTIFIED = "certified"
"""The name, in a request's state, of whom the client's certificate names."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many connections there may be, and how many seconds each is waited for.

    Attributes:
        connections: the most at once.
        head: for the TLS handshake, and for the head of a request.
        written: for what was written to be taken.
    """

    connections: int
    head: float
    written: float

    @classmethod
    def within(cls, limits: Limits) -> Patience:
        """Return what an installation's limits allow."""
        return cls(limits.http_connections, limits.http_head_seconds, limits.stream_idle_timeout)


class Connections:
    """The connections of one server, on its event loop.

    Args:
        patience: how many, and how long.
    """

    def __init__(self, patience: Patience) -> None:
        """Start without any."""
        self.patience = patience
        self._open: dict[Connection, None] = {}

    def change_limits(self, limits: Limits) -> None:
        """Let there be other numbers from now on; clocks that run already are not set anew."""
        self.patience = Patience.within(limits)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._open)

    def opened(self, connection: Connection) -> None:
        """Note a new one, and make room for it."""
        if len(self._open) >= self.patience.connections:
            (self._longest_waiting() or connection).end("too_many")
        self._open[connection] = None

    def closed(self, connection: Connection) -> None:
        """Forget one."""
        self._open.pop(connection, None)

    def _longest_waiting(self) -> Connection | None:
        waiting = [one for one in self._open if one.waits and not one.ended]
        if not waiting:
            return None
        of_peer = Counter(one.peer for one in waiting)
        return min(waiting, key=lambda one: (-of_peer[one.peer], one.since))


class Connection(H11Protocol):
    """One connection, with a clock for each thing that its client may keep the server waiting for.

    Args:
        connections: what it is one of.
        certified: whether its requests say whom the client's certificate names.
    """

    def __init__(
        self, *args: Any, connections: Connections, certified: bool = False, **named: Any
    ) -> None:
        """Wait for nothing yet."""
        super().__init__(*args, **named)
        self._all, self._certified = connections, certified
        self._head: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self.peer, self.since, self.ended = "", 0.0, False

    @property
    def _patience(self) -> Patience:
        return self._all.patience

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn: to send a head or a body, or to take what was sent."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        return self.cycle.more_body or self._writing is not None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the head of the first request."""
        super().connection_made(transport)
        self.peer = peer_named(self.client[0] if self.client else "")
        if self._certified:
            named = identity_of(transport.get_extra_info("peercert"))
            self.app_state = {**self.app_state, CERTIFIED: named}
        self._all.opened(self)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._all.closed(self)
        self.ended = True
        self._head, self._writing = _stop(self._head), _stop(self._writing)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def handle_events(self) -> None:
        """Read what came; wait for the rest of a head where there is a beginning of one."""
        if self.ended:
            return
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._head = _stop(self._head)
        else:
            self._wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; behind the head of another answer there is no place for that."""
        cycle = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.end("malformed")
        else:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Wait for what was written to be taken, then for the next request."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._wait_for_taking()

    def pause_writing(self) -> None:
        """Wait for the client to take what was written: more than is good is held for it."""
        super().pause_writing()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        """Go on: the client has taken most of it."""
        super().resume_writing()
        self._writing = _stop(self._writing)

    def end(self, why: str) -> None:
        """End the connection now, whatever is still to be sent over it."""
        if not self.ended:
            self.ended = True
            log.info("web.connection_ended", why=why, peer=self.peer)
            self.transport.abort()

    def _wait_for_head(self) -> None:
        if self._head is None and not self.ended:
            self.since = self.loop.time()
            self._head = self.loop.call_later(self._patience.head, self.end, "no_request")

    def _wait_for_taking(self) -> None:
        if self._writing is None and not self.ended:
            self.since = self.loop.time()
            self._writing = self.loop.call_later(self._patience.written, self._check_taken)

    def _check_taken(self) -> None:
        self._writing = None
        if self.flow.write_paused or self.transport.is_closing():
            self.end("not_taken")
        elif self.transport.get_write_buffer_size():
            # A short answer that lies there, on a connection that may be used again.
            self._wait_for_taking()


def _stop(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Stop a clock and return what stands in its place."""
    if timer is not None:
        timer.cancel()
    return None


class HandshakeLoop(asyncio.SelectorEventLoop):
    """An event loop whose servers do not wait long for the handshake of TLS.

    Args:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        """Make the loop."""
        super().__init__()
        self._seconds = seconds

    async def create_server(self, *args: Any, **named: Any) -> asyncio.Server:
        """Create a server; see the class."""
        context: ssl.SSLContext | None = named.get("ssl")
        if context is not None:
            named.setdefault("ssl_handshake_timeout", self._seconds)
        return await super().create_server(*args, **named)


def protocol(connections: Connections, *, certified: bool) -> Callable[..., Connection]:
    """Return what makes the connections of one server, as uvicorn calls it."""

    def make(*args: Any, **named: Any) -> Connection:
        return Connection(*args, connections=connections, certified=certified, **named)

    return make
