"""The HTTP server: a socket, and a thread that answers on it.

What comes in: a running installation and an address. What goes out: an address that answers until
it is stopped. It must never take the process's signals, and never a port that is taken.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

import uvicorn

from flightframe_server.access.access import OPEN, Access
from flightframe_server.answer import Runtime
from flightframe_server.errors import SetupError, shown
from flightframe_server.operations import Operations
from flightframe_server.reload import Reloader
from flightframe_server.web.api import Api
from flightframe_server.web.connections import Connections, HandshakeLoop, Patience, protocol
from flightframe_server.web.guards import Origins, no_origins
from flightframe_server.web.readiness import Readiness
from flightframe_server.web.reply import ReplyLimits

LOOPBACK = ("127.0.0.1", "localhost", "::1")
START_SECONDS = 10.0


def listen(host: str, port: int) -> socket.socket:
    """Take a port before there is anything to serve, so that a taken one is known early.

    Args:
        host: a name or an address of this machine.
        port: 0 for any free one.

    Raises:
        SetupError: it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SetupError(f"{shown(host)} is no address of this machine") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Listening at once: of two sockets bound with SO_REUSEADDR, only one may listen.
        listening.listen()
    except OSError as error:
        listening.close()
        raise _not_had(error, host, port) from error
    return listening


def _not_had(error: OSError, host: str, port: int) -> SetupError:
    if error.errno == errno.EADDRINUSE:
        return SetupError(
            f"port {port} of {shown(host)} is in use",
            hint="stop what listens there, or choose another port; 0 means any free one",
        )
    if error.errno == errno.EACCES:
        return SetupError(f"port {port} needs more rights", hint="choose one from 1024 on")
    return SetupError(f"{shown(host)} is no address of this machine")


def shown_host(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _context_of(access: Access) -> Callable[..., ssl.SSLContext] | None:
    """Return what gives uvicorn its TLS context; None where there is no TLS."""
    tls = access.tls
    return None if tls is None else lambda config, default: tls.context


class _Announced(uvicorn.Server):
    """A server that says when it has started, on a loop of its own."""

    def __init__(self, config: uvicorn.Config, loop: Callable[[], HandshakeLoop]) -> None:
        super().__init__(config)
        self._loop = loop
        self.answering = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        with asyncio.Runner(loop_factory=self._loop) as runner:
            runner.run(self.serve(sockets))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


class HttpServer:
    """The HTTP API in a thread of its own.

    Args:
        runtime: what answers.
        listening: a socket of `listen`; the server closes it.
        host: as it was asked for.
        limits: the most that a reply may hold; None: what the installation says.
        access: who is let in, and whether over TLS.
        origins: returns the origins whose pages a browser lets ask, as they are now.
        operations: what operators do; None: nothing, since the runtime has no files.
        reloader: reloads the files; None: nothing does.
        flight: where the Flight server beside this one listens; None: there is none.

    Attributes:
        url: where it answers.
        readiness: whether questions should be sent here.
    """

    def __init__(
        self,
        runtime: Runtime,
        listening: socket.socket,
        host: str,
        *,
        limits: ReplyLimits | None = None,
        access: Access = OPEN,
        origins: Origins = no_origins,
        operations: Operations | None = None,
        reloader: Reloader | None = None,
        flight: str | None = None,
    ) -> None:
        """Prepare; nothing is answered before `start`."""
        address, port = listening.getsockname()[:2]
        scheme = "http" if access.tls is None else "https"
        self.url = f"{scheme}://{shown_host(host)}:{port}"
        self._listening = listening
        hosts = (*LOOPBACK, host) if address in LOOPBACK else None
        patience = Patience.within(runtime.statements.limits)
        connections = Connections(patience)
        runtime.statements.follow_limits(connections.change_limits)
        self.readiness = Readiness()
        api = Api(
            runtime,
            hosts=hosts,
            limits=limits,
            access=access,
            origins=origins,
            readiness=self.readiness,
            operations=operations,
            reloader=reloader,
            flight=flight,
        )
        config = uvicorn.Config(
            api.application,
            http=protocol(connections, certified=access.named_by_certificate),  # type: ignore[arg-type]
            ssl_context_factory=_context_of(access),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._server = _Announced(config, partial(HandshakeLoop, patience.head))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="http", daemon=True
        )

    def start(self) -> None:
        """Answer.

        Raises:
            SetupError: the server did not come up.
        """
        self._thread.start()
        if not self._server.answering.wait(START_SECONDS):
            raise SetupError("the HTTP server did not start")

    def stop(self, seconds: float) -> bool:
        """Take no more requests, finish those under way, and return whether all were finished.

        Args:
            seconds: how long to wait for them.
        """
        if self._thread.ident is None:
            self._listening.close()
            return True
        self.readiness.drain()
        self._server.should_exit = True
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._server.force_exit = True
            return False
        return True

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, after a second at most."""
        self.stop(1.0)
