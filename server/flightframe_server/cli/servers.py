"""The servers of an open installation: Arrow Flight, and HTTP beside it.

What comes in: an open installation and where to listen. What goes out: two addresses that answer
until they are closed. It must never release a reserved port, and never drop a running request
before its time is up.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pyarrow as pa
import structlog

from flightframe_server.app import OpenInstallation
from flightframe_server.catalog.installation import ServerSettings
from flightframe_server.errors import SetupError
from flightframe_server.flight.server import FlightServer
from flightframe_server.web.server import HttpServer, listen, shown_host

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 10.0
INTERRUPT_SECONDS = 2.0
"""How long interrupted requests have to end after the database was closed under them."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is any free port, and `http` None is no HTTP at all."""

    host: str
    flight: int
    http: int | None


def chosen_ports(
    settings: ServerSettings, flight: int | None, http: int | None, *, with_http: bool = True
) -> Ports:
    """Return the ports to listen on: those of the command line, else those of the manifest.

    A server with any free Flight port runs beside others, so that without an HTTP port on the
    command line it takes any free one as well.
    """
    if http is None:
        http = 0 if flight == 0 else settings.http_port
    chosen = settings.flight_port if flight is None else flight
    return Ports(settings.host, chosen, http if with_http else None)


class Servers:
    """Both surfaces of one installation.

    Args:
        opened: what they answer from; closed with them.
        flight: the Flight server, answering.
        http: the HTTP server, answering; None where there is none.
    """

    def __init__(
        self, opened: OpenInstallation, flight: FlightServer, http: HttpServer | None
    ) -> None:
        """Keep the servers; see the class."""
        self._opened, self._flight, self._http = opened, flight, http
        self.flight_uri = flight.uri
        self.http_url = http.url if http is not None else None

    def warming(self) -> AbstractContextManager[None]:
        """Be not ready for as long as the block lasts, which makes what is hinted."""
        return nullcontext() if self._http is None else self._http.readiness.warming()

    def close(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Take no more requests, let those under way end, and close what they answer from.

        Args:
            seconds: how long requests under way may take before they are interrupted.

        Returns:
            Whether everything ended; a thread that did not can still be running.
        """
        deadline = time.monotonic() + seconds
        # The shutdown of a Flight server takes as long as its longest stream.
        draining = threading.Thread(target=self._flight.shutdown, name="drain", daemon=True)
        draining.start()
        web_done = self._http is None or self._http.stop(seconds)
        draining.join(max(0.0, deadline - time.monotonic()))
        if draining.is_alive() or not web_done:
            log.warning("serve.interrupted", after_seconds=seconds)
        self._opened.close()
        draining.join(INTERRUPT_SECONDS)
        return web_done and not draining.is_alive()


class ReservedPorts:
    """The ports of a server that is not answering yet.

    The HTTP port is bound; the Flight port is only tried, since gRPC takes over no socket.
    """

    def __init__(self, ports: Ports) -> None:
        """Try both.

        Raises:
            SetupError: one of them is taken.
        """
        self.ports = ports
        listen(ports.host, ports.flight).close()
        self._http: socket.socket | None = None
        if ports.http is not None:
            self._http = listen(ports.host, ports.http)

    def start(self, opened: OpenInstallation) -> Servers:
        """Answer on both.

        Raises:
            SetupError: the Flight port was taken meanwhile, or a server did not come up.
        """
        host = self.ports.host
        access = opened.access
        scheme = "grpc" if access.tls is None else "grpc+tls"
        location = f"{scheme}://{shown_host(host)}:{self.ports.flight}"
        try:
            flight = FlightServer(opened.runtime, location, access=access)
        except (pa.ArrowException, OSError) as error:
            self.close()
            raise SetupError(
                f"the Flight server cannot listen on port {self.ports.flight}",
                hint="choose another port; 0 means any free one",
            ) from error
        reserved, self._http = self._http, None
        http = None if reserved is None else http_server(opened, reserved, host, flight.uri)
        servers = Servers(opened, flight, http)
        if http is not None:
            http.start()
        return servers

    def close(self) -> None:
        """Release the ports; idempotent."""
        if self._http is not None:
            self._http.close()
            self._http = None


def http_server(
    opened: OpenInstallation, listening: socket.socket, host: str, flight: str | None = None
) -> HttpServer:
    """Return the HTTP server of an installation, not started yet.

    Args:
        opened: what it answers from, and what its operators change.
        listening: a socket of `listen`; the server closes it.
        host: as it was asked for.
        flight: where the Flight server beside it listens; None where there is none.
    """
    return HttpServer(
        opened.runtime,
        listening,
        host,
        access=opened.access,
        origins=lambda: opened.reloader.installation.server.cors_origins,
        operations=opened.operations(),
        reloader=opened.reloader,
        flight=flight,
    )


@contextmanager
def without_tracebacks() -> Iterator[None]:
    """Keep tracebacks out of what pyarrow sends to clients, for as long as this process serves."""
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 0
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before
