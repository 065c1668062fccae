"""`flightframe serve`: an installation, answering until it is told to stop.

What comes in: the path of a manifest. What goes out: one ready line on stdout, log events on
stderr. It must never say that it is ready before it is.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import structlog
import typer

from flightframe_server.access.bind_policy import check_bind_address, missing_protection
from flightframe_server.access.open_access import read_text
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.catalog import read_installation
from flightframe_server.cli.collector import spared_imports
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.installation_options import InstallationPath, StoreOption
from flightframe_server.cli.interrupts import Stopped
from flightframe_server.cli.logs import configure_logs
from flightframe_server.cli.progress import progress
from flightframe_server.cli.reload_signal import ReloadSignal, Watch, reloading
from flightframe_server.cli.servers import (
    ReservedPorts,
    Servers,
    chosen_ports,
    without_tracebacks,
)
from flightframe_server.cli.stop_signals import StopSignals, end_now
from flightframe_server.cli.without_pandas import without_pandas
from flightframe_server.engine.warm_up import hints
from flightframe_server.reload.warming import log_warmed

log = structlog.get_logger(__name__)

FlightPort = Annotated[
    int | None,
    typer.Option(
        envvar="FLIGHTFRAME_FLIGHT_PORT",
        min=0,
        max=65535,
        help="Port for Arrow Flight; 0 is any free one.",
        show_default="the installation's, or 8815",
    ),
]
HttpPort = Annotated[
    int | None,
    typer.Option(
        envvar="FLIGHTFRAME_HTTP_PORT",
        min=0,
        max=65535,
        help="Port for HTTP; 0 is any free one.",
        show_default="the installation's, or 8000; with --flight-port 0, any",
    ),
]
SkipWarmUp = Annotated[
    bool,
    typer.Option(
        "--skip-warmup",
        envvar="FLIGHTFRAME_SKIP_WARMUP",
        help="Answer at once; nothing is made beforehand.",
    ),
]


def serve(
    installation: InstallationPath,
    flight_port: FlightPort = None,
    http_port: HttpPort = None,
    http: Annotated[bool, typer.Option(help="Whether to answer over HTTP as well.")] = True,
    store: StoreOption = None,
    skip_warmup: SkipWarmUp = False,
    watch: Watch = False,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Listen beyond this machine even without TLS and credentials.",
        ),
    ] = False,
) -> None:
    """Serve an installation over Arrow Flight, and over HTTP beside it.

    Makes what the collections ask for in cache_hint, prints one line on stdout

      flightframe ready flight=grpc://127.0.0.1:8815 http=... installation=...

    and answers until SIGTERM or Ctrl-C. Requests under way then get ten seconds
    to end; a second signal ends them at once. Log events go to stderr.

    At SIGHUP, and with --watch when they change, the manifest and the collections
    are read anew and served without a restart; where they are wrong, the log says
    so and what was served is served on.

    A server that other machines can reach needs server.tls and server.auth in
    its manifest; without them it starts only with --insecure.

    [bold]Examples[/bold]

      flightframe serve installation.yaml
      flightframe serve installation.yaml --flight-port 0 --store /var/cache/ff
    """
    configure_logs()
    with without_tracebacks(), reported_errors(), StopSignals() as stop, ReloadSignal() as hangup:
        check_exposure(installation, insecure=insecure)
        with (
            without_pandas(),
            spared_imports(),
            closing(open_installation(installation, store=store)) as opened,
        ):
            opened.reloader.warms = not skip_warmup
            ports = chosen_ports(opened.installation.server, flight_port, http_port, with_http=http)
            with closing(ReservedPorts(ports)) as reserved:
                servers = reserved.start(opened)
            try:
                with stop.errors_as_stopped():
                    if not skip_warmup:
                        # It answers meanwhile, and /readyz says that it is not ready.
                        with servers.warming():
                            warm_up(opened)
                    stop.started()
            except Stopped as signalled:
                # A hint may take minutes, and nothing that answers waits for it.
                close(servers, 128 + signalled.number)
                raise
            with reloading(opened.reloader, watch=watch, hangup=hangup):
                if not stop.requested:
                    announce(servers, opened)
                    if not skip_warmup:
                        engines = opened.runtime.engines
                        opened.reloader.warm_up.begin(sorted(engines), hinted=False)
                stop.wait()
            close(servers)


def check_exposure(manifest: Path, *, insecure: bool) -> None:
    """Refuse to be reached unprotected, before anything is opened.

    Raises:
        SetupError: that is what would happen, and --insecure is not set.
        CatalogError: the manifest is wrong.
    """
    settings = read_installation(read_text(manifest), manifest.name).server
    check_bind_address(settings, insecure=insecure)
    if insecure and missing_protection(settings):
        log.warning("serve.insecure", host=settings.host, missing=missing_protection(settings))


def warm_up(opened: OpenInstallation) -> None:
    """Make what is hinted, with a bar on a terminal and an event for each hint."""
    total = sum(len(hints(engine)) for engine in opened.runtime.engines.values())
    with progress("warming up", total) as bar:
        for done, (collection, warmed) in enumerate(opened.warm_up(), start=1):
            bar.at(f"warming up {warmed.hint}", done, total)
            log_warmed(collection, warmed)


def announce(servers: Servers, opened: OpenInstallation) -> None:
    """Print the ready line."""
    http = f" http={servers.http_url}" if servers.http_url is not None else ""
    name = opened.installation.id
    print(f"flightframe ready flight={servers.flight_uri}{http} installation={name}", flush=True)
    log.info("serve.ready", flight=servers.flight_uri, http=servers.http_url, installation=name)


def close(servers: Servers, code: int = 0) -> None:
    """Drain and close; where something cannot be ended, end the process without it."""
    log.info("serve.stopping")
    if servers.close():
        log.info("serve.stopped")
        return
    end_now(code)
